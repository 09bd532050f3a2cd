"""Visits over the public API: an anonymous session is one small row until something is written on its behalf."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Any

import pytest

from app.domain.requests import RequestFacts
from app.domain.tokens import visit_tokens
from app.domain.visit_ids import visit_id_at
from app.models.visits import Visit
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork
from app.services.worker.visits import BATCH, purge_visits
from tests.factories import PASSWORD
from tests.fakes import MovableClock
from tests.harness.client import Answer
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.operations import LOGIN, LOGOUT, REFRESH
from tests.harness.two_shops import HERE, two_shops

pytestmark = pytest.mark.anyio

TABLES = ("visit", "session", "access_token", "refresh_token")
TOKEN_INFO = "{ tokenInfo { kind sessionId expiresIn clientId } }"
ME = "{ me { id } }"
NO_MORE_THAN_A_ROW = 200
# What both databases take for the first row already, and what is free in a page that has just begun.
FIRST_PAGES = 100_000


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    """Serve two shops."""
    return two_shops(tmp_path)


async def begin(gateway: Gateway) -> Any:
    return await gateway.anonymous(f"{HERE}-storefront")


async def counts(gateway: Gateway) -> tuple[int, ...]:
    """Return how many rows there are: visits, sessions, access tokens, refresh tokens."""
    return tuple([(await gateway.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in TABLES])  # noqa: S608


async def refresh(gateway: Gateway, token: str, **fields: Any) -> Answer:
    return await gateway.graphql(REFRESH, {"input": {"refreshToken": token, **fields}})


class TestAnonymousLogin:
    async def test_writes_one_row(self, gateway: Gateway) -> None:
        await begin(gateway)
        with gateway.count_statements() as statements:
            await begin(gateway)
        assert [statement.split()[:3] for statement in statements] == [["INSERT", "INTO", "visit"]]
        assert await counts(gateway) == (2, 0, 0, 0)

    async def test_takes_few_bytes_and_none_two_days_later(self, gateway: Gateway, environment: dict[str, str]) -> None:
        before = await size(gateway, environment)
        visits = 4 * BATCH
        async with UnitOfWork(gateway.tools, Caller(RequestFacts("test", ""))) as uow:
            uow.enter(gateway.tools.tenants.tenant(HERE))
            for _ in range(visits):
                visit_id = visit_id_at(uow.now, secrets.token_bytes(32))
                access, _ = visit_tokens(HERE, visit_id, secrets.token_bytes(32))
                client_id = f"{HERE}-storefront"
                await uow.visits.add(Visit(tenant_id=HERE, id=visit_id, client_id=client_id, token_hash=access.hash))
        assert await size(gateway, environment) - before < visits * NO_MORE_THAN_A_ROW + FIRST_PAGES
        gateway.clock.advance(days=1)
        assert await purge_visits(gateway.tools) == 0
        gateway.clock.advance(days=1)
        kept = await begin(gateway)
        gateway.clock.advance(seconds=1)
        assert [await purge_visits(gateway.tools) for _ in range(5)] == [*[BATCH] * 4, 0]
        assert await counts(gateway) == (1, 0, 0, 0)
        assert (await gateway.graphql(TOKEN_INFO, token=kept.access))["tokenInfo"]["kind"] == "ANONYMOUS"


class TestReading:
    async def test_takes_one_statement_and_leaves_the_visit(self, gateway: Gateway) -> None:
        tokens = await begin(gateway)
        for query in (ME, TOKEN_INFO):
            with gateway.count_statements() as statements:
                await gateway.graphql(query, token=tokens.access)
            assert len(statements) == 1, statements
        assert await counts(gateway) == (1, 0, 0, 0)

    async def test_tells_what_it_tells_of_a_session(self, gateway: Gateway) -> None:
        tokens = await begin(gateway)
        told = (await gateway.graphql(TOKEN_INFO, token=tokens.access))["tokenInfo"]
        assert told == {
            "kind": "ANONYMOUS",
            "sessionId": tokens.session_id,
            "expiresIn": 3600,
            "clientId": f"{HERE}-storefront",
        }
        await refresh(gateway, tokens.refresh)
        assert await counts(gateway) == (0, 1, 2, 2)
        assert (await gateway.graphql(TOKEN_INFO, token=tokens.access))["tokenInfo"] == told

    async def test_ends_with_the_access_token(self, gateway: Gateway) -> None:
        tokens = await begin(gateway)
        gateway.clock.advance(seconds=3599)
        assert (await gateway.graphql(ME, token=tokens.access)).codes == []
        gateway.clock.advance(seconds=1)
        assert (await gateway.graphql(ME, token=tokens.access)).reason == "EXPIRED"
        gateway.clock.advance(days=2)
        await purge_visits(gateway.tools)
        assert (await gateway.graphql(ME, token=tokens.access)).reason == "INVALID"

    async def test_takes_no_other_token(self, gateway: Gateway) -> None:
        tokens = await begin(gateway)
        other = "B" if tokens.access.endswith("A") else "A"
        as_access = tokens.refresh.replace("cg_ar_", "cg_aa_")
        visit_id = (await gateway.rows("SELECT id FROM visit"))[0][0]
        elsewhere, _ = visit_tokens("there", visit_id, secrets.token_bytes(32))
        for forged in (tokens.access[:-1] + other, tokens.refresh, as_access, elsewhere.text):
            assert (await gateway.graphql(ME, token=forged)).reason == "INVALID"


class TestWriting:
    async def test_makes_it_a_session_with_the_same_id_and_tokens(self, gateway: Gateway) -> None:
        tokens = await begin(gateway)
        gateway.clock.advance(minutes=20)
        await gateway.graphql(LOGIN, {"input": {"email": "nobody@example.com", "password": PASSWORD}}, tokens.access)
        assert await counts(gateway) == (0, 1, 1, 1)
        ((session_id,),) = await gateway.rows("SELECT id FROM session")
        assert session_id == tokens.session_id
        assert (await gateway.graphql(TOKEN_INFO, token=tokens.access))["tokenInfo"]["expiresIn"] == 2400
        gateway.clock.advance(minutes=40)
        assert (await gateway.graphql(ME, token=tokens.access)).reason == "EXPIRED"
        assert (await refresh(gateway, tokens.refresh)).user_errors("refresh") == []

    async def test_keeps_the_session_of_a_login(self, gateway: Gateway) -> None:
        person = await gateway.customer(f"{HERE}-storefront")
        tokens = await begin(gateway)
        raised = await gateway.login(person.email, token=tokens.access)
        assert raised.session_id == tokens.session_id
        assert (await gateway.graphql(ME, token=tokens.access)).reason == "REVOKED"
        assert (await refresh(gateway, tokens.refresh)).user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]

    async def test_ends_with_the_logout(self, gateway: Gateway) -> None:
        tokens = await begin(gateway)
        await gateway.graphql(LOGOUT, token=tokens.access)
        assert (await gateway.graphql(ME, token=tokens.access)).reason == "REVOKED"
        assert (await refresh(gateway, tokens.refresh)).user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]

    async def test_leaves_the_visit_where_it_is_rolled_back(self, gateway: Gateway) -> None:
        tokens = await begin(gateway)
        refused = await refresh(gateway, tokens.refresh, legalEntityId="none")
        assert refused.user_errors("refresh") == [("NOT_FOUND", "legalEntityId")]
        assert await counts(gateway) == (1, 0, 0, 0)
        assert (await gateway.graphql(ME, token=tokens.access)).codes == []
        assert (await refresh(gateway, tokens.refresh)).user_errors("refresh") == []

    async def test_makes_one_session_where_many_write_at_once(self, gateway: Gateway) -> None:
        tokens = await begin(gateway)
        given = {"input": {"email": "nobody@example.com", "password": PASSWORD}}
        answers = await asyncio.gather(
            *(refresh(gateway, tokens.refresh) for _ in range(8)),
            *(gateway.graphql(LOGIN, given, tokens.access) for _ in range(8)),
        )
        assert all(answer.user_errors("refresh") == [] for answer in answers[:8])
        visits, sessions, _, _ = await counts(gateway)
        assert (visits, sessions) == (0, 1)


class TestRefresh:
    async def test_gives_a_pair_for_each_tab_and_knows_a_second_holder(self, gateway: Gateway) -> None:
        tokens = await begin(gateway)
        given = [await gateway.refresh(tokens.refresh) for _ in range(2)]
        assert {each.session_id for each in given} == {tokens.session_id}
        await gateway.refresh(given[0].refresh)
        gateway.clock.advance(minutes=1)
        reused = await refresh(gateway, tokens.refresh)
        assert reused.user_errors("refresh") == [("TOKEN_REUSED", "refreshToken")]
        assert (await gateway.graphql(ME, token=given[1].access)).reason == "REVOKED"

    async def test_repeats_a_lost_answer(self, gateway: Gateway) -> None:
        tokens = await begin(gateway)
        lost = await gateway.refresh(tokens.refresh)
        gateway.clock.advance(hours=20)
        found = await gateway.refresh(tokens.refresh)
        assert (await gateway.graphql(ME, token=lost.access)).reason in ("REVOKED", "EXPIRED")
        assert (await gateway.graphql(ME, token=found.access)).codes == []

    async def test_tells_for_a_day_that_the_visit_has_ended(self, gateway: Gateway) -> None:
        tokens = await begin(gateway)
        gateway.clock.advance(days=1)
        await purge_visits(gateway.tools)
        for _ in range(2):
            expired = await refresh(gateway, tokens.refresh)
            assert expired.user_errors("refresh") == [("TOKEN_EXPIRED", "refreshToken")]
        assert await counts(gateway) == (1, 0, 0, 0)
        gateway.clock.advance(days=1, seconds=1)
        await purge_visits(gateway.tools)
        assert (await refresh(gateway, tokens.refresh)).user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]


class TestOldRelease:
    async def test_gets_sessions_that_it_knows(
        self, gateway: Gateway, environment: dict[str, str], clock: MovableClock
    ) -> None:
        await gateway.write("UPDATE alembic_version SET lowest_version = '1.0'")
        tokens = await begin(gateway)
        assert await counts(gateway) == (0, 1, 1, 1)
        await gateway.write("UPDATE alembic_version SET lowest_version = '1.1'")
        async with run_gateway(environment, clock) as later:
            visit = await begin(later)
            assert await counts(later) == (1, 1, 1, 1)
            assert (await later.graphql(ME, token=tokens.access)).codes == []
        # It has not seen the mark yet, and takes these tokens all the same.
        assert (await gateway.graphql(ME, token=visit.access)).codes == []


async def size(gateway: Gateway, environment: dict[str, str]) -> int:
    """Return the bytes of the table and its indexes, or of the whole file."""
    statement = "SELECT pg_total_relation_size('visit')"
    if environment["DATABASE_URL"].startswith("sqlite"):
        statement = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    return int((await gateway.rows(statement))[0][0])
