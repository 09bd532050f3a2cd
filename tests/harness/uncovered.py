"""In which tests coverage is not measured, and how its tracer rests in them: it costs two thirds more time.

What is measured in the others alone is less than what all of them cover, so that the bound holds for all of them.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

# They start the gateway as a process, or are of the tests' own tools: nothing of it runs in this process.
_FOLDERS = ("bench", "clients", "faults", "harness", "installs", "storefront")
_FILES = ("containers", "frozen_database", "journey", "many_processes", "scripts", "serve_script", "setup_script")
_ELSEWHERE = (*(f"tests/{name}/" for name in _FOLDERS), *(f"tests/test_{name}.py" for name in _FILES))
# What does on PostgreSQL and Citus what it does on SQLite; the engines' own code is covered by the adapters' tests.
_ON_BOTH = ("tests/graphql/", "tests/http/", "tests/services/")


def is_uncovered(item: pytest.Item) -> bool:
    """Tell whether what the test covers is covered by others."""
    if item.nodeid.startswith(_ELSEWHERE):
        return True
    engine = item.callspec.params.get("database_url") if hasattr(item, "callspec") else None
    return engine in {"postgresql", "citus"} and item.nodeid.startswith(_ON_BOTH)


class Uncovered:
    """The plugin that lets the tracer rest in them, but for what they are the first to make for others."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._rests_in: Any = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Stop it before such a test, and start it again behind."""
        controller = getattr(self._config.pluginmanager.getplugin("_cov"), "cov_controller", None)
        if controller is None or not is_uncovered(item):
            return (yield)
        controller.pause()
        self._rests_in = controller
        try:
            return (yield)
        finally:
            self._rests_in = None
            controller.resume()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Measure what is set up once: the migrations."""
        controller = self._rests_in
        if controller is None or fixturedef.scope == "function":
            return (yield)
        controller.resume()
        try:
            return (yield)
        finally:
            controller.pause()
