"""Writes one line in the log for each request: nothing personal, no full IP address, no variables."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any, TextIO

import orjson

from app.domain.ports import Clock
from app.http.exchange import Exchange

_MAX_NAME = 100


class RequestLog:
    """Writes to the stream in the form of the profile, as `configure_logging` does.

    Not with `logging`, which takes as long for one line as everything else in `http` for one request.
    """

    def __init__(self, clock: Clock, stream: TextIO, *, production: bool) -> None:
        self._clock = clock
        self._write = stream.write
        self._flush = stream.flush
        self._describe = _as_json if production else _as_text

    def write(self, exchange: Exchange, method: str, path: str, status: int, duration_ms: float) -> None:
        """Write the line of one request."""
        line = {
            "level": "INFO",
            "logger": "app.requests",
            "message": "request",
            "request_id": exchange.request_id,
            "method": method,
            "path": path,
            "status": status,
            "duration_ms": round(duration_ms, 2),
            "operation": exchange.operation[:_MAX_NAME] if exchange.operation else None,
            "fields": exchange.fields,
            "tenant": exchange.tenant,
            "caller": exchange.caller,
            "codes": exchange.codes,
        }
        # A full disk, or nobody who reads, is the log's loss alone: the request was served.
        with suppress(OSError):
            self._write(self._describe(self._clock.now(), line))
            self._flush()


def _as_json(now: datetime, line: dict[str, Any]) -> str:
    return orjson.dumps({"time": now, **line}, option=orjson.OPT_APPEND_NEWLINE).decode()


def _as_text(now: datetime, line: dict[str, Any]) -> str:
    who = f"{line['tenant'] or '-'}/{line['caller'] or '-'}"
    what = f"{line['status']} {line['method']} {line['path']}  {' '.join(line['fields']) or '-'}"
    # A path from outside may have line breaks; it must not add lines to the log.
    text = f"{what}  {who}  {line['duration_ms']} ms  {' '.join(line['codes'])}".rstrip()
    if not text.isprintable() or not text.isascii() or "\\" in text:
        text = text.encode("unicode_escape").decode()
    return f"{now.hour:02}:{now.minute:02}:{now.second:02} INFO    {text}\n"
