"""States, identities and tickets of social login: claimed once, in their session, in their time."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.ports import Connection, Database
from app.models.social import LinkTicket, SocialIdentity, SocialState
from app.repositories.social import LinkTicketRepository, SocialIdentityRepository, SocialStateRepository
from tests.harness.rows import LATER, NOW, row_of
from tests.harness.transactions import AT_ONCE, at_once, transaction, write

pytestmark = pytest.mark.anyio

ONE = [False] * (AT_ONCE - 1) + [True]
OVER = pytest.mark.parametrize("state", [{"used_at": NOW}, {"expires_at": NOW}], ids=["used", "expired"])


class TestSocialStateRepository:
    async def test_lets_one_of_sixteen_at_once_claim_a_state(self, database: Database) -> None:
        await write(database, row_of(SocialState, "shop"))
        claimed = await at_once(
            database, lambda connection: SocialStateRepository(connection, "shop").claim(b"a", "a", NOW)
        )
        assert sorted(claimed) == ONE

    @OVER
    async def test_does_not_claim_what_is_over(self, database: Database, state: dict[str, Any]) -> None:
        await write(database, row_of(SocialState, "shop", **state))
        async with transaction(database) as connection:
            states = SocialStateRepository(connection, "shop")
            assert not await states.claim(b"a", "a", NOW)
            assert await states.list_open("a", NOW) == []

    async def test_does_not_know_another_sessions(self, database: Database) -> None:
        await write(database, row_of(SocialState, "shop"))
        async with transaction(database) as connection:
            states = SocialStateRepository(connection, "shop")
            assert await states.find(b"a", "b") is None
            assert not await states.claim(b"a", "b", NOW)
            assert await states.list_open("b", NOW) == []

    async def test_lists_the_oldest_first(self, database: Database) -> None:
        await write(
            database,
            row_of(SocialState, "shop", "a", session_id="s", created_at=LATER),
            row_of(SocialState, "shop", "b", session_id="s"),
        )
        listed = await SocialStateRepository(database.connect(), "shop").list_open("s", NOW)
        assert [each.state_hash for each in listed] == [b"b", b"a"]


class TestSocialIdentityRepository:
    async def test_lets_one_of_sixteen_customers_at_once_have_it(self, database: Database) -> None:
        words = iter(range(AT_ONCE))

        async def add(connection: Connection) -> bool:
            word = f"i{next(words)}"
            identity = row_of(SocialIdentity, "shop", id=word, customer_id=word)
            assert isinstance(identity, SocialIdentity)
            return await SocialIdentityRepository(connection, "shop").add_unless_taken(identity)

        assert sorted(await at_once(database, add)) == ONE

    async def test_tells_one_provider_from_another(self, database: Database) -> None:
        await write(database, row_of(SocialIdentity, "shop"))
        identities = SocialIdentityRepository(database.connect(), "shop")
        assert await identities.find("a", "a", "a") is not None
        assert [await identities.find(*each) for each in ("baa", "aba", "aab")] == [None, None, None]

    async def test_changes_and_removes_only_the_customers_own(self, database: Database) -> None:
        await write(database, row_of(SocialIdentity, "shop"))
        async with transaction(database) as connection:
            identities = SocialIdentityRepository(connection, "shop")
            assert not await identities.change("b", "a", email="b")
            await identities.delete("b", "a")
            assert [each.email for each in await identities.list("a")] == ["a"]
            assert await identities.change("a", "a", email="b")
            await identities.delete("a", "a")
            assert await identities.list("a") == []


class TestLinkTicketRepository:
    async def test_lets_one_of_sixteen_at_once_claim_a_ticket(self, database: Database) -> None:
        await write(database, row_of(LinkTicket, "shop"))
        claimed = await at_once(database, lambda connection: LinkTicketRepository(connection, "shop").claim(b"a", NOW))
        assert sorted(claimed) == ONE

    async def test_counts_no_more_tries_than_there_may_be(self, database: Database) -> None:
        await write(database, row_of(LinkTicket, "shop"))
        counted = await at_once(
            database, lambda connection: LinkTicketRepository(connection, "shop").count_try(b"a", "a", 5, NOW)
        )
        assert sum(counted) == 5

    @OVER
    async def test_neither_counts_nor_claims_what_is_over(self, database: Database, state: dict[str, Any]) -> None:
        await write(database, row_of(LinkTicket, "shop", **state))
        async with transaction(database) as connection:
            tickets = LinkTicketRepository(connection, "shop")
            assert not await tickets.count_try(b"a", "a", 5, NOW)
            assert not await tickets.claim(b"a", NOW)

    async def test_does_not_know_another_sessions(self, database: Database) -> None:
        await write(database, row_of(LinkTicket, "shop"))
        async with transaction(database) as connection:
            tickets = LinkTicketRepository(connection, "shop")
            assert await tickets.find(b"a", "b") is None
            assert not await tickets.count_try(b"a", "b", 5, NOW)

    async def test_forgets_those_of_one_customer(self, database: Database) -> None:
        await write(database, row_of(LinkTicket, "shop", "a"), row_of(LinkTicket, "shop", "b"))
        async with transaction(database) as connection:
            tickets = LinkTicketRepository(connection, "shop")
            await tickets.delete_all("a")
            assert await tickets.find(b"a", "a") is None
            assert await tickets.find(b"b", "b") is not None
