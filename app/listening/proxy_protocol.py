"""Reads the PROXY protocol, versions 1 and 2: the lines in which a proxy for TCP says who has connected to it.

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

# Bytes of a header of version 2 at most: the standard asks for 536, extensions such as certificates need more.
LONGEST = 16_384

_V1 = b"PROXY "
# With CR and LF (section 2.1).
_LONGEST_V1 = 107
_V1_LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: [^\r\n]*)?|TCP(?P<version>[46]) (?P<source>[0-9A-Fa-f:.]+) (?P<target>[0-9A-Fa-f:.]+) "
    rb"(?P<port>0|[1-9][0-9]{0,4}) (?:0|[1-9][0-9]{0,4}))\r\n"
)
_V2 = b"\r\n\r\n\0\r\nQUIT\n"
_V2_START = struct.Struct("!12sBBH")
_LOCAL, _PROXY = 0x20, 0x21
# By family and transport: how the addresses and the ports of source and target are written.
_V2_ADDRESSES = {0x11: (IPv4Address, struct.Struct("!4s4sHH")), 0x21: (IPv6Address, struct.Struct("!16s16sHH"))}


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """How many bytes it has, and whom it names; None is the proxy itself, as in its own checks."""

    length: int
    source: tuple[str, int] | None


NO_HEADER = ProxyHeader(0, None)


def read_proxy_header(data: bytes) -> ProxyHeader | None:
    """Return the header that a connection begins with, or `NO_HEADER`; None while its end is not there.

    Raises `ValueError` for one that breaks the standard.
    """
    if data.startswith(_V1):
        return _read_v1(data)
    if data.startswith(_V2):
        return _read_v2(data)
    return None if _V1.startswith(data) or _V2.startswith(data) else NO_HEADER


def _read_v1(data: bytes) -> ProxyHeader | None:
    line, end, _ = data[:_LONGEST_V1].partition(b"\r\n")
    if not end:
        if len(data) >= _LONGEST_V1:
            raise ValueError("version 1 without an end")
        return None
    match = _V1_LINE.fullmatch(line + end)
    if match is None:
        raise ValueError("version 1 with another form")
    length = len(line) + len(end)
    if match["version"] is None:
        return ProxyHeader(length, None)
    source, target, port = (match[name].decode() for name in ("source", "target", "port"))
    if {_version(source), _version(target)} != {int(match["version"])} or int(port) > 0xFFFF:
        raise ValueError("version 1 with another kind of address")
    return ProxyHeader(length, (source, int(port)))


def _version(address: str) -> int | None:
    try:
        return ip_address(address).version
    except ValueError:
        return None


def _read_v2(data: bytes) -> ProxyHeader | None:
    if len(data) < _V2_START.size:
        return None
    _, command, family, rest = _V2_START.unpack_from(data)
    length = _V2_START.size + rest
    if command not in {_LOCAL, _PROXY} or length > LONGEST:
        raise ValueError("version 2 with another command, or too long")
    if len(data) < length:
        return None
    if command == _LOCAL or family not in _V2_ADDRESSES:
        return ProxyHeader(length, None)
    read, form = _V2_ADDRESSES[family]
    if rest < form.size:
        raise ValueError("version 2 without its addresses")
    source, _, port, _ = form.unpack_from(data, _V2_START.size)
    return ProxyHeader(length, (str(read(source)), port))
