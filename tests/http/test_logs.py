"""The two forms of the log."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.http.logs import configure_logging
from tests.harness.source import ROOT


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    yield
    root.handlers[:], root.level = handlers, level
    logging.getLogger("strawberry.execution").disabled = False
    logging.captureWarnings(capture=False)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks


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

    def test_writes_half_a_surrogate_pair_escaped(self) -> None:
        stream = io.StringIO()
        configure_logging(production=True, stream=stream)
        logging.getLogger("any").info("path %s", "\ud800")
        assert json.loads(stream.getvalue())["message"] == "path \ud800"

    def test_says_of_a_record_that_cannot_be_written_whose_it_was(self, capsys: pytest.CaptureFixture[str]) -> None:
        stream = io.StringIO()
        configure_logging(production=True, stream=stream)
        logging.getLogger("some.library").info("%d seconds", "no number")
        message = json.loads(stream.getvalue())["message"]
        assert message.startswith("A record of some.library cannot be written: TypeError in ")
        assert capsys.readouterr().err == ""


BEGIN = """
import asyncio, threading, warnings
from app.http.logs import configure_logging
configure_logging(production=True)
"""
# What a program does, its exit code, and what its one line says.
PROGRAMS = {
    "a warning": ("warnings.warn('old\\nways', stacklevel=1)", 0, "old\nways"),
    "an exception": ("raise RuntimeError('broken\\nbadly')", 1, "Uncaught exception"),
    "an exception of a thread": ("threading.Thread(target=lambda: 1 / 0, name='t-1').start()", 0, "in thread t-1"),
    "an exception of a finalizer": ("class A:\n    def __del__(self): 1 / 0\nA()", 0, "Exception ignored in"),
    "a coroutine that nobody awaits": ("async def work(): pass\nwork()", 0, "coroutine 'work' was never awaited"),
    "a callback of the loop": (
        (
            "async def work():\n    asyncio.get_running_loop().call_soon(lambda: 1 / 0)\n    await asyncio.sleep(0)\n"
            "asyncio.run(work())"
        ),
        0,
        "Exception in callback",
    ),
    "a task that nobody waits for": (
        (
            "async def fail(): 1 / 0\nasync def work():\n    asyncio.create_task(fail())\n    await asyncio.sleep(0)\n"
            "asyncio.run(work())"
        ),
        0,
        "Task exception was never retrieved",
    ),
}


class TestWhatPythonItselfWouldWrite:
    @pytest.mark.parametrize(("program", "code", "message"), PROGRAMS.values(), ids=PROGRAMS)
    def test_is_a_line_like_all_others(self, program: str, code: int, message: str) -> None:
        line = self.run(program, code)
        assert message in line["message"]
        assert line["level"] in {"WARNING", "ERROR", "CRITICAL"}

    def test_has_the_traceback_in_the_line(self) -> None:
        assert self.run("raise RuntimeError('broken')", 1)["traceback"].endswith("RuntimeError: broken")

    def run(self, program: str, code: int) -> dict[str, Any]:
        command = [sys.executable, "-c", BEGIN + program]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert ended.returncode == code, ended.stderr
        (line,) = ended.stderr.splitlines()
        record: dict[str, Any] = json.loads(line)
        return record


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
