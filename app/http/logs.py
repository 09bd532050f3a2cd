"""What the log looks like: one JSON object per line in production, one readable line in development.

That holds for all that Python itself would write to stderr: warnings, and exceptions that nobody caught.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import orjson

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}

_log = logging.getLogger(__name__)


def configure_logging(*, production: bool, stream: TextIO = sys.stderr) -> None:
    """Send every log record, warning and uncaught exception of the process to the stream, in the form of the profile.

    Those of an event loop are records already: asyncio and uvloop log what a task or a callback raises.
    """
    handler = SteadyHandler(stream)
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
    # It tells of each step that it takes, each time that a process migrates before it serves.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):  # somebody pressed Ctrl-C, and knows
        _log.critical("Uncaught exception", exc_info=(kind, error, traceback))


def _log_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    # Not the object itself: its text may hold anything.
    where = f"{unraisable.err_msg or 'Exception ignored in'} {type(unraisable.object).__qualname__}"
    error = unraisable.exc_value or unraisable.exc_type()
    _log.error(where, exc_info=(unraisable.exc_type, error, unraisable.exc_traceback))


def _log_uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
    if caught.exc_value is not None and not issubclass(caught.exc_type, SystemExit):
        name = caught.thread.name if caught.thread is not None else "that has ended"
        _log.error(
            "Uncaught exception in thread %s", name, exc_info=(caught.exc_type, caught.exc_value, caught.exc_traceback)
        )


class SteadyHandler(logging.StreamHandler[TextIO]):
    """Writes to a stream; for a record that cannot be written it writes one that says so, and no traceback."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 — the name that logging calls
        """Say whose record it was, and why it is missing."""
        why = type(sys.exception()).__name__
        reason = f"A record of {record.name} cannot be written: {why} in {record.pathname}:{record.lineno}"
        instead = logging.LogRecord(__name__, logging.ERROR, __file__, 0, reason, None, None)
        with suppress(Exception):  # the stream itself is gone, and there is no other
            self.stream.write(self.format(instead) + self.terminator)
            self.flush()


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
        try:
            return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        except orjson.JSONEncodeError:  # half a surrogate pair, which the standard library writes as \uXXXX
            return json.dumps(line, default=str, skipkeys=True)


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
