"""Options and arguments that many commands share, and how names are completed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from adslib.domain.errors import Invalid
from adslib.entrypoints.cli.presenting import Format
from adslib.entrypoints.cli.session import choose_format

if TYPE_CHECKING:
    from adslib.usecases.ads import Ads


def completing(names: Callable[[Ads], Iterable[str]]) -> Callable[[typer.Context, str], list[str]]:
    """Complete a word with names from the store; a store that cannot be read completes nothing."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        with suppress(Exception):
            import adslib

            with adslib.connect(str(ctx.find_root().params.get("database") or "")) as ads:
                return [name for name in names(ads) if name.startswith(incomplete)]
        return []

    return complete


environment_names = completing(lambda ads: (str(each["name"]) for each in ads.environments.list()))
machine_names = completing(lambda ads: (str(each["name"]) for each in ads.machines.list()))
job_ids = completing(lambda ads: (str(each["job"]) for each in ads.jobs.list()))
template_names = completing(lambda ads: (str(each["name"]) for each in ads.templates.list()))
network_names = completing(lambda ads: (str(each["name"]) for each in ads.networks.list()))
gateway_names = completing(lambda ads: (str(each["name"]) for each in ads.gateways.list(ask=False)))
zone_names = completing(lambda ads: (str(each["name"]) for each in ads.zones.list()))

EnvironmentName = Annotated[
    str, typer.Argument(metavar="NAME", help="The environment.", autocompletion=environment_names)
]
MachineName = Annotated[str, typer.Argument(metavar="NAME", help="The machine.", autocompletion=machine_names)]
TemplateName = Annotated[str, typer.Argument(metavar="NAME", help="The template.", autocompletion=template_names)]
GatewayName = Annotated[str, typer.Argument(metavar="NAME", help="The gateway.", autocompletion=gateway_names)]
NetworkName = Annotated[str, typer.Argument(metavar="NAME", help="The network.", autocompletion=network_names)]
ZoneName = Annotated[
    str, typer.Argument(metavar="ZONE", help="The zone, like west.example.", autocompletion=zone_names)
]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.", autocompletion=job_ids)]
OutputFormat = Annotated[
    Format, typer.Option("--format", callback=choose_format, help="How to write the result, or the error.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Comment = Annotated[str, typer.Option("--comment", help="Why; kept with the revision.")]
Parameters = Annotated[
    list[str], typer.Option("--parameter", "-p", metavar="KEY=VALUE", help="A parameter of the definition; repeatable.")
]


def pairs(words: Iterable[str], what: str) -> dict[str, str]:
    """Texts by key, of words like `key=value`.

    Raises:
        Invalid: a word has no '=' or no key, or a key comes twice.
    """
    result: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise Invalid(f"'{word}' is no {what}", place=f"--{what}", remedy="write key=value")
        if key in result:
            raise Invalid(f"'{key}' is given twice", place=f"--{what}", remedy="give it once")
        result[key] = value
    return result
