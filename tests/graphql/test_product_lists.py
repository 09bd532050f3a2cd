"""Product lists over GraphQL, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway
from tests.harness.staff import ENVIRONMENT, Staff
from tests.harness.tenants import shop, storefront, table

pytestmark = pytest.mark.anyio

ITEM = "id productId quantity priority note isPublic"
LIST = f"id type name description eventDate isPublic items {{ {ITEM} }}"
USER_ERRORS = "userErrors { code field message }"
CREATE = f"""mutation ($input: CreateProductListInput!) {{
    createProductList(input: $input) {{ productList {{ {LIST} }} {USER_ERRORS} }}
}}"""
UPDATE = f"""mutation ($input: UpdateProductListInput!) {{
    updateProductList(input: $input) {{ productList {{ {LIST} }} {USER_ERRORS} }}
}}"""
DELETE = f"""mutation ($input: DeleteProductListInput!) {{
    deleteProductList(input: $input) {{ deletedId {USER_ERRORS} }}
}}"""
ADD_ITEM = f"""mutation ($input: AddProductListItemInput!) {{
    addProductListItem(input: $input) {{ item {{ {ITEM} }} {USER_ERRORS} }}
}}"""
UPDATE_ITEM = f"""mutation ($input: UpdateProductListItemInput!) {{
    updateProductListItem(input: $input) {{ item {{ {ITEM} }} {USER_ERRORS} }}
}}"""
DELETE_ITEM = f"""mutation ($input: DeleteProductListItemInput!) {{
    deleteProductListItem(input: $input) {{ deletedId {USER_ERRORS} }}
}}"""
MINE = f"{{ me {{ productLists {{ {LIST} }} }} }}"
BY_ID = f"query ($id: ID!) {{ productList(id: $id) {{ {LIST} }} }}"

STRANGERS = pytest.mark.parametrize("client_id", ["demo-storefront", "open-storefront"])


async def send(gateway: Gateway, person: Person, operation: str, **values: Any) -> Answer:
    return await gateway.graphql(operation, {"input": values}, person.tokens.access)


async def create(gateway: Gateway, person: Person, **changes: Any) -> dict[str, Any]:
    answer = await send(gateway, person, CREATE, **{"type": "WISH_LIST", "name": "Birthday", **changes})
    assert answer.user_errors("createProductList") == []
    created: dict[str, Any] = answer["createProductList"]["productList"]
    return created


async def add_item(gateway: Gateway, person: Person, list_id: str, **changes: Any) -> dict[str, Any]:
    answer = await send(gateway, person, ADD_ITEM, **{"listId": list_id, "productId": "p-1", **changes})
    assert answer.user_errors("addProductListItem") == []
    added: dict[str, Any] = answer["addProductListItem"]["item"]
    return added


async def lists(gateway: Gateway, person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await gateway.graphql(MINE, token=person.tokens.access))["me"]["productLists"]
    return found


async def by_id(gateway: Gateway, token: str, list_id: str) -> Any:
    return (await gateway.graphql(BY_ID, {"id": list_id}, token))["productList"]


class TestCreateProductList:
    @pytest.mark.parametrize("type_", ["WISH_LIST", "GIFT_REGISTRY", "SHOPPING_LIST", "CUSTOM"])
    async def test_makes_a_private_list_of_any_type(self, gateway: Gateway, type_: str) -> None:
        person = await gateway.customer()
        created = await create(gateway, person, type=type_)
        assert created == {
            "id": created["id"],
            "type": type_,
            "name": "Birthday",
            "description": None,
            "eventDate": None,
            "isPublic": False,
            "items": [],
        }
        assert await lists(gateway, person) == [created]

    async def test_keeps_the_day_of_a_registry(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        wanted = {"type": "GIFT_REGISTRY", "eventDate": "2027-06-12", "description": "See you!", "isPublic": True}
        created = await create(gateway, person, **wanted)
        assert {name: created[name] for name in wanted} == wanted

    async def test_tells_every_fault_at_once(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        wrong = {"type": "WISH_LIST", "name": " ", "description": "x" * 1001, "eventDate": "2027-06-12"}
        answer = await send(gateway, person, CREATE, **wrong)
        assert answer.user_errors("createProductList") == [
            ("REQUIRED", "name"),
            ("TOO_LONG", "description"),
            ("INVALID", "eventDate"),
        ]
        assert await lists(gateway, person) == []

    async def test_ends_at_a_hundred(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for number in range(100):
            await create(gateway, person, name=f"List {number}")
        answer = await send(gateway, person, CREATE, type="CUSTOM", name="One more")
        assert answer.user_errors("createProductList") == [("LIMIT_REACHED", "")]

    async def test_is_not_for_an_anonymous_session(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        variables = {"input": {"type": "WISH_LIST", "name": "Birthday"}}
        assert (await gateway.graphql(CREATE, variables, tokens.access)).codes == ["FORBIDDEN"]


class TestUpdateProductList:
    async def test_changes_what_is_given_and_clears_what_is_null(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        created = await create(gateway, person, description="Old")
        answer = await send(gateway, person, UPDATE, id=created["id"], description=None, isPublic=True)
        assert answer["updateProductList"]["productList"] == {**created, "description": None, "isPublic": True}

    async def test_refuses_to_take_away_what_must_be_there(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        created = await create(gateway, person)
        answer = await send(gateway, person, UPDATE, id=created["id"], name=None, isPublic=None)
        assert answer.user_errors("updateProductList") == [("REQUIRED", "name"), ("REQUIRED", "isPublic")]
        assert await lists(gateway, person) == [created]

    @STRANGERS
    async def test_finds_nothing_of_others(self, gateway: Gateway, client_id: str) -> None:
        person, stranger = await gateway.customer(), await gateway.customer(client_id)
        created = await create(gateway, person, isPublic=True)
        answer = await send(gateway, stranger, UPDATE, id=created["id"], name="Mine now")
        assert answer.user_errors("updateProductList") == [("NOT_FOUND", "id")]
        assert await lists(gateway, person) == [created]


class TestDeleteProductList:
    async def test_removes_it_with_its_items(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        gone, kept = await create(gateway, person), await create(gateway, person, name="Kept")
        await add_item(gateway, person, gone["id"])
        item = await add_item(gateway, person, kept["id"])
        answer = await send(gateway, person, DELETE, id=gone["id"])
        assert answer["deleteProductList"] == {"deletedId": gone["id"], "userErrors": []}
        assert await lists(gateway, person) == [{**kept, "items": [item]}]
        assert [row.id for row in await gateway.rows("SELECT id FROM product_list_item")] == [item["id"]]

    @STRANGERS
    async def test_finds_nothing_of_others(self, gateway: Gateway, client_id: str) -> None:
        person, stranger = await gateway.customer(), await gateway.customer(client_id)
        created = await create(gateway, person, isPublic=True)
        answer = await send(gateway, stranger, DELETE, id=created["id"])
        assert answer.user_errors("deleteProductList") == [("NOT_FOUND", "id")]
        assert await lists(gateway, person) == [created]


class TestAddProductListItem:
    async def test_wants_one_most_of_all_unless_told(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        created = await create(gateway, person)
        added = await add_item(gateway, person, created["id"])
        wanted = {"productId": "p-1", "quantity": 1, "priority": 1, "note": None, "isPublic": True}
        assert added == {"id": added["id"], **wanted}

    async def test_puts_the_most_wanted_first(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        created = await create(gateway, person)
        for product, priority in (("least", 100), ("most", 1), ("more", 7)):
            await add_item(gateway, person, created["id"], productId=product, priority=priority)
        (found,) = await lists(gateway, person)
        assert [item["productId"] for item in found["items"]] == ["most", "more", "least"]

    async def test_tells_every_fault_at_once(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        created = await create(gateway, person)
        wrong = {"productId": "", "quantity": 0, "priority": 101, "note": "x" * 501}
        answer = await send(gateway, person, ADD_ITEM, listId=created["id"], **wrong)
        assert sorted(answer.user_errors("addProductListItem")) == [
            ("INVALID", "priority"),
            ("INVALID", "quantity"),
            ("REQUIRED", "productId"),
            ("TOO_LONG", "note"),
        ]
        assert await lists(gateway, person) == [created]

    @STRANGERS
    async def test_finds_no_list_of_others(self, gateway: Gateway, client_id: str) -> None:
        person, stranger = await gateway.customer(), await gateway.customer(client_id)
        created = await create(gateway, person, isPublic=True)
        answer = await send(gateway, stranger, ADD_ITEM, listId=created["id"], productId="p-1")
        assert answer.user_errors("addProductListItem") == [("NOT_FOUND", "listId")]
        assert await lists(gateway, person) == [created]


class TestItemLimit:
    @pytest.fixture
    def settings_environment(self, tmp_path: Any) -> dict[str, str]:
        file = tmp_path / "tenants.toml"
        limits = table("[tenants.demo.limits]", items_per_product_list=5)
        file.write_text(shop("demo") + limits + storefront("demo", "demo-storefront"))
        return {"TENANTS_FILE": str(file)}

    async def test_holds_when_sixteen_come_at_once(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        created = await create(gateway, person)
        adding = (send(gateway, person, ADD_ITEM, listId=created["id"], productId=f"p-{n}") for n in range(16))
        answers = await asyncio.gather(*adding)
        refused = [answer for answer in answers if answer.user_errors("addProductListItem")]
        assert {error for answer in refused for error in answer.user_errors("addProductListItem")} == {
            ("LIMIT_REACHED", "")
        }
        (found,) = await lists(gateway, person)
        assert (len(found["items"]), len(refused)) == (5, 11)


class TestUpdateProductListItem:
    async def test_changes_what_is_given_and_clears_what_is_null(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        created = await create(gateway, person)
        added = await add_item(gateway, person, created["id"], note="In blue")
        answer = await send(gateway, person, UPDATE_ITEM, id=added["id"], quantity=3, note=None)
        assert answer["updateProductListItem"]["item"] == {**added, "quantity": 3, "note": None}

    async def test_refuses_to_take_away_what_must_be_there(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        created = await create(gateway, person)
        added = await add_item(gateway, person, created["id"])
        answer = await send(gateway, person, UPDATE_ITEM, id=added["id"], productId=None, quantity=None, priority=None)
        assert answer.user_errors("updateProductListItem") == [
            ("REQUIRED", "productId"),
            ("REQUIRED", "quantity"),
            ("REQUIRED", "priority"),
        ]

    @STRANGERS
    async def test_finds_nothing_of_others(self, gateway: Gateway, client_id: str) -> None:
        person, stranger = await gateway.customer(), await gateway.customer(client_id)
        created = await create(gateway, person, isPublic=True)
        added = await add_item(gateway, person, created["id"])
        answer = await send(gateway, stranger, UPDATE_ITEM, id=added["id"], quantity=99)
        assert answer.user_errors("updateProductListItem") == [("NOT_FOUND", "id")]
        assert await lists(gateway, person) == [{**created, "items": [added]}]


class TestDeleteProductListItem:
    async def test_takes_it_off(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        created = await create(gateway, person)
        gone, kept = await add_item(gateway, person, created["id"]), await add_item(gateway, person, created["id"])
        answer = await send(gateway, person, DELETE_ITEM, id=gone["id"])
        assert answer["deleteProductListItem"] == {"deletedId": gone["id"], "userErrors": []}
        assert await lists(gateway, person) == [{**created, "items": [kept]}]

    @STRANGERS
    async def test_finds_nothing_of_others(self, gateway: Gateway, client_id: str) -> None:
        person, stranger = await gateway.customer(), await gateway.customer(client_id)
        created = await create(gateway, person, isPublic=True)
        added = await add_item(gateway, person, created["id"])
        answer = await send(gateway, stranger, DELETE_ITEM, id=added["id"])
        assert answer.user_errors("deleteProductListItem") == [("NOT_FOUND", "id")]
        assert await lists(gateway, person) == [{**created, "items": [added]}]


class TestProductList:
    async def test_shows_the_owner_everything(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        created = await create(gateway, person)
        hidden = await add_item(gateway, person, created["id"], isPublic=False)
        assert await by_id(gateway, person.tokens.access, created["id"]) == {**created, "items": [hidden]}

    async def test_shows_others_what_is_public(self, gateway: Gateway) -> None:
        person, guest, anonymous = await gateway.customer(), await gateway.customer(), await gateway.anonymous()
        created = await create(gateway, person, isPublic=True)
        await add_item(gateway, person, created["id"], isPublic=False)
        seen = await add_item(gateway, person, created["id"], note="In blue")
        for token in (guest.tokens.access, anonymous.access):
            assert await by_id(gateway, token, created["id"]) == {**created, "items": [seen]}

    async def test_shows_nobody_else_a_private_one(self, gateway: Gateway) -> None:
        person, guest, anonymous = await gateway.customer(), await gateway.customer(), await gateway.anonymous()
        created = await create(gateway, person)
        for token in (guest.tokens.access, anonymous.access):
            assert await by_id(gateway, token, created["id"]) is None

    async def test_ends_to_be_public_at_once(self, gateway: Gateway) -> None:
        person, anonymous = await gateway.customer(), await gateway.anonymous()
        created = await create(gateway, person, isPublic=True)
        await send(gateway, person, UPDATE, id=created["id"], isPublic=False)
        assert await by_id(gateway, anonymous.access, created["id"]) is None

    async def test_is_not_seen_in_another_shop(self, gateway: Gateway) -> None:
        person, elsewhere = await gateway.customer(), await gateway.anonymous("open-storefront")
        created = await create(gateway, person, isPublic=True)
        assert await by_id(gateway, elsewhere.access, created["id"]) is None

    async def test_is_not_for_nobody(self, gateway: Gateway) -> None:
        answer = await gateway.graphql(BY_ID, {"id": "1"})
        assert (answer.codes, answer.reason) == (["UNAUTHENTICATED"], "MISSING")


class TestMe:
    async def test_reads_the_items_of_all_lists_in_one_statement(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for name in ("One", "Two", "Three"):
            created = await create(gateway, person, name=name)
            await add_item(gateway, person, created["id"], productId=name)
        with gateway.count_statements() as statements:
            answer = await gateway.graphql(MINE, token=person.tokens.access)
        assert [each["items"][0]["productId"] for each in answer["me"]["productLists"]] == ["One", "Two", "Three"]
        assert len(statements) == 3, statements


class TestStaff:
    @pytest.fixture
    def settings_environment(self) -> dict[str, str]:
        return ENVIRONMENT

    async def test_read_a_public_list_by_its_id(self, gateway: Gateway) -> None:
        person, staff = await gateway.customer(), await Staff.of(gateway)
        shared, hidden = await create(gateway, person, isPublic=True), await create(gateway, person)
        assert await by_id(gateway, staff.token, shared["id"]) == shared
        assert await by_id(gateway, staff.token, hidden["id"]) is None

    async def test_keep_a_list_on_behalf_of_the_customer(self, gateway: Gateway) -> None:
        person, staff = await gateway.customer(), await Staff.of(gateway)
        begin = "mutation ($input: LoginOnBehalfInput!) { loginOnBehalf(input: $input) { tokens { accessToken } } }"
        begun = await staff.graphql(begin, {"input": {"customerId": person.id, "reason": "Phone order"}})
        token = begun["loginOnBehalf"]["tokens"]["accessToken"]
        variables = {"input": {"type": "CUSTOM", "name": "Offer"}}
        created = (await gateway.graphql(CREATE, variables, token))["createProductList"]["productList"]
        assert await by_id(gateway, token, created["id"]) == created
        assert await lists(gateway, person) == [created]
