"""Somebody who has one of everything in a shop, and all the ids of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.models.base import ID_LENGTH
from tests.factories import address_input
from tests.harness.authenticator import Authenticator
from tests.harness.client import Person
from tests.harness.operations import USER_ERRORS
from tests.harness.passkeys import begin_registration, send_new
from tests.harness.selections import everything
from tests.harness.two_shops import UPDATE_CUSTOMER, Shop

FURNISH = f"""mutation (
    $address: AddressInput!, $instrument: AddPaymentInstrumentInput!, $list: CreateProductListInput!
) {{
    createAddress(input: $address) {{ address {{ id }} {USER_ERRORS} }}
    addPaymentInstrument(input: $instrument) {{ paymentInstrument {{ id }} {USER_ERRORS} }}
    createProductList(input: $list) {{ productList {{ id }} {USER_ERRORS} }}
}}"""
ADD_ITEM = f"""mutation ($input: AddProductListItemInput!) {{
    addProductListItem(input: $input) {{ item {{ id }} {USER_ERRORS} }}
}}"""
CREATE_GROUP = f"""mutation ($input: CreateCustomerGroupInput!) {{
    createCustomerGroup(input: $input) {{ customerGroup {{ id }} {USER_ERRORS} }}
}}"""
EVERYTHING = f"{{ me {everything('Customer')} sessions {everything('Session')} }}"


@dataclass(frozen=True, slots=True)
class Belongings:
    """Whose they are, in which shop, and their ids; the person's own id is one of them."""

    shop: Shop
    person: Person
    ids: frozenset[str]

    async def look(self) -> dict[str, Any]:
        """Return everything that the person sees."""
        answer = await self.shop.gateway.graphql(EVERYTHING, token=self.person.tokens.access)
        assert answer.errors == []
        return answer.data or {}


async def furnish(shop: Shop, group_code: str = "trade") -> Belongings:
    """Let somebody new log in and have one of everything."""
    person = await shop.customer()
    token, graphql = person.tokens.access, shop.gateway.graphql
    variables = {
        "address": address_input(),
        "instrument": {"token": "pm_1", "brand": "visa"},
        "list": {"type": "WISH_LIST", "name": "Wishes"},
    }
    made = await graphql(FURNISH, variables, token)
    list_id = made["createProductList"]["productList"]["id"]
    item = await graphql(ADD_ITEM, {"input": {"listId": list_id, "productId": "p"}}, token)
    assert made["createAddress"]["userErrors"] == item["addProductListItem"]["userErrors"] == []
    await _add_passkey(shop, token)
    group = await shop.staff_do(CREATE_GROUP, name="Trade", code=group_code)
    await shop.staff_do(
        UPDATE_CUSTOMER, id=person.id, groupIds=[group["customerGroup"]["id"]], legalEntities=[{"name": "Engines Ltd"}]
    )
    seen = await Belongings(shop, person, frozenset()).look()
    return Belongings(shop, person, frozenset(_ids(seen)))


async def _add_passkey(shop: Shop, token: str) -> None:
    begun = await begin_registration(shop.gateway, token)
    device = Authenticator(f"https://{begun['options']['rp']['id']}")
    answer = await send_new(shop.gateway, token, begun["ticket"], device.create(begun["options"]))
    assert answer["registerPasskey"]["userErrors"] == []


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _ids(each)
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, str) and (name == "id" or name.endswith("Id")) and len(each) == ID_LENGTH:
                yield each
            yield from _ids(each)
