"""A message of the outbox is claimed by one worker at a time, and settled only by the one that has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select

from app.domain.ports import Connection, Database
from app.domain.rows import Reading
from app.models.outbox import Endpoint, OutboxKind, OutboxMessage
from app.repositories.outbox import OutboxQueue, OutboxRepository
from tests.harness.rows import LATER, NOW, row_of
from tests.harness.statements import CountedDatabase
from tests.harness.transactions import AT_ONCE, at_once, transaction, write

pytestmark = pytest.mark.anyio


def message(word: str = "a", /, **values: Any) -> OutboxMessage:
    made = row_of(OutboxMessage, "shop", word, **{"kind": OutboxKind.EVENT.value, "last_error": None, **values})
    assert isinstance(made, OutboxMessage)
    return made


async def claim(connection: Connection, limit: int = 10, **terms: Any) -> list[OutboxMessage]:
    return list(await OutboxQueue(connection).claim(NOW, LATER, limit, **terms))


async def stored(database: Database) -> OutboxMessage:
    (row,) = await database.connect().read_anew(Reading(OutboxMessage, select(OutboxMessage.__table__)))
    return row


class TestClaim:
    async def test_gives_each_message_to_one_of_sixteen_at_once(self, database: Database) -> None:
        await write(database, *(message(f"m{number}") for number in range(AT_ONCE)))
        claimed = await at_once(database, lambda connection: claim(connection, limit=1))
        assert sorted(each.id for batch in claimed for each in batch) == sorted(f"m{n}" for n in range(AT_ONCE))

    # SQLite has one writer at a time.
    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    async def test_passes_over_what_another_worker_is_about_to_take(self, database: Database) -> None:
        await write(database, message("a"), message("b"))
        async with transaction(database) as first, transaction(database) as second:
            assert [each.id for each in await claim(first, limit=1)] == ["a"]
            assert [each.id for each in await claim(second)] == ["b"]

    async def test_counts_the_attempt_and_leases_the_message(self, database: Database) -> None:
        await write(database, message(attempts=2))
        async with transaction(database) as connection:
            assert [(each.attempts, each.due_at) for each in await claim(connection)] == [(3, LATER)]
        async with transaction(database) as connection:
            assert await claim(connection) == []

    @pytest.mark.parametrize(
        "state",
        [{"delivered_at": NOW}, {"dead_at": NOW}, {"due_at": NOW + timedelta(microseconds=1)}],
        ids=["delivered", "dead", "not yet due"],
    )
    async def test_leaves_what_does_not_wait(self, database: Database, state: dict[str, Any]) -> None:
        await write(database, message(**state))
        async with transaction(database) as connection:
            assert await claim(connection) == []

    async def test_takes_the_mail_first_that_has_been_due_longest(self, database: Database) -> None:
        a_mail: dict[str, Any] = {"kind": OutboxKind.MAIL.value, "endpoint": None}
        await write(database, message("a", **a_mail), message("b", **a_mail, due_at=NOW - timedelta(seconds=1)))
        async with transaction(database) as connection:
            assert [each.id for each in await claim(connection, limit=1, kind=OutboxKind.MAIL)] == ["b"]

    async def test_takes_the_oldest_event_first_however_long_it_was_put_off(self, database: Database) -> None:
        urls = {"endpoint": "https://hooks.example"}
        await write(database, message("a", **urls), message("b", **urls, due_at=NOW - timedelta(seconds=1)))
        async with transaction(database) as connection:
            endpoint = Endpoint("shop", "https://hooks.example")
            assert [each.id for each in await claim(connection, limit=1, endpoint=endpoint)] == ["a"]

    async def test_takes_one_kind_or_one_endpoint_only(self, database: Database) -> None:
        mail = message("m", kind=OutboxKind.MAIL.value, endpoint=None)
        await write(database, message("a"), message("b", endpoint="b"), mail)
        async with transaction(database) as connection:
            assert [each.id for each in await claim(connection, kind=OutboxKind.MAIL)] == ["m"]
            assert [each.id for each in await claim(connection, endpoint=Endpoint("shop", "b"))] == ["b"]
            assert await claim(connection, endpoint=Endpoint("other", "a")) == []

    async def test_takes_the_oldest_of_all_tenants_in_one_batch(self, database: Database) -> None:
        ages = {"a": 1, "b": 4, "c": 3, "d": 2}
        created = {word: NOW - timedelta(seconds=age) for word, age in ages.items()}
        shops = {"a": "shop", "b": "shop", "c": "other", "d": "third"}
        await write(database, *(message(each, tenant_id=shops[each], created_at=created[each]) for each in ages))
        async with transaction(database) as connection:
            assert [(each.tenant_id, each.id) for each in await claim(connection, limit=3)] == [
                ("shop", "b"),
                ("other", "c"),
                ("third", "d"),
            ]
            assert [each.id for each in await claim(connection)] == ["a"]

    async def test_gives_the_messages_of_several_tenants_to_one_of_sixteen_at_once(self, database: Database) -> None:
        shops = ["first", "second", "third"]
        made = [(shops[number % 3], f"m{number}") for number in range(AT_ONCE)]
        await write(database, *(message(each, tenant_id=shop) for shop, each in made))
        claimed = await at_once(database, lambda connection: claim(connection, limit=3))
        assert sorted((each.tenant_id, each.id) for batch in claimed for each in batch) == sorted(made)

    async def test_asks_once_for_what_is_due_and_once_for_each_tenant_that_has_it(self, database: Database) -> None:
        counted = CountedDatabase(database)
        assert await claim(counted.connect()) == []
        assert len(counted.statements) == 1
        await write(database, message("a"), message("b"))
        async with transaction(cast("Database", counted)) as connection:
            assert len(await claim(connection)) == 2
        assert len(counted.statements) == 3


class TestSettle:
    async def test_says_no_to_a_worker_whose_lease_went_to_another(self, database: Database) -> None:
        await write(database, message(attempts=2))
        async with transaction(database) as connection:
            assert not await OutboxQueue(connection).settle(message(attempts=1), delivered_at=NOW)
        assert (await stored(database)).delivered_at is None

    async def test_says_no_to_what_is_settled(self, database: Database) -> None:
        await write(database, message(delivered_at=NOW))
        async with transaction(database) as connection:
            assert not await OutboxQueue(connection).settle(message(), delivered_at=LATER)
        assert (await stored(database)).delivered_at == NOW


class TestRevive:
    async def test_begins_anew_with_what_was_given_up_only(self, database: Database) -> None:
        await write(database, message("a", dead_at=NOW, attempts=24, last_error="x"), message("b", attempts=1))
        async with transaction(database) as connection:
            assert await OutboxQueue(connection).revive(LATER, "b") == 0
            assert await OutboxQueue(connection).revive(LATER, None) == 1
        async with transaction(database) as connection:
            revived = await OutboxRepository(connection, "shop").find_event("a")
        assert revived is not None
        assert (revived.dead_at, revived.due_at, revived.attempts, revived.last_error) == (None, LATER, 0, None)

    async def test_is_for_the_messages_of_every_tenant(self, database: Database) -> None:
        await write(database, *(message(dead_at=NOW, tenant_id=shop) for shop in ("shop", "other")), message("b"))
        async with transaction(database) as connection:
            assert await OutboxQueue(connection).revive(LATER, None) == 2
            assert await OutboxQueue(connection).count() == (3, 0, 0)


class TestCount:
    async def test_tells_what_waits_what_has_failed_and_what_is_dead(self, database: Database) -> None:
        failing = message("b", last_error="x")
        await write(database, message("a"), failing, message("c", dead_at=NOW), message("d", delivered_at=NOW))
        assert await OutboxQueue(database.connect()).count() == (2, 1, 1)
