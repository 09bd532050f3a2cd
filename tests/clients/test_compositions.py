"""The subgraph in the compositions of Hive, Cosmo and Mesh; for Apollo's see `test_typescript.py`."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from app.graphql.schema import build_schema
from tests.clients.packages import CLIENTS, install, run_node

COMPOSITIONS = ("hive", "cosmo", "mesh")


@cache
def composed(sdl: str) -> dict[str, Any]:
    """Compose a subgraph with the order service's in each way."""
    printed: dict[str, Any] = run_node(install(CLIENTS / "compositions"), "compose.mjs", sdl)
    return printed


@pytest.mark.parametrize("composition", COMPOSITIONS)
class TestComposition:
    def test_of_customers_and_orders_has_no_error(self, composition: str) -> None:
        outcome = composed(build_schema().subgraph_sdl)[composition]
        assert outcome["errors"] == []
        assert "OrderConnection" in outcome["whole"]
        assert "AddressTagsPayload" in outcome["whole"]

    def test_finds_what_does_not_fit(self, composition: str) -> None:
        unshared = build_schema().subgraph_sdl.replace("type PageInfo @shareable", "type PageInfo")
        outcome = composed(unshared)[composition]
        assert outcome["whole"] == ""
        assert "PageInfo" in "".join(outcome["errors"])
