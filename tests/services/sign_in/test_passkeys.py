"""Passkeys: registering, signing in with one, and every ceremony that somebody has tampered with."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.harness import operations
from tests.harness.authenticator import (
    HAS_BACKUP,
    MAY_HAVE_BACKUP,
    PRESENT,
    VERIFIED,
    Authenticator,
    Lies,
    new_key,
    to_text,
)
from tests.harness.client import Person
from tests.harness.gateway import Gateway
from tests.harness.operations import USER_ERRORS
from tests.harness.passkeys import (
    BEGIN_LOGIN,
    BEGIN_REGISTRATION,
    DELETE,
    PASSKEYS,
    RENAME,
    begin_login,
    begin_registration,
    passkey_login,
    passkeys_of,
    register,
    send_new,
)
from tests.harness.sign_in import LOGIN, complete, limits, shop_environment
from tests.harness.tenants import shop, storefront, table

pytestmark = pytest.mark.anyio

CLIENT = "shop-storefront"
ORIGIN = "https://shop.example"
TOKEN_INFO = "{ tokenInfo { methods level } }"
ANDROID = f"android:apk-key-hash:{'A' * 43}"
APP_SITE = table(
    "[tenants.shop.sites.app]",
    url="https://app.shop.example",
    language="en",
    rp_id="shop.example",
    passkey_origins=[ANDROID, "https://app.shop.example"],
)
OTHER_DOMAIN = table("[tenants.shop.sites.elsewhere]", url="https://elsewhere.example", language="en")
REAUTHENTICATE = f"""mutation ($input: ReauthenticateInput!) {{
    reauthenticate(input: $input) {{ authenticatedAt {USER_ERRORS} }}
}}"""
REVERT = f"""mutation ($input: RevertSignInMethodInput!) {{
    revertSignInMethod(input: $input) {{ method restored {USER_ERRORS} }}
}}"""
EXPORT = f"mutation {{ exportMyData {{ data {USER_ERRORS} }} }}"
TAMPERED = {
    "another origin": Lies(origin="https://shop.example.evil.example"),
    "plain http": Lies(origin="http://shop.example"),
    "another port": Lies(origin="https://shop.example:8443"),
    "another relying party": Lies(rp_id="evil.example"),
    "another challenge": Lies(challenge=b"c" * 32),
    "the other ceremony": Lies(type="payment.get"),
    "nobody verified": Lies(flags=PRESENT),
    "nobody present": Lies(flags=VERIFIED),
    "a backup that cannot be": Lies(flags=PRESENT | VERIFIED | HAS_BACKUP),
    "a frame in another page": Lies(cross_origin=True),
}
TAMPERED_USES = {
    **TAMPERED,
    "another key": Lies(key=new_key()),
    "another owner": Lies(handle=b"somebody-else"),
    "no owner": Lies(no_handle=True),
    "an unknown passkey": Lies(credential_id=b"unknown"),
    "a counter that stands still": Lies(counter=1),
    "a counter that goes back": Lies(counter=0),
    "a key that may have a backup now": Lies(flags=PRESENT | VERIFIED | MAY_HAVE_BACKUP),
}
NO_ANSWERS: list[Any] = [{}, [], "text", 7, {"id": 1}, {"id": "AA", "response": {}}, {"id": "AB==", "rawId": "AB=="}]


def each(lies: dict[str, Lies]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("lie", lies.values(), ids=list(lies))


@pytest.fixture
def keys() -> dict[str, Any]:
    """Return the keys of the shop, beyond those that every shop needs."""
    return {}


@pytest.fixture
def tables() -> list[str]:
    """Return the tables that the shop has besides."""
    return []


@pytest.fixture
def settings_environment(tmp_path: Path, keys: dict[str, Any], tables: list[str]) -> dict[str, str]:
    return shop_environment(tmp_path, *tables, **{"signup": "confirm_email", **keys})


@pytest.fixture
async def ada(gateway: Gateway) -> Person:
    """Log somebody in."""
    return await gateway.customer(CLIENT)


@pytest.fixture
def device() -> Authenticator:
    return Authenticator(ORIGIN)


async def use_once(gateway: Gateway, device: Authenticator) -> str:
    """Sign in, so that the counter stands at 1, and return the access token."""
    answer = await passkey_login(gateway, (await gateway.anonymous(CLIENT)).access, device)
    token: str = answer["completeLogin"]["tokens"]["accessToken"]
    return token


class TestBeginPasskeyRegistration:
    async def test_asks_for_a_discoverable_key_and_the_person(self, gateway: Gateway, ada: Person) -> None:
        begun = await begin_registration(gateway, ada.tokens.access)
        options = begun["options"]
        assert options["rp"] == {"id": "shop.example", "name": "The shop"}
        assert options["authenticatorSelection"]["residentKey"] == "required"
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert (options["attestation"], options["excludeCredentials"]) == ("none", [])
        assert (options["user"]["name"], begun["expiresIn"]) == (ada.email, 600)
        assert options["timeout"] == 600_000

    async def test_tells_which_devices_have_one(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        await register(gateway, ada.tokens.access, device)
        token = await use_once(gateway, device)
        (known,) = (await begin_registration(gateway, token))["options"]["excludeCredentials"]
        assert known == {
            "id": to_text(device.credential_id),
            "type": "public-key",
            "transports": ["internal", "hybrid"],
        }

    async def test_wants_a_fresh_login(self, gateway: Gateway, ada: Person) -> None:
        gateway.clock.advance(seconds=601)
        answer = await gateway.graphql(BEGIN_REGISTRATION, token=ada.tokens.access)
        assert answer.codes == ["REAUTHENTICATION_REQUIRED"]

    async def test_wants_the_passkey_of_who_has_one(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        await register(gateway, ada.tokens.access, device)
        answer = await gateway.graphql(BEGIN_REGISTRATION, token=ada.tokens.access)
        assert answer.codes == ["REAUTHENTICATION_REQUIRED"]

    async def test_wants_of_a_stranger_the_ticket_of_a_login(self, gateway: Gateway) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        for ticket, code in ((None, "REQUIRED"), ("cg_st_x", "TICKET_INVALID")):
            answer = await gateway.graphql(BEGIN_REGISTRATION, {"input": {"ticket": ticket}}, token)
            assert answer.user_errors("beginPasskeyRegistration") == [(code, "ticket")]

    @pytest.mark.parametrize("keys", [{"passkeys": False}])
    async def test_is_off_where_the_shop_says_so(self, gateway: Gateway, ada: Person) -> None:
        answer = await gateway.graphql(BEGIN_REGISTRATION, token=ada.tokens.access)
        assert answer.user_errors("beginPasskeyRegistration") == [("METHOD_OFF", "")]
        answer = await gateway.graphql(BEGIN_LOGIN, token=ada.tokens.access)
        assert answer.user_errors("beginPasskeyLogin") == [("METHOD_OFF", "")]

    @pytest.mark.parametrize("tables", [[limits(passkeys_per_customer=1)]])
    async def test_stops_at_the_limit(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        other = await begin_registration(gateway, ada.tokens.access)
        await register(gateway, ada.tokens.access, device)
        answer = await send_new(
            gateway, ada.tokens.access, other["ticket"], Authenticator(ORIGIN).create(other["options"])
        )
        assert answer.user_errors("registerPasskey") == [("LIMIT_REACHED", "")]
        token = await use_once(gateway, device)
        answer = await gateway.graphql(BEGIN_REGISTRATION, token=token)
        assert answer.user_errors("beginPasskeyRegistration") == [("LIMIT_REACHED", "")]


class TestRegisterPasskey:
    async def test_keeps_the_passkey(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        passkey = await register(gateway, ada.tokens.access, device, name="  Ada's phone ")
        assert (passkey["name"], passkey["lastUsedAt"], passkey["backedUp"]) == ("Ada's phone", None, False)
        assert await passkeys_of(gateway, ada.tokens.access) == [passkey]

    async def test_tells_the_customer_and_other_systems(
        self, gateway: Gateway, ada: Person, device: Authenticator
    ) -> None:
        passkey = await register(gateway, ada.tokens.access, device)
        await gateway.deliver()
        mail = gateway.mails(ada.email)[-1]
        assert mail.subject == "You can now log in with a new passkey"
        assert "/revert-sign-in-method?token=" in mail.text
        audited = await gateway.rows("SELECT detail FROM audit_event WHERE action = 'passkey.added'")
        assert [passkey["id"] in str(row.detail) for row in audited] == [True]

    async def test_takes_a_name_of_the_device_where_none_is_given(
        self, gateway: Gateway, ada: Person, device: Authenticator
    ) -> None:
        begun = await begin_registration(gateway, ada.tokens.access)
        answer = await send_new(gateway, ada.tokens.access, begun["ticket"], device.create(begun["options"]))
        assert answer["registerPasskey"]["passkey"]["name"]

    @pytest.mark.parametrize(("name", "code"), [(" ", "REQUIRED"), ("a\nb", "INVALID"), ("a" * 101, "TOO_LONG")])
    async def test_refuses_names_that_are_none(
        self, gateway: Gateway, ada: Person, device: Authenticator, name: str, code: str
    ) -> None:
        begun = await begin_registration(gateway, ada.tokens.access)
        credential = device.create(begun["options"])
        answer = await send_new(gateway, ada.tokens.access, begun["ticket"], credential, name=name)
        assert answer.user_errors("registerPasskey") == [(code, "name")]

    @each(TAMPERED)
    async def test_refuses_a_ceremony_with(
        self, gateway: Gateway, ada: Person, device: Authenticator, lie: Lies
    ) -> None:
        begun = await begin_registration(gateway, ada.tokens.access)
        credential = device.create(begun["options"], lie)
        answer = await send_new(gateway, ada.tokens.access, begun["ticket"], credential)
        assert answer.user_errors("registerPasskey") == [("PASSKEY_INVALID", "credential")]
        assert await passkeys_of(gateway, ada.tokens.access) == []

    async def test_refuses_what_is_no_answer_and_ends_after_five_tries(self, gateway: Gateway, ada: Person) -> None:
        begun = await begin_registration(gateway, ada.tokens.access)
        refused = [await send_new(gateway, ada.tokens.access, begun["ticket"], wrong) for wrong in NO_ANSWERS]
        codes = [answer.user_errors("registerPasskey")[0][0] for answer in refused]
        assert codes == ["PASSKEY_INVALID"] * 5 + ["TICKET_INVALID"] * 2

    async def test_refuses_a_passkey_that_somebody_has(
        self, gateway: Gateway, ada: Person, device: Authenticator
    ) -> None:
        await register(gateway, ada.tokens.access, device)
        grace = await gateway.customer(CLIENT)
        begun = await begin_registration(gateway, grace.tokens.access)
        answer = await send_new(gateway, grace.tokens.access, begun["ticket"], device.create(begun["options"]))
        assert answer.user_errors("registerPasskey") == [("PASSKEY_INVALID", "credential")]

    async def test_refuses_the_ticket_of_another_session_or_purpose(
        self, gateway: Gateway, ada: Person, device: Authenticator
    ) -> None:
        grace = await gateway.customer(CLIENT)
        begun = await begin_registration(gateway, grace.tokens.access)
        own = await begin_login(gateway, ada.tokens.access)
        for ticket in (begun["ticket"], own["ticket"]):
            answer = await send_new(gateway, ada.tokens.access, ticket, device.create(begun["options"]))
            assert answer.user_errors("registerPasskey") == [("TICKET_INVALID", "ticket")]

    async def test_is_done_once_of_sixteen_at_once(self, gateway: Gateway, ada: Person) -> None:
        begun = await begin_registration(gateway, ada.tokens.access)
        devices = [Authenticator(ORIGIN) for _ in range(16)]
        answers = await asyncio.gather(
            *(
                send_new(gateway, ada.tokens.access, begun["ticket"], device.create(begun["options"]))
                for device in devices
            )
        )
        assert sum(answer["registerPasskey"]["passkey"] is not None for answer in answers) == 1
        assert len(await passkeys_of(gateway, ada.tokens.access)) == 1


class TestBeginPasskeyLogin:
    async def test_answers_the_same_for_everybody(self, gateway: Gateway) -> None:
        begun = await begin_login(gateway, (await gateway.anonymous(CLIENT)).access)
        options = {**begun["options"], "challenge": len(begun["options"]["challenge"])}
        assert options == {
            "challenge": 43,
            "timeout": 600_000,
            "rpId": "shop.example",
            "allowCredentials": [],
            "userVerification": "required",
        }


class TestCompleteLogin:
    async def test_signs_in_without_an_address(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        await register(gateway, ada.tokens.access, device)
        token = (await gateway.anonymous(CLIENT)).access
        answer = await passkey_login(gateway, token, device)
        assert answer["completeLogin"]["customer"]["id"] == ada.id
        access = answer["completeLogin"]["tokens"]["accessToken"]
        info = await gateway.graphql(TOKEN_INFO, token=access)
        assert info["tokenInfo"] == {"methods": ["PASSKEY"], "level": "2"}
        (passkey,) = await passkeys_of(gateway, access)
        assert passkey["lastUsedAt"] is not None

    @each(TAMPERED_USES)
    async def test_refuses_a_ceremony_with(
        self, gateway: Gateway, ada: Person, device: Authenticator, lie: Lies
    ) -> None:
        await register(gateway, ada.tokens.access, device)
        await use_once(gateway, device)
        token = (await gateway.anonymous(CLIENT)).access
        answer = await passkey_login(gateway, token, device, lie)
        assert answer.user_errors("completeLogin") == [("PASSKEY_INVALID", "passkey")]
        assert (await passkey_login(gateway, token, device))["completeLogin"]["tokens"]

    @pytest.mark.parametrize("wrong", NO_ANSWERS)
    async def test_refuses_what_is_no_answer(self, gateway: Gateway, wrong: Any) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        begun = await begin_login(gateway, token)
        answer = await complete(gateway, token, begun["ticket"], passkey=wrong)
        assert answer.user_errors("completeLogin") == [("PASSKEY_INVALID", "passkey")]

    async def test_refuses_a_number_that_is_too_large_for_anything(self, gateway: Gateway) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        begun = await begin_login(gateway, token)
        operation = f"""mutation ($ticket: String!) {{
            completeLogin(input: {{ ticket: $ticket, passkey: {{ id: {10**30} }} }}) {{ {USER_ERRORS} }}
        }}"""
        answer = await gateway.graphql(operation, {"ticket": begun["ticket"]}, token)
        assert answer.user_errors("completeLogin") == [("PASSKEY_INVALID", "passkey")]

    @pytest.mark.parametrize("depth", [300, 900])
    async def test_refuses_what_is_nested_without_end(self, gateway: Gateway, depth: int) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        begun = await begin_login(gateway, token)
        nested: Any = "x"
        for _ in range(depth):
            nested = [nested]
        answer = await complete(gateway, token, begun["ticket"], passkey={"id": nested})
        assert "INTERNAL" not in answer.codes
        assert answer.codes or answer.user_errors("completeLogin") == [("PASSKEY_INVALID", "passkey")]

    async def test_takes_a_counter_that_is_always_zero(self, gateway: Gateway, ada: Person) -> None:
        device = Authenticator(ORIGIN, step=0)
        await register(gateway, ada.tokens.access, device)
        assert [await use_once(gateway, device), await use_once(gateway, device)]

    async def test_keeps_whether_there_is_a_backup(self, gateway: Gateway, ada: Person) -> None:
        device = Authenticator(ORIGIN, flags=PRESENT | VERIFIED | MAY_HAVE_BACKUP)
        await register(gateway, ada.tokens.access, device)
        device.flags |= HAS_BACKUP
        (passkey,) = await passkeys_of(gateway, await use_once(gateway, device))
        assert passkey["backedUp"]

    async def test_takes_an_answer_once(self, gateway: Gateway, ada: Person) -> None:
        device = Authenticator(ORIGIN, step=0)
        await register(gateway, ada.tokens.access, device)
        token = (await gateway.anonymous(CLIENT)).access
        first, second = await begin_login(gateway, token), await begin_login(gateway, token)
        answer = device.get(first["options"])
        other = await complete(gateway, token, second["ticket"], passkey=answer)
        assert other.user_errors("completeLogin") == [("PASSKEY_INVALID", "passkey")]
        stranger = (await gateway.anonymous(CLIENT)).access
        foreign = await complete(gateway, stranger, first["ticket"], passkey=answer)
        assert foreign.user_errors("completeLogin") == [("TICKET_INVALID", "ticket")]
        tokens = (await complete(gateway, token, first["ticket"], passkey=answer))["completeLogin"]["tokens"]
        again = await complete(gateway, token, first["ticket"], passkey=answer)
        assert again["completeLogin"]["tokens"]["accessToken"] == tokens["accessToken"]
        replayed = await complete(gateway, stranger, (await begin_login(gateway, stranger))["ticket"], passkey=answer)
        assert replayed.user_errors("completeLogin") == [("PASSKEY_INVALID", "passkey")]

    async def test_gives_one_pair_of_sixteen_at_once(
        self, gateway: Gateway, ada: Person, device: Authenticator
    ) -> None:
        await register(gateway, ada.tokens.access, device)
        token = (await gateway.anonymous(CLIENT)).access
        begun = await begin_login(gateway, token)
        answer = device.get(begun["options"])
        answers = await asyncio.gather(*(complete(gateway, token, begun["ticket"], passkey=answer) for _ in range(16)))
        logins = [each["completeLogin"] for each in answers if each.data is not None]
        pairs = {login["tokens"]["accessToken"] for login in logins if login is not None and login["tokens"]}
        assert len(pairs) == 1

    @pytest.mark.parametrize(
        "tables",
        [[shop("other"), storefront("other", "other-storefront")]],
    )
    async def test_knows_no_passkey_of_another_shop(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        await register(gateway, ada.tokens.access, device)
        token = (await gateway.anonymous("other-storefront")).access
        lie = Lies(origin="https://other.example")
        answer = await passkey_login(gateway, token, device, lie)
        assert answer.user_errors("completeLogin") == [("PASSKEY_INVALID", "passkey")]

    @pytest.mark.parametrize("tables", [[APP_SITE]])
    async def test_takes_the_origins_of_apps_where_the_site_names_them(self, gateway: Gateway, ada: Person) -> None:
        """An Android app says the hash of its certificate, an app on iOS the domain that it is associated with."""
        device = Authenticator(ORIGIN)
        await register(gateway, ada.tokens.access, device)
        for origin in (ANDROID, "https://app.shop.example", "https://shop.example"):
            token = (await gateway.anonymous(CLIENT, site="app")).access
            answer = await passkey_login(gateway, token, device, Lies(origin=origin))
            errors = answer.user_errors("completeLogin")
            assert errors == ([] if origin != ORIGIN else [("PASSKEY_INVALID", "passkey")])
        token = (await gateway.anonymous(CLIENT)).access
        answer = await passkey_login(gateway, token, device, Lies(origin=ANDROID))
        assert answer.user_errors("completeLogin") == [("PASSKEY_INVALID", "passkey")]

    @pytest.mark.parametrize("tables", [[OTHER_DOMAIN]])
    async def test_asks_for_no_passkey_of_another_domain(
        self, gateway: Gateway, ada: Person, device: Authenticator
    ) -> None:
        await register(gateway, ada.tokens.access, device)
        elsewhere = (await gateway.anonymous(CLIENT, site="elsewhere")).access
        tokens = await gateway.login(ada.email, ada.password, elsewhere)
        begun = await begin_registration(gateway, tokens.access)
        assert begun["userErrors"] == [], "Who has none here needs none to go on."
        assert begun["options"]["rp"]["id"] == "elsewhere.example"

    async def test_says_of_a_customer_on_hold_what_a_login_says(
        self, gateway: Gateway, ada: Person, device: Authenticator
    ) -> None:
        await register(gateway, ada.tokens.access, device)
        await gateway.write("UPDATE customer SET on_hold = true WHERE id = :id", id=ada.id)
        answer = await passkey_login(gateway, (await gateway.anonymous(CLIENT)).access, device)
        assert answer.user_errors("completeLogin")[0][0] in {"ACCOUNT_ON_HOLD", "INVALID_CREDENTIALS"}


@pytest.mark.parametrize("keys", [{"require_second_factor": "all"}])
class TestNextStep:
    async def test_enrols_a_passkey_and_goes_on_with_it(self, gateway: Gateway, device: Authenticator) -> None:
        ada = await gateway.signup_confirmed(CLIENT)
        token = (await gateway.anonymous(CLIENT)).access
        given = {"input": {"email": ada.email, "password": ada.password}}
        step = (await gateway.graphql(LOGIN, given, token))["login"]["nextStep"]
        assert step["methods"] == ["EMAIL_CODE"]
        await register(gateway, token, device, ticket=step["ticket"])
        begun = await begin_login(gateway, token, step["ticket"])
        assert [key["id"] for key in begun["options"]["allowCredentials"]] == [to_text(device.credential_id)]
        lie = Lies(no_handle=True)
        answer = await complete(gateway, token, step["ticket"], passkey=device.get(begun["options"], lie))
        assert answer["completeLogin"]["customer"]["id"] == ada.id
        access = answer["completeLogin"]["tokens"]["accessToken"]
        info = (await gateway.graphql(TOKEN_INFO, token=access))["tokenInfo"]
        assert info == {"methods": ["PASSWORD", "PASSKEY"], "level": "2"}

    async def test_takes_no_passkey_of_somebody_else(self, gateway: Gateway, device: Authenticator) -> None:
        tokens = {}
        devices = {"ada": device, "eve": Authenticator(ORIGIN)}
        for name, own in devices.items():
            person = await gateway.signup_confirmed(CLIENT)
            token = (await gateway.anonymous(CLIENT)).access
            given = {"input": {"email": person.email, "password": person.password}}
            step = (await gateway.graphql(LOGIN, given, token))["login"]["nextStep"]
            await register(gateway, token, own, ticket=step["ticket"])
            tokens[name] = (token, step["ticket"])
        token, ticket = tokens["ada"]
        begun = await begin_login(gateway, token, ticket)
        answer = await complete(gateway, token, ticket, passkey=devices["eve"].get(begun["options"]))
        assert answer.user_errors("completeLogin") == [("PASSKEY_INVALID", "passkey")]


class TestReauthenticate:
    async def test_takes_the_customers_own_passkey(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        await register(gateway, ada.tokens.access, device)
        token = ada.tokens.access
        begun = await begin_login(gateway, token)
        assert [key["id"] for key in begun["options"]["allowCredentials"]] == [to_text(device.credential_id)]
        given = {"ticket": begun["ticket"], "passkey": device.get(begun["options"])}
        answer = await gateway.graphql(REAUTHENTICATE, {"input": given}, token)
        assert answer["reauthenticate"]["authenticatedAt"]
        info = (await gateway.graphql(TOKEN_INFO, token=token))["tokenInfo"]
        assert info == {"methods": ["PASSWORD", "PASSKEY"], "level": "2"}

    async def test_refuses_somebody_elses(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        await register(gateway, ada.tokens.access, device)
        eve, other = await gateway.customer(CLIENT), Authenticator(ORIGIN)
        await register(gateway, eve.tokens.access, other)
        begun = await begin_login(gateway, ada.tokens.access)
        given = {"ticket": begun["ticket"], "passkey": other.get(begun["options"])}
        answer = await gateway.graphql(REAUTHENTICATE, {"input": given}, ada.tokens.access)
        assert answer.user_errors("reauthenticate") == [("PASSKEY_INVALID", "passkey")]

    async def test_ends_with_the_passkey_that_was_not_the_owners(
        self, gateway: Gateway, ada: Person, device: Authenticator
    ) -> None:
        await register(gateway, ada.tokens.access, device)
        begun = await begin_login(gateway, ada.tokens.access)
        given = {"ticket": begun["ticket"], "passkey": device.get(begun["options"])}
        await gateway.graphql(REAUTHENTICATE, {"input": given}, ada.tokens.access)
        await gateway.deliver()
        link, visitor = gateway.mails(ada.email)[-1].token, (await gateway.anonymous(CLIENT)).access
        answer = await gateway.graphql(REVERT, {"input": {"token": link}}, visitor)
        assert answer.user_errors("revertSignInMethod") == []
        assert (await gateway.graphql(PASSKEYS, token=ada.tokens.access)).reason == "REVOKED"


class TestRenamePasskey:
    async def test_gives_another_name(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        passkey = await register(gateway, ada.tokens.access, device)
        given = {"input": {"id": passkey["id"], "name": " Old phone "}}
        answer = await gateway.graphql(RENAME, given, ada.tokens.access)
        assert answer["renamePasskey"]["passkey"] == {**passkey, "name": "Old phone"}

    async def test_refuses_a_name_that_is_none(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        passkey = await register(gateway, ada.tokens.access, device)
        answer = await gateway.graphql(RENAME, {"input": {"id": passkey["id"], "name": ""}}, ada.tokens.access)
        assert answer.user_errors("renamePasskey") == [("REQUIRED", "name")]

    async def test_knows_nobody_elses(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        passkey = await register(gateway, ada.tokens.access, device)
        eve = await gateway.customer(CLIENT)
        answer = await gateway.graphql(RENAME, {"input": {"id": passkey["id"], "name": "E"}}, eve.tokens.access)
        assert answer.user_errors("renamePasskey") == [("NOT_FOUND", "id")]


class TestDeletePasskey:
    async def test_ends_the_sessions_that_it_opened_and_no_other(
        self, gateway: Gateway, ada: Person, device: Authenticator
    ) -> None:
        passkey = await register(gateway, ada.tokens.access, device)
        opened, second = await use_once(gateway, device), await use_once(gateway, device)
        answer = await gateway.graphql(DELETE, {"input": {"id": passkey["id"]}}, second)
        assert answer["deletePasskey"]["deletedId"] == passkey["id"]
        for token in (opened, second):
            assert (await gateway.graphql(PASSKEYS, token=token)).codes == ["UNAUTHENTICATED"]
        assert await passkeys_of(gateway, ada.tokens.access) == []
        answer = await passkey_login(gateway, (await gateway.anonymous(CLIENT)).access, device)
        assert answer.user_errors("completeLogin") == [("PASSKEY_INVALID", "passkey")]

    async def test_can_be_taken_back_by_the_mailed_link(
        self, gateway: Gateway, ada: Person, device: Authenticator
    ) -> None:
        passkey = await register(gateway, ada.tokens.access, device)
        await gateway.graphql(DELETE, {"input": {"id": passkey["id"]}}, await use_once(gateway, device))
        await gateway.deliver()
        mail = gateway.mails(ada.email)[-1]
        assert mail.subject == "A passkey was removed"
        token = (await gateway.anonymous(CLIENT)).access
        answer = await gateway.graphql(REVERT, {"input": {"token": mail.token}}, token)
        assert answer["revertSignInMethod"] == {"method": "PASSKEY", "restored": True, "userErrors": []}
        assert await use_once(gateway, device)

    async def test_wants_two_factors_or_a_passkey(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        passkey = await register(gateway, ada.tokens.access, device)
        answer = await gateway.graphql(DELETE, {"input": {"id": passkey["id"]}}, ada.tokens.access)
        assert answer.codes == ["REAUTHENTICATION_REQUIRED"]

    async def test_knows_nobody_elses(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        passkey = await register(gateway, ada.tokens.access, device)
        eve, other = await gateway.customer(CLIENT), Authenticator(ORIGIN)
        await register(gateway, eve.tokens.access, other)
        answer = await gateway.graphql(DELETE, {"input": {"id": passkey["id"]}}, await use_once(gateway, other))
        assert answer.user_errors("deletePasskey") == [("NOT_FOUND", "id")]
        assert len(await passkeys_of(gateway, ada.tokens.access)) == 1


class TestResetPassword:
    async def test_drops_passkeys_and_the_proved_phone_with_the_other_ways_in_where_that_is_wanted(
        self, gateway: Gateway, ada: Person, device: Authenticator
    ) -> None:
        await register(gateway, ada.tokens.access, device)
        proved = "UPDATE credential SET verified_phone = '+493012345678', phone_verified_at = changed_at"
        await gateway.write(proved)
        visitor = (await gateway.anonymous(CLIENT)).access
        await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": ada.email}}, visitor)
        await gateway.deliver()
        token = next(mail.token for mail in reversed(gateway.mails(ada.email)) if "reset-password" in mail.text)
        given = {"token": token, "password": "copper-lantern-77", "dropOtherSignInMethods": True}
        answer = await gateway.graphql(operations.RESET_PASSWORD, {"input": given}, visitor)
        assert answer["resetPassword"]["userErrors"] == []
        refused = await passkey_login(gateway, visitor, device)
        assert refused.user_errors("completeLogin") == [("PASSKEY_INVALID", "passkey")]
        (row,) = await gateway.rows("SELECT verified_phone, phone_verified_at FROM credential")
        assert (row.verified_phone, row.phone_verified_at) == (None, None)


class TestExport:
    async def test_shows_the_passkey_and_no_key(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        await register(gateway, ada.tokens.access, device, name="Ada's phone")
        token = await use_once(gateway, device)
        answer = await gateway.graphql(EXPORT, token=token)
        (shown,) = answer["exportMyData"]["data"]["passkeys"]
        assert shown["name"] == "Ada's phone"
        assert not {"publicKey", "credentialId", "signCount", "public_key", "credential_id"} & set(shown)
