"""Staff search customers by the beginnings of words: whom they find, in which order, and what changes that."""

from __future__ import annotations

from typing import Any

import pytest

from app.repositories import customer_word_search
from tests.factories import PASSWORD, address_input
from tests.harness import operations
from tests.harness.client import Person
from tests.harness.gateway import Gateway
from tests.harness.staff import ENVIRONMENT, Staff

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings_environment() -> dict[str, str]:
    return ENVIRONMENT


@pytest.fixture
async def staff(gateway: Gateway) -> Staff:
    return await Staff.of(gateway)


PEOPLE: dict[str, dict[str, Any]] = {
    "luczak": {"firstName": "Stanisław", "lastName": "Łuczak", "company": "Kwiaciarnia Łódź"},
    "ost": {"firstName": "Søren", "lastName": "Øst"},
    "dang": {"firstName": "Thị", "lastName": "Đặng"},
    "ibrahim": {"firstName": "İbrahim", "lastName": "Y\u0131ld\u0131z"},
    "obrien": {"firstName": "Sinéad", "lastName": "O\u2019Brien", "contactPhone": "+353 1 234 5678"},
    "obrien2": {"firstName": "Pat", "lastName": "O Brien"},
    "muller": {"firstName": "Zoë", "lastName": "Mu\u0308ller-Lüdenscheidt", "email": "zoe@bücher.example"},
    "yamada": {"firstName": "太郎", "lastName": "山田"},
    "strasse": {"company": "Œuvre & Straße"},
}
SEARCHES = {
    "luczak": ["luczak"],
    "LUCZAK stan": ["luczak"],
    "lodz": ["luczak"],
    "ost": ["ost"],
    "dang thi": ["dang"],
    "\u0131brah\u0131m yildiz": ["ibrahim"],
    "IBRAHIM": ["ibrahim"],
    "o'brien": ["obrien2", "obrien"],
    "o\u2018brien sin": ["obrien"],
    "obrien": ["obrien2", "obrien"],
    "01 234 5678": ["obrien"],
    "+35312345678": ["obrien"],
    "zoe mueller": ["muller"],
    "ludenscheidt": ["muller"],
    "zoe@xn--bcher-kva.example": ["muller"],
    "bücher": ["muller"],
    "山": ["yamada"],
    "太郎": ["yamada"],
    "山田太郎": ["yamada"],
    "太郎山田": ["yamada"],
    "oeuvre": ["strasse"],
    "strasse": ["strasse"],
    "brien luczak": [],
    "uczak": [],
    "!?": [],
}


async def found(staff: Staff, search: str, first: int = 20, **terms: Any) -> list[str]:
    """Return the ids of all who are found, read page by page."""
    ids: list[str] = []
    after = None
    while True:
        page = await staff.list(first, after, search=search, **terms)
        ids += [customer["id"] for customer in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return ids
        after = page["pageInfo"]["endCursor"]


async def update(gateway: Gateway, person: Person, **fields: Any) -> None:
    query = "mutation ($input: UpdateMeInput!) { updateMe(input: $input) { userErrors { code } } }"
    answer = await gateway.graphql(query, {"input": fields}, person.tokens.access)
    assert answer["updateMe"]["userErrors"] == []


class TestSearch:
    async def test_finds_by_the_beginnings_of_words_however_they_are_written(self, staff: Staff) -> None:
        names = {(await staff.create(**fields))["id"]: name for name, fields in PEOPLE.items()}
        answers = {search: [names[each] for each in await found(staff, search)] for search in SEARCHES}
        assert answers == SEARCHES

    @pytest.mark.parametrize("many", [0, 3, 1000], ids=["walking", "some walking", "looking up"])
    async def test_keeps_one_order_through_all_pages_however_common_the_words_are(
        self, staff: Staff, monkeypatch: pytest.MonkeyPatch, many: int
    ) -> None:
        monkeypatch.setattr(customer_word_search, "MANY", many)
        monkeypatch.setattr(customer_word_search, "MANY_OF_SEVERAL", many)
        monkeypatch.setattr(customer_word_search, "STRIDE", 1)
        made = {}
        for name in ("Anders Bo", "Ändern Al", "Berg Ann", "Öst Zed", "Berg Anna"):
            last, first = name.split()
            made[name] = (await staff.create(lastName=last, firstName=first, company="Andante"))["id"]
        await staff.create(lastName="Andreas", firstName="Bo")
        in_order = [made[name] for name in ("Ändern Al", "Anders Bo", "Berg Ann", "Berg Anna", "Öst Zed")]
        for search in ("andante", "andan", "anda an", "example andante"):
            for size in (1, 2, 100):
                assert await found(staff, search, size) == in_order
        bergs = [made["Berg Ann"], made["Berg Anna"]]
        assert await found(staff, "ann berg", 1) == bergs
        assert await found(staff, "berg", 1) == bergs
        assert await found(staff, "andante", 1, active=True, name="berg") == bergs
        assert await found(staff, "andante", 2, onHold=True) == []

    async def test_of_nothing_is_no_condition(self, staff: Staff) -> None:
        await staff.create()
        for blank in ("", "  "):
            assert len((await staff.list(search=blank))["nodes"]) == 1

    async def test_takes_sixteen_words(self, staff: Staff) -> None:
        many = " ".join(f"w{chr(letter)}" for letter in range(ord("a"), ord("a") + 17))
        assert await found(staff, many.rpartition(" ")[0]) == []
        query = "query ($search: String) { customers(filter: {search: $search}) { nodes { id } } }"
        answer = await staff.graphql(query, {"search": many})
        assert answer.codes == ["BAD_REQUEST"]

    async def test_wants_a_cursor_of_its_own(self, staff: Staff) -> None:
        await staff.create(lastName="Ada")
        cursor = (await staff.list(search="ada"))["pageInfo"]["endCursor"]
        query = "query ($after: String) { customers(after: $after) { nodes { id } } }"
        assert (await staff.graphql(query, {"after": cursor})).codes == ["BAD_REQUEST"]


class TestWords:
    async def test_follow_the_customer(self, gateway: Gateway, staff: Staff) -> None:
        details = {"lastName": "Łuczak", "contactPhone": "+49 30 1234567"}
        person = await gateway.customer(customerDetails=details, customerAddress=address_input(city="Świdnica"))
        local_part = person.email.partition("@")[0]
        for search in ("luczak", "0301234567", "swidnica luczak", "unter den linden", local_part):
            assert len(await found(staff, search)) == 1, search
        await update(gateway, person, lastName="Øst", company="Kwiaty", contactPhone="+49 40 7654321")
        for search, count in (("ost kwiaty", 1), ("0407654321", 1), ("luczak", 0), ("0301234567", 0), ("swidnica", 1)):
            assert len(await found(staff, search)) == count, search

    async def test_follow_the_addresses(self, gateway: Gateway, staff: Staff) -> None:
        person = await gateway.customer()
        token = person.tokens.access
        given = {"input": address_input(city="Gdańsk", contactName="Łucja")}
        made = (await gateway.graphql(operations.CREATE_ADDRESS, given, token))["createAddress"]["address"]
        assert len(await found(staff, "gdansk lucja")) == 1
        changed = {"input": {"id": made["id"], "city": "Poznań"}}
        await gateway.graphql(operations.UPDATE_ADDRESS, changed, token)
        assert [len(await found(staff, search)) for search in ("gdansk", "poznan")] == [0, 1]
        gone = {"input": {"id": made["id"]}}
        await gateway.graphql(operations.DELETE_ADDRESS, gone, token)
        assert await found(staff, "poznan") == []

    async def test_follow_the_login_address(self, gateway: Gateway, staff: Staff) -> None:
        person = await gateway.customer(customerDetails={"contactEmail": "office@shop.example"})
        assert len(await found(staff, person.email)) == 1
        given = {"newEmail": "countess@bücher.example", "password": PASSWORD}
        await gateway.graphql(operations.CHANGE_EMAIL, {"input": given}, person.tokens.access)
        assert await found(staff, "countess") == []
        await gateway.deliver()
        (mail,) = gateway.mails("countess@xn--bcher-kva.example")
        token = (await gateway.anonymous()).access
        await gateway.graphql(operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": mail.token}}, token)
        searches = ("countess@bücher", "countess@xn--bcher-kva", "office", person.email)
        assert [len(await found(staff, search)) for search in searches] == [1, 1, 1, 0]
