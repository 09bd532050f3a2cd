"""The search by words is the same under every collation, reads along indexes, and comes to who has no words yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from app.adapters.database.migrator import migrate
from app.adapters.database.opening import open_database
from app.domain.anonymizations import AnonymizationStatus
from app.domain.customer_filters import CustomerFilter
from app.domain.ports import Database
from app.domain.rows import Reading
from app.domain.search_words import FOLDING, words_of_search
from app.models.customer_words import CustomerWord
from app.models.customers import Customer
from app.repositories import customer_word_search
from app.repositories.customer_word_search import CustomerWordSearch
from app.repositories.customers import CustomerRepository
from app.repositories.personal_data import PersonalDataRepository
from app.repositories.unsearched import UnsearchedQueue
from tests.harness.postgresql_host import PostgresqlHost
from tests.harness.rows import NOW, row_of
from tests.harness.transactions import transaction, write

pytestmark = pytest.mark.anyio

# Of the server that tests install, and of the distribution's, which knows ICU.
COLLATIONS = {
    "C": "LOCALE 'C'",
    "ICU": "LOCALE_PROVIDER icu ICU_LOCALE 'und' LOCALE 'C'",
    "ICU without case": "LOCALE_PROVIDER icu ICU_LOCALE 'en-u-ks-level1-kn-true' LOCALE 'C'",
    "Turkish": "LOCALE_PROVIDER icu ICU_LOCALE 'tr' LOCALE 'C'",
}
NAMES = [
    "Łuczak Anna",
    "Luczak Zoe",
    "Lüders Ada",
    "İnan Ada",
    "Inan Bo",
    "\u0131nan Cem",
    "Ibrahim Ali",
    "Zimmer 10",
    "Zimmer 9",
    "Øst Ole",
    "Oster Ole",
    "O\u2019Brien Pat",
    "Obrien Al",
    "Ñandú X",
    "Nandu A",
    "Straße Al",
    "STRASSE Bo",
    "山田 太郎",
    "Ångström A",
    "Достоевский Илья",
    "אבן עזרא",
]

WITHOUT_WORDS: dict[str, Any] = {"search_key": "", "search_text": "", "search_folding": 0, "search_of": 0}


def customer(name: str, number: int = 0, **values: Any) -> Customer:
    last, _, first = name.partition(" ")
    columns: dict[str, Any] = {
        "last_name": last,
        "first_name": first,
        "middle_name": None,
        "company": None,
        "contact_email": None,
        "contact_phone": None,
        "anonymization_status": None,
        "merged_into": None,
        **values,
    }
    made = row_of(Customer, "shop", f"{number:02}", **columns)
    assert isinstance(made, Customer)
    return made


async def fill(database: Database, names: Sequence[str]) -> None:
    async with transaction(database) as connection:
        for number, name in enumerate(names):
            assert await CustomerRepository(connection, "shop").add_unless_taken(customer(name, number))


async def search(database: Database, typed: str, limit: int = 100) -> list[str]:
    """Return the names of those who are found."""
    connection = database.connect()
    try:
        wanted = CustomerFilter(search=words_of_search(typed))
        found = await CustomerWordSearch(connection, "shop").page(wanted, None, limit)
    finally:
        await connection.close()
    return [f"{each.last_name} {each.first_name}" for each in found]


@pytest.fixture(scope="module")
def host() -> Iterator[PostgresqlHost]:
    host = PostgresqlHost()
    host.make()
    yield host
    host.remove()


@pytest.fixture(params=COLLATIONS)
def collated_url(request: pytest.FixtureRequest, host: PostgresqlHost) -> str:
    """Give the test a database with a collation of its own."""
    name = f"db{list(COLLATIONS).index(request.param)}"
    host.sql(f"CREATE DATABASE {name} OWNER gateway TEMPLATE template0 {COLLATIONS[request.param]}")
    url = f"{host.url.removesuffix('/gateway')}/{name}"
    migrate(url)
    return url


@pytest.fixture
async def collated(collated_url: str) -> AsyncIterator[Database]:
    database = open_database(collated_url)
    yield database
    await database.close()


ANSWERS = {
    "luczak": ["Łuczak Anna", "Luczak Zoe"],
    "INAN": ["İnan Ada", "Inan Bo", "\u0131nan Cem"],
    "\u0131nan": ["İnan Ada", "Inan Bo", "\u0131nan Cem"],
    "ibrahim": ["Ibrahim Ali"],
    "zimmer": ["Zimmer 10", "Zimmer 9"],
    "ost": ["Øst Ole", "Oster Ole"],
    "o'brien": ["Obrien Al", "O\u2019Brien Pat"],
    "nandu": ["Nandu A", "Ñandú X"],
    "strasse": ["Straße Al", "STRASSE Bo"],
    "山": ["山田 太郎"],
    "достоевскии": ["Достоевский Илья"],
    "a": [
        "Ångström A",
        "Ibrahim Ali",
        "İnan Ada",
        "Łuczak Anna",
        "Lüders Ada",
        "Nandu A",
        "Obrien Al",
        "Straße Al",
    ],
    "l": ["Łuczak Anna", "Luczak Zoe", "Lüders Ada"],
}


class TestCollations:
    async def test_change_neither_the_answer_nor_its_order(self, collated: Database) -> None:
        await fill(collated, NAMES)
        assert {typed: await search(collated, typed) for typed in ANSWERS} == ANSWERS

    async def test_of_the_usual_databases_change_nothing_either(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await fill(database, NAMES)
        assert {typed: await search(database, typed) for typed in ANSWERS} == ANSWERS
        monkeypatch.setattr(customer_word_search, "MANY", -1)
        monkeypatch.setattr(customer_word_search, "MANY_OF_SEVERAL", -1)
        monkeypatch.setattr(customer_word_search, "STRIDE", 3)
        assert {typed: await search(database, typed) for typed in ANSWERS} == ANSWERS


class TestFill:
    async def test_gives_words_to_whom_the_last_release_wrote(self, database: Database) -> None:
        await write(database, *(customer(name, number, **WITHOUT_WORDS) for number, name in enumerate(NAMES[:5])))
        assert await search(database, "luczak") == []
        assert [await filled(database, 2) for _ in range(4)] == [2, 2, 1, 0]
        assert await search(database, "luczak") == ["Łuczak Anna", "Luczak Zoe"]

    async def test_follows_what_the_last_release_changes(self, database: Database) -> None:
        await fill(database, ["Łuczak Anna"])
        table = Customer.__table__
        async with transaction(database) as connection:
            await connection.write_anew(update(table).values(last_name="Øst", version=table.c.version + 1))
        assert await filled(database, 10) == 1
        assert (await search(database, "ost"), await search(database, "luczak")) == (["Øst Anna"], [])

    async def test_forgets_whom_the_last_release_has_erased(self, database: Database) -> None:
        await fill(database, ["Łuczak Anna"])
        nobody = {"last_name": None, "first_name": None, "anonymization_status": AnonymizationStatus.DONE.value}
        async with transaction(database) as connection:
            await connection.write_anew(update(Customer.__table__).values(**nobody))
        assert (await filled(database, 10), await filled(database, 10)) == (1, 0)
        assert await words(database) == ("", "", 0)

    async def test_lets_a_change_meanwhile_wait_for_it(self, database: Database) -> None:
        await write(database, customer("Łuczak Anna", **WITHOUT_WORDS))
        async with transaction(database) as connection:
            await CustomerRepository(connection, "shop").change("00", NOW, last_name="Øst")
        assert await filled(database, 10) == 1
        assert await search(database, "ost") == ["Øst Anna"]

    async def test_comes_to_the_customers_of_every_tenant(self, database: Database) -> None:
        shops = ["first", "second", "third"]
        await write(
            database,
            *(customer("Berg Ada", each, tenant_id=shop, **WITHOUT_WORDS) for each in (0, 1) for shop in shops),
        )
        assert [await filled(database, 4) for _ in range(3)] == [4, 2, 0]
        for shop in shops:
            found = await CustomerWordSearch(database.connect(), shop).page(CustomerFilter(search=("ada",)), None, 10)
            assert [each.id for each in found] == ["00", "01"]

    # SQLite has one writer at a time.
    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    async def test_passes_over_whom_another_worker_writes(self, database: Database) -> None:
        await write(database, *(customer("Berg Ada", each, **WITHOUT_WORDS) for each in range(3)))
        async with transaction(database) as first, transaction(database) as second:
            assert await UnsearchedQueue(first).fill(2) == 2
            assert await UnsearchedQueue(second).fill(2) == 1
        assert await filled(database, 2) == 0


class TestChange:
    @pytest.mark.parametrize("changes", [[1], [1, 2], [2, 1, 0]], ids=str)
    @pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "not locked"])
    async def test_leaves_the_rows_that_a_new_customer_of_that_name_has(
        self, database: Database, changes: list[int], is_locked: bool
    ) -> None:
        # Another first name, which is in the key of all rows; other words, and some that begin the key or no more do.
        named: list[dict[str, str | None]] = [
            {"last_name": "Berg", "first_name": "Ada", "company": "Adam Bergwerk O'Neil"},
            {"last_name": "Berg", "first_name": "Adele", "company": "Adam Bergwerk O'Neil"},
            {"last_name": "Bergwerk", "first_name": None, "company": "Ådam Oneil Berg"},
        ]
        for number, values in enumerate([named[0], named[changes[-1]]]):
            made = customer("", number, **{**values, "contact_email": "a.b@example.com"})
            async with transaction(database) as connection:
                assert await CustomerRepository(connection, "shop").add_unless_taken(made, "ada@example.com")
        for number in changes:
            async with transaction(database) as connection:
                customers = CustomerRepository(connection, "shop")
                locked = await customers.lock("00")
                assert locked is not None
                if is_locked:
                    await customers.change_locked(locked, NOW, **named[number])
                else:
                    await customers.change("00", NOW, **named[number])
        changed, new = await stored(database, "00"), await stored(database, "01")
        assert changed == new
        assert changed[1]


class TestErase:
    async def test_leaves_no_word(self, database: Database) -> None:
        await fill(database, ["Łuczak Anna"])
        async with transaction(database) as connection:
            await PersonalDataRepository(connection, "shop").erase("00")
        assert await words(database) == ("", "", 0)
        assert await filled(database, 10) == 0


async def filled(database: Database, limit: int) -> int:
    async with transaction(database) as connection:
        return await UnsearchedQueue(connection).fill(limit)


async def stored(database: Database, customer_id: str) -> tuple[tuple[str, str, str], set[tuple[int, str, str]]]:
    """Return all by which a customer is found: what the row says, and the rows of the index."""
    async with transaction(database) as connection:
        row = await CustomerRepository(connection, "shop").lock_even_if_closed(customer_id)
        those = select(CustomerWord.__table__).where(CustomerWord.__table__.c.customer_id == customer_id)
        rows = await connection.read_anew(Reading(CustomerWord, those))
    assert row is not None
    assert (row.search_of, row.search_folding) == (row.version, FOLDING)
    return (row.search_name, row.search_key, row.search_text), {(row.shared, row.word, row.search_key) for row in rows}


async def words(database: Database) -> tuple[str, str, int]:
    """Return what is stored of the first customer: order key, text, and how many words."""
    async with transaction(database) as connection:
        row = await CustomerRepository(connection, "shop").lock_even_if_closed("00")
        rows = await connection.read_anew(Reading(CustomerWord, select(CustomerWord.__table__)))
    assert row is not None
    return row.search_key, row.search_text, len(rows)
