"""The line of one request, in both profiles."""

from __future__ import annotations

import errno
import io
import json

from app.http.exchange import Exchange
from app.http.request_log import RequestLog
from tests.http.example import FixedClock

EXCHANGE = Exchange("request-1", "203.0.113.9", "Mine", ("me",), "demo", "CUSTOMER", ["FORBIDDEN"])


def write(exchange: Exchange, path: str = "/graphql", *, production: bool) -> str:
    stream = io.StringIO()
    RequestLog(FixedClock(), stream, production=production).write(exchange, "POST", path, 200, 1.234)
    return stream.getvalue()


class FullDisk(io.StringIO):
    """A file for which there is no room."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


class TestWrite:
    def test_is_one_json_object_in_production(self) -> None:
        line = json.loads(write(EXCHANGE, production=True))
        assert (line["request_id"], line["operation"], line["duration_ms"]) == ("request-1", "Mine", 1.23)

    def test_is_one_line_to_read_in_development(self) -> None:
        line = write(EXCHANGE, production=False)
        assert line == "12:30:00 INFO    200 POST /graphql  me  demo/CUSTOMER  1.23 ms  FORBIDDEN\n"

    def test_cuts_an_endless_operation_name(self) -> None:
        exchange = Exchange("request-1", "203.0.113.9", "a" * 5_000)
        assert json.loads(write(exchange, production=True))["operation"] == "a" * 100

    def test_is_lost_alone_where_the_disk_is_full(self) -> None:
        RequestLog(FixedClock(), FullDisk(), production=True).write(EXCHANGE, "POST", "/graphql", 200, 1.234)

    def test_stays_one_line_whatever_the_path(self) -> None:
        for production in (True, False):
            assert write(EXCHANGE, "/a\nb\r\x1b[31m", production=production).count("\n") == 1
            assert "\x1b" not in write(EXCHANGE, "/\x1b[31m", production=production)
