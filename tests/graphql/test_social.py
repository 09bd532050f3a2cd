"""Social login over the public API: who gets in, who is linked to whom, and what is refused."""

from __future__ import annotations

import re
import time
from pathlib import Path
from statistics import median
from typing import Any

import anyio
import pytest
from sqlalchemy import text

from tests.factories import PASSWORD
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.server import ServerClient, ServerProcess
from tests.harness.social import (
    CLIENT_ID,
    REDIRECT_URI,
    VERIFIER,
    MintingProvider,
    SocialPerson,
    arrive,
    challenge_of,
    codes,
    openid_entry,
    query_of,
    social_environment,
    write_tenants,
)
from tests.harness.wall_clock import slowness

pytestmark = pytest.mark.anyio

ME = "{ me { id email emailVerified accounts { id provider email } } }"


@pytest.fixture
def settings_environment(tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
    tenants = tmp_path / "tenants.toml"
    write_tenants(
        tenants,
        openid_entry("minted", minted.issuer),
        openid_entry("other", minted.issuer),
        openid_entry("distrusted", minted.issuer, trusted="[]"),
        openid_entry("renamed", minted.issuer) + '\nclaim_names = { email = "mail" }',
    )
    return social_environment(tenants)


class TestBeginSocialLogin:
    async def test_sends_the_person_to_the_provider_with_state_nonce_and_challenge(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        payload = await (await arrive(gateway)).begin()
        assert payload["authorizationUrl"].startswith(f"{minted.issuer}/authorize?")
        assert payload["expiresIn"] == 600
        sent = query_of(payload["authorizationUrl"])
        assert len(sent.pop("nonce")) == 43
        assert sent == {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "scope": "openid email profile",
            "state": payload["state"],
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }

    async def test_adds_the_parameters_of_the_call(self, gateway: Gateway) -> None:
        given = [{"name": "prompt", "value": "select_account"}, {"name": "login_hint", "value": "ada+1@example.com"}]
        sent = query_of((await (await arrive(gateway)).begin(parameters=given))["authorizationUrl"])
        assert (sent["prompt"], sent["login_hint"]) == ("select_account", "ada+1@example.com")

    @pytest.mark.parametrize(
        ("given", "errors"),
        [
            ([("redirect_uri", "https://evil.example")], [("INVALID", "parameters.0.name")]),
            ([("Prompt", "login")], [("INVALID", "parameters.0.name")]),
            ([("prompt", "login"), ("prompt", "none")], [("INVALID", "parameters.1.name")]),
            ([("prompt", "")], [("REQUIRED", "parameters.0.value")]),
            ([("prompt", " login")], [("INVALID", "parameters.0.value")]),
            ([("prompt", "a\nb")], [("INVALID", "parameters.0.value")]),
            ([("prompt", "x" * 501)], [("TOO_LONG", "parameters.0.value")]),
            ([("max_age", "-1")], [("INVALID", "parameters.0.value")]),
            ([("max_age", "1.5")], [("INVALID", "parameters.0.value")]),
            ([("max_age", "\u0661")], [("INVALID", "parameters.0.value")]),
            ([("max_age", "9" * 10)], [("INVALID", "parameters.0.value")]),
        ],
        ids=str,
    )
    async def test_refuses_parameters_that_the_shop_does_not_allow(
        self, gateway: Gateway, given: list[tuple[str, str]], errors: list[tuple[str, str]]
    ) -> None:
        parameters = [{"name": name, "value": value} for name, value in given]
        payload = await (await arrive(gateway)).begin(parameters=parameters)
        assert (payload["authorizationUrl"], codes(payload)) == (None, errors)

    async def test_refuses_parameters_where_nobody_is_sent_away(self, gateway: Gateway) -> None:
        given = {"redirectUri": None, "codeChallenge": None, "parameters": [{"name": "prompt", "value": "login"}]}
        assert codes(await (await arrive(gateway)).begin(**given)) == [("INVALID", "parameters")]

    async def test_works_with_the_own_scheme_of_an_app(self, gateway: Gateway) -> None:
        payload = await (await arrive(gateway)).begin(redirectUri="com.example.shop:/callback")
        assert query_of(payload["authorizationUrl"])["redirect_uri"] == "com.example.shop:/callback"

    @pytest.mark.parametrize(
        "variant",
        [
            f"{REDIRECT_URI}/more",
            f"{REDIRECT_URI}?next=/",
            "http://localhost:5174/callback",
            "http://ada@localhost:5173/callback",
            f"{REDIRECT_URI}#fragment",
            "http://localhost.evil.example:5173/callback",
            "http://127.0.0.1:5173/callback",
            "HTTP://localhost:5173/callback",
            "http://localhost:5173/callback/",
            "http://localhost:7000/callback",
            "",
        ],
    )
    async def test_refuses_any_other_redirect_uri(self, gateway: Gateway, variant: str) -> None:
        payload = await (await arrive(gateway)).begin(redirectUri=variant)
        assert codes(payload) == [("REDIRECT_URI_NOT_ALLOWED", "redirectUri")]
        assert payload["authorizationUrl"] is None

    @pytest.mark.parametrize("challenge", ["", "short", VERIFIER + "=", "ä" * 43])
    async def test_refuses_what_is_no_s256_challenge(self, gateway: Gateway, challenge: str) -> None:
        payload = await (await arrive(gateway)).begin(codeChallenge=challenge)
        assert codes(payload) == [("INVALID", "codeChallenge")]

    async def test_tells_all_that_is_wrong_at_once(self, gateway: Gateway) -> None:
        payload = await (await arrive(gateway)).begin(provider="myspace", redirectUri="x", codeChallenge="y")
        assert codes(payload) == [
            ("PROVIDER_UNKNOWN", "provider"),
            ("REDIRECT_URI_NOT_ALLOWED", "redirectUri"),
            ("INVALID", "codeChallenge"),
        ]

    async def test_lets_five_be_open_in_a_session_and_the_oldest_go(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await arrive(gateway)
        states = []
        for _ in range(6):
            states.append(await person.begun(minted))
            gateway.clock.advance(seconds=1)
        assert codes(await person.finish(states[0])) == [("TOKEN_INVALID", "state")]
        assert codes(await person.finish(states[5])) == []

    async def test_keeps_the_state_only_as_a_hash(self, gateway: Gateway) -> None:
        payload = await (await arrive(gateway)).begin()
        (row,) = await gateway.rows("SELECT * FROM social_state")
        assert payload["state"] not in str(row)


class TestSocialLogin:
    async def test_makes_a_customer_of_whom_nobody_knows(self, gateway: Gateway, minted: MintingProvider) -> None:
        minted.claims = {"given_name": "Ada", "family_name": "Lovelace"}
        payload = await (await arrive(gateway)).log_in(minted)
        assert payload["userErrors"] == []
        assert payload["created"] is True
        customer = payload["customer"]
        assert (customer["email"], customer["emailVerified"], customer["firstName"]) == ("ada@example.com", True, "Ada")
        assert [account["provider"] for account in customer["accounts"]] == ["minted"]

    async def test_keeps_the_anonymous_session_id_and_ends_its_tokens(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        anonymous = await gateway.anonymous("demo-storefront")
        person = SocialPerson(gateway, anonymous.access)
        payload = await person.log_in(minted)
        assert payload["tokens"]["sessionId"] == anonymous.session_id
        assert (await gateway.graphql(ME, token=anonymous.access)).reason == "REVOKED"
        me = await gateway.graphql(ME, token=payload["tokens"]["accessToken"])
        assert me["me"]["id"] == payload["customer"]["id"]

    async def test_knows_the_customer_again(self, gateway: Gateway, minted: MintingProvider) -> None:
        first = await (await arrive(gateway)).log_in(minted)
        minted.claims = {"email": "ada@elsewhere.example", "email_verified": False}
        second = await (await arrive(gateway)).log_in(minted)
        assert (second["created"], second["customer"]["id"]) == (False, first["customer"]["id"])
        assert second["customer"]["email"] == "ada@example.com"

    async def test_sends_code_verifier_and_secret_to_the_provider(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        await (await arrive(gateway)).log_in(minted)
        ((_, headers, form),) = [request for request in minted.requests if request[0] == "/token"]
        assert form["code_verifier"] == [VERIFIER]
        assert form["redirect_uri"] == [REDIRECT_URI]
        assert headers["Authorization"].startswith("Basic ")

    async def test_hands_the_providers_tokens_on_only_where_the_shop_wants_it(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        assert (await (await arrive(gateway)).log_in(minted))["socialTokens"] is None
        handed = (await (await arrive(gateway, "auto")).log_in(minted))["socialTokens"]
        assert (handed["accessToken"], handed["expiresIn"]) == ("at-1", 300)

    async def test_keeps_the_providers_tokens_nowhere(self, gateway: Gateway, minted: MintingProvider) -> None:
        minted.token = {"access_token": "at-nowhere"}
        await (await arrive(gateway, "auto")).log_in(minted)
        tables = ["session", "social_state", "social_identity", "outbox_message", "customer", "audit_event"]
        for table in tables:
            assert "at-nowhere" not in str(await gateway.rows(f"SELECT * FROM {table}"))  # noqa: S608 - our own names

    async def test_sixteen_times_at_once_gives_one_session_and_the_code_goes_out_once(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await arrive(gateway)
        state = await person.begun(minted)
        outcomes: list[str] = []

        async def finish() -> None:
            payload = await person.finish(state)
            assert codes(payload) == []
            outcomes.append(payload["tokens"]["refreshToken"])

        async with anyio.create_task_group() as group:
            for _ in range(16):
                group.start_soon(finish)
        assert (len(outcomes), len(set(outcomes))) == (16, 1)
        assert minted.codes == ["code-1"]

    async def test_of_one_new_person_in_sixteen_sessions_at_once_there_is_one_customer(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        minted.claims_of_code = lambda code: {"nonce": code}
        people = [await arrive(gateway) for _ in range(16)]
        ids: list[str] = []

        async def log_in(person: SocialPerson) -> None:
            begun = await person.begin()
            payload = await person.finish(begun["state"], code=query_of(begun["authorizationUrl"])["nonce"])
            assert payload["userErrors"] == [], payload
            ids.append(payload["customer"]["id"])

        async with anyio.create_task_group() as group:
            for person in people:
                group.start_soon(log_in, person)
        assert len(ids) == len(people)
        assert len(set(ids)) == 1
        assert len(await gateway.rows("SELECT id FROM customer")) == 1


class TestCodes:
    async def test_may_have_four_kilobytes(self, gateway: Gateway, minted: MintingProvider) -> None:
        payload = await (await arrive(gateway)).log_in(minted, code="c" * 4_096)
        assert (payload["userErrors"], minted.codes) == ([], ["c" * 4_096])

    async def test_that_are_longer_are_refused_at_their_field(self, gateway: Gateway, minted: MintingProvider) -> None:
        payload = await (await arrive(gateway)).log_in(minted, code="c" * 4_097)
        assert (codes(payload), minted.codes) == ([("TOO_LONG", "code")], [])


class TestWhatSocialLoginRefuses:
    async def test_a_state_that_was_used(self, gateway: Gateway, minted: MintingProvider) -> None:
        minted.token = {"error": "invalid_grant"}
        person = await arrive(gateway)
        state = await person.begun(minted)
        assert codes(await person.finish(state)) == [("PROVIDER_REFUSED", "provider")]
        assert codes(await person.finish(state)) == [("TOKEN_INVALID", "state")]
        assert minted.codes == ["code-1"]

    async def test_a_state_that_has_expired(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway)
        state = await person.begun(minted)
        gateway.clock.advance(minutes=10)
        assert codes(await person.finish(state)) == [("TOKEN_EXPIRED", "state")]

    async def test_a_state_of_another_session_which_goes_on_working_there(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        victim, thief = await arrive(gateway), await arrive(gateway)
        state = await victim.begun(minted)
        assert codes(await thief.finish(state)) == [("TOKEN_INVALID", "state")]
        assert minted.codes == []
        assert codes(await victim.finish(state)) == []

    async def test_a_state_of_another_tenant(self, gateway: Gateway, minted: MintingProvider) -> None:
        state = await (await arrive(gateway, "auto")).begun(minted)
        assert codes(await (await arrive(gateway)).finish(state)) == [("TOKEN_INVALID", "state")]

    async def test_a_state_of_another_provider(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway)
        state = await person.begun(minted)
        assert codes(await person.finish(state, provider="other")) == [("TOKEN_INVALID", "state")]
        assert minted.codes == []

    @pytest.mark.parametrize("state", ["", "x", "cg_ss_" + "A" * 43, "cg_ss_\u00e4"])
    async def test_a_state_that_nobody_made(self, gateway: Gateway, state: str) -> None:
        assert codes(await (await arrive(gateway)).finish(state)) == [("TOKEN_INVALID", "state")]

    async def test_another_redirect_uri_than_at_the_beginning(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway)
        state = await person.begun(minted)
        payload = await person.finish(state, redirectUri="com.example.shop:/callback")
        assert codes(payload) == [("REDIRECT_URI_NOT_ALLOWED", "redirectUri")]
        assert minted.codes == []

    async def test_another_code_verifier_before_the_provider_hears_of_it(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await arrive(gateway)
        state = await person.begun(minted)
        assert codes(await person.finish(state, codeVerifier="A" * 43)) == [("INVALID", "codeVerifier")]
        assert minted.codes == []

    @pytest.mark.parametrize(
        ("verifier", "code"),
        [("", "TOO_SHORT"), ("A" * 42, "TOO_SHORT"), ("A" * 129, "TOO_LONG"), ("ä" * 43, "INVALID")],
    )
    async def test_what_is_no_code_verifier_and_does_not_use_the_state_up(
        self, gateway: Gateway, minted: MintingProvider, verifier: str, code: str
    ) -> None:
        person = await arrive(gateway)
        state = await person.begun(minted)
        assert codes(await person.finish(state, codeVerifier=verifier)) == [(code, "codeVerifier")]
        assert codes(await person.finish(state)) == []

    @pytest.mark.parametrize(("code", "error"), [("", "REQUIRED"), ("x" * 4097, "TOO_LONG")])
    async def test_what_is_no_code(self, gateway: Gateway, code: str, error: str) -> None:
        assert codes(await (await arrive(gateway)).finish("x", code=code)) == [(error, "code")]

    async def test_a_redirect_of_another_issuer(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway)
        payload = await person.finish(await person.begun(minted), iss="https://evil.example")
        assert codes(payload) == [("PROVIDER_REFUSED", "provider")]
        assert minted.codes == []

    async def test_a_state_begun_by_nobody_and_finished_by_a_customer(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await gateway.signup_confirmed("demo-storefront")
        visitor = SocialPerson(gateway, person.tokens.access)
        state = await visitor.begun(minted)
        tokens = await gateway.login(person.email, token=person.tokens.access)
        customer = SocialPerson(gateway, tokens.access)
        link = "mutation ($input: SocialLoginInput!) { linkSocialAccount(input: $input) { userErrors { code field } } }"
        answer = await gateway.graphql(link, {"input": customer.answer(state)}, tokens.access)
        assert answer.user_errors("linkSocialAccount") == [("TOKEN_INVALID", "state")]

    async def test_a_customer_who_is_on_hold(self, gateway: Gateway, minted: MintingProvider) -> None:
        await (await arrive(gateway)).log_in(minted)
        await _put_on_hold(gateway)
        assert codes(await (await arrive(gateway)).log_in(minted)) == [("ACCOUNT_ON_HOLD", "")]

    async def test_a_customer_who_is_on_hold_without_saying_why_where_the_shop_does_not_tell(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        await (await arrive(gateway, "quiet")).log_in(minted)
        await _put_on_hold(gateway)
        assert codes(await (await arrive(gateway, "quiet")).log_in(minted)) == [("INVALID_CREDENTIALS", "")]

    async def test_a_new_customer_whom_staff_have_to_let_in_first(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        assert codes(await (await arrive(gateway, "staffed")).log_in(minted)) == [("ACCOUNT_INACTIVE", "")]
        (customer,) = await gateway.rows("SELECT active FROM customer")
        assert not customer.active
        assert codes(await (await arrive(gateway, "staffed")).log_in(minted)) == [("ACCOUNT_INACTIVE", "")]
        assert len(await gateway.rows("SELECT id FROM customer")) == 1


async def _put_on_hold(gateway: Gateway) -> None:
    connection = gateway.tools.database.connect()
    await connection.begin()
    await connection.write_anew(text("UPDATE customer SET on_hold = true"))
    await connection.commit()
    await connection.close()


class TestWhoseAddressItIs:
    """The linking cases of an unknown identity."""

    async def test_a_vouched_address_of_a_confirmed_customer_needs_a_confirmation(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        await gateway.signup_confirmed(email="ada@example.com")
        payload = await (await arrive(gateway)).log_in(minted)
        assert codes(payload) == [("LINK_CONFIRMATION_REQUIRED", "")]
        assert payload["tokens"] is None
        assert payload["linkTicket"] is not None

    async def test_a_vouched_address_of_a_confirmed_customer_is_linked_where_the_shop_wants_that(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        owner = await _confirmed_in_open_shop(gateway, minted)
        minted.claims = {"sub": "ada-2"}
        payload = await (await arrive(gateway, "auto", "other")).log_in(minted)
        assert (payload["userErrors"], payload["created"]) == ([], False)
        assert payload["customer"]["id"] == owner
        assert [each["provider"] for each in payload["customer"]["accounts"]] == ["minted", "other"]

    @pytest.mark.parametrize(
        ("provider", "claims"),
        [
            ("minted", {"email_verified": False}),
            ("minted", {"email_verified": None}),
            ("minted", {"email_verified": "true"}),
            ("minted", {"email_verified": 1}),
            ("distrusted", {"email_verified": True}),
        ],
    )
    async def test_an_address_that_nobody_vouches_for_is_never_linked_and_tells_nothing(
        self, gateway: Gateway, minted: MintingProvider, provider: str, claims: dict[str, Any]
    ) -> None:
        owner = await gateway.signup_confirmed(email="ada@example.com")
        minted.claims = claims
        taken = await (await arrive(gateway, provider=provider)).log_in(minted)
        minted.claims = {**claims, "sub": "bob", "email": "bob@example.com"}
        free = await (await arrive(gateway, provider=provider)).log_in(minted)
        for payload, address in ((taken, "ada@example.com"), (free, "bob@example.com")):
            assert (payload["userErrors"], payload["created"], payload["linkTicket"]) == ([], True, None)
            assert (payload["customer"]["email"], payload["customer"]["emailVerified"]) == (None, False)
            assert payload["customer"]["contactEmail"] == address
        assert taken["customer"]["id"] != owner.id
        assert (await gateway.login(owner.email)).session_id

    @pytest.mark.parametrize("is_proved", [True, False])
    async def test_a_vouched_address_with_another_letter_of_the_same_key_is_somebody_elses(
        self, gateway: Gateway, minted: MintingProvider, is_proved: bool
    ) -> None:
        if is_proved:
            minted.claims = {"email": "strasse@example.com"}
            owner = await _confirmed_in_open_shop(gateway, minted)
        else:
            owner = (await gateway.signed_up("auto-storefront", email="strasse@example.com")).id
        minted.claims = {"sub": "another", "email": "straße@example.com"}
        payload = await (await arrive(gateway, "auto", "other")).log_in(minted)
        assert (payload["userErrors"], payload["created"], payload["linkTicket"]) == ([], True, None)
        assert payload["customer"]["id"] != owner
        assert payload["customer"]["email"] is None

    async def test_an_account_that_was_never_confirmed_goes_to_the_proven_owner_of_its_address(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        squatter = await gateway.signed_up(
            "auto-storefront", email="ada@example.com", customerDetails={"contactEmail": "squatter@example.com"}
        )
        hijacked = await gateway.login("ada@example.com", token=squatter.tokens.access)
        planted = SocialPerson(gateway, hijacked.access)
        minted.claims = {"sub": "squatter", "email": "squatter@example.com"}
        assert (await planted.link(minted)).user_errors("linkSocialAccount") == []

        minted.claims = {}
        payload = await (await arrive(gateway, "auto")).log_in(minted)
        assert (payload["userErrors"], payload["created"]) == ([], False)
        assert payload["customer"]["id"] == squatter.id
        assert payload["customer"]["emailVerified"] is True
        assert payload["customer"]["contactEmail"] == "ada@example.com"
        assert [each["email"] for each in payload["customer"]["accounts"]] == ["ada@example.com"]

        assert (await gateway.graphql(ME, token=hijacked.access)).reason == "REVOKED"
        await _cannot_log_in(gateway, "auto-storefront", "ada@example.com")
        minted.claims = {"sub": "squatter", "email": "squatter@example.com"}
        back = await (await arrive(gateway, "auto")).log_in(minted)
        assert back["customer"]["id"] != squatter.id

    async def test_a_pending_sign_up_and_its_mailed_token_end_when_the_proven_owner_comes(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        pending = await gateway.signed_up(email="ada@example.com")
        await gateway.deliver()
        (mail,) = gateway.mails("ada@example.com")
        payload = await (await arrive(gateway)).log_in(minted)
        assert (payload["userErrors"], payload["created"]) == ([], True)
        assert payload["customer"]["id"] != pending.id
        confirm = (
            "mutation ($input: ConfirmSignupInput!) { confirmSignup(input: $input) { userErrors { code field } } }"
        )
        answer = await gateway.graphql(confirm, {"input": {"token": mail.token}}, pending.tokens.access)
        assert answer.user_errors("confirmSignup") == [("TOKEN_INVALID", "token")]
        await _cannot_log_in(gateway, "demo-storefront", "ada@example.com")

    async def test_another_tenants_customer_with_the_address_is_somebody_else(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        await gateway.signup_confirmed(email="ada@example.com")
        assert (await (await arrive(gateway, "auto")).log_in(minted))["created"] is True


class TestClaimsAboutAnAddress:
    """An address and whether it is verified count only together, from one answer of the provider."""

    async def arriving(self, gateway: Gateway, minted: MintingProvider) -> dict[str, Any]:
        """Let an unknown person come, whose address might be that of a customer."""
        await gateway.signup_confirmed(email="ada@example.com")
        return await (await arrive(gateway)).log_in(minted)

    def assert_is_a_stranger(self, payload: dict[str, Any], shown: str | None) -> None:
        """Nothing was linked, confirmed or revealed, and the address is only shown."""
        assert (payload["userErrors"], payload["created"], payload["linkTicket"]) == ([], True, None)
        customer = payload["customer"]
        assert (customer["email"], customer["emailVerified"], customer["contactEmail"]) == (None, False, shown)
        assert [(each["email"], each["emailVerified"]) for each in customer["accounts"]] == [(shown, False)]

    @pytest.mark.parametrize(
        ("id_token", "userinfo", "shown"),
        [
            # The flag of the first is not about the address of the second.
            ({"email": None, "email_verified": True}, {"email": "ada@example.com"}, "ada@example.com"),
            ({"email": "", "email_verified": True}, {"email": "ada@example.com"}, "ada@example.com"),
            ({"email": ["x"], "email_verified": True}, {"email": "ada@example.com"}, "ada@example.com"),
            (
                {"email": None, "email_verified": True},
                {"email": "ada@example.com", "email_verified": False},
                "ada@example.com",
            ),
            # Nor the flag of the second about the address of the first.
            ({"email_verified": None}, {"email_verified": True}, "ada@example.com"),
            ({"email_verified": None}, {"email": None, "email_verified": True}, "ada@example.com"),
            # Each has both: the first counts.
            ({"email_verified": False}, {"email": "ada@example.com", "email_verified": True}, "ada@example.com"),
            ({"email_verified": "true"}, {"email": "ada@example.com", "email_verified": True}, "ada@example.com"),
            # The first says nothing of its address, the second says no.
            (
                {"email_verified": None},
                {"email": "ada@example.com", "email_verified": False},
                "ada@example.com",
            ),
            (
                {"email_verified": None},
                {"email": "eve@elsewhere.example", "email_verified": True},
                "eve@elsewhere.example",
            ),
            ({"email": None, "email_verified": True}, {}, None),
        ],
    )
    async def test_of_two_answers_make_no_verified_address(
        self,
        gateway: Gateway,
        minted: MintingProvider,
        id_token: dict[str, Any],
        userinfo: dict[str, Any],
        shown: str | None,
    ) -> None:
        minted.claims, minted.userinfo = id_token, userinfo
        self.assert_is_a_stranger(await self.arriving(gateway, minted), shown)

    async def test_of_the_id_token_are_not_about_the_address_of_userinfo(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        minted.claims, minted.userinfo = {"email": "eve@example.com"}, {"email": "ada@example.com"}
        payload = await self.arriving(gateway, minted)
        assert (payload["created"], payload["customer"]["email"]) == (True, "eve@example.com")

    @pytest.mark.parametrize(
        ("id_token", "userinfo"),
        [
            ({"email": None, "email_verified": None}, {"email": "ada@example.com", "email_verified": True}),
            ({"email": None, "email_verified": False}, {"email": "ada@example.com", "email_verified": True}),
            ({"email_verified": None}, {"email": "ada@example.com", "email_verified": True}),
            (
                {"email": "eve@example.com", "email_verified": None},
                {"email": "ada@example.com", "email_verified": True},
            ),
            ({"email_verified": True}, {"email": "ada@example.com", "email_verified": False}),
            ({"email_verified": True}, {"email": "eve@example.com", "email_verified": True}),
        ],
    )
    async def test_of_one_answer_count(
        self, gateway: Gateway, minted: MintingProvider, id_token: dict[str, Any], userinfo: dict[str, Any]
    ) -> None:
        minted.claims, minted.userinfo = id_token, userinfo
        payload = await self.arriving(gateway, minted)
        assert codes(payload) == [("LINK_CONFIRMATION_REQUIRED", "")]

    async def test_are_kept_together_from_login_to_login(self, gateway: Gateway, minted: MintingProvider) -> None:
        await (await arrive(gateway)).log_in(minted)
        minted.claims = {"email": "eve@example.com", "email_verified": False}
        (account,) = (await (await arrive(gateway)).log_in(minted))["customer"]["accounts"]
        assert (account["email"], account["emailVerified"]) == ("eve@example.com", False)

    @pytest.mark.parametrize(
        ("more", "is_verified"),
        [({}, True), ({"email": "ada@example.com"}, True), ({"email": "eve@example.com"}, False)],
    )
    async def test_are_about_email_where_the_shop_goes_by_another_claim(
        self, gateway: Gateway, minted: MintingProvider, more: dict[str, str], is_verified: bool
    ) -> None:
        minted.claims = {"email": None, "mail": "ada@example.com", **more}
        payload = await (await arrive(gateway, provider="renamed")).log_in(minted)
        assert (payload["customer"]["email"] == "ada@example.com") is is_verified
        assert payload["customer"]["accounts"][0]["emailVerified"] is is_verified


async def _confirmed_in_open_shop(gateway: Gateway, minted: MintingProvider) -> str:
    payload = await (await arrive(gateway, "auto")).log_in(minted)
    customer_id: str = payload["customer"]["id"]
    return customer_id


async def _cannot_log_in(gateway: Gateway, client_id: str, email: str) -> None:
    token = (await gateway.anonymous(client_id)).access
    login = "mutation ($input: LoginInput!) { login(input: $input) { userErrors { code field } } }"
    answer = await gateway.graphql(login, {"input": {"email": email, "password": PASSWORD}}, token)
    assert answer.user_errors("login") == [("INVALID_CREDENTIALS", "password")]


class TestConfirmSocialLink:
    async def _ticket(self, gateway: Gateway, minted: MintingProvider) -> tuple[SocialPerson, str, str]:
        owner = await gateway.signup_confirmed(email="ada@example.com")
        person = await arrive(gateway)
        ticket: str = (await person.log_in(minted))["linkTicket"]
        return person, ticket, owner.id

    async def _code(self, gateway: Gateway) -> str:
        await gateway.deliver()
        (code,) = [
            found[0]
            for mail in gateway.mails("ada@example.com")
            if (found := re.search(r"(?<!\S)\d{8}(?!\S)", mail.text)) is not None
        ]
        return code

    async def test_links_by_the_password(self, gateway: Gateway, minted: MintingProvider) -> None:
        person, ticket, owner = await self._ticket(gateway, minted)
        payload = await person.confirm(ticket, password=PASSWORD)
        assert (payload["userErrors"], payload["customer"]["id"]) == ([], owner)
        assert [each["provider"] for each in payload["customer"]["accounts"]] == ["password", "minted"]
        again = await (await arrive(gateway)).log_in(minted)
        assert again["customer"]["id"] == owner
        await gateway.deliver()
        assert "Minted" in gateway.mails("ada@example.com")[-1].subject

    async def test_links_by_the_mailed_code(self, gateway: Gateway, minted: MintingProvider) -> None:
        person, ticket, owner = await self._ticket(gateway, minted)
        payload = await person.confirm(ticket, code=await self._code(gateway))
        assert (payload["userErrors"], payload["customer"]["id"]) == ([], owner)

    async def test_refuses_a_wrong_password(self, gateway: Gateway, minted: MintingProvider) -> None:
        person, ticket, _ = await self._ticket(gateway, minted)
        assert codes(await person.confirm(ticket, password="not-the-password")) == [("INVALID_CREDENTIALS", "password")]

    async def test_lets_nobody_guess_more_than_five_times(self, gateway: Gateway, minted: MintingProvider) -> None:
        person, ticket, _ = await self._ticket(gateway, minted)
        code = await self._code(gateway)
        for _ in range(5):
            assert codes(await person.confirm(ticket, code="00000000")) == [("INVALID", "code")]
        assert codes(await person.confirm(ticket, code=code)) == [("TOKEN_INVALID", "ticket")]

    async def test_works_once_and_gives_the_same_tokens_to_the_same_call(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person, ticket, _ = await self._ticket(gateway, minted)
        first = await person.confirm(ticket, password=PASSWORD)
        again = await person.confirm(ticket, password=PASSWORD)
        assert again["tokens"]["refreshToken"] == first["tokens"]["refreshToken"]
        assert (await person.try_to_confirm(ticket, password=f"{PASSWORD}-other")).reason == "REVOKED"

    async def test_five_times_at_once_links_once_and_gives_one_session(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person, ticket, owner = await self._ticket(gateway, minted)
        code = await self._code(gateway)
        got_in: list[tuple[str, str]] = []

        async def confirm() -> None:
            payload = await person.confirm(ticket, code=code)
            assert codes(payload) == []
            got_in.append((payload["customer"]["id"], payload["tokens"]["refreshToken"]))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(confirm)
        assert (len(got_in), len(set(got_in)), got_in[0][0]) == (5, 1, owner)
        assert len(await gateway.rows("SELECT id FROM social_identity")) == 1

    async def test_is_of_no_use_after_the_password_was_changed(self, gateway: Gateway, minted: MintingProvider) -> None:
        person, ticket, _ = await self._ticket(gateway, minted)
        change = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }"
        owner = await gateway.login("ada@example.com")
        passwords = {"currentPassword": PASSWORD, "newPassword": f"{PASSWORD}-new"}
        answer = await gateway.graphql(change, {"input": passwords}, owner.access)
        assert answer["changePassword"]["userErrors"] == []
        payload = await person.confirm(ticket, code=await self._code(gateway))
        assert codes(payload) == [("TOKEN_INVALID", "ticket")]

    async def test_is_of_no_use_in_another_session(self, gateway: Gateway, minted: MintingProvider) -> None:
        _, ticket, _ = await self._ticket(gateway, minted)
        assert codes(await (await arrive(gateway)).confirm(ticket, password=PASSWORD)) == [("TOKEN_INVALID", "ticket")]

    async def test_ends_after_ten_minutes(self, gateway: Gateway, minted: MintingProvider) -> None:
        person, ticket, _ = await self._ticket(gateway, minted)
        gateway.clock.advance(minutes=10)
        assert codes(await person.confirm(ticket, password=PASSWORD)) == [("TOKEN_EXPIRED", "ticket")]

    @pytest.mark.parametrize("proof", [{}, {"password": PASSWORD, "code": "12345678"}])
    async def test_takes_one_proof(self, gateway: Gateway, minted: MintingProvider, proof: dict[str, str]) -> None:
        person, ticket, _ = await self._ticket(gateway, minted)
        assert codes(await person.confirm(ticket, **proof)) == [("REQUIRED", "password")]

    async def test_refuses_a_customer_who_is_on_hold_after_the_right_password(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person, ticket, _ = await self._ticket(gateway, minted)
        await _put_on_hold(gateway)
        assert codes(await person.confirm(ticket, password=PASSWORD)) == [("ACCOUNT_ON_HOLD", "")]
        assert await gateway.rows("SELECT id FROM social_identity") == []


class TestLinkSocialAccount:
    async def test_lets_the_customer_sign_in_with_one_more(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await gateway.customer()
        answer = await SocialPerson(gateway, person.tokens.access).link(minted)
        payload = answer["linkSocialAccount"]
        assert payload["account"]["provider"] == "minted"
        assert [each["provider"] for each in payload["customer"]["accounts"]] == ["password", "minted"]
        logged_in = await (await arrive(gateway)).log_in(minted)
        assert (logged_in["created"], logged_in["customer"]["id"]) == (False, person.id)
        await gateway.deliver()
        assert "Minted" in gateway.mails(person.email)[-1].subject

    async def test_does_nothing_twice(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer = SocialPerson(gateway, (await gateway.customer()).tokens.access)
        first = (await customer.link(minted))["linkSocialAccount"]["account"]["id"]
        assert (await customer.link(minted))["linkSocialAccount"]["account"]["id"] == first

    async def test_lets_twenty_be_linked(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer = SocialPerson(gateway, (await gateway.customer()).tokens.access)
        for number in range(20):
            minted.claims = {"sub": f"subject-{number}"}
            assert (await customer.link(minted)).user_errors("linkSocialAccount") == []
        minted.claims = {"sub": "one-too-many"}
        assert (await customer.link(minted)).user_errors("linkSocialAccount") == [("LIMIT_REACHED", "provider")]

    async def test_refuses_what_another_customer_signs_in_with(self, gateway: Gateway, minted: MintingProvider) -> None:
        await (await arrive(gateway)).log_in(minted)
        answer = await SocialPerson(gateway, (await gateway.customer()).tokens.access).link(minted)
        assert answer.user_errors("linkSocialAccount") == [("SOCIAL_ACCOUNT_TAKEN", "provider")]

    async def test_asks_for_the_password_when_the_login_was_long_ago(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        customer = SocialPerson(gateway, (await gateway.customer()).tokens.access)
        gateway.clock.advance(minutes=11)
        assert (await customer.link(minted)).codes == ["REAUTHENTICATION_REQUIRED"]
        wrong = await customer.link(minted, password="not-the-password")
        assert wrong.user_errors("linkSocialAccount") == [("INVALID_CREDENTIALS", "password")]
        assert minted.codes == []
        assert (await customer.link(minted, password=PASSWORD)).user_errors("linkSocialAccount") == []

    async def test_is_not_for_an_anonymous_session(self, gateway: Gateway, minted: MintingProvider) -> None:
        assert (await (await arrive(gateway)).link(minted)).codes == ["FORBIDDEN"]


class TestUnlinkSocialAccount:
    async def _linked(self, gateway: Gateway, minted: MintingProvider) -> tuple[SocialPerson, str]:
        customer = SocialPerson(gateway, (await gateway.customer(email="eve@example.com")).tokens.access)
        account_id: str = (await customer.link(minted))["linkSocialAccount"]["account"]["id"]
        return customer, account_id

    async def test_ends_the_sessions_that_began_with_it_and_no_other(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        customer, account_id = await self._linked(gateway, minted)
        social = await (await arrive(gateway)).log_in(minted)
        payload = (await customer.unlink(account_id))["unlinkSocialAccount"]
        assert payload["accountId"] == account_id
        assert [each["provider"] for each in payload["customer"]["accounts"]] == ["password"]
        assert (await gateway.graphql(ME, token=social["tokens"]["accessToken"])).reason == "REVOKED"
        assert (await gateway.graphql(ME, token=customer.token))["me"]["email"] == "eve@example.com"
        await gateway.deliver()
        assert "no longer log in with Minted" in gateway.mails("eve@example.com")[-1].subject

    async def test_keeps_the_last_way_to_sign_in(self, gateway: Gateway, minted: MintingProvider) -> None:
        payload = await (await arrive(gateway)).log_in(minted)
        customer = SocialPerson(gateway, payload["tokens"]["accessToken"])
        answer = await customer.unlink(payload["customer"]["accounts"][0]["id"])
        assert answer.user_errors("unlinkSocialAccount") == [("LAST_SIGN_IN_METHOD", "accountId")]

    async def test_of_two_taken_away_at_once_one_stays(self, gateway: Gateway, minted: MintingProvider) -> None:
        payload = await (await arrive(gateway)).log_in(minted)
        customer = SocialPerson(gateway, payload["tokens"]["accessToken"], "other")
        minted.claims = {"sub": "second"}
        second = (await customer.link(minted))["linkSocialAccount"]["account"]["id"]
        outcomes: list[Any] = []

        async def unlink(account_id: str) -> None:
            outcomes.append(await customer.unlink(account_id))

        async with anyio.create_task_group() as group:
            group.start_soon(unlink, payload["customer"]["accounts"][0]["id"])
            group.start_soon(unlink, second)
        assert len(await gateway.rows("SELECT id FROM social_identity")) == 1

    @pytest.mark.parametrize("account_id", ["", "no-such-account"])
    async def test_finds_no_other_account(self, gateway: Gateway, minted: MintingProvider, account_id: str) -> None:
        customer, _ = await self._linked(gateway, minted)
        answer = await customer.unlink(account_id)
        assert answer.user_errors("unlinkSocialAccount") == [("NOT_FOUND", "accountId")]

    async def test_does_not_find_another_customers_account(self, gateway: Gateway, minted: MintingProvider) -> None:
        _, account_id = await self._linked(gateway, minted)
        other = SocialPerson(gateway, (await gateway.customer()).tokens.access)
        answer = await other.unlink(account_id)
        assert answer.user_errors("unlinkSocialAccount") == [("NOT_FOUND", "accountId")]

    async def test_asks_for_the_password_when_the_login_was_long_ago(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        customer, account_id = await self._linked(gateway, minted)
        gateway.clock.advance(minutes=11)
        assert (await customer.unlink(account_id)).codes == ["REAUTHENTICATION_REQUIRED"]
        assert (await customer.unlink(account_id, password=PASSWORD)).user_errors("unlinkSocialAccount") == []


class TestWhatOthersHear:
    """Events, the audit, and limits."""

    async def _topics(self, gateway: Gateway) -> list[str]:
        rows = await gateway.rows("SELECT topic FROM outbox_message WHERE kind = 'event' ORDER BY id")
        return [row.topic for row in rows]

    async def test_events_tell_of_a_new_customer_and_of_the_upgraded_session(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        await (await arrive(gateway, "hooked")).log_in(minted)
        assert await self._topics(gateway) == ["customer.created", "session.upgraded", "customer.logged_in"]

    async def test_events_tell_what_was_linked_and_taken_away_without_the_subject(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        payload = await (await arrive(gateway, "hooked")).log_in(minted)
        customer = SocialPerson(gateway, payload["tokens"]["accessToken"], "other")
        minted.claims = {"sub": "secret-subject"}
        account = (await customer.link(minted))["linkSocialAccount"]["account"]["id"]
        await customer.unlink(account)
        assert (await self._topics(gateway))[3:] == ["customer.social_linked", "customer.social_unlinked"]
        assert "secret-subject" not in str(await gateway.rows("SELECT payload FROM outbox_message"))

    async def test_the_audit_tells_who_came_in_and_who_did_not(self, gateway: Gateway, minted: MintingProvider) -> None:
        payload = await (await arrive(gateway)).log_in(minted)
        await _put_on_hold(gateway)
        await (await arrive(gateway)).log_in(minted)
        rows = await gateway.rows("SELECT action, outcome, customer_id FROM audit_event ORDER BY id")
        owner = payload["customer"]["id"]
        assert [(row.action, row.outcome) for row in rows if row.customer_id == owner] == [
            ("customer.created", "success"),
            ("social.login", "success"),
            ("social.login", "refused"),
        ]

    async def test_beginnings_and_ends_are_counted_together(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway, "strict")
        await person.begun(minted)
        state = await person.begun(minted)
        assert (await person.try_to_finish(state)).codes == ["RATE_LIMITED"]
        gateway.clock.advance(minutes=2)
        assert codes(await person.finish(state)) == []


class TestAProviderThatHangs:
    @pytest.mark.wall_clock
    async def test_is_unavailable_within_six_seconds_while_me_stays_fast_in_the_same_process(
        self, server: ServerProcess, minted: MintingProvider
    ) -> None:
        storefront = ServerClient(server)
        async with storefront.http:
            person = await storefront.signed_up("auto-storefront")
            customer = (await storefront.login(person.email, token=person.tokens.access)).access
            people = [await arrive(storefront, "auto") for _ in range(8)]
            states = [await visitor.begun(minted) for visitor in people]
            minted.answers["/token"] = minted.hang
            took: list[float] = []
            waits: list[float] = []

            async def finish(visitor: SocialPerson, state: str) -> None:
                began = time.monotonic()
                assert codes(await visitor.finish(state)) == [("PROVIDER_UNAVAILABLE", "provider")]
                took.append(time.monotonic() - began)

            async with anyio.create_task_group() as group:
                for visitor, state in zip(people, states, strict=True):
                    group.start_soon(finish, visitor, state)
                while not took:  # as long as all of them wait
                    began = time.monotonic()
                    assert (await storefront.graphql(ME, token=customer))["me"]["accounts"]
                    waits.append(time.monotonic() - began)
        slow = slowness()
        assert max(took) < 6 * slow
        assert len(waits) > 20
        assert median(waits) < 0.1 * slow
        assert max(waits) < 2 * slow


REAUTHENTICATE = """mutation ($input: ReauthenticateInput!) {
    reauthenticate(input: $input) { authenticatedAt userErrors { code field message } }
}"""


class TestReauthenticate:
    """A new login at a provider, as one more proof of who the customer is."""

    async def _linked(self, gateway: Gateway, minted: MintingProvider) -> SocialPerson:
        customer = SocialPerson(gateway, (await gateway.customer(email="eve@example.com")).tokens.access)
        assert (await customer.link(minted)).user_errors("linkSocialAccount") == []
        gateway.clock.advance(minutes=11)
        return customer

    async def _prove(self, customer: SocialPerson, minted: MintingProvider) -> Answer:
        state = await customer.begun(minted, reauthenticate=True)
        given = {"input": {"social": customer.answer(state)}}
        return await customer.storefront.graphql(REAUTHENTICATE, given, customer.token)

    async def test_asks_the_provider_for_a_new_login(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer = await self._linked(gateway, minted)
        query = query_of((await customer.begin(reauthenticate=True))["authorizationUrl"])
        assert (query["prompt"], query["max_age"]) == ("login", "0")
        assert "prompt" not in query_of((await customer.begin())["authorizationUrl"])

    async def test_counts_as_a_fresh_login(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer = await self._linked(gateway, minted)
        minted.claims = {"auth_time": int(gateway.clock.now().timestamp())}
        assert (await self._prove(customer, minted))["reauthenticate"]["userErrors"] == []
        info = await gateway.graphql("{ tokenInfo { methods } }", token=customer.token)
        assert info["tokenInfo"]["methods"] == ["PASSWORD", "SOCIAL"]

    @pytest.mark.parametrize("ago", [None, 601, "now"])
    async def test_wants_to_be_told_that_the_login_is_recent(
        self, gateway: Gateway, minted: MintingProvider, ago: int | str | None
    ) -> None:
        customer = await self._linked(gateway, minted)
        minted.claims = {"auth_time": int(gateway.clock.now().timestamp()) - ago if isinstance(ago, int) else ago}
        answer = await self._prove(customer, minted)
        assert answer.user_errors("reauthenticate")[0][0] == "PROVIDER_REFUSED"

    async def test_is_of_an_account_of_the_customers_own(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer = await self._linked(gateway, minted)
        minted.claims = {"sub": "somebody-else", "auth_time": int(gateway.clock.now().timestamp())}
        answer = await self._prove(customer, minted)
        assert answer.user_errors("reauthenticate") == [("INVALID_CREDENTIALS", "social.provider")]

    async def test_names_the_place_of_what_is_wrong(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer = await self._linked(gateway, minted)
        given = {"input": {"social": customer.answer("cg_ss_" + "A" * 43)}}
        answer = await gateway.graphql(REAUTHENTICATE, given, customer.token)
        assert answer.user_errors("reauthenticate") == [("TOKEN_INVALID", "social.state")]


class TestMaxAge:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
        fixed = '\nauthorization_parameters = { max_age = "3600" }'
        entries = openid_entry("minted", minted.issuer), openid_entry("fixed", minted.issuer) + fixed
        write_tenants(tmp_path / "tenants.toml", *entries)
        return social_environment(tmp_path / "tenants.toml")

    @pytest.mark.parametrize(
        ("provider", "given", "ago", "is_taken"),
        [
            ("minted", "600", 599, True),
            ("minted", "600", 700, False),
            ("minted", "600", None, False),
            ("minted", None, None, True),
            ("fixed", None, 3599, True),
            ("fixed", None, 3700, False),
            ("fixed", None, None, False),
            ("fixed", "600", 700, False),
            ("fixed", "9000", 3700, True),
        ],
    )
    async def test_is_what_the_login_there_is_held_to(
        self,
        gateway: Gateway,
        minted: MintingProvider,
        provider: str,
        given: str | None,
        ago: int | None,
        is_taken: bool,
    ) -> None:
        minted.claims = {"auth_time": int(gateway.clock.now().timestamp()) - ago if ago is not None else None}
        person = await arrive(gateway, provider=provider)
        parameters = [{"name": "max_age", "value": given}] if given is not None else None
        payload = await person.finish(await person.begun(minted, parameters=parameters))
        assert codes(payload) == ([] if is_taken else [("PROVIDER_REFUSED", "provider")])
