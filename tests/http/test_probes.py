"""Alive, ready, and the public keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.domain.ports import Database, Limiter, Signer
from app.http.probes import probe_routes

KEYS = {"keys": [{"kty": "EC", "kid": "a"}]}


@dataclass
class StandIn:
    """A database or limiter with these faults, and a signer with one key."""

    found: list[str] = field(default_factory=list)
    remarked: list[str] = field(default_factory=list)

    async def faults(self) -> list[str]:
        return self.found

    async def remarks(self) -> list[str]:
        return self.remarked

    def jwks(self) -> object:
        return KEYS


@pytest.fixture
def process() -> StandIn:
    return StandIn()


@pytest.fixture
def redis() -> StandIn:
    return StandIn()


@pytest.fixture
def probes(process: StandIn, redis: StandIn) -> TestClient:
    routes = probe_routes(cast("Database", process), cast("Limiter", redis), cast("Signer", process))
    return TestClient(Starlette(routes=routes))


class TestHealthz:
    def test_is_well_even_without_a_database(self, probes: TestClient, process: StandIn) -> None:
        process.found = ["database read: TimeoutError"]
        assert probes.get("/healthz").status_code == 200


class TestReadyz:
    def test_is_ready_with_the_database(self, probes: TestClient) -> None:
        assert probes.get("/readyz").status_code == 200

    def test_is_ready_with_a_remark_on_what_is_done_without(self, probes: TestClient, process: StandIn) -> None:
        process.remarked = ["database replica: TimeoutError"]
        answer = probes.get("/readyz")
        assert (answer.status_code, answer.text.splitlines()) == (200, ["ready", *process.remarked])

    def test_says_in_a_line_each_what_fails(self, probes: TestClient, process: StandIn, redis: StandIn) -> None:
        process.found = ["database read: TimeoutError", "database write: TimeoutError"]
        redis.found = ["redis: ConnectionError"]
        answer = probes.get("/readyz")
        assert answer.status_code == 503
        assert answer.text.splitlines() == [*process.found, *redis.found]


class TestJwks:
    def test_gives_the_public_keys_to_be_kept_for_five_minutes(self, probes: TestClient) -> None:
        answer = probes.get("/.well-known/jwks.json")
        assert answer.json() == KEYS
        assert answer.headers["cache-control"] == "public, max-age=300"
