"""The last step of `scripts/test`: what failed is tried once more, alone, and then named in the last lines.

A test that passes now depends on what else runs. That is a fault of the test, to be mended, and so it is named; but it
says nothing against the rest. Where many failed, or a pass broke off, there is no second try.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

# More do not fail by chance.
MOST = 10
# So many names leave what went before them in sight.
SHOWN = 60
FAILED = Path(".pytest_cache/v/cache/lastfailed")


class Tries:
    """A plugin that remembers which tests passed, in all their parts; one that is skipped now did not."""

    def __init__(self) -> None:
        self._passed: set[str] = set()
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember it."""
        if report.failed:
            self._failed.add(report.nodeid)
        elif report.passed and report.when == "call":
            self._passed.add(report.nodeid)

    @property
    def passed(self) -> set[str]:
        """The names of those that passed."""
        return self._passed - self._failed


def main(codes: Iterable[int]) -> int:
    """Try again after passes that ended with these exit codes of pytest; return that of the whole."""
    worst = max(codes)
    if worst == pytest.ExitCode.OK:
        return worst
    failed = sorted(json.loads(FAILED.read_text())) if FAILED.exists() else []
    if worst != pytest.ExitCode.TESTS_FAILED or not 0 < len(failed) <= MOST:
        _name(f"Failed (a pass ended with {worst}), and too much for a second try", failed)
        return worst
    tries = Tries()
    pytest.main(["--last-failed", "--last-failed-no-failures", "none"], plugins=[tries])
    unsteady = [name for name in failed if name in tries.passed]
    again = [name for name in failed if name not in tries.passed]
    _name("Unsteady: failed among the others and passed alone. What they depend on is to be mended", unsteady)
    _name("Failed twice", again)
    return pytest.ExitCode.TESTS_FAILED if again else pytest.ExitCode.OK


def _name(what: str, names: list[str]) -> None:
    if names:
        rest = [f"… and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
        sys.stdout.write("\n  ".join([f"\n{what}:", *names[:SHOWN], *rest]) + "\n")


if __name__ == "__main__":
    sys.exit(main(map(int, sys.argv[1:])))
