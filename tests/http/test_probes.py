"""Alive, ready, and the public keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.domain.ports import Database, Signer
from app.http.probes import probe_routes

KEYS = {"keys": [{"kty": "EC", "kid": "a"}]}


@dataclass
class StandIn:
    """A database that is ready or not, and a signer with one key."""

    ready: bool = True

    async def is_ready(self) -> bool:
        return self.ready

    def jwks(self) -> object:
        return KEYS


@pytest.fixture
def process() -> StandIn:
    return StandIn()


@pytest.fixture
def probes(process: StandIn) -> TestClient:
    return TestClient(Starlette(routes=probe_routes(cast("Database", process), cast("Signer", process))))


class TestHealthz:
    def test_is_well_even_without_a_database(self, probes: TestClient, process: StandIn) -> None:
        process.ready = False
        assert probes.get("/healthz").status_code == 200


class TestReadyz:
    def test_is_ready_with_the_database(self, probes: TestClient) -> None:
        assert probes.get("/readyz").status_code == 200

    def test_is_not_ready_without_it(self, probes: TestClient, process: StandIn) -> None:
        process.ready = False
        assert probes.get("/readyz").status_code == 503


class TestJwks:
    def test_gives_the_public_keys_to_be_kept_for_five_minutes(self, probes: TestClient) -> None:
        answer = probes.get("/.well-known/jwks.json")
        assert answer.json() == KEYS
        assert answer.headers["cache-control"] == "public, max-age=300"
