"""A connection by one bridge, whatever other bridge has the same network; handed to ssh, which goes on with it.

Usage: reaching.py bridge address port, as ssh's ProxyCommand with ProxyUseFdpass.
"""

from __future__ import annotations

import shlex
import socket
import sys

SECONDS = 30.0


def connected(bridge: str, address: str, port: int, seconds: float) -> socket.socket:
    """Connect to an address of a bridge.

    Raises:
        OSError: nobody answers in time.
    """
    asking = socket.socket()
    try:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bridge.encode())
        asking.settimeout(seconds)
        asking.connect((address, port))
    except OSError:
        asking.close()
        raise
    return asking


def arguments(bridge: str) -> str:
    """The arguments that make ssh connect so."""
    command = shlex.join([sys.executable, "-I", "-S", __file__, bridge])
    return f"-o {shlex.quote(f'ProxyCommand={command} %h %p')} -o ProxyUseFdpass=yes"


def main() -> None:
    """Connect and hand the connection over."""
    bridge, address, port = sys.argv[1:]
    try:
        made = connected(bridge, address, int(port), SECONDS)
    except OSError as error:
        sys.exit(f"ssh: connect to host {address} port {port}: {error.strerror or 'Connection timed out'}")
    made.settimeout(None)
    with socket.socket(fileno=1) as ssh:
        socket.send_fds(ssh, [b"\0"], [made.fileno()])


if __name__ == "__main__":
    main()
