"""Where the gateway listens, as `HOST` says it: addresses of this machine, and sockets that are files."""

from __future__ import annotations

from ipaddress import ip_address

LOCALHOST = "localhost"
SOCKET = "unix:"
ALL_IPV4, ALL_IPV6 = "0.0.0.0", "::"  # noqa: S104 - what others may set
# Bytes; what every system takes (macOS the fewest).
LONGEST_PATH = 103

_FORM = (
    "must be an address to listen on, such as 127.0.0.1, ::1 or 0.0.0.0, or localhost, or unix:/run/gateway.sock; "
    "several with commas between them"
)


def read_hosts(text: str) -> tuple[str, ...]:
    """Return each place once, in order; raises `ValueError` for one that is none, and for one within another."""
    hosts = tuple(dict.fromkeys(_read(part.strip()) for part in text.split(",")))
    for every, version in ((ALL_IPV4, 4), (ALL_IPV6, 6)):
        within = [host for host in hosts if host != every and _is_of(host, version)]
        if every in hosts and within:
            raise ValueError(f"must not name {within[0]} beside {every}, which includes it")
    return hosts


def _read(text: str) -> str:
    if text.startswith(SOCKET):
        path = text.removeprefix(SOCKET)
        if not path.startswith("/") or path.endswith("/") or "\0" in path:
            raise ValueError("must have a whole path after unix:, such as unix:/run/gateway.sock")
        if len(path.encode()) > LONGEST_PATH:
            raise ValueError(f"must have a path of at most {LONGEST_PATH} bytes after unix:")
        return text
    if text == LOCALHOST:
        return text
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise ValueError(_FORM) from error


def _is_of(host: str, version: int) -> bool:
    return not host.startswith(SOCKET) and (host == LOCALHOST or ip_address(host).version == version)
