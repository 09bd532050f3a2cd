"""The last step of `scripts/test`: what failed is tried once more, alone, and then named with its cause.

A test that passes now depends on what else runs. That is a fault of the test, to be mended, and so it is named; but it
says nothing against the rest. Where much failed, or a pass broke off, there is no second try.

As a plugin of the passes before (`-p tests.harness.second_try`) it writes down the causes.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

# More do not fail by chance. All that wanted the same cluster, say, which did not start, failed for one cause.
MOST_CAUSES = 10
# So many names leave what went before them in sight, and so many letters tell what a cause is.
SHOWN, SAID = 60, 400
FAILED, CAUSES = "cache/lastfailed", "customer-gateway/causes"


class Tries:
    """A plugin that remembers which tests passed, in all their parts, and why others did not.

    One that is skipped did neither.
    """

    def __init__(self) -> None:
        self._passed: set[str] = set()
        self.causes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember it."""
        if report.failed:
            self.causes.setdefault(report.nodeid, _cause(report))
        elif report.passed and report.when == "call":
            self._passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the causes to what earlier passes have written, once for all processes."""
        if not hasattr(session.config, "workerinput"):
            cache = session.config.cache
            cache.set(CAUSES, cache.get(CAUSES, {}) | self.causes)

    @property
    def passed(self) -> set[str]:
        """The names of those that passed."""
        return self._passed - self.causes.keys()


def pytest_configure(config: pytest.Config) -> None:
    """Remember what happens in a pass that has this module as a plugin."""
    config.pluginmanager.register(Tries())


def main(codes: Iterable[int]) -> int:
    """Try again after passes that ended with these exit codes of pytest; return that of the whole."""
    worst = max(codes)
    if worst == pytest.ExitCode.OK:
        return worst
    causes = _read(CAUSES)
    failed = {name: causes.get(name, name) for name in sorted(_read(FAILED))}
    if worst != pytest.ExitCode.TESTS_FAILED or not 0 < len(set(failed.values())) <= MOST_CAUSES:
        _name(f"Failed (a pass ended with {worst}), and too much for a second try", failed)
        return worst
    tries = Tries()
    pytest.main(["--last-failed", "--last-failed-no-failures", "none"], plugins=[tries])
    unsteady = {name: cause for name, cause in failed.items() if name in tries.passed}
    again = {name: tries.causes.get(name, cause) for name, cause in failed.items() if name not in tries.passed}
    _name("Unsteady: failed among the others and passed alone. What they depend on is to be mended", unsteady)
    _name("Failed twice", again)
    return pytest.ExitCode.TESTS_FAILED if again else pytest.ExitCode.OK


def _cause(report: pytest.TestReport) -> str:
    """Return where and why it failed, in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return " ".join(report.longreprtext.split())[-SAID:]
    return f"{os.path.relpath(crash.path)}:{crash.lineno}: {' '.join(crash.message.split())[:SAID]}"


def _read(key: str) -> dict[str, str]:
    """Return what pytest keeps from one pass to the next."""
    file = Path(".pytest_cache/v", key)
    found: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    return found


def _name(what: str, causes: Mapping[str, str]) -> None:
    """Print names below their cause, which many may have in common."""
    if not causes:
        return
    names = defaultdict(list)
    for name, cause in list(causes.items())[:SHOWN]:
        names[cause].append(name)
    lines = [f"\n{what}:"]
    for cause, its in names.items():
        lines += [f"  {cause}", *(f"    {name}" for name in its if name != cause)]
    if len(causes) > SHOWN:
        lines.append(f"  … and {len(causes) - SHOWN} more")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(map(int, sys.argv[1:])))
