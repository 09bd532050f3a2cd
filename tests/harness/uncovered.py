"""In which tests coverage is not measured, and how its tracer rests in them: it costs two thirds more time.

What is measured in the others alone is less than what all of them cover, so that the bound holds for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

# They start the gateway as a process, or are of the tests' own tools: this process has little of the code to run.
_OTHER_PROCESSES = ("bench", "clients", "faults", "harness", "installs", "listening", "storefront")
_PLACES = (*(f"tests/{folder}/" for folder in _OTHER_PROCESSES), "tests/http/test_fuzz.py", "tests/test_")
# Top files whose gateways run in this process.
_MEASURED = tuple(f"tests/test_{name}.py" for name in ("conflicts", "main", "metrics", "settings", "time_is_up"))
# What does on PostgreSQL what it does on SQLite; the engines' own code is covered by the adapters' tests.
_ON_BOTH = ("tests/graphql/", "tests/http/", "tests/services/")


def is_uncovered(item: pytest.Item) -> bool:
    """Tell whether what the test covers is covered by others."""
    if item.nodeid.startswith(_PLACES) and not item.nodeid.startswith(_MEASURED):
        return True
    engine = item.callspec.params.get("database_url") if hasattr(item, "callspec") else None
    return engine == "postgresql" and item.nodeid.startswith(_ON_BOTH)


class Uncovered:
    """The plugin that lets the tracer rest in them, their fixtures included."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Stop it before such a test, and start it again behind."""
        plugin = item.config.pluginmanager.getplugin("_cov")
        controller = getattr(plugin, "cov_controller", None)
        if controller is None or not is_uncovered(item):
            return (yield)
        controller.pause()
        try:
            return (yield)
        finally:
            controller.resume()
