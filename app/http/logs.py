"""The form of the log: one JSON object per line in production, one readable line in development."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


def configure_logging(*, production: bool, stream: TextIO = sys.stderr) -> None:
    """Send every log record of the process to the stream, in the form of the profile."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if production else ReadableFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"  # `RequestLog` says more, without the client address
    # Strawberry logs every refused operation with the message of graphql-core, which repeats what the caller sent.
    logging.getLogger("strawberry.execution").disabled = True
    # It logs the whole URL of every request, and the URL of a webhook may have a secret in it.
    logging.getLogger("httpx2").setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
    """One JSON object per record: time (RFC 3339, UTC), level, logger, message, the extra fields, the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class ReadableFormatter(logging.Formatter):
    """One short line per record for a person, the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line to read."""
        details = "  ".join(f"{name}={value}" for name, value in _extra(record).items())
        text = f"{record.name}: {record.getMessage()}  {details}".rstrip()
        line = f"{datetime.fromtimestamp(record.created, UTC):%H:%M:%S} {record.levelname:<7} {text}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
