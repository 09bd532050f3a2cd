"""A normalised cache beside the real server: after each change it is right without asking again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.packages import CLIENTS, install, run_node
from tests.harness.server import ServerProcess


@pytest.fixture(scope="session")
def graphcache() -> Path:
    return install(CLIENTS / "graphcache")


class TestGraphcache:
    @pytest.fixture
    def shown(self, graphcache: Path, server: ServerProcess) -> dict[str, Any]:
        """Return what the cache shows of the customer after each step."""
        printed = run_node(graphcache, "cache.mjs", GATEWAY_URL=server.url, CLIENT_ID="open-storefront")
        return {each["step"]: each["me"] for each in printed["steps"]}

    def test_is_right_after_each_change(self, shown: dict[str, Any]) -> None:
        # What is missing in the cache would make it answer nothing at all.
        assert [step for step, me in shown.items() if me is None] == []
        for noun in ("addresses", "paymentInstruments"):
            defaults = [(step, [each["isDefault"] for each in me[noun]].count(True)) for step, me in shown.items()]
            assert [each for each, me in zip(defaults, shown.values(), strict=True) if each[1] != bool(me[noun])] == []

        def cities(step: str) -> list[tuple[str, bool]]:
            return [(each["city"], each["isDefault"]) for each in shown[step]["addresses"]]

        assert cities("first address") == [("Berlin", True)]
        assert cities("second address is the default") == [("Paris", True), ("Berlin", False)]
        assert cities("first address is the default again") == [("Berlin", True), ("Paris", False)]
        assert shown["first address has a tag"]["addresses"][0]["tags"] == ["BILLING"]
        assert cities("first address is gone") == [("Paris", True)]
        instruments = shown["second instrument is the default"]["paymentInstruments"]
        assert [(each["brand"], each["isDefault"]) for each in instruments] == [("amex", True), ("visa", False)]
        assert [each["quantity"] for each in shown["an item is on the list"]["productLists"][0]["items"]] == [2]
        assert shown["no item is on the list"]["productLists"][0]["items"] == []
        assert shown["named"]["firstName"] == "Augusta"
