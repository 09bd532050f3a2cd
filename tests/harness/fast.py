"""`--fast`: leaves out what needs more than this process and SQLite, by what a test asks for and by what it does."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

# What a parameter of a database or a limiter says, and the fixtures that stand for the same.
OUTSIDE = frozenset({"postgresql", "redis"})
_LONG = ("slow", "wall_clock", "hypothesis")
_STARTS = frozenset({"subprocess.Popen", "os.fork", "os.posix_spawn", "os.system"})


class FastRun:
    """The plugin of a fast run: what needs more is deselected, what starts a process all the same is skipped."""

    def __init__(self) -> None:
        self._is_testing = False
        sys.addaudithook(self._watch)

    @pytest.hookimpl(trylast=True)  # Hypothesis marks its tests at the same moment
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out the tests on PostgreSQL and Redis, and those that say that they take long."""
        left_out = [item for item in items if needs_more(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not needs_more(item)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Watch while a test runs, and only then: pytest starts processes of its own."""
        self._is_testing = True
        try:
            return (yield)
        finally:
            self._is_testing = False

    def _watch(self, event: str, _arguments: tuple[object, ...]) -> None:
        if event in _STARTS and self._is_testing:
            pytest.skip("It starts a process, and this run is fast.")


def needs_more(item: pytest.Item) -> bool:
    """Tell whether a test is on another database than SQLite, on Redis, or one that says that it takes long."""
    call = getattr(item, "callspec", None)
    chosen = {value for value in call.params.values() if isinstance(value, str)} if call is not None else set()
    return bool(OUTSIDE & (chosen | set(getattr(item, "fixturenames", ())))) or any(map(item.get_closest_marker, _LONG))
