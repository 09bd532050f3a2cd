"""The PROXY protocol: read byte by byte, from HAProxy itself, and only from our own proxies."""

from __future__ import annotations

import socket
import struct
from ipaddress import ip_address
from itertools import count
from pathlib import Path

import pytest

from app.listening.proxy_protocol import NO_HEADER, ProxyHeader, read_proxy_header
from tests.harness.haproxy import run_haproxy
from tests.harness.nginx import run_nginx
from tests.listening.conftest import ASK, Listening, login, read_all, status, was_served

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\r\n"
PEOPLE = (f"198.51.{number // 250}.{number % 250 + 1}" for number in count())


def v2(source: str, port: int = 4711, *, command: int = 0x21, extension: bytes = b"") -> bytes:
    """Write a header of version 2."""
    address = ip_address(source)
    target = ip_address("192.0.2.1" if address.version == 4 else "2001:db8::1")
    rest = address.packed + target.packed + struct.pack("!HH", port, 443) + extension
    return SIGNATURE + struct.pack("!BBH", command, 0x11 if address.version == 4 else 0x21, len(rest)) + rest


class TestReadProxyHeader:
    @pytest.mark.parametrize(
        ("header", "source"),
        [
            (V1, ("203.0.113.9", 56324)),
            (b"PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n", ("2001:db8::7", 1)),
            (b"PROXY UNKNOWN\r\n", None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None),
            (v2("203.0.113.9"), ("203.0.113.9", 4711)),
            (v2("2001:db8::7", extension=b"\x04\x00\x03abc"), ("2001:db8::7", 4711)),
            (v2("203.0.113.9", command=0x20), None),
            (SIGNATURE + b"\x20\x00\x00\x00", None),
            (SIGNATURE + b"\x21\x00\x00\x00", None),
            (SIGNATURE + b"\x21\x31\x00\xd8" + bytes(216), None),
        ],
    )
    def test_reads_whole_headers_and_awaits_the_rest_of_others(
        self, header: bytes, source: tuple[str, int] | None
    ) -> None:
        assert read_proxy_header(header + ASK) == ProxyHeader(len(header), source)
        assert {read_proxy_header(header[:end]) for end in range(1, len(header))} == {None}

    @pytest.mark.parametrize("request_", [ASK, b"POST /graphql", b"PROPFIND / HTTP/1.1", b"\r\nGET / HTTP/1.1", b"\0"])
    def test_finds_none(self, request_: bytes) -> None:
        assert read_proxy_header(request_) is NO_HEADER

    @pytest.mark.parametrize(
        "header",
        [
            b"PROXY TCP4 203.0.113.9 192.0.2.1 56324\r\n",
            b"PROXY TCP4 203.0.113.999 192.0.2.1 56324 443\r\n",
            b"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
            b"PROXY TCP6 203.0.113.9 192.0.2.1 1 2\r\n",
            b"PROXY TCP4 203.0.113.9 192.0.2.1 65536 443\r\n",
            b"PROXY TCP4 203.0.113.9 192.0.2.1 1 2 3\r\n",
            b"PROXY UDP4 203.0.113.9 192.0.2.1 1 2\r\n",
            b"PROXY " + b"x" * 101,
            SIGNATURE + b"\x11\x11\x00\x0c" + bytes(12),
            SIGNATURE + b"\x22\x11\x00\x0c" + bytes(12),
            SIGNATURE + b"\x21\x11\x00\x0b" + bytes(11),
            SIGNATURE + b"\x21\x21\x00\x0c" + bytes(12),
            SIGNATURE + b"\x21\x11\xff\xff",
        ],
    )
    def test_refuses_what_breaks_the_standard(self, header: bytes) -> None:
        with pytest.raises(ValueError, match=r"version [12]"):
            read_proxy_header(header)


class TestClientAddress:
    @pytest.mark.parametrize("place", ["127.0.0.1", "unix"])
    @pytest.mark.parametrize("version", [1, 2])
    def test_is_what_our_proxy_says(self, listening: Listening, place: str, version: int) -> None:
        person = next(PEOPLE)
        header = f"PROXY TCP4 {person} 192.0.2.1 7 443\r\n".encode() if version == 1 else v2(person)
        assert listening.is_served(before=header, place=place)
        assert not listening.is_served(before=header, place=place)

    def test_is_the_same_for_all_requests_of_a_connection(self, listening: Listening) -> None:
        person = next(PEOPLE)
        assert listening.is_served(before=v2(person) + ASK)
        assert not listening.is_served(before=v2(person) + ASK + ASK)

    def test_is_read_from_a_header_that_comes_in_pieces(self, listening: Listening) -> None:
        header = v2(next(PEOPLE))
        with listening.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in header:
                connection.sendall(bytes([byte]))
            connection.sendall(login())
            assert was_served(connection)
        assert not listening.is_served(before=header)

    def test_is_not_what_that_client_writes_into_a_header(self, listening: Listening) -> None:
        header = v2(next(PEOPLE))
        assert listening.is_served(before=header, headers=f"X-Forwarded-For: {next(PEOPLE)}\r\n")
        assert not listening.is_served(before=header, headers=f"X-Forwarded-For: {next(PEOPLE)}\r\n")

    def test_is_in_the_header_when_the_protocol_names_one_more_proxy_of_ours(self, listening: Listening) -> None:
        person = f"X-Forwarded-For: {next(PEOPLE)}\r\n"
        assert listening.is_served(before=v2("127.0.0.1"), headers=person)
        assert not listening.is_served(before=v2("127.0.0.1"), headers=person)
        assert listening.is_served(before=v2("127.0.0.1"), headers=f"Forwarded: for={next(PEOPLE)}\r\n")

    @pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\x00\x00\x00", b""])
    def test_is_the_header_s_when_our_proxy_names_nobody(self, listening: Listening, header: bytes) -> None:
        person = f"X-Forwarded-For: {next(PEOPLE)}\r\n"
        assert listening.is_served(before=header, headers=person)
        assert not listening.is_served(before=header, headers=person)

    @pytest.mark.parametrize("header", [V1, v2("203.0.113.9")])
    def test_of_a_stranger_is_never_what_he_says(self, listening: Listening, header: bytes) -> None:
        with listening.connect("::1") as connection:
            connection.sendall(header + ASK)
            assert status(read_all(connection)) == 400

    @pytest.mark.parametrize("header", [b"PROXY TCP4 nobody\r\n", b"PROXY " + b"x" * 200, SIGNATURE + b"\x11\x11\0\0"])
    def test_ends_a_connection_when_it_cannot_be_read(self, listening: Listening, header: bytes) -> None:
        with listening.connect() as connection:
            connection.sendall(header + ASK)
            assert read_all(connection) == b""


class TestHaproxy:
    @pytest.mark.parametrize(
        "options", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options unique-id,crc32c"]
    )
    @pytest.mark.parametrize("place", ["127.0.0.1", "unix"])
    def test_tells_the_address_of_its_client(
        self, listening: Listening, tmp_path: Path, options: str, place: str
    ) -> None:
        server = f"127.0.0.1:{listening.server.port}" if place != "unix" else f"unix@{listening.path}"
        people = [f"127.{part}" for part in (next(PEOPLE).partition(".")[2] for _ in range(2))]
        with run_haproxy(tmp_path / "haproxy", server, options) as port:
            served = []
            for person in (people[0], people[0], people[1]):
                with socket.create_connection(("127.0.0.1", port), 30, source_address=(person, 0)) as connection:
                    connection.sendall(login(f"X-Forwarded-For: {next(PEOPLE)}\r\n"))
                    served.append(was_served(connection))
        assert served == [True, False, True]


class TestNginx:
    def test_reaches_the_gateway_by_a_socket(self, listening: Listening, tmp_path: Path) -> None:
        people = [f"127.{part}" for part in (next(PEOPLE).partition(".")[2] for _ in range(2))]
        with run_nginx(tmp_path / "nginx", [listening.path]) as nginx:
            served = []
            for person in (people[0], people[0], people[1]):
                with socket.create_connection(("127.0.0.1", nginx.port), 30, source_address=(person, 0)) as connection:
                    connection.sendall(login(f"X-Forwarded-For: {next(PEOPLE)}\r\n"))
                    served.append(was_served(connection))
        assert served == [True, False, True]
