"""A request to anonymize is open once, and either canceled or claimed by one worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.domain.anonymizations import AnonymizationStatus
from app.domain.ports import Connection, Database
from app.models.anonymizations import Anonymization
from app.models.customers import Customer
from app.repositories.anonymizations import AnonymizationQueue, AnonymizationRepository
from tests.harness.rows import LATER, NOW, row_of
from tests.harness.transactions import AT_ONCE, at_once, transaction, write

pytestmark = pytest.mark.anyio

ONE = [False] * (AT_ONCE - 1) + [True]


def request(word: str = "a", /, **values: Any) -> Anonymization:
    wanted = {"customer_id": "a", "status": AnonymizationStatus.REQUESTED.value, **values}
    made = row_of(Anonymization, "shop", word, **wanted)
    assert isinstance(made, Anonymization)
    return made


@pytest.fixture(autouse=True)
async def _customer(database: Database) -> None:
    await write(database, row_of(Customer, "shop"))


class TestAddUnlessOpen:
    async def test_of_sixteen_at_once_one_is_open(self, database: Database) -> None:
        words = iter(range(AT_ONCE))

        async def add(connection: Connection) -> bool:
            return await AnonymizationRepository(connection, "shop").add_unless_open(request(f"r{next(words)}"))

        assert sorted(await at_once(database, add)) == ONE

    @pytest.mark.parametrize("status", AnonymizationStatus)
    async def test_comes_after_a_canceled_one_only(self, database: Database, status: AnonymizationStatus) -> None:
        await write(database, request("a", status=status.value))
        async with transaction(database) as connection:
            added = await AnonymizationRepository(connection, "shop").add_unless_open(request("b"))
        assert added is (status is AnonymizationStatus.CANCELED)


class TestClaim:
    async def test_is_for_one_of_sixteen_workers_at_once(self, database: Database) -> None:
        await write(database, request())
        claimed = await at_once(
            database, lambda connection: AnonymizationRepository(connection, "shop").claim(request(), NOW, LATER)
        )
        assert sorted(claimed) == ONE

    async def test_and_cancel_never_both_succeed(self, database: Database) -> None:
        await write(database, request())
        turns = iter(range(AT_ONCE))

        async def claim_or_cancel(connection: Connection) -> bool:
            requests = AnonymizationRepository(connection, "shop")
            return await (requests.claim(request(), NOW, LATER) if next(turns) % 2 else requests.cancel("a", NOW))

        assert sorted(await at_once(database, claim_or_cancel)) == ONE

    async def test_keeps_when_the_first_attempt_began(self, database: Database) -> None:
        failed = request(status=AnonymizationStatus.FAILED.value, attempts=1, started_at=NOW)
        await write(database, failed)
        async with transaction(database) as connection:
            requests = AnonymizationRepository(connection, "shop")
            assert await requests.claim(failed, NOW + timedelta(hours=1), LATER)
            latest = await requests.find_latest("a")
        assert latest is not None
        assert (latest.started_at, latest.attempts, latest.next_attempt_at) == (NOW, 2, LATER)


class TestSettle:
    async def test_says_no_to_a_worker_whose_lease_went_to_another(self, database: Database) -> None:
        under_way = {"status": AnonymizationStatus.IN_PROGRESS.value}
        await write(database, request(**under_way, attempts=2))
        async with transaction(database) as connection:
            requests = AnonymizationRepository(connection, "shop")
            assert not await requests.settle(request(attempts=1), status=AnonymizationStatus.DONE.value)
            assert await requests.settle(request(attempts=2), status=AnonymizationStatus.DONE.value)
            assert not await requests.settle(request(attempts=2), status=AnonymizationStatus.FAILED.value)


class TestListDue:
    async def test_gives_what_is_due_of_these_tenants_the_longest_due_first(self, database: Database) -> None:
        canceled = AnonymizationStatus.CANCELED.value
        await write(
            database,
            *(row_of(Customer, "shop", word) for word in "bcd"),
            row_of(Customer, "other"),
            request("a"),
            request("b", customer_id="b", next_attempt_at=NOW - timedelta(hours=1)),
            request("c", customer_id="c", next_attempt_at=LATER),
            request("d", customer_id="d", status=canceled),
            row_of(Anonymization, "other", status=AnonymizationStatus.REQUESTED.value),
        )
        queue = AnonymizationQueue(database.connect())
        assert [each.id for each in await queue.list_due(NOW, ["shop"], 10)] == ["b", "a"]
        assert [each.id for each in await queue.list_due(NOW, ["shop"], 1)] == ["b"]
        assert [each.tenant_id for each in await queue.list_due(NOW, ["other"], 10)] == ["other"]
