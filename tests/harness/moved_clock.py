"""A server process whose clock a test can move: the sleep of a machine, or the night that a person was away."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from app.adapters.clock import SystemClock
from app.commands.command_line import main
from tests.harness.server import ServerProcess

_FILE = "MOVED_CLOCK"


class MovedServer(ServerProcess):
    """The gateway as a process of its own, on a clock that goes on as all do, but may be ahead of them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._file = Path(environment["STATE_DIR"]) / "clock"
        super().__init__({**environment, _FILE: str(self._file)}, (sys.executable, "-m", __name__))

    def sleep(self, *, seconds: float = 0, hours: float = 0) -> None:
        """Let so much time pass at once."""
        ahead = (float(self._file.read_text()) if self._file.exists() else 0) + seconds + 3600 * hours
        self._file.with_suffix(".new").write_text(str(ahead))
        self._file.with_suffix(".new").replace(self._file)


def _serve() -> int:
    file = Path(os.environ.pop(_FILE))

    def now(_clock: SystemClock) -> datetime:
        ahead = float(file.read_text()) if file.exists() else 0
        return datetime.now(UTC) + timedelta(seconds=ahead)

    with patch.object(SystemClock, "now", now):
        return main(["serve"])


if __name__ == "__main__":
    sys.exit(_serve())
