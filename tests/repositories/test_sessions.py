"""Refresh tokens are traded once, sessions raised once, and which sessions and tokens end with what."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.domain.ports import Database
from app.domain.principal import TokenKind
from app.domain.rows import Reading
from app.models.sessions import AccessToken, RefreshToken, Session
from app.repositories.sessions import SessionRepository, TokenLookup
from tests.harness.rows import LATER, NOW, row_of
from tests.harness.transactions import AT_ONCE, at_once, transaction, write

pytestmark = pytest.mark.anyio

NOBODYS = {"customer_id": None, "kind": TokenKind.ANONYMOUS.value}


def session(word: str = "a", /, **values: Any) -> Session:
    made = row_of(Session, "shop", word, **{"customer_id": "a", "kind": TokenKind.CUSTOMER.value, **values})
    assert isinstance(made, Session)
    return made


async def ended(database: Database, model: type[Any] = Session) -> set[Any]:
    table = model.__table__
    (key,) = [column for column in table.primary_key if column.name != "tenant_id"]
    reading = Reading(model, select(table).where(table.c.revoked_at == NOW))
    return {getattr(row, key.name) for row in await database.connect().read_anew(reading)}


class TestClaimRefreshToken:
    async def test_of_sixteen_at_once_one_succeeds(self, database: Database) -> None:
        await write(database, row_of(RefreshToken, "shop"))
        claimed = await at_once(
            database, lambda connection: SessionRepository(connection, "shop").claim_refresh_token(b"a", NOW)
        )
        assert sorted(claimed) == [False] * (AT_ONCE - 1) + [True]

    @pytest.mark.parametrize("state", ["used_at", "revoked_at"])
    async def test_refuses_what_is_over(self, database: Database, state: str) -> None:
        await write(database, row_of(RefreshToken, "shop", **{state: NOW}))
        async with transaction(database) as connection:
            assert not await SessionRepository(connection, "shop").claim_refresh_token(b"a", NOW)


class TestRaiseToCustomer:
    async def test_of_sixteen_at_once_one_succeeds(self, database: Database) -> None:
        await write(database, session(**NOBODYS))
        raised = await at_once(
            database,
            lambda connection: SessionRepository(connection, "shop").raise_to_customer(
                "a", customer_id="a", kind=TokenKind.CUSTOMER.value
            ),
        )
        assert [session.customer_id for session in raised if session is not None] == ["a"]

    @pytest.mark.parametrize("state", [{"customer_id": "b"}, {"revoked_at": NOW}], ids=["a customer's", "ended"])
    async def test_refuses_any_but_a_live_anonymous_one(self, database: Database, state: dict[str, Any]) -> None:
        await write(database, session(**{**NOBODYS, **state}))
        async with transaction(database) as connection:
            assert not await SessionRepository(connection, "shop").raise_to_customer("a", customer_id="a")


class TestRevoke:
    @pytest.mark.parametrize(
        ("owner", "state"),
        [
            ("b", {}),
            (None, {}),
            ("a", NOBODYS),
            ("a", {"revoked_at": LATER}),
            ("a", {"expires_at": NOW}),
        ],
        ids=["another customer's", "a customer's by nobody", "nobody's by a customer", "ended", "expired"],
    )
    async def test_refuses(self, database: Database, owner: str | None, state: dict[str, Any]) -> None:
        await write(database, session(**state))
        async with transaction(database) as connection:
            assert not await SessionRepository(connection, "shop").revoke("a", owner, NOW)
        assert await ended(database) == set()

    async def test_ends_the_owners(self, database: Database) -> None:
        await write(database, session("a"), session("b", **NOBODYS))
        async with transaction(database) as connection:
            assert await SessionRepository(connection, "shop").revoke("a", "a", NOW)
            assert await SessionRepository(connection, "shop").revoke("b", None, NOW)
        assert await ended(database) == {"a", "b"}

    async def test_of_all_spares_the_one_to_keep_and_other_customers(self, database: Database) -> None:
        await write(database, session("a"), session("b"), session("c"), session("d", customer_id="d"))
        async with transaction(database) as connection:
            assert await SessionRepository(connection, "shop").revoke_all("a", NOW, keep="b") == 2
        assert await ended(database) == {"a", "c"}

    async def test_of_those_born_from_an_identity_spares_the_others(self, database: Database) -> None:
        await write(database, session("a"), session("b"), session("c", identity_id="a", customer_id="c"))
        async with transaction(database) as connection:
            assert await SessionRepository(connection, "shop").revoke_born_from("a", "a", NOW) == 1
        assert await ended(database) == {"a"}


class TestRevokeTokens:
    async def test_ends_both_kinds_of_one_session(self, database: Database) -> None:
        models = (AccessToken, RefreshToken)
        await write(database, *(row_of(model, "shop", word) for model in models for word in "ab"))
        async with transaction(database) as connection:
            await SessionRepository(connection, "shop").revoke_tokens("a", NOW)
        assert [await ended(database, model) for model in models] == [{b"a"}, {b"a"}]

    async def test_ends_the_children_of_one_token_and_their_access_tokens(self, database: Database) -> None:
        children = [row_of(RefreshToken, "shop", word, parent_hash=b"p") for word in "ab"]
        access = [
            row_of(AccessToken, "shop", word, session_id="s", refresh_hash=of)
            for word, of in (("a", b"a"), ("b", b"b"), ("p", b"p"), ("o", None))
        ]
        elsewhere = row_of(AccessToken, "shop", "e", session_id="e", refresh_hash=None)
        await write(database, *children, row_of(RefreshToken, "shop", "p", parent_hash=None), *access, elsewhere)
        async with transaction(database) as connection:
            await SessionRepository(connection, "shop").revoke_children("s", b"p", NOW)
        assert await ended(database, RefreshToken) == {b"a", b"b"}
        # Of the one from before it was written down nobody knows whose it is.
        assert await ended(database, AccessToken) == {b"a", b"b", b"o"}


class TestListLive:
    async def test_leaves_out_what_has_ended_and_begins_with_the_latest_used(self, database: Database) -> None:
        await write(
            database,
            session("a"),
            session("b", last_used_at=LATER),
            session("c", revoked_at=NOW),
            session("d", expires_at=NOW),
            session("e", customer_id="e"),
        )
        live = await SessionRepository(database.connect(), "shop").list_live("a", NOW)
        assert [each.id for each in live] == ["b", "a"]


class TestIsNewDevice:
    async def test_knows_the_devices_of_logins_only(self, database: Database) -> None:
        sessions = SessionRepository(database.connect(), "shop")
        assert not await sessions.is_new_device("a", "phone")
        await write(database, session("a", user_agent="phone"), session("b", user_agent="tablet", kind="ON_BEHALF"))
        assert not await sessions.is_new_device("a", "phone")
        assert await sessions.is_new_device("a", "tablet")
        assert await sessions.is_new_device("a", None)


class TestTokenLookup:
    async def test_finds_nothing_by_an_unknown_hash(self, database: Database) -> None:
        lookup = TokenLookup(database.connect())
        assert await lookup.find_by_access_token([], b"a") is None
        assert await lookup.find_refresh_token([], b"a") is None

    async def test_finds_a_token_with_its_session_of_the_same_tenant(self, database: Database) -> None:
        await write(database, session("a", **NOBODYS), row_of(Session, "other", site="z"), row_of(AccessToken, "shop"))
        found = await TokenLookup(database.connect()).find_by_access_token([], b"a")
        assert found is not None
        assert (found.session_tenant_id, found.session_site, found.session_customer_id) == ("shop", "a", None)
