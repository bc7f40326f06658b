"""`ads network`: networks, and what is published of them."""

from __future__ import annotations

import typer

from adslib.entrypoints.cli import zones

app = typer.Typer(help="Networks: prefixes, VLANs and zones.", no_args_is_help=True)
app.add_typer(zones.app, name="zone")
app.command("publish")(zones.publish)
