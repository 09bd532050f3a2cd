"""The customer in the payloads of mutations: where a customer's own fields show the change, and as they are then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from tests.factories import PASSWORD, address_input
from tests.harness import operations
from tests.harness.access import served_schema
from tests.harness.anonymizations import STOREFRONT, privacy_shop
from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway
from tests.harness.integrations import integration_token, owned_token
from tests.harness.selections import everything
from tests.services.staff.test_on_behalf import LOGIN_ON_BEHALF

pytestmark = pytest.mark.anyio

ALL = everything("Customer")
ME = f"{{ me {ALL} }}"
NEW_EMAIL = "countess@example.org"
NEW_PASSWORD = "copper-lantern-77"

_NOBODY_YET = "The session is a guest's, and no customer is logged in by it."
_NOTHING = "It changes nothing that a field of the customer shows."
_MANY = "Groups are of many customers, and have ids of their own."
WITHOUT_CUSTOMER = {
    "anonymousLogin": _NOBODY_YET,
    "signup": "It answers the same for a taken address, whose customer it must not show.",
    "refresh": _NOTHING,
    "logout": _NOTHING,
    "revokeSession": _NOTHING,
    "beginSocialLogin": _NOTHING,
    "requestPasswordReset": _NOTHING,
    "requestLoginCode": _NOTHING,
    "reauthenticate": _NOTHING,
    "resendConfirmation": _NOTHING,
    "beginPasskeyLogin": "Nothing changes before `completeLogin`.",
    "beginPasskeyRegistration": "Nothing changes before `registerPasskey`.",
    "beginTotp": "Nothing changes before `confirmTotp`.",
    "changeEmail": "Nothing changes before `confirmEmailChange`.",
    "exportMyData": _NOTHING,
    "createPasswordResetToken": _NOTHING,
    "createCustomerGroup": _MANY,
    "updateCustomerGroup": _MANY,
    "deleteCustomerGroup": _MANY,
}


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    return privacy_shop(tmp_path / "shops")


@pytest.fixture
async def person(gateway: Gateway) -> Person:
    return await gateway.customer(STOREFRONT)


def payloads() -> Mapping[str, GraphQLObjectType]:
    """Return the payload of each mutation."""
    mutations = served_schema().mutation_type
    assert mutations is not None
    shown = {name: get_named_type(field.type) for name, field in mutations.fields.items()}
    return {name: type_ for name, type_ in shown.items() if isinstance(type_, GraphQLObjectType)}


async def change(gateway: Gateway, name: str, token: str | None, selected: str = ALL, /, **given: Any) -> Answer:
    """Run a mutation, and ask for the customer."""
    mutations = served_schema().mutation_type
    assert mutations is not None
    type_ = mutations.fields[name].args["input"].type
    document = f"mutation ($input: {type_}) {{ {name}(input: $input) {{ customer {selected} userErrors {{ code }} }} }}"
    return await gateway.graphql(document, {"input": given}, token)


async def made(gateway: Gateway, document: str, token: str, /, **given: Any) -> str:
    """Run a mutation that makes something, and return its id."""
    payload = (await gateway.graphql(document, {"input": given}, token)).data or {}
    ((thing, *_),) = [list(each.values()) for each in payload.values()]
    id_: str = thing["id"]
    return id_


async def mailed(gateway: Gateway, email: str, page: str) -> str:
    """Return the token of the last mail to the address whose link leads to this page."""
    await gateway.deliver()
    return [mail for mail in gateway.mails(email) if f"{page}?token=" in mail.text][-1].token


async def email_change(gateway: Gateway, person: Person) -> tuple[str, str]:
    """Ask for a new address, and return the tokens by which it is confirmed, and reverted."""
    given = {"newEmail": NEW_EMAIL, "password": PASSWORD}
    await gateway.graphql(operations.CHANGE_EMAIL, {"input": given}, person.tokens.access)
    confirmed = await mailed(gateway, NEW_EMAIL, "/confirm-email")
    return confirmed, await mailed(gateway, person.email, "/revert-email")


class TestPayloads:
    def test_of_whatever_changes_a_customer_have_the_customer(self) -> None:
        without = {name for name, payload in payloads().items() if "customer" not in payload.fields}
        assert without == set(WITHOUT_CUSTOMER), "A payload has `customer`, or stands here with the reason why not."

    def test_have_one_that_may_be_null(self) -> None:
        types = {str(each.fields["customer"].type) for each in payloads().values() if "customer" in each.fields}
        assert types == {"Customer"}


INSTRUMENT = {"token": "pm_1", "brand": "visa"}
LIST = {"type": "WISH_LIST", "name": "Wishes"}
ADD_INSTRUMENT = """mutation ($input: AddPaymentInstrumentInput!) {
    addPaymentInstrument(input: $input) { paymentInstrument { id } }
}"""
CREATE_LIST = "mutation ($input: CreateProductListInput!) { createProductList(input: $input) { productList { id } } }"
ADD_ITEM = "mutation ($input: AddProductListItemInput!) { addProductListItem(input: $input) { item { id } } }"

# Each change of the caller's own things, with its input; `{address}` and the like are the ids of what there is.
OWN_CHANGES: Mapping[str, dict[str, Any]] = {
    "createAddress": address_input(isDefault=True),
    "updateAddress": {"id": "{address}", "city": "Paris", "isDefault": True},
    "deleteAddress": {"id": "{address}"},
    "addAddressTags": {"addressId": "{address}", "tags": ["office"]},
    "removeAddressTags": {"addressId": "{address}", "tags": ["home"]},
    "addPaymentInstrument": {**INSTRUMENT, "isDefault": True},
    "updatePaymentInstrument": {"id": "{instrument}", "isDefault": True},
    "deletePaymentInstrument": {"id": "{instrument}"},
    "createProductList": LIST,
    "updateProductList": {"id": "{list}", "name": "More wishes"},
    "deleteProductList": {"id": "{list}"},
    "addProductListItem": {"listId": "{list}", "productId": "p"},
    "updateProductListItem": {"id": "{item}", "quantity": 7},
    "deleteProductListItem": {"id": "{item}"},
    "updateMe": {"firstName": "Augusta"},
}


async def furnished(gateway: Gateway, token: str) -> dict[str, str]:
    """Let somebody have two of what has a default, and return the ids of what is not the default."""
    for _ in range(2):
        address = await made(gateway, operations.CREATE_ADDRESS, token, **address_input(tags=["home"]))
        instrument = await made(gateway, ADD_INSTRUMENT, token, **INSTRUMENT)
    list_id = await made(gateway, CREATE_LIST, token, **LIST)
    item = await made(gateway, ADD_ITEM, token, listId=list_id, productId="p")
    return {"{address}": address, "{instrument}": instrument, "{list}": list_id, "{item}": item}


class TestCustomer:
    @pytest.mark.parametrize("name", OWN_CHANGES)
    async def test_is_the_one_that_me_shows_after_the_change(self, gateway: Gateway, person: Person, name: str) -> None:
        ids = await furnished(gateway, person.tokens.access)
        given = {key: ids.get(str(value), value) for key, value in OWN_CHANGES[name].items()}
        before = (await gateway.graphql(ME, token=person.tokens.access))["me"]
        payload = (await change(gateway, name, person.tokens.access, **given))[name]
        after = (await gateway.graphql(ME, token=person.tokens.access))["me"]
        assert payload == {"customer": after, "userErrors": []}
        assert after != before

    async def test_is_null_when_nothing_has_changed(self, gateway: Gateway, person: Person) -> None:
        answer = await change(gateway, "deleteAddress", person.tokens.access, id="nothing")
        assert answer["deleteAddress"] == {"customer": None, "userErrors": [{"code": "NOT_FOUND"}]}

    async def test_costs_a_statement_only_where_it_is_selected(self, gateway: Gateway, person: Person) -> None:
        counts = []
        for selected in ("deletedId", "deletedId customer { id }"):
            id_ = await made(gateway, operations.CREATE_ADDRESS, person.tokens.access, **address_input())
            document = f"mutation ($input: DeleteAddressInput!) {{ deleteAddress(input: $input) {{ {selected} }} }}"
            with gateway.count_statements() as statements:
                answer = await gateway.graphql(document, {"input": {"id": id_}}, person.tokens.access)
            assert answer["deleteAddress"]["deletedId"] == id_
            counts.append(len(statements))
        assert counts[1] == counts[0] + 1

    async def test_is_that_of_each_change_in_a_document_of_several(self, gateway: Gateway, person: Person) -> None:
        document = """mutation ($a: AddressInput!, $b: AddressInput!) {
            one: createAddress(input: $a) { customer { addresses { city isDefault } } }
            two: createAddress(input: $b) { customer { addresses { city isDefault } } }
        }"""
        given = {"a": address_input(city="Rome"), "b": address_input(city="Oslo", isDefault=True)}
        answer = await gateway.graphql(document, given, person.tokens.access)
        assert answer["one"]["customer"]["addresses"] == [{"city": "Rome", "isDefault": True}]
        assert answer["two"]["customer"]["addresses"] == [
            {"city": "Oslo", "isDefault": True},
            {"city": "Rome", "isDefault": False},
        ]

    async def test_is_shown_to_staff_on_behalf_without_the_instruments(self, gateway: Gateway, person: Person) -> None:
        bearer = await integration_token(gateway, scope="customers.impersonate")
        acting = {"customerId": person.id, "reason": "A call"}
        tokens = (await gateway.graphql(LOGIN_ON_BEHALF, {"input": acting}, bearer))["loginOnBehalf"]["tokens"]
        token = tokens["accessToken"]
        answer = await change(gateway, "createAddress", token, "{ addresses { city } }", **address_input())
        assert answer["createAddress"]["customer"] == {"addresses": [{"city": "Berlin"}]}
        selected = "{ paymentInstruments { id } }"
        refused = await change(gateway, "createAddress", token, selected, **address_input(city="Rome"))
        assert refused.codes == ["FORBIDDEN"]
        bounced = await change(gateway, "createAddress", token, "{ emailBounced }", **address_input(city="Oslo"))
        assert bounced.codes == ["FORBIDDEN"]
        me = (await gateway.graphql("{ me { addresses { city } } }", token=person.tokens.access))["me"]
        assert me["addresses"] == [{"city": "Berlin"}]


class TestChangePassword:
    async def test_shows_the_customer(self, gateway: Gateway, person: Person) -> None:
        given = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
        answer = await change(gateway, "changePassword", person.tokens.access, "{ id }", **given)
        assert answer["changePassword"] == {"customer": {"id": person.id}, "userErrors": []}

    async def test_shows_the_customer_again_when_the_answer_was_lost(self, gateway: Gateway, person: Person) -> None:
        given = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
        first, second = [
            await change(gateway, "changePassword", person.tokens.access, "{ id }", **given) for _ in range(2)
        ]
        assert (second.errors, second.data) == (first.errors, first.data) == ([], first.data)


class TestMailedTokens:
    """Who holds a mailed token changes the customer, and sees them in a session of theirs only."""

    async def test_show_the_customer_in_their_own_session(self, gateway: Gateway, person: Person) -> None:
        confirmed, reverted = await email_change(gateway, person)
        answer = await change(gateway, "confirmEmailChange", person.tokens.access, "{ email }", token=confirmed)
        assert answer["confirmEmailChange"]["customer"] == {"email": NEW_EMAIL}
        answer = await change(gateway, "revertEmailChange", person.tokens.access, "{ email }", token=reverted)
        assert answer["revertEmailChange"]["customer"] == {"email": person.email}

    async def test_show_it_to_nobody_else(self, gateway: Gateway, person: Person) -> None:
        stranger = await gateway.customer(STOREFRONT)
        guest = await gateway.anonymous(STOREFRONT)
        bearer = await integration_token(gateway, scope="customers.impersonate")
        for token in (stranger.tokens.access, guest.access):
            confirmed, reverted = await email_change(gateway, person)
            answer = await change(gateway, "confirmEmailChange", token, "{ email }", token=confirmed)
            assert answer["confirmEmailChange"] == {"customer": None, "userErrors": []}
            answer = await change(gateway, "revertEmailChange", token, "{ email }", token=reverted)
            assert answer["revertEmailChange"] == {"customer": None, "userErrors": []}
            reset = {"token": await mailed(gateway, person.email, "/reset-password"), "password": NEW_PASSWORD}
            answer = await change(gateway, "resetPassword", token, "{ email }", **reset)
            assert answer["resetPassword"] == {"customer": None, "userErrors": []}
            tokens = await gateway.login(person.email, NEW_PASSWORD, client_id=STOREFRONT)
            back = {"currentPassword": NEW_PASSWORD, "newPassword": PASSWORD}
            changed = await gateway.graphql(operations.CHANGE_PASSWORD, {"input": back}, tokens.access)
            access = changed["changePassword"]["tokens"]["accessToken"]
            person = Person(person.id, person.email, PASSWORD, replace(tokens, access=access))
        _, reverted = await email_change(gateway, person)
        answer = await change(gateway, "revertEmailChange", bearer, "{ email }", token=reverted)
        assert answer["revertEmailChange"] == {"customer": None, "userErrors": []}

    async def test_show_who_resets_the_password_in_their_own_session(self, gateway: Gateway, person: Person) -> None:
        asked = {"input": {"email": person.email}}
        await gateway.graphql(operations.REQUEST_PASSWORD_RESET, asked, person.tokens.access)
        reset = {"token": await mailed(gateway, person.email, "/reset-password"), "password": NEW_PASSWORD}
        answer = await change(gateway, "resetPassword", person.tokens.access, "{ emailVerified }", **reset)
        assert answer["resetPassword"]["customer"] == {"emailVerified": True}

    async def test_show_nobody_what_is_for_integrations(self, gateway: Gateway, person: Person) -> None:
        _, reverted = await email_change(gateway, person)
        answer = await change(gateway, "revertEmailChange", person.tokens.access, "{ emailBounced }", token=reverted)
        assert answer.codes == ["FORBIDDEN"]


class TestAnonymizations:
    async def test_show_the_customer_to_themself(self, gateway: Gateway, person: Person) -> None:
        answer = await change(gateway, "requestAnonymization", person.tokens.access, "{ anonymizationStatus }")
        assert answer["requestAnonymization"]["customer"] == {"anonymizationStatus": "REQUESTED"}

    async def test_show_the_customer_to_who_may_read_all(self, gateway: Gateway, person: Person) -> None:
        bearer = await owned_token(gateway, scope="customers.read customers.privacy")
        for name, status in (("requestAnonymization", "REQUESTED"), ("cancelAnonymization", "CANCELED")):
            answer = await change(gateway, name, bearer, "{ id anonymizationStatus }", customerId=person.id)
            assert answer[name]["customer"] == {"id": person.id, "anonymizationStatus": status}

    async def test_show_nothing_to_who_may_not(self, gateway: Gateway, person: Person) -> None:
        bearer = await owned_token(gateway, scope="customers.privacy")
        for name in ("requestAnonymization", "cancelAnonymization"):
            answer = await change(gateway, name, bearer, "{ id }", customerId=person.id)
            assert answer[name] == {"customer": None, "userErrors": []}


class TestAccounts:
    async def test_have_ids_of_their_own(self, gateway: Gateway, person: Person) -> None:
        accounts = []
        for each in (person, await gateway.customer(STOREFRONT)):
            me = (await gateway.graphql("{ me { id accounts { id provider } } }", token=each.tokens.access))["me"]
            (account,) = me["accounts"]
            assert account["provider"] == "password"
            assert account["id"] != me["id"]
            accounts.append(account["id"])
        assert len(set(accounts)) == 2

    async def test_keep_them(self, gateway: Gateway, person: Person) -> None:
        before = await self._ids(gateway, person.tokens.access)
        given = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
        await gateway.graphql(operations.CHANGE_PASSWORD, {"input": given}, person.tokens.access)
        tokens = await gateway.login(person.email, NEW_PASSWORD, client_id=STOREFRONT)
        assert await self._ids(gateway, tokens.access) == before

    async def test_of_a_password_is_not_unlinked(self, gateway: Gateway, person: Person) -> None:
        (account_id,) = await self._ids(gateway, person.tokens.access)
        document = """mutation ($input: UnlinkSocialAccountInput!) {
            unlinkSocialAccount(input: $input) { userErrors { code field } }
        }"""
        answer = await gateway.graphql(document, {"input": {"accountId": account_id}}, person.tokens.access)
        assert answer.user_errors("unlinkSocialAccount") == [("NOT_FOUND", "accountId")]

    async def _ids(self, gateway: Gateway, token: str) -> list[str]:
        me = (await gateway.graphql("{ me { accounts { id } } }", token=token))["me"]
        return [account["id"] for account in me["accounts"]]


class TestStorefront:
    async def test_has_the_id_of_the_shop(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous(STOREFRONT)
        answer = await gateway.graphql("{ storefront { id } tokenInfo { tenant } }", token=tokens.access)
        assert answer["storefront"]["id"] == answer["tokenInfo"]["tenant"] == "shop"
