"""Two accounts of one customer become one, over the public API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.services.worker.erasure import anonymize_due
from tests.factories import PASSWORD, address_input
from tests.harness import operations
from tests.harness.anonymizations import DELAY_HOURS, EXPORT, STOREFRONT, audit, privacy_shop, request, requested
from tests.harness.client import Answer, Person, Tokens
from tests.harness.gateway import Gateway
from tests.harness.integrations import owned_token
from tests.harness.social import REDIRECT_URI, MintingProvider, arrive, openid_entry
from tests.harness.staff import RECORD_ORDER, RESET_TOKEN, Staff
from tests.harness.tenants import integration, storefront, table
from tests.services.sign_in.test_second_factors import enrol
from tests.services.staff.test_on_behalf import LOGIN_ON_BEHALF

pytestmark = pytest.mark.anyio

AT_ONCE = 16
NEW_PASSWORD = "copper-lantern-77"
SOCIAL_EMAIL = "ada@social.example"
COUNTS = "identities addresses productLists paymentInstruments orders groups legalEntities"
CUSTOMER = """customer {
    id email emailVerified status secondFactorRequired mergedInto
    addresses { id isDefault city } paymentInstruments { id isDefault } productLists { id name items { productId } }
    groups { code } b2b { legalEntities { id confirmed contactAssignmentId } } accounts { id provider }
}"""
MERGE = f"""mutation ($input: MergeAccountsInput!) {{
    mergeAccounts(input: $input) {{ {CUSTOMER} merged {{ {COUNTS} }} {operations.USER_ERRORS} }}
}}"""
ADD_INSTRUMENT = """mutation ($input: AddPaymentInstrumentInput!) {
    addPaymentInstrument(input: $input) { paymentInstrument { id } }
}"""
CREATE_LIST = "mutation ($input: CreateProductListInput!) { createProductList(input: $input) { productList { id } } }"
ADD_ITEM = "mutation ($input: AddProductListItemInput!) { addProductListItem(input: $input) { item { id } } }"
CLOSED = "query ($id: ID!) { customer(id: $id) { id email active status mergedInto customerNumber firstName } }"
UPDATE = """mutation ($input: UpdateCustomerInput!) {
    updateCustomer(input: $input) { customer { id } userErrors { code field message } }
}"""
ENTITIES = """query ($ids: [_Any!]!) { _entities(representations: $ids) { ... on Customer { id mergedInto } } }"""
ME = "{ me { id email addresses { id } } }"
# Of all that an account has; the sessions stay, and have ended.
TABLES = (
    "address",
    "payment_instrument",
    "product_list",
    "product_list_item",
    "social_identity",
    "recorded_order",
    "legal_entity_assignment",
    "customer_group_membership",
    "passkey",
    "totp_secret",
    "device",
    "social_state",
)
NOTHING = dict.fromkeys(COUNTS.split(), 0)


def write_shop(folder: Path, minted: MintingProvider, **settings: int) -> dict[str, str]:
    """Write a shop with social login, staff who may do everything, and a webhook for all topics."""
    scopes = ["customers.read", "customers.manage", "customers.privacy", "payments.read"]
    keyed = integration("shop", "shop-keyed", scopes=scopes, secret_env="KEYED_SECRET", jwks_file="keyed.json")
    hook = {"url": "http://127.0.0.1:9/all", "topics": ["*"], "secret_env": "HOOK_SECRET"}
    variables = privacy_shop(
        folder,
        "[[tenants.shop.social]]\n" + openid_entry("minted", minted.issuer) + "\n",
        table("[[tenants.shop.webhooks]]", **hook),
        storefront("shop", "shop-kiosk", redirect_uris=[REDIRECT_URI]),
        keyed=keyed,
        staff_may=scopes,
    )
    file = Path(variables["TENANTS_FILE"])
    text = file.read_text()
    limits = "".join(f"{name} = {value}\n" for name, value in settings.items())
    for old, new in {
        'signup = "open"\n': 'signup = "confirm_email"\n',
        'id = "shop-storefront"\n': f'id = "shop-storefront"\nredirect_uris = ["{REDIRECT_URI}"]\n',
        "[tenants.shop.limits]\n": f"[tenants.shop.limits]\nsocial_per_session_per_minute = 1000\n{limits}",
    }.items():
        text = text.replace(old, new, 1)
    file.write_text(text)
    return {**variables, "PROVIDER_SECRET": "provider-secret"}


@pytest.fixture
def settings_environment(tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
    return write_shop(tmp_path / "shops", minted)


@pytest.fixture
async def staff(gateway: Gateway) -> Staff:
    return Staff(gateway, await owned_token(gateway))


@pytest.fixture
async def own(gateway: Gateway) -> Person:
    """Log in the customer of the account that stays."""
    return await gateway.customer(STOREFRONT)


async def by_social(gateway: Gateway, minted: MintingProvider, email: str | None = None, sub: str = "ada") -> Person:
    """Log in somebody whom the provider knows, with an address that it vouches for or without any."""
    minted.claims = {"sub": sub, "email": email, "email_verified": True if email else None}
    payload = await (await arrive(gateway, "shop")).log_in(minted)
    assert payload["userErrors"] == [], payload
    return Person(payload["customer"]["id"], email or "", "", Tokens.of(payload["tokens"]))


@pytest.fixture
async def other(gateway: Gateway, minted: MintingProvider) -> Person:
    """Log in the same customer to a first account, which is by a social account alone."""
    return await by_social(gateway, minted)


async def merge(gateway: Gateway, own: Person, other: Person | str, **more: Any) -> Answer:
    """Join the other account with the own one, whatever comes of it."""
    token = other if isinstance(other, str) else other.tokens.access
    return await gateway.graphql(MERGE, {"input": {"otherAccessToken": token, **more}}, own.tokens.access)


async def merged(gateway: Gateway, own: Person, other: Person, **more: Any) -> dict[str, Any]:
    """Join them, and return the payload."""
    answer = await merge(gateway, own, other, **more)
    assert answer.user_errors("mergeAccounts") == []
    payload: dict[str, Any] = answer["mergeAccounts"]
    return payload


async def refused(gateway: Gateway, own: Person, other: Person | str, **more: Any) -> list[tuple[str, str]]:
    """Try it, and return the user errors; the preview says the same."""
    foreseen = await merge(gateway, own, other, preview=True)
    answer = await merge(gateway, own, other, **more)
    errors = answer.user_errors("mergeAccounts")
    assert foreseen.user_errors("mergeAccounts") == errors
    assert (answer["mergeAccounts"]["customer"], answer["mergeAccounts"]["merged"]) == (None, None)
    return errors


async def do(gateway: Gateway, document: str, person: Person, **given: Any) -> Any:
    """Run one mutation as a customer, and return its payload."""
    answer = await gateway.graphql(document, {"input": given}, person.tokens.access)
    assert not answer.errors, answer.errors
    assert answer.data is not None
    return next(iter(answer.data.values()))


async def furnish(gateway: Gateway, staff: Staff, person: Person, prefix: str) -> None:
    """Give an account one of each."""
    await do(gateway, operations.CREATE_ADDRESS, person, **address_input(city=f"{prefix}town"))
    await do(gateway, ADD_INSTRUMENT, person, token=f"pm_{prefix}", brand="visa")
    made = await do(gateway, CREATE_LIST, person, type="WISH_LIST", name="Wishes")
    await do(gateway, ADD_ITEM, person, listId=made["productList"]["id"], productId=f"sku-{prefix}")
    await staff.try_to(RECORD_ORDER, customerId=person.id, orderReference=f"order-{prefix}")
    entities = [{"id": "acme", "name": "Acme", "contactAssignmentId": f"place-{prefix}"}]
    await staff.update(person.id, legalEntities=entities)


async def made_by_staff(gateway: Gateway, staff: Staff) -> Person:
    """Log in somebody whom staff have made, with an address that nobody has proved."""
    made = await staff.create(password=PASSWORD)
    initial = await gateway.login(made["email"], client_id=STOREFRONT)
    given = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    answer = await gateway.graphql(operations.CHANGE_PASSWORD, {"input": given}, initial.access)
    return Person(made["id"], made["email"], NEW_PASSWORD, Tokens.of(answer["changePassword"]["tokens"]))


async def closed(staff: Staff, customer_id: str) -> dict[str, Any]:
    """Return what staff see of an account."""
    customer: dict[str, Any] = (await staff.graphql(CLOSED, {"id": customer_id}))["customer"]
    return customer


async def everything_of(gateway: Gateway, customer_id: str) -> Mapping[str, int]:
    """Count the rows that an account has."""
    parts = [f"(SELECT count(*) FROM {name} WHERE customer_id = :id) AS {name}" for name in TABLES]  # noqa: S608
    (row,) = await gateway.rows(f"SELECT {', '.join(parts)}", id=customer_id)
    return {name: getattr(row, name) for name in TABLES}


async def topics(gateway: Gateway, customer_id: str) -> list[str]:
    """Return the topics that the webhook for all of them gets about a customer."""
    rows = await gateway.rows(
        "SELECT topic FROM outbox_message WHERE kind = 'event' AND endpoint LIKE '%/all' AND customer_id = :id "
        "ORDER BY id",
        id=customer_id,
    )
    return [row.topic for row in rows]


class TestMergeAccounts:
    async def test_says_in_the_preview_what_would_come_and_changes_nothing(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await furnish(gateway, staff, other, "first")
        before = await everything_of(gateway, other.id)
        payload = await merged(gateway, own, other, preview=True)
        assert payload["merged"] == {
            "identities": 1,
            "addresses": 1,
            "productLists": 1,
            "paymentInstruments": 1,
            "orders": 1,
            "groups": 0,
            "legalEntities": 1,
        }
        assert payload["customer"]["addresses"] == []
        assert await everything_of(gateway, other.id) == before
        assert (await closed(staff, other.id))["mergedInto"] is None
        assert (await gateway.graphql(ME, token=other.tokens.access))["me"]["id"] == other.id

    async def test_moves_all_with_its_ids_and_leaves_nothing(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await furnish(gateway, staff, own, "second")
        await furnish(gateway, staff, other, "first")
        shared, new = await staff.create_group("shared"), await staff.create_group("new")
        await staff.update(own.id, groupIds=[shared["id"]])
        await staff.update(other.id, groupIds=[shared["id"], new["id"]])
        address = (await gateway.graphql(ME, token=other.tokens.access))["me"]["addresses"][0]["id"]
        foreseen = (await merged(gateway, own, other, preview=True))["merged"]
        payload = await merged(gateway, own, other)
        assert payload["merged"] == foreseen
        # The company was the account's own already.
        assert payload["merged"] == {**dict.fromkeys(COUNTS.split(), 1), "legalEntities": 0}
        customer = payload["customer"]
        assert [each["city"] for each in customer["addresses"]] == ["secondtown", "firsttown"]
        assert [each["isDefault"] for each in customer["addresses"]] == [True, False]
        assert customer["addresses"][1]["id"] == address
        assert [each["isDefault"] for each in customer["paymentInstruments"]] == [True, False]
        assert [each["name"] for each in customer["productLists"]] == ["Wishes", "Wishes"]
        items = [item["productId"] for each in customer["productLists"] for item in each["items"]]
        assert sorted(items) == ["sku-first", "sku-second"]
        assert [each["code"] for each in customer["groups"]] == ["new", "shared"]
        places = customer["b2b"]["legalEntities"]
        assert [each["contactAssignmentId"] for each in places] == ["place-second"]
        assert [each["provider"] for each in customer["accounts"]] == ["password", "minted"]
        assert customer["status"] == "REPEAT"
        assert set((await everything_of(gateway, other.id)).values()) == {0}

    async def test_lets_staff_find_who_stays_by_the_addresses_of_both(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await furnish(gateway, staff, own, "second")
        await furnish(gateway, staff, other, "first")
        await merged(gateway, own, other)
        for search in ("firsttown", "secondtown", "firsttown secondtown"):
            assert [each["id"] for each in (await staff.list(search=search))["nodes"]] == [own.id], search

    async def test_keeps_the_defaults_of_the_other_account_where_the_own_one_has_none(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await furnish(gateway, staff, other, "first")
        customer = (await merged(gateway, own, other))["customer"]
        assert [each["isDefault"] for each in customer["addresses"]] == [True]
        assert [each["isDefault"] for each in customer["paymentInstruments"]] == [True]
        assert customer["status"] == "ACQUIRED"
        assert customer["b2b"]["legalEntities"] == [
            {"id": "acme", "confirmed": True, "contactAssignmentId": "place-first"}
        ]

    async def test_takes_the_confirmed_one_of_two_places_in_a_company(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        for person, is_confirmed in ((own, False), (other, True)):
            entity = {"id": "acme", "name": "Acme", "confirmed": is_confirmed, "contactAssignmentId": person.id}
            await staff.update(person.id, legalEntities=[entity])
        payload = await merged(gateway, own, other)
        assert payload["merged"] == {**NOTHING, "identities": 1, "legalEntities": 1}
        place = {"id": "acme", "confirmed": True, "contactAssignmentId": other.id}
        assert payload["customer"]["b2b"]["legalEntities"] == [place]

    async def test_lets_the_customer_in_by_the_social_account_from_then_on(
        self, gateway: Gateway, minted: MintingProvider, own: Person, other: Person
    ) -> None:
        await merged(gateway, own, other)
        assert (await by_social(gateway, minted)).id == own.id
        assert (await gateway.graphql(ME, token=own.tokens.access))["me"]["email"] == own.email
        await gateway.refresh(own.tokens.refresh)
        await gateway.login(own.email, own.password, client_id=STOREFRONT)

    async def test_ends_every_way_into_the_other_account_at_once(self, gateway: Gateway, own: Person) -> None:
        other = await gateway.customer(STOREFRONT)
        again = await gateway.login(other.email, client_id=STOREFRONT)
        await gateway.graphql(
            operations.REQUEST_PASSWORD_RESET,
            {"input": {"email": other.email}},
            (await gateway.anonymous(STOREFRONT)).access,
        )
        await gateway.deliver()
        reset = gateway.mails(other.email)[-1].token
        await merged(gateway, own, other)
        assert set((await everything_of(gateway, other.id)).values()) == {0}
        for tokens in (other.tokens, again):
            assert (await gateway.graphql(ME, token=tokens.access)).reason == "REVOKED"
            given = {"input": {"refreshToken": tokens.refresh}}
            assert (await gateway.graphql(operations.REFRESH, given)).user_errors("refresh")[0][0] == "TOKEN_INVALID"
        guest = (await gateway.anonymous(STOREFRONT)).access
        given = {"input": {"email": other.email, "password": PASSWORD}}
        login = await gateway.graphql(operations.LOGIN, given, guest)
        assert login.user_errors("login") == [("INVALID_CREDENTIALS", "password")]
        given = {"input": {"token": reset, "password": NEW_PASSWORD}}
        answer = await gateway.graphql(operations.RESET_PASSWORD, given, guest)
        assert answer.user_errors("resetPassword") == [("TOKEN_INVALID", "token")]

    async def test_keeps_the_own_address_as_the_only_one_to_sign_in_with(self, gateway: Gateway, own: Person) -> None:
        other = await gateway.customer(STOREFRONT)
        customer = (await merged(gateway, own, other))["customer"]
        assert (customer["email"], customer["emailVerified"]) == (own.email, True)

    async def test_takes_the_address_of_the_other_account_where_the_own_one_has_none(
        self, gateway: Gateway, other: Person
    ) -> None:
        with_address = await gateway.customer(STOREFRONT)
        customer = (await merged(gateway, other, with_address))["customer"]
        assert (customer["id"], customer["email"], customer["emailVerified"]) == (other.id, with_address.email, True)
        # The password was the other account's, and ended with it.
        assert [each["provider"] for each in customer["accounts"]] == ["minted"]
        assert "customer.email_changed" in await topics(gateway, other.id)
        await gateway.deliver()
        assert gateway.mails(with_address.email)[-1].subject == "Your two accounts are one now"

    async def test_takes_an_address_as_unproved_as_it_is(self, gateway: Gateway, staff: Staff, other: Person) -> None:
        unproven = await made_by_staff(gateway, staff)
        customer = (await merged(gateway, other, unproven))["customer"]
        assert (customer["email"], customer["emailVerified"]) == (unproven.email, False)

    async def test_leaves_the_mark_on_data_that_nobody_proved_to_be_the_owners(
        self, gateway: Gateway, staff: Staff, minted: MintingProvider, own: Person
    ) -> None:
        await do(gateway, operations.CREATE_ADDRESS, own, **address_input(city="Proved"))
        stranger = await made_by_staff(gateway, staff)
        # What is written in the moment of the creation is the shop's.
        gateway.clock.advance(seconds=1)
        await do(gateway, operations.CREATE_ADDRESS, stranger, **address_input(city="Doubtful"))
        owner = await by_social(gateway, minted, stranger.email)
        assert owner.id == stranger.id
        customer = (await merged(gateway, own, owner))["customer"]
        assert [each["city"] for each in customer["addresses"]] == ["Proved", "Doubtful"]
        discard = "mutation { discardUnprovenData { customer { addresses { city } } userErrors { code } } }"
        left = (await gateway.graphql(discard, token=own.tokens.access))["discardUnprovenData"]
        assert left == {"customer": {"addresses": [{"city": "Proved"}]}, "userErrors": []}

    async def test_carries_over_that_staff_want_a_second_factor(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await staff.update(other.id, secondFactorRequired=True)
        assert (await merged(gateway, own, other))["customer"]["secondFactorRequired"] is True

    async def test_tells_both_addresses_and_mails_the_way_to_take_the_social_account_out_again(
        self, gateway: Gateway, minted: MintingProvider, own: Person
    ) -> None:
        other = await by_social(gateway, minted, SOCIAL_EMAIL.replace("social.example", "example.com"))
        await merged(gateway, own, other)
        await gateway.deliver()
        assert [mail.subject for mail in gateway.mails(other.email)] == ["Your account was joined with another one"]
        linked, told = gateway.mails(own.email)[-2:]
        assert told.subject == "Your two accounts are one now"
        revert = (
            "mutation ($input: RevertSignInMethodInput!) { revertSignInMethod(input: $input) { userErrors { code } } }"
        )
        guest = (await gateway.anonymous(STOREFRONT)).access
        answer = await gateway.graphql(revert, {"input": {"token": linked.token}}, guest)
        assert answer["revertSignInMethod"]["userErrors"] == []
        me = "{ me { accounts { provider } } }"
        accounts = (await gateway.graphql(me, token=own.tokens.access))["me"]["accounts"]
        assert accounts == [{"provider": "password"}]

    async def test_tells_the_other_systems_and_the_audit_of_both(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await furnish(gateway, staff, other, "first")
        await merged(gateway, own, other)
        heard = await topics(gateway, own.id)
        assert heard[-3:] == ["customer.merged", "customer.acquired", "customer.social_linked"]
        (event,) = await gateway.rows(
            "SELECT payload FROM outbox_message WHERE topic = 'customer.merged' AND endpoint LIKE '%/all'"
        )
        payload = event.payload if isinstance(event.payload, str) else str(event.payload)
        assert own.id in payload
        assert other.id in payload
        assert "customer.merged" in await audit(gateway, own.id)
        assert (await audit(gateway, other.id))[-1] == "customer.merged"

    async def test_answers_the_same_again_with_the_same_tokens(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await furnish(gateway, staff, other, "first")
        first = await merged(gateway, own, other)
        assert await merged(gateway, own, other) == first
        assert (await merged(gateway, own, other, preview=True))["merged"] == first["merged"]
        assert (await topics(gateway, own.id)).count("customer.merged") == 1

    async def test_answers_the_same_again_with_the_same_key(self, gateway: Gateway, own: Person, other: Person) -> None:
        given = {"input": {"otherAccessToken": other.tokens.access}}
        key = {"Idempotency-Key": "merge-1"}
        answers = [await gateway.graphql(MERGE, given, own.tokens.access, key) for _ in range(2)]
        assert answers[0].data == answers[1].data
        assert answers[0].user_errors("mergeAccounts") == []


class TestWhatMergeAccountsRefuses:
    async def test_every_token_but_a_living_one_of_a_customer_of_the_shop(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        guest = (await gateway.anonymous(STOREFRONT)).access
        stranger = (await gateway.customer("other-storefront")).tokens.access
        given = {"input": {"customerId": other.id, "reason": "A call."}}
        acting = (await staff.graphql(LOGIN_ON_BEHALF, given))["loginOnBehalf"]["tokens"]["accessToken"]
        never = other.tokens.access[:-3] + "AAA"
        for token in (guest, stranger, acting, staff.token, never, other.tokens.refresh, "", own.tokens.refresh):
            assert await refused(gateway, own, token) == [("TOKEN_INVALID", "otherAccessToken")], token
        await gateway.graphql(operations.LOGOUT, {"input": {}}, other.tokens.access)
        assert await refused(gateway, own, other) == [("TOKEN_INVALID", "otherAccessToken")]

    async def test_the_own_account(self, gateway: Gateway, own: Person) -> None:
        again = await gateway.login(own.email, client_id=STOREFRONT)
        for token in (own.tokens.access, again.access):
            assert await refused(gateway, own, token) == [("INVALID", "otherAccessToken")]

    async def test_a_login_to_the_other_account_that_is_too_long_ago_whatever_was_refreshed(
        self, gateway: Gateway, own: Person, other: Person
    ) -> None:
        gateway.clock.advance(minutes=11)
        refreshed = (await gateway.refresh(other.tokens.refresh)).access
        fresh = Person(own.id, own.email, own.password, await gateway.login(own.email, client_id=STOREFRONT))
        assert await refused(gateway, fresh, refreshed) == [("TOKEN_EXPIRED", "otherAccessToken")]
        gateway.clock.advance(minutes=5)
        fresh = Person(own.id, own.email, own.password, await gateway.login(own.email, client_id=STOREFRONT))
        assert await refused(gateway, fresh, other) == [("TOKEN_EXPIRED", "otherAccessToken")]

    async def test_a_login_to_the_own_account_that_is_too_long_ago(
        self, gateway: Gateway, minted: MintingProvider, own: Person
    ) -> None:
        gateway.clock.advance(minutes=11)
        answer = await merge(gateway, own, await by_social(gateway, minted))
        assert answer.codes == ["REAUTHENTICATION_REQUIRED"]

    async def test_staff_on_a_customers_behalf(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        given = {"input": {"customerId": own.id, "reason": "A call."}}
        acting = (await staff.graphql(LOGIN_ON_BEHALF, given))["loginOnBehalf"]["tokens"]["accessToken"]
        given = {"input": {"otherAccessToken": other.tokens.access}}
        assert (await gateway.graphql(MERGE, given, acting)).codes == ["FORBIDDEN"]

    async def test_an_account_that_the_shop_has_closed_and_says_so(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        for change, code in (({"onHold": True}, "ACCOUNT_ON_HOLD"), ({"active": False}, "ACCOUNT_INACTIVE")):
            await staff.update(other.id, **change)
            assert await refused(gateway, own, other) == [(code, "otherAccessToken")]
            await staff.update(other.id, onHold=False, active=True)
        await requested(gateway, other.id)
        assert await refused(gateway, own, other) == [("ANONYMIZATION_OPEN", "otherAccessToken")]

    async def test_an_account_that_a_third_one_has_got(self, gateway: Gateway, own: Person, other: Person) -> None:
        third = await gateway.customer(STOREFRONT)
        await merged(gateway, third, other)
        assert await refused(gateway, own, other) == [("ACCOUNT_MERGED", "otherAccessToken")]

    async def test_a_confirmed_address_for_an_own_one_that_nobody_has_confirmed(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        unproven = await made_by_staff(gateway, staff)
        assert await refused(gateway, unproven, own) == [("EMAIL_NOT_CONFIRMED", "")]
        # Of two that nobody has confirmed, and of none, there is nothing to lose.
        assert (await merge(gateway, unproven, other)).user_errors("mergeAccounts") == []
        again = await made_by_staff(gateway, staff)
        assert (await merge(gateway, again, unproven)).user_errors("mergeAccounts") == []

    async def test_a_login_without_the_second_factor_that_an_account_has(
        self, gateway: Gateway, own: Person, other: Person
    ) -> None:
        await enrol(gateway, other.id, totp=True)
        assert await refused(gateway, own, other) == [("TOKEN_EXPIRED", "otherAccessToken")]
        await enrol(gateway, own.id, totp=True)
        answer = await merge(gateway, own, other)
        assert (answer.codes, answer.errors[0]["extensions"]["methods"]) == (
            ["REAUTHENTICATION_REQUIRED"],
            ["TOTP", "RECOVERY_CODE"],
        )

    async def test_an_account_whose_address_can_still_be_taken_back(self, gateway: Gateway, own: Person) -> None:
        robbed = await gateway.customer(STOREFRONT)
        given = {"newEmail": "thief@example.org", "password": PASSWORD}
        await gateway.graphql(operations.CHANGE_EMAIL, {"input": given}, robbed.tokens.access)
        await gateway.deliver()
        token = gateway.mails("thief@example.org")[-1].token
        await gateway.graphql(operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": token}}, robbed.tokens.access)
        thief = await gateway.login("thief@example.org", client_id=STOREFRONT)
        assert await refused(gateway, own, thief.access) == [("INVALID", "otherAccessToken")]
        gateway.clock.advance(hours=73)
        later = await gateway.login("thief@example.org", client_id=STOREFRONT)
        own = Person(own.id, own.email, own.password, await gateway.login(own.email, client_id=STOREFRONT))
        assert (await merge(gateway, own, later.access)).user_errors("mergeAccounts") == []


class TestFullAccounts:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
        few = {"addresses_per_customer": 1, "payment_instruments_per_customer": 1, "product_lists_per_customer": 1}
        return write_shop(tmp_path / "shops", minted, **few)

    async def test_say_all_that_is_too_much_and_stay_two(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await furnish(gateway, staff, own, "second")
        await furnish(gateway, staff, other, "first")
        before = await everything_of(gateway, other.id)
        assert await refused(gateway, own, other) == [("LIMIT_REACHED", "otherAccessToken")] * 3
        answer = await merge(gateway, own, other)
        said = " ".join(each["message"] for each in answer["mergeAccounts"]["userErrors"])
        assert all(noun in said for noun in ("2 addresses", "2 payment instruments", "2 lists"))
        assert await everything_of(gateway, other.id) == before


class TestClosedAccounts:
    async def test_tell_staff_who_has_all_of_it_today(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        last = await gateway.customer(STOREFRONT)
        await merged(gateway, own, other)
        seen = await closed(staff, other.id)
        assert (seen["mergedInto"], seen["active"], seen["email"], seen["status"]) == (own.id, False, None, "PROSPECT")
        await merged(gateway, last, own)
        assert (await closed(staff, other.id))["mergedInto"] == last.id
        found = (await staff.graphql(ENTITIES, {"ids": [{"__typename": "Customer", "id": other.id}]}))["_entities"]
        assert found == [{"id": other.id, "mergedInto": last.id}]

    async def test_are_entities_for_the_customer_who_stays_and_for_nobody_else(
        self, gateway: Gateway, own: Person, other: Person
    ) -> None:
        stranger = await gateway.customer(STOREFRONT)
        await merged(gateway, own, other)
        ids = {"ids": [{"__typename": "Customer", "id": each} for each in (other.id, own.id)]}
        seen = (await gateway.graphql(ENTITIES, ids, own.tokens.access))["_entities"]
        assert [each["id"] for each in seen] == [other.id, own.id]
        assert (await gateway.graphql(ENTITIES, ids, stranger.tokens.access))["_entities"] == [None, None]

    async def test_are_left_alone_by_staff_and_their_orders_go_to_who_stays(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await staff.try_to(RECORD_ORDER, customerId=other.id, orderReference="order-1")
        await merged(gateway, own, other)
        taken = [("ACCOUNT_MERGED", "id")], [("ACCOUNT_MERGED", "customerId")]
        assert (await staff.try_to(UPDATE, id=other.id, active=True)).user_errors("updateCustomer") == taken[0]
        answer = await staff.try_to(RESET_TOKEN, customerId=other.id)
        assert answer.user_errors("createPasswordResetToken") == taken[1]
        answer = await staff.try_to(LOGIN_ON_BEHALF, customerId=other.id, reason="A call.")
        assert answer.user_errors("loginOnBehalf") == taken[1]
        answer = await request(gateway, staff.token, customerId=other.id)
        assert answer.user_errors("requestAnonymization") == taken[1]
        again = (await staff.try_to(RECORD_ORDER, customerId=other.id, orderReference="order-1"))["recordOrder"]
        assert (again["recorded"], again["customer"]) == (False, {"id": own.id, "status": "ACQUIRED"})
        late = (await staff.try_to(RECORD_ORDER, customerId=other.id, orderReference="order-2"))["recordOrder"]
        assert (late["recorded"], late["customer"]) == (True, {"id": own.id, "status": "REPEAT"})

    async def test_are_in_the_export_of_who_stays_with_what_has_moved(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await furnish(gateway, staff, other, "first")
        await merged(gateway, own, other)
        data = (await gateway.graphql(EXPORT, token=own.tokens.access))["exportMyData"]["data"]
        assert [each["city"] for each in data["addresses"]] == ["firsttown"]
        assert [each["reference"] for each in data["orders"]] == ["order-first"]
        assert [each["provider"] for each in data["socialIdentities"]] == ["minted"]
        (left,) = data["mergedAccounts"]
        assert (left["customer"]["id"], left["customer"]["mergedInto"]) == (other.id, own.id)
        assert left["addresses"] == []

    async def test_are_erased_with_who_stays(self, gateway: Gateway, staff: Staff, own: Person) -> None:
        other = await gateway.customer(STOREFRONT, customerDetails={"firstName": "Augusta", "lastName": "Byron"})
        last = await gateway.customer(STOREFRONT)
        await merged(gateway, own, other)
        await merged(gateway, last, own)
        await requested(gateway, last.id)
        gateway.clock.advance(hours=DELAY_HOURS)
        assert await anonymize_due(gateway.tools) == 1
        for each in (own, other, last):
            (row,) = await gateway.rows("SELECT * FROM customer WHERE id = :id", id=each.id)
            assert (row.first_name, row.contact_email, row.anonymization_status) == (None, None, "DONE")
            assert await gateway.rows("SELECT * FROM credential WHERE customer_id = :id", id=each.id) == []
            assert (await topics(gateway, each.id))[-1] == "customer.anonymization_completed"
        assert (await closed(Staff(gateway, await owned_token(gateway)), other.id))["mergedInto"] == last.id


class TestTheFormerAddress:
    async def test_is_free_and_whoever_signs_up_with_it_is_told(self, gateway: Gateway, own: Person) -> None:
        other = await gateway.customer(STOREFRONT)
        await merged(gateway, own, other)
        guest = await gateway.anonymous(STOREFRONT)
        payload = await gateway.signup(guest.access, email=other.email)
        assert payload["userErrors"] == []
        await gateway.deliver()
        told, linked = sorted(gateway.mails(other.email)[-2:], key=lambda mail: "/confirm-signup?" in mail.text)
        assert told.subject == "The account with this address was joined with another one"
        given = {"input": {"token": linked.token}}
        answer = await gateway.graphql(operations.CONFIRM_SIGNUP, given, guest.access)
        assert answer["confirmSignup"]["userErrors"] == []
        twin = await gateway.login(other.email, token=guest.access)
        me = (await gateway.graphql(ME, token=twin.access))["me"]
        assert (me["id"] not in (own.id, other.id), me["email"]) == (True, other.email)

    async def test_says_by_mail_where_the_account_is_to_who_has_forgotten_it(
        self, gateway: Gateway, own: Person
    ) -> None:
        other = await gateway.customer(STOREFRONT)
        await merged(gateway, own, other)
        guest = (await gateway.anonymous(STOREFRONT)).access
        given = {"input": {"email": other.email}}
        answer = await gateway.graphql(operations.REQUEST_PASSWORD_RESET, given, guest)
        assert answer["requestPasswordReset"]["userErrors"] == []
        await gateway.deliver()
        told = gateway.mails(other.email)[-1]
        assert told.subject == "The account with this address was joined with another one"
        assert "token=" not in told.text

    async def test_can_be_the_new_one_of_who_stays(self, gateway: Gateway, own: Person) -> None:
        other = await gateway.customer(STOREFRONT)
        await merged(gateway, own, other)
        given = {"newEmail": other.email, "password": PASSWORD}
        await gateway.graphql(operations.CHANGE_EMAIL, {"input": given}, own.tokens.access)
        await gateway.deliver()
        (token,) = [mail.token for mail in gateway.mails(other.email) if "/confirm-email?" in mail.text]
        answer = await gateway.graphql(operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": token}}, own.tokens.access)
        assert answer["confirmEmailChange"]["userErrors"] == []


class TestRaces:
    async def test_of_two_accounts_that_join_each_other_one_stays_with_all(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await furnish(gateway, staff, own, "second")
        await furnish(gateway, staff, other, "first")
        both = ((own, other), (other, own))
        answers = await asyncio.gather(*(merge(gateway, *both[number % 2]) for number in range(AT_ONCE)))
        seen = {each.id: (await closed(staff, each.id))["mergedInto"] for each in (own, other)}
        (loser,) = [each for each, into in seen.items() if into is not None]
        (winner,) = seen.keys() - {loser}
        assert seen[loser] == winner
        for number, answer in enumerate(answers):
            if both[number % 2][0].id == winner:
                assert answer.user_errors("mergeAccounts") == []
                assert answer["mergeAccounts"]["merged"]["addresses"] == 1
            else:
                assert answer.codes == ["UNAUTHENTICATED"]
        assert set((await everything_of(gateway, loser)).values()) == {0}
        held = await everything_of(gateway, winner)
        assert (held["address"], held["payment_instrument"], held["recorded_order"]) == (2, 2, 2)

    async def test_with_writes_to_the_other_account_leave_nothing_there(
        self, gateway: Gateway, staff: Staff, minted: MintingProvider, own: Person, other: Person
    ) -> None:
        async def write() -> Answer:
            return await gateway.graphql(operations.CREATE_ADDRESS, {"input": address_input()}, other.tokens.access)

        async def order(number: int) -> Answer:
            return await staff.try_to(RECORD_ORDER, customerId=other.id, orderReference=f"order-{number}")

        async def refresh() -> Answer:
            return await gateway.graphql(operations.REFRESH, {"input": {"refreshToken": other.tokens.refresh}})

        calls = [merge(gateway, own, other)]
        calls += [each for number in range(5) for each in (write(), order(number), refresh())]
        answer, *others = await asyncio.gather(*calls)
        assert answer.user_errors("mergeAccounts") == []
        written = [each for each in others[::3] if not each.errors]
        held = await everything_of(gateway, own.id)
        assert (held["address"], held["recorded_order"]) == (len(written), 5)
        assert set((await everything_of(gateway, other.id)).values()) == {0}
        for each in others[2::3]:
            payload = each["refresh"]
            if payload["tokens"] is not None:
                token = payload["tokens"]["accessToken"]
                assert (await gateway.graphql(ME, token=token)).codes == ["UNAUTHENTICATED"]

    async def test_with_logins_to_the_other_account_let_nobody_in(self, gateway: Gateway, own: Person) -> None:
        other = await gateway.customer(STOREFRONT)
        guests = [(await gateway.anonymous(STOREFRONT)).access for _ in range(4)]
        given = {"input": {"email": other.email, "password": other.password}}
        calls = [gateway.graphql(operations.LOGIN, given, guest) for guest in guests]
        answer, *logins = await asyncio.gather(merge(gateway, own, other), *calls)
        assert answer.user_errors("mergeAccounts") == []
        for login in logins:
            tokens = login["login"]["tokens"]
            if tokens is not None:
                assert (await gateway.graphql(ME, token=tokens["accessToken"])).codes == ["UNAUTHENTICATED"]

    async def test_with_an_erasure_of_the_other_account_end_one_way_or_the_other(
        self, gateway: Gateway, staff: Staff, own: Person, other: Person
    ) -> None:
        await furnish(gateway, staff, other, "first")
        joined, erased = await asyncio.gather(
            merge(gateway, own, other), request(gateway, staff.token, customerId=other.id)
        )
        outcome = (joined.user_errors("mergeAccounts"), erased.user_errors("requestAnonymization"))
        assert outcome in (
            ([], [("ACCOUNT_MERGED", "customerId")]),
            ([("ANONYMIZATION_OPEN", "otherAccessToken")], []),
        )
        assert (await everything_of(gateway, other.id))["address"] == (0 if outcome[0] == [] else 1)
