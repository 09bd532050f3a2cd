"""The two forms of the log."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from app.http.logs import configure_logging


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    strawberry = logging.getLogger("strawberry.execution")
    yield
    root.handlers[:], root.level = handlers, level
    strawberry.disabled = False


class TestProduction:
    def test_keeps_a_traceback_in_the_line(self) -> None:
        stream = io.StringIO()
        configure_logging(production=True, stream=stream)
        try:
            raise RuntimeError("broken")
        except RuntimeError:
            logging.getLogger("any").exception("Failed\nbadly")
        (line,) = stream.getvalue().splitlines()
        record = json.loads(line)
        assert record["message"] == "Failed\nbadly"
        assert record["traceback"].endswith("RuntimeError: broken")

    def test_writes_what_json_has_no_type_for_as_text(self) -> None:
        stream = io.StringIO()
        configure_logging(production=True, stream=stream)
        logging.getLogger("any").info("sent", extra={"what": {1: {2}}})
        assert json.loads(stream.getvalue())["what"] == {"1": "{2}"}

    def test_keeps_the_urls_that_we_call_out(self) -> None:
        stream = io.StringIO()
        configure_logging(production=True, stream=stream)
        logging.getLogger("httpx2").info("HTTP Request: POST https://hooks.example/secret-path")
        assert stream.getvalue() == ""

    def test_silences_what_strawberry_would_repeat(self) -> None:
        stream = io.StringIO()
        configure_logging(production=True, stream=stream)
        logging.getLogger("strawberry.execution").error("Variable '$input' got 'hunter2'")
        assert stream.getvalue() == ""

    def test_silences_the_access_log_of_the_server(self) -> None:
        stream = io.StringIO()
        configure_logging(production=True, stream=stream)
        logging.getLogger("uvicorn.access").info("203.0.113.9 - GET /")
        logging.getLogger("uvicorn.error").info("started")
        assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["started"]


class TestDevelopment:
    def test_shows_a_traceback_below(self) -> None:
        stream = io.StringIO()
        configure_logging(production=False, stream=stream)
        try:
            raise RuntimeError("broken")
        except RuntimeError:
            logging.getLogger("any").exception("Failed", extra={"request_id": "request-1"})
        first, *_, last = stream.getvalue().splitlines()
        assert first[9:] == "ERROR   any: Failed  request_id=request-1"
        assert last == "RuntimeError: broken"
