"""A stranger was in an account before its owner proved the address: what is left of the stranger, and what is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.models import TABLES
from tests.factories import PASSWORD, address_input
from tests.harness import operations
from tests.harness.client import Answer, Person, Tokens
from tests.harness.gateway import Gateway
from tests.harness.integrations import integration_token
from tests.harness.operations import USER_ERRORS
from tests.harness.social import (
    MintingProvider,
    SocialPerson,
    arrive,
    codes,
    openid_entry,
    social_environment,
    write_tenants,
)
from tests.harness.staff import CREATE, RESET_TOKEN, UPDATE, Staff

pytestmark = pytest.mark.anyio

OWNER = "owner@example.com"
STRANGER = "stranger@example.org"
OTHER = "strangers-box@example.net"
NEW_PASSWORD = "copper-lantern-77"
AT_ONCE = 16
# Where accounts are used before their address is proved; in the second once staff let them.
USED_UNPROVEN = ("auto", "staffed")
# In each word that the stranger writes.
WORD = "stranger"

ADD_INSTRUMENT = f"""mutation ($input: AddPaymentInstrumentInput!) {{
    addPaymentInstrument(input: $input) {{ paymentInstrument {{ id }} {USER_ERRORS} }}
}}"""
CREATE_LIST = f"""mutation ($input: CreateProductListInput!) {{
    createProductList(input: $input) {{ productList {{ id }} {USER_ERRORS} }}
}}"""
ADD_ITEM = f"""mutation ($input: AddProductListItemInput!) {{
    addProductListItem(input: $input) {{ item {{ id }} {USER_ERRORS} }}
}}"""
UPDATE_ME = f"mutation ($input: UpdateMeInput!) {{ updateMe(input: $input) {{ customer {{ id }} {USER_ERRORS} }} }}"
REQUEST_ANONYMIZATION = f"mutation {{ requestAnonymization {{ {USER_ERRORS} }} }}"
CANCEL = f"""mutation ($input: CancelAnonymizationInput) {{
    cancelAnonymization(input: $input) {{ {USER_ERRORS} }}
}}"""
RESET = f"""mutation ($input: ResetPasswordInput!) {{
    resetPassword(input: $input) {{
        passwordReset otherSignInMethods {{ provider email }} keptUnprovenData {USER_ERRORS}
    }}
}}"""
DISCARD = f"mutation {{ discardUnprovenData {{ customer {{ id firstName lastName mixins }} {USER_ERRORS} }} }}"
ME = """{ me {
    id email firstName lastName contactEmail contactPhone company preferredLanguage businessModel mixins
    b2b { companyRegistrationId legalEntities { name confirmed } }
    accounts { provider } addresses { id contactName isDefault defaultFor } paymentInstruments { id isDefault }
    productLists { id name description isPublic items { productId } }
} }"""


@pytest.fixture
def minted(minted: MintingProvider) -> MintingProvider:
    minted.claims = {"sub": "stranger-subject", "email": STRANGER, "email_verified": False}
    return minted


@pytest.fixture
def settings_environment(tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
    file = tmp_path / "tenants.toml"
    write_tenants(file, openid_entry("minted", minted.issuer), openid_entry("other", minted.issuer))
    text = file.read_text()
    for name in ("Auto", "Staffed", "Demo"):
        own = f'name = "{name} shop"\n'
        text = text.replace(own, f'{own}anonymization_by = ["customer", "integration"]\n')
    text = text.replace(
        "one_time_token_per_ip_per_minute = 1000\n",
        "one_time_token_per_ip_per_minute = 1000\none_time_token_tries_per_flow = 1000\n"
        "signup_per_ip_per_minute = 1000\n",
    )
    file.write_text(text)
    return social_environment(file)


async def staff_of(gateway: Gateway, shop: str) -> Staff:
    return Staff(gateway, await integration_token(gateway, f"{shop}-backend", "backend-secret-for-tests"))


async def signed_up(gateway: Gateway, shop: str, email: str = OWNER, **changes: Any) -> Person:
    """Sign up with an address that is not proved by that, and log in."""
    person = await gateway.signed_up(f"{shop}-storefront", email=email, **changes)
    if shop == "staffed":
        await (await staff_of(gateway, shop)).update(person.id, active=True)
    tokens = await gateway.login(email, token=person.tokens.access)
    return Person(person.id, email, PASSWORD, tokens)


async def do(gateway: Gateway, query: str, bearer: str, /, **given: Any) -> Any:
    """Run a mutation that must succeed, and return its payload."""
    answer = await gateway.graphql(query, {"input": given}, bearer)
    assert answer.errors == []
    (payload,) = (answer.data or {}).values()
    assert payload["userErrors"] == []
    return payload


async def furnish(gateway: Gateway, person: Person, minted: MintingProvider) -> None:
    """Let the stranger write everywhere, link a social account, and ask for another address."""
    token = person.tokens.access
    await do(
        gateway,
        UPDATE_ME,
        token,
        title="Stranger",
        firstName="Stranger-first",
        middleName="Stranger-middle",
        lastName="Stranger-last",
        contactEmail=STRANGER,
        contactPhone="+493012345678",
        company="Stranger Ltd",
        preferredLanguage="fr-CA",
        preferredCurrency="CHF",
        mixins={"stranger": {"word": "stranger"}},
        b2b={"companyRegistrationId": "stranger-1", "legalEntities": [{"name": "Stranger Inc", "id": "stranger-le"}]},
    )
    address = address_input(
        contactName="Stranger", street="Stranger street", tags=["stranger"], isDefault=True, defaultFor=["BILLING"]
    )
    await do(gateway, operations.CREATE_ADDRESS, token, **address)
    await do(gateway, ADD_INSTRUMENT, token, token="stranger-pm", brand="stranger", holderName="Stranger")
    made = await do(gateway, CREATE_LIST, token, type="WISH_LIST", name="Stranger's", description="s", isPublic=True)
    await do(gateway, ADD_ITEM, token, listId=made["productList"]["id"], productId="stranger-p", note="stranger")
    assert (await SocialPerson(gateway, token).link(minted)).user_errors("linkSocialAccount") == []
    await do(gateway, operations.CHANGE_EMAIL, token, newEmail=STRANGER, syncContactEmail=True)


async def mailed(gateway: Gateway, to: str, page: str) -> str:
    """Return the token of the newest mailed link to this page."""
    await gateway.deliver()
    token: str = [mail for mail in gateway.mails(to) if f"{page}?token=" in mail.text][-1].token
    return token


async def reset_with(gateway: Gateway, shop: str, token: str, **changes: Any) -> Any:
    visitor = (await gateway.anonymous(f"{shop}-storefront")).access
    return await do(gateway, RESET, visitor, token=token, password=NEW_PASSWORD, **changes)


async def ask_for_reset(gateway: Gateway, shop: str, email: str = OWNER) -> None:
    visitor = (await gateway.anonymous(f"{shop}-storefront")).access
    await do(gateway, operations.REQUEST_PASSWORD_RESET, visitor, email=email)
    await gateway.deliver()


async def by_reset(gateway: Gateway, shop: str, _: Person, minted: MintingProvider) -> Any:
    await ask_for_reset(gateway, shop)
    return await reset_with(gateway, shop, await mailed(gateway, OWNER, "/reset-password"))


async def by_staff(gateway: Gateway, shop: str, person: Person, minted: MintingProvider) -> Any:
    staff = await staff_of(gateway, shop)
    made = await do(gateway, RESET_TOKEN, staff.token, customerId=person.id)
    return await reset_with(gateway, shop, made["token"])


async def by_social(gateway: Gateway, shop: str, _: Person, minted: MintingProvider) -> Any:
    minted.claims = {"sub": "owner", "email": OWNER}
    payload = await (await arrive(gateway, shop)).log_in(minted)
    assert codes(payload) == []
    minted.claims = {"sub": "stranger-subject", "email": STRANGER, "email_verified": False}
    return await kept_of_social(gateway, shop, minted)


async def kept_of_social(gateway: Gateway, shop: str, minted: MintingProvider) -> Any:
    """Log the owner in once more, and return what the answer says of the kept data."""
    claims, minted.claims = minted.claims, {"sub": "owner", "email": OWNER}
    person = await arrive(gateway, shop)
    state = await person.begun(minted)
    query = (
        f"mutation ($input: SocialLoginInput!) {{ socialLogin(input: $input) {{ keptUnprovenData {USER_ERRORS} }} }}"
    )
    payload = await do(gateway, query, person.token, **person.answer(state))
    minted.claims = claims
    return payload


PROOFS = {"reset": by_reset, "staff": by_staff, "social": by_social}


async def owner_tokens(gateway: Gateway, shop: str, proof: str, minted: MintingProvider) -> Tokens:
    if proof != "social":
        return await gateway.login(OWNER, NEW_PASSWORD, client_id=f"{shop}-storefront")
    minted.claims = {"sub": "owner", "email": OWNER}
    return Tokens.of((await (await arrive(gateway, shop)).log_in(minted))["tokens"])


async def found(gateway: Gateway, word: str) -> list[str]:
    """Return each table with a text in it that has the word."""
    tables = []
    for model in TABLES:
        name = model.__table__.name
        rows = await gateway.rows(f"SELECT * FROM {name}")  # noqa: S608 - a name of our own
        tables += [name for row in rows if any(word in str(value).casefold() for value in row)]
    return tables


async def login_errors(gateway: Gateway, shop: str, password: str = PASSWORD) -> list[tuple[str, str]]:
    visitor = (await gateway.anonymous(f"{shop}-storefront")).access
    answer = await gateway.graphql(operations.LOGIN, {"input": {"email": OWNER, "password": password}}, visitor)
    return answer.user_errors("login")


async def me(gateway: Gateway, token: str) -> Any:
    return (await gateway.graphql(ME, token=token))["me"]


async def discard(gateway: Gateway, token: str) -> Answer:
    return await gateway.graphql(DISCARD, token=token)


@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("shop", USED_UNPROVEN)
class TestFirstProof:
    async def test_leaves_the_stranger_no_way_in_and_after_the_discard_no_word(
        self, gateway: Gateway, minted: MintingProvider, shop: str, proof: str
    ) -> None:
        stranger = await signed_up(gateway, shop)
        await furnish(gateway, stranger, minted)
        pending = await mailed(gateway, STRANGER, "/confirm-email")
        if shop == "auto":
            answer = await gateway.graphql(REQUEST_ANONYMIZATION, token=stranger.tokens.access)
            assert answer.user_errors("requestAnonymization") == []
        mails_so_far = len(gateway.mails(STRANGER))

        payload = await PROOFS[proof](gateway, shop, stranger, minted)
        assert payload["keptUnprovenData"] is True
        assert (await gateway.graphql(ME, token=stranger.tokens.access)).codes == ["UNAUTHENTICATED"]
        assert await login_errors(gateway, shop) == [("INVALID_CREDENTIALS", "password")]
        visitor = (await gateway.anonymous(f"{shop}-storefront")).access
        moved = await gateway.graphql(operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": pending}}, visitor)
        assert moved.user_errors("confirmEmailChange") == [("TOKEN_INVALID", "token")]

        tokens = await owner_tokens(gateway, shop, proof, minted)
        seen = await me(gateway, tokens.access)
        assert seen["id"] == stranger.id
        assert seen["contactEmail"] in (None, OWNER)
        assert seen["contactPhone"] is None
        assert [each["provider"] for each in seen["accounts"]] == ["minted" if proof == "social" else "password"]
        assert [each["isDefault"] for each in seen["addresses"] + seen["paymentInstruments"]] == [False, False]
        assert [each["defaultFor"] for each in seen["addresses"]] == [[]]
        assert [each["isPublic"] for each in seen["productLists"]] == [False]
        assert seen["firstName"] == "Stranger-first"
        (row,) = await gateway.rows("SELECT anonymization_status FROM customer WHERE id = :id", id=stranger.id)
        assert row.anonymization_status in (None, "CANCELED")

        assert (await discard(gateway, tokens.access)).user_errors("discardUnprovenData") == []
        await gateway.deliver()
        assert await found(gateway, WORD) == []
        assert len(gateway.mails(STRANGER)) == mails_so_far
        seen = await me(gateway, tokens.access)
        assert (seen["addresses"], seen["paymentInstruments"], seen["productLists"]) == ([], [], [])
        assert (seen["email"], seen["preferredLanguage"], seen["businessModel"]) == (OWNER, "en", "B2C")

    async def test_is_not_outrun_by_thirty_writes_at_the_same_moment(
        self, gateway: Gateway, minted: MintingProvider, shop: str, proof: str
    ) -> None:
        stranger = await signed_up(gateway, shop)
        token = stranger.tokens.access

        async def write(number: int) -> None:
            queries = (
                (operations.CREATE_ADDRESS, address_input(contactName=f"Stranger {number}", isDefault=True)),
                (UPDATE_ME, {"lastName": f"Stranger {number}", "contactEmail": STRANGER}),
                (CREATE_LIST, {"type": "CUSTOM", "name": f"Stranger {number}", "isPublic": True}),
            )
            query, given = queries[number % len(queries)]
            # As long as the session goes on, so that some wait for the lock when the proof has it.
            while not (answer := await gateway.graphql(query, {"input": given}, token)).errors:
                pass
            assert answer.codes == ["UNAUTHENTICATED"]

        writes = [asyncio.ensure_future(write(number)) for number in range(30)]
        await PROOFS[proof](gateway, shop, stranger, minted)
        await asyncio.gather(*writes)
        tokens = await owner_tokens(gateway, shop, proof, minted)
        seen = await me(gateway, tokens.access)
        assert seen["contactEmail"] != STRANGER
        assert [each for each in seen["addresses"] if each["isDefault"]] == []
        assert [each for each in seen["productLists"] if each["isPublic"]] == []
        await discard(gateway, tokens.access)
        await gateway.deliver()
        assert await found(gateway, WORD) == []


class TestTwoProofsAtOnce:
    async def test_leave_the_stranger_nothing(self, gateway: Gateway, minted: MintingProvider) -> None:
        stranger = await signed_up(gateway, "auto")
        await furnish(gateway, stranger, minted)
        await ask_for_reset(gateway, "auto")
        token = await mailed(gateway, OWNER, "/reset-password")
        owner = await arrive(gateway, "auto")
        minted.claims = {"sub": "owner", "email": OWNER}
        state = await owner.begun(minted)
        visitor = (await gateway.anonymous("auto-storefront")).access
        given = {"input": {"token": token, "password": NEW_PASSWORD}}
        _, payload = await asyncio.gather(gateway.graphql(RESET, given, visitor), owner.finish(state))
        assert codes(payload) == []
        assert await login_errors(gateway, "auto") == [("INVALID_CREDENTIALS", "password")]
        rows = await gateway.rows("SELECT subject FROM social_identity")
        assert [row.subject for row in rows] == ["owner"]
        tokens = await owner_tokens(gateway, "auto", "social", minted)
        await discard(gateway, tokens.access)
        await gateway.deliver()
        assert await found(gateway, WORD) == []


class TestFirstProofOfTheCustomersOwn:
    async def test_by_a_reset_loses_no_address_and_no_list(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await signed_up(gateway, "auto", customerDetails={"firstName": "Ada"})
        await do(gateway, operations.CREATE_ADDRESS, person.tokens.access, **address_input())
        await do(gateway, CREATE_LIST, person.tokens.access, type="WISH_LIST", name="Wishes")
        assert (await by_reset(gateway, "auto", person, minted))["keptUnprovenData"] is True
        tokens = await gateway.login(OWNER, NEW_PASSWORD, client_id="auto-storefront")
        seen = await me(gateway, tokens.access)
        assert [each["contactName"] for each in seen["addresses"]] == ["Ada Lovelace"]
        assert [each["name"] for each in seen["productLists"]] == ["Wishes"]
        assert (seen["firstName"], seen["contactEmail"]) == ("Ada", OWNER)

    async def test_says_that_nothing_was_kept_where_nothing_is_there(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await signed_up(gateway, "auto")
        assert (await by_reset(gateway, "auto", person, minted))["keptUnprovenData"] is False

    async def test_in_their_own_session_keeps_everything_as_it_is(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await signed_up(gateway, "auto")
        await do(gateway, operations.CREATE_ADDRESS, person.tokens.access, **address_input())
        await do(gateway, UPDATE_ME, person.tokens.access, contactPhone="+493012345678")
        await ask_for_reset(gateway, "auto")
        token = await mailed(gateway, OWNER, "/reset-password")
        given = {"token": token, "password": NEW_PASSWORD}
        payload = await do(gateway, RESET, person.tokens.access, **given)
        assert payload["keptUnprovenData"] is False
        tokens = await gateway.login(OWNER, NEW_PASSWORD, client_id="auto-storefront")
        seen = await me(gateway, tokens.access)
        assert (seen["contactPhone"], seen["addresses"][0]["isDefault"]) == ("+493012345678", True)

    async def test_is_a_social_account_with_the_address_that_they_link(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await signed_up(gateway, "auto")
        await do(gateway, operations.CHANGE_EMAIL, person.tokens.access, newEmail=OTHER)
        pending = await mailed(gateway, OTHER, "/confirm-email")
        minted.claims = {"sub": "owner", "email": OWNER}
        assert (await SocialPerson(gateway, person.tokens.access).link(minted)).errors == []
        answer = await gateway.graphql("{ me { emailVerified accounts { provider } } }", token=person.tokens.access)
        assert answer["me"] == {"emailVerified": True, "accounts": [{"provider": "password"}, {"provider": "minted"}]}
        assert await login_errors(gateway, "auto") == []
        given = {"input": {"token": pending}}
        moved = await gateway.graphql(operations.CONFIRM_EMAIL_CHANGE, given, person.tokens.access)
        assert moved["confirmEmailChange"]["email"] == OTHER

    async def test_is_no_social_account_with_another_address(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await signed_up(gateway, "auto")
        minted.claims = {"sub": "owner", "email": "another@example.com"}
        await SocialPerson(gateway, person.tokens.access).link(minted)
        assert (await gateway.graphql("{ me { emailVerified } }", token=person.tokens.access))["me"] == {
            "emailVerified": False
        }


class TestFirstProofByAnIdentityThatIsLinked:
    async def test_leaves_that_identity_and_nobody_else(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await signed_up(gateway, "auto")
        minted.claims = {"sub": "owner", "email": OWNER, "email_verified": False}
        await SocialPerson(gateway, person.tokens.access).link(minted)
        minted.claims = {"sub": "owner", "email": OWNER}
        payload = await (await arrive(gateway, "auto")).log_in(minted)
        assert (payload["customer"]["id"], payload["customer"]["emailVerified"]) == (person.id, True)
        assert [account["provider"] for account in payload["customer"]["accounts"]] == ["minted"]
        assert await login_errors(gateway, "auto") == [("INVALID_CREDENTIALS", "password")]


class TestSocialLoginThatMustWaitForStaff:
    async def test_has_proved_all_the_same(self, gateway: Gateway, minted: MintingProvider) -> None:
        stranger = await gateway.signed_up("staffed-storefront", email=OWNER)
        minted.claims = {"sub": "owner", "email": OWNER}
        payload = await (await arrive(gateway, "staffed")).log_in(minted)
        assert codes(payload) == [("ACCOUNT_INACTIVE", "")]
        await (await staff_of(gateway, "staffed")).update(stranger.id, active=True)
        assert await login_errors(gateway, "staffed") == [("INVALID_CREDENTIALS", "password")]
        payload = await (await arrive(gateway, "staffed")).log_in(minted)
        assert (payload["customer"]["id"], payload["customer"]["emailVerified"]) == (stranger.id, True)


class TestRevertLinkOfAnAccountThatNobodyProved:
    async def test_leaves_nothing_of_the_stranger(self, gateway: Gateway, minted: MintingProvider) -> None:
        stranger = await signed_up(gateway, "auto")
        await furnish(gateway, stranger, minted)
        confirmation = await mailed(gateway, STRANGER, "/confirm-email")
        given = {"input": {"token": confirmation}}
        await gateway.graphql(operations.CONFIRM_EMAIL_CHANGE, given, stranger.tokens.access)
        await do(gateway, UPDATE_ME, stranger.tokens.access, contactEmail=OTHER)
        await gateway.graphql(REQUEST_ANONYMIZATION, token=stranger.tokens.access)
        token = await mailed(gateway, OWNER, "/revert-email")
        mails_so_far = len(gateway.mails(STRANGER))
        answer = await gateway.graphql(operations.REVERT_EMAIL_CHANGE, {"input": {"token": token}})
        payload = answer["revertEmailChange"]
        assert (payload["email"], payload["userErrors"]) == (OWNER, [])
        reset = await reset_with(gateway, "auto", payload["resetToken"])
        assert reset["keptUnprovenData"] is True
        assert reset["otherSignInMethods"] == []
        tokens = await gateway.login(OWNER, NEW_PASSWORD, client_id="auto-storefront")
        assert (await me(gateway, tokens.access))["contactEmail"] is None
        await discard(gateway, tokens.access)
        await gateway.deliver()
        assert await found(gateway, WORD) == []
        assert len(gateway.mails(STRANGER)) == mails_so_far


class TestDiscardUnprovenData:
    async def taken_over(self, gateway: Gateway, minted: MintingProvider, shop: str = "auto") -> Tokens:
        stranger = await signed_up(gateway, shop)
        await furnish(gateway, stranger, minted)
        await by_reset(gateway, shop, stranger, minted)
        return await gateway.login(OWNER, NEW_PASSWORD, client_id=f"{shop}-storefront")

    async def test_leaves_what_the_owner_has_changed_since(self, gateway: Gateway, minted: MintingProvider) -> None:
        tokens = await self.taken_over(gateway, minted)
        token = tokens.access
        await do(gateway, UPDATE_ME, token, firstName="Ada", mixins={"owner": {"size": 3}})
        await do(gateway, operations.CREATE_ADDRESS, token, **address_input())
        planted = (await me(gateway, token))["productLists"][0]["id"]
        await do(gateway, ADD_ITEM, token, listId=planted, productId="engine")
        await discard(gateway, token)
        seen = await me(gateway, token)
        assert (seen["firstName"], seen["lastName"], seen["mixins"]) == ("Ada", None, {"owner": {"size": 3}})
        assert [(each["contactName"], each["isDefault"]) for each in seen["addresses"]] == [("Ada Lovelace", True)]
        (kept,) = seen["productLists"]
        assert (kept["name"], kept["description"], kept["items"]) == ("Wish list", None, [{"productId": "engine"}])
        assert await found(gateway, "stranger") == []

    async def test_leaves_an_address_that_the_owner_has_corrected(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        tokens = await self.taken_over(gateway, minted)
        (planted,) = (await me(gateway, tokens.access))["addresses"]
        await do(gateway, operations.UPDATE_ADDRESS, tokens.access, id=planted["id"], contactName="Ada")
        await discard(gateway, tokens.access)
        assert [each["contactName"] for each in (await me(gateway, tokens.access))["addresses"]] == ["Ada"]

    async def test_leaves_what_staff_have_written(self, gateway: Gateway, minted: MintingProvider) -> None:
        stranger = await signed_up(gateway, "auto")
        await furnish(gateway, stranger, minted)
        staff = await staff_of(gateway, "auto")
        group = await staff.create_group("trade")
        await do(
            gateway,
            UPDATE,
            staff.token,
            id=stranger.id,
            company="Engines Ltd",
            shopperReference="ref-1",
            mixins={"loyalty": {"level": "gold"}},
            groupIds=[group["id"]],
            legalEntities=[{"name": "Engines Ltd"}],
        )
        await by_reset(gateway, "auto", stranger, minted)
        tokens = await gateway.login(OWNER, NEW_PASSWORD, client_id="auto-storefront")
        await discard(gateway, tokens.access)
        seen = await me(gateway, tokens.access)
        assert (seen["company"], seen["mixins"]) == ("Engines Ltd", {"loyalty": {"level": "gold"}})
        assert seen["b2b"]["legalEntities"] == [{"name": "Engines Ltd", "confirmed": True}]
        customer = await staff.find(id=stranger.id)
        assert customer is not None
        assert (customer["shopperReference"], [each["code"] for each in customer["groups"]]) == ("ref-1", ["trade"])

    @pytest.mark.parametrize("made_by_version_1_0", [False, True])
    async def test_leaves_a_customer_that_staff_have_made(
        self, gateway: Gateway, minted: MintingProvider, *, made_by_version_1_0: bool
    ) -> None:
        staff = await staff_of(gateway, "auto")
        address = address_input(contactName="Ada")
        made = await do(
            gateway, CREATE, staff.token, email=OWNER, firstName="Ada", password=PASSWORD, addresses=[address]
        )
        # As if it had been changed: with an initial password nobody may write anything.
        await gateway.write("UPDATE credential SET initial_password = false")
        person = Person(
            made["customer"]["id"], OWNER, PASSWORD, await gateway.login(OWNER, client_id="auto-storefront")
        )
        if made_by_version_1_0:
            await gateway.write("UPDATE customer SET shop_fields = NULL")
            await gateway.write("UPDATE address SET origin = NULL")
        gateway.clock.advance(minutes=1)
        await do(gateway, operations.CREATE_ADDRESS, person.tokens.access, **address_input(contactName="Stranger"))
        assert (await by_reset(gateway, "auto", person, minted))["keptUnprovenData"] is True
        tokens = await gateway.login(OWNER, NEW_PASSWORD, client_id="auto-storefront")
        await discard(gateway, tokens.access)
        seen = await me(gateway, tokens.access)
        assert (seen["firstName"], [each["contactName"] for each in seen["addresses"]]) == ("Ada", ["Ada"])
        assert seen["addresses"][0]["isDefault"] is True

    async def test_says_of_a_customer_that_staff_have_made_that_nothing_unproven_was_kept(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        staff = await staff_of(gateway, "auto")
        made = await staff.create(email=OWNER, firstName="Ada", addresses=[address_input()])
        person = Person(made["id"], OWNER, "", await gateway.anonymous("auto-storefront"))
        assert (await by_staff(gateway, "auto", person, minted))["keptUnprovenData"] is False

    async def test_is_possible_for_thirty_days(self, gateway: Gateway, minted: MintingProvider) -> None:
        await self.taken_over(gateway, minted)
        gateway.clock.advance(days=30)
        late = await gateway.login(OWNER, NEW_PASSWORD, client_id="auto-storefront")
        assert (await discard(gateway, late.access)).user_errors("discardUnprovenData") == [("NOT_FOUND", "")]
        assert (await me(gateway, late.access))["firstName"] == "Stranger-first"

    async def test_does_nothing_a_second_time(self, gateway: Gateway, minted: MintingProvider) -> None:
        tokens = await self.taken_over(gateway, minted)
        await discard(gateway, tokens.access)
        await do(gateway, UPDATE_ME, tokens.access, firstName="Ada")
        answer = await discard(gateway, tokens.access)
        assert answer["discardUnprovenData"]["customer"]["firstName"] == "Ada"
        assert len(await gateway.rows("SELECT id FROM audit_event WHERE action = 'data.unproven_discarded'")) == 1

    async def test_does_nothing_to_an_account_of_its_customers_own(self, gateway: Gateway) -> None:
        person = await gateway.customer("demo-storefront", email=OWNER, customerDetails={"firstName": "Ada"})
        await do(gateway, operations.CREATE_ADDRESS, person.tokens.access, **address_input())
        answer = await discard(gateway, person.tokens.access)
        assert answer["discardUnprovenData"]["customer"]["firstName"] == "Ada"
        assert len((await me(gateway, person.tokens.access))["addresses"]) == 1

    async def test_is_for_the_customer_alone(self, gateway: Gateway) -> None:
        assert (await discard(gateway, (await gateway.anonymous("auto-storefront")).access)).codes == ["FORBIDDEN"]
        assert (await discard(gateway, (await staff_of(gateway, "auto")).token)).codes == ["FORBIDDEN"]

    async def test_of_sixteen_at_once_one_discards(self, gateway: Gateway, minted: MintingProvider) -> None:
        tokens = await self.taken_over(gateway, minted)
        answers = await asyncio.gather(*(discard(gateway, tokens.access) for _ in range(AT_ONCE)))
        assert [answer.user_errors("discardUnprovenData") for answer in answers] == [[]] * AT_ONCE
        assert len(await gateway.rows("SELECT id FROM audit_event WHERE action = 'data.unproven_discarded'")) == 1


class TestOtherSignInMethods:
    async def linked(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await gateway.customer("demo-storefront", email=OWNER)
        answer = await SocialPerson(gateway, person.tokens.access).link(minted)
        assert answer.user_errors("linkSocialAccount") == []
        await ask_for_reset(gateway, "demo")

    async def test_are_told_to_who_resets(self, gateway: Gateway, minted: MintingProvider) -> None:
        await self.linked(gateway, minted)
        payload = await reset_with(gateway, "demo", await mailed(gateway, OWNER, "/reset-password"))
        assert payload["otherSignInMethods"] == [{"provider": "minted", "email": STRANGER}]
        assert payload["keptUnprovenData"] is False

    async def test_are_dropped_where_that_is_wanted(self, gateway: Gateway, minted: MintingProvider) -> None:
        await self.linked(gateway, minted)
        token = await mailed(gateway, OWNER, "/reset-password")
        payload = await reset_with(gateway, "demo", token, dropOtherSignInMethods=True)
        assert payload["otherSignInMethods"] == []
        assert await gateway.rows("SELECT id FROM social_identity") == []


class TestResetOfAnAccountThatIsToBeErased:
    async def test_of_a_proven_one_mails_the_link_that_keeps_it(self, gateway: Gateway) -> None:
        person = await gateway.customer("demo-storefront", email=OWNER)
        await gateway.graphql(REQUEST_ANONYMIZATION, token=person.tokens.access)
        gateway.clock.advance(hours=3)
        await ask_for_reset(gateway, "demo")
        (mail,) = [each for each in gateway.mails(OWNER) if each.subject == "Your account is about to be erased"]
        assert "21 hours" in mail.text
        visitor = (await gateway.anonymous()).access
        answer = await gateway.graphql(CANCEL, {"input": {"token": mail.token}}, visitor)
        assert answer.user_errors("cancelAnonymization") == []
        assert await login_errors(gateway, "demo") == []

    async def test_of_one_that_staff_asked_for_mails_nothing(self, gateway: Gateway) -> None:
        person = await gateway.customer("demo-storefront", email=OWNER)
        await gateway.graphql(REQUEST_ANONYMIZATION, token=person.tokens.access)
        await gateway.write("UPDATE anonymization SET requester_type = 'User'")
        await gateway.deliver()
        before = len(gateway.mails(OWNER))
        await ask_for_reset(gateway, "demo")
        assert len(gateway.mails(OWNER)) == before
