"""DNS servers that carry zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adslib.domain.errors import Failed
from adslib.domain.zone_setting import ZoneSetting

if TYPE_CHECKING:
    from adslib.adapters.dns.name_server import NameServer

__all__ = ["open_name_server"]


def open_name_server(setting: ZoneSetting, secret: str) -> NameServer:
    """The server that carries a zone; its library is imported here, where it is used.

    Args:
        secret: of its TSIG key, in base64.

    Raises:
        Failed: dnspython is not installed, or the secret is none.
    """
    try:
        from adslib.adapters.dns.name_server import NameServer
    except ImportError as error:
        raise Failed(
            f"zone '{setting.name}' cannot be published: dnspython is not installed",
            remedy="install it with: pip install 'adslib[dns]'",
        ) from error
    return NameServer(setting, secret)
