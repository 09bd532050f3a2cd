"""A customer's way from the first visit to the logout, over HTTP against a real server process, on both databases.

Each step of the journey is a method that does one thing, checks it, and leaves behind what later steps need; the test
at the end is the order in which they are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.factories import PASSWORD, tutorial_address, tutorial_signup
from tests.harness import operations
from tests.harness.client import Answer, Tokens
from tests.harness.selections import everything
from tests.harness.server import ServerClient, ServerProcess
from tests.harness.smtp_sink import SmtpSink

pytestmark = pytest.mark.anyio

EMAIL = "john.doe@example.com"
RESET_PASSWORD = "copper-lantern-77"
NEW_PASSWORD = "marble-orchard-18"
# What the tutorial's sign-up has to become: normalized, and with what only the shop can say.
PROFILE = {
    "email": EMAIL,
    "emailVerified": True,
    "title": "MR",
    "firstName": "John",
    "middleName": None,
    "lastName": "Doe",
    "contactEmail": "john.doe@office.example.com",
    "contactPhone": "+497111234567",
    "company": "Emporix",
    "preferredLanguage": "en-US",
    "preferredCurrency": "EUR",
    "preferredSite": "main",
    "businessModel": "B2B",
    "active": True,
    "onHold": False,
    "status": "PROSPECT",
    "mixins": {},
}
ADDRESS = tutorial_address(contactPhone="+497112345678", tags=["SHIPPING", "BILLING"], isDefault=True)
UPDATE_ME = f"""mutation ($input: UpdateMeInput!) {{
    updateMe(input: $input) {{ customer {everything("Customer")} {operations.USER_ERRORS} }}
}}"""


@pytest.fixture
def settings_environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Send mail to a real mail server, which puts it where the storefront of the tests looks."""
    folder = tmp_path / "state" / "mail"
    folder.mkdir(parents=True)
    sink = SmtpSink(folder=folder)
    sink.start()
    yield {"SMTP_URL": sink.url, "MAIL_FROM": "shop@example.com"}
    sink.stop()


class Journey:
    """One customer at one storefront, and what they know so far."""

    def __init__(self, storefront: ServerClient, server: ServerProcess) -> None:
        self.storefront = storefront
        self.server = server
        self.tokens = Tokens("", "", "", "", {})
        self.customer_id = ""
        self.address_id = ""

    async def call(self, query: str, **input_: Any) -> Answer:
        """Run an operation with the token of this moment."""
        return await self.storefront.graphql(query, {"input": input_} if input_ else None, self.tokens.access)

    async def succeed(self, query: str, name: str, **input_: Any) -> dict[str, Any]:
        """Run a mutation and return its payload, which has no user errors."""
        payload: dict[str, Any] = (await self.call(query, **input_))[name]
        assert payload["userErrors"] == []
        return payload

    async def token_info(self) -> dict[str, Any]:
        """Return what the token of this moment says."""
        info: dict[str, Any] = (await self.call(f"{{ tokenInfo {everything('TokenInfo')} }}"))["tokenInfo"]
        return info

    async def me(self) -> dict[str, Any]:
        """Return the profile with every field that there is."""
        profile: dict[str, Any] = (await self.call(f"{{ me {everything('Customer')} }}"))["me"]
        return profile

    async def addresses(self) -> list[dict[str, Any]]:
        """Return the addresses with every field."""
        addresses: list[dict[str, Any]] = (await self.call(f"{{ addresses {{ {operations.ADDRESS} }} }}"))["addresses"]
        return addresses

    async def is_dead(self, access_token: str) -> bool:
        """Tell whether an access token was revoked."""
        answer = await self.storefront.graphql("{ tokenInfo { kind } }", token=access_token)
        return answer.codes == ["UNAUTHENTICATED"] and answer.reason == "REVOKED"

    # The visit

    async def visits_anonymously(self) -> None:
        self.tokens = await self.storefront.anonymous(site="main")
        assert (await self.claims_elsewhere())["sub"] == self.tokens.session_id
        assert (self.tokens.all["expiresIn"], self.tokens.all["refreshTokenExpiresIn"]) == (3_600, 86_400)
        info = await self.token_info()
        assert {
            name: info[name] for name in ("kind", "tokenType", "tenant", "clientId", "sessionId", "customerId")
        } == {
            "kind": "ANONYMOUS",
            "tokenType": "Bearer",
            "tenant": "demo",
            "clientId": "demo-storefront",
            "sessionId": self.tokens.session_id,
            "customerId": None,
        }
        assert (await self.call("{ me { id } }"))["me"] is None

    async def refreshes(self) -> None:
        """Works for both kinds of session."""
        before = self.tokens
        self.tokens = await self.storefront.refresh(before.refresh)
        assert self.tokens.session_id == before.session_id
        assert {self.tokens.access, self.tokens.refresh}.isdisjoint({before.access, before.refresh})

    async def looks_around(self) -> None:
        shop = (await self.call(f"{{ storefront {everything('Storefront')} }}"))["storefront"]
        assert shop["name"] == "Demo shop"
        assert shop["signupMode"] == "CONFIRM_EMAIL"
        assert shop["passwordRules"]["minLength"] <= len(PASSWORD)
        assert [site["id"] for site in shop["sites"]] == ["main", "de"]

    # The account

    async def is_told_every_mistake(self) -> None:
        wrong = tutorial_signup(
            email="john.doe", password="password123", customerAddress=tutorial_address(country="XX")
        )
        answer = await self.call(operations.SIGNUP, **wrong)
        assert answer["signup"]["customerId"] is None
        assert sorted(answer.user_errors("signup")) == [
            ("INVALID_COUNTRY", "customerAddress.country"),
            ("INVALID_EMAIL", "email"),
            ("PASSWORD_TOO_COMMON", "password"),
        ]

    async def signs_up(self) -> None:
        payload = await self.succeed(operations.SIGNUP, "signup", **tutorial_signup())
        assert payload["status"] == "CONFIRMATION_SENT"
        self.customer_id = payload["customerId"]

    async def cannot_log_in_yet(self) -> None:
        answer = await self.call(operations.LOGIN, email=EMAIL, password=PASSWORD)
        assert answer["login"]["tokens"] is None
        assert answer.user_errors("login") == [("EMAIL_NOT_CONFIRMED", "email")]

    async def confirms_by_mail(self) -> None:
        mail = await self.storefront.wait_for_mail(EMAIL)
        payload = await self.succeed(operations.CONFIRM_SIGNUP, "confirmSignup", token=mail.token)
        assert payload["customerId"] == self.customer_id

    async def logs_in(self) -> None:
        anonymous = self.tokens
        payload = await self.succeed(operations.LOGIN, "login", email="John.Doe@Example.com", password=PASSWORD)
        assert payload["customer"]["id"] == self.customer_id
        self.tokens = Tokens.of(payload["tokens"])
        assert self.tokens.session_id == anonymous.session_id
        assert self.tokens.all["expiresIn"] == 900
        assert self.tokens.all["initialPassword"] is False
        assert await self.is_dead(anonymous.access)
        answer = await self.call(operations.REFRESH, refreshToken=anonymous.refresh)
        assert answer.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]

    async def claims_elsewhere(self, shop: str = "demo") -> dict[str, Any]:
        """Return what another service reads, which has another library and knows but the address of our keys."""
        keys = jwt.PyJWKSet.from_dict((await self.storefront.http.get("/.well-known/jwks.json")).json())
        key = keys[jwt.get_unverified_header(self.tokens.saas)["kid"]]
        claims: dict[str, Any] = jwt.decode(
            self.tokens.saas, key, algorithms=["ES256"], audience=shop, issuer=self.server.url
        )
        return claims

    async def proves_it_to_another_service(self) -> None:
        claims = await self.claims_elsewhere()
        assert (claims["sub"], claims["sid"]) == (self.customer_id, self.tokens.session_id)
        assert claims["exp"] - claims["iat"] == self.tokens.all["saasTokenExpiresIn"] == 300
        assert "addresses.write" in claims["scope"].split()
        with pytest.raises(jwt.InvalidAudienceError):
            await self.claims_elsewhere("open")

    async def sees_whose_token_it_is(self) -> None:
        info = await self.token_info()
        assert 890 < info.pop("expiresIn") <= 900
        assert datetime.now(UTC) - datetime.fromisoformat(info.pop("authenticatedAt")) < timedelta(minutes=2)
        assert info == {
            "kind": "CUSTOMER",
            "tokenType": "Bearer",
            "scope": self.tokens.all["scope"],
            "sessionId": self.tokens.session_id,
            "tenant": "demo",
            "clientId": "demo-storefront",
            "customerId": self.customer_id,
            "email": EMAIL,
            "legalEntityId": None,
            "actor": None,
            "owner": None,
            "level": "1",
            "methods": ["PASSWORD"],
        }

    # The profile

    async def reads_the_profile(self) -> None:
        me = await self.me()
        assert {name: me[name] for name in PROFILE} == PROFILE
        assert me["id"] == self.customer_id
        assert len(me["customerNumber"]) == 8
        assert 3 <= len(me["shopperReference"]) <= 128
        assert me["lastLoginAt"].endswith(("Z", "+00:00"))
        assert me["b2b"]["companyRegistrationId"] == "123-456-789"
        assert [(entity["name"], entity["confirmed"]) for entity in me["b2b"]["legalEntities"]] == [
            ("Emporix AG", False),
            ("Emporix Poland", False),
        ]
        assert [(account["provider"], account["email"]) for account in me["accounts"]] == [("password", EMAIL)]
        (address,) = me["addresses"]
        assert {name: address[name] for name in ADDRESS} == ADDRESS
        assert me["metadata"]["version"] == 1
        assert list(me["metadata"]["mixins"]) == ["loyalty", "consents"]

    async def changes_the_profile(self) -> None:
        changes = {"firstName": "Jonathan", "title": None, "mixins": {"loyalty": {"level": "gold"}}}
        payload = await self.succeed(UPDATE_ME, "updateMe", **changes, metadata={"version": 1})
        customer = payload["customer"]
        assert {name: customer[name] for name in PROFILE} == {**PROFILE, **changes}
        assert customer["metadata"]["version"] == 2
        assert customer == await self.me()

    async def is_told_when_somebody_was_faster(self) -> None:
        answer = await self.call(UPDATE_ME, firstName="Jack", metadata={"version": 1})
        assert answer.user_errors("updateMe") == [("VERSION_CONFLICT", "metadata.version")]
        assert (await self.me())["firstName"] == "Jonathan"

    # The addresses

    async def lists_the_addresses(self) -> None:
        (address,) = await self.addresses()
        assert {name: address[name] for name in ADDRESS} == ADDRESS

    async def adds_an_address(self) -> None:
        new = tutorial_address(
            street="Marienplatz", streetNumber="1", zipCode="80331", city="München", tags=["Holiday home"]
        )
        payload = await self.succeed(operations.CREATE_ADDRESS, "createAddress", **new)
        address = payload["address"]
        assert (address["city"], address["tags"], address["isDefault"]) == ("München", ["HOLIDAY_HOME"], False)
        self.address_id = address["id"]

    async def reads_one_address(self) -> None:
        variables = {"id": self.address_id}
        query = f"query ($id: ID!) {{ address(id: $id) {{ {operations.ADDRESS} }} }}"
        answer = await self.storefront.graphql(query, variables, self.tokens.access)
        assert answer["address"] == (await self.addresses())[1]

    async def changes_an_address(self) -> None:
        payload = await self.succeed(
            operations.UPDATE_ADDRESS, "updateAddress", id=self.address_id, streetNumber="8", extraLine4=None
        )
        address = payload["address"]
        assert (address["street"], address["streetNumber"], address["extraLine4"]) == ("Marienplatz", "8", None)

    async def tags_an_address(self) -> None:
        given = {"addressId": self.address_id, "tags": ["favorite", "shipping"]}
        payload = await self.succeed(operations.ADD_ADDRESS_TAGS, "addAddressTags", **given)
        assert payload["address"]["tags"] == ["HOLIDAY_HOME", "FAVORITE", "SHIPPING"]
        found = (await self.call('{ addresses(tag: "Favorite") { id } }'))["addresses"]
        assert found == [{"id": self.address_id}]

    async def untags_an_address(self) -> None:
        given = {"addressId": self.address_id, "tags": ["favorite"]}
        payload = await self.succeed(operations.REMOVE_ADDRESS_TAGS, "removeAddressTags", **given)
        assert payload["address"]["tags"] == ["HOLIDAY_HOME", "SHIPPING"]

    async def makes_another_address_the_default(self) -> None:
        await self.succeed(operations.UPDATE_ADDRESS, "updateAddress", id=self.address_id, isDefault=True)
        assert [(each["id"] == self.address_id, each["isDefault"]) for each in await self.addresses()] == [
            (True, True),
            (False, False),
        ]

    async def removes_the_default_address(self) -> None:
        payload = await self.succeed(operations.DELETE_ADDRESS, "deleteAddress", id=self.address_id)
        assert payload["deletedId"] == self.address_id
        (left,) = await self.addresses()
        assert left["isDefault"] is True

    # The password

    async def forgets_the_password(self) -> None:
        for email in (EMAIL, "nobody@example.com"):
            payload = await self.succeed(operations.REQUEST_PASSWORD_RESET, "requestPasswordReset", email=email)
            assert payload == {"accepted": True, "userErrors": []}

    async def resets_the_password(self) -> None:
        mail = await self.storefront.wait_for_mail(EMAIL, "Set a new password")
        answer = await self.call(operations.RESET_PASSWORD, token=mail.token, password="john.doe")
        assert answer.user_errors("resetPassword") == [("PASSWORD_TOO_PERSONAL", "password")]
        payload = await self.succeed(
            operations.RESET_PASSWORD, "resetPassword", token=mail.token, password=RESET_PASSWORD
        )
        assert payload["passwordReset"] is True
        await self.storefront.wait_for_mail(EMAIL, "password was changed")
        assert await self.is_dead(self.tokens.access)
        self.tokens = await self.storefront.anonymous(site="main")
        again = await self.call(operations.RESET_PASSWORD, token=mail.token, password=NEW_PASSWORD)
        assert again.user_errors("resetPassword") == [("TOKEN_INVALID", "token")]

    async def logs_in_with_the_new_password(self) -> None:
        answer = await self.call(operations.LOGIN, email=EMAIL, password=PASSWORD)
        assert answer.user_errors("login") == [("INVALID_CREDENTIALS", "password")]
        payload = await self.succeed(operations.LOGIN, "login", email=EMAIL, password=RESET_PASSWORD)
        self.tokens = Tokens.of(payload["tokens"])

    async def changes_the_password(self) -> None:
        before, phone = self.tokens, await self.storefront.login(EMAIL, RESET_PASSWORD)
        given = {"currentPassword": RESET_PASSWORD, "newPassword": NEW_PASSWORD}
        payload = await self.succeed(operations.CHANGE_PASSWORD, "changePassword", **given)
        self.tokens = Tokens.of(payload["tokens"])
        assert self.tokens.session_id == before.session_id
        assert await self.is_dead(before.access)
        assert await self.is_dead(phone.access)
        assert (await self.token_info())["customerId"] == self.customer_id

    # The address that signs in

    async def changes_the_email(self) -> None:
        await self._change_email("john@home.example.org", sync=False)
        me = await self.me()
        assert (me["email"], me["contactEmail"]) == ("john@home.example.org", PROFILE["contactEmail"])

    async def changes_the_email_and_the_contact_address(self) -> None:
        await self._change_email("john@new.example.org", sync=True)
        me = await self.me()
        assert (me["email"], me["contactEmail"]) == ("john@new.example.org", "john@new.example.org")

    async def _change_email(self, email: str, *, sync: bool) -> None:
        given = {"password": NEW_PASSWORD, "newEmail": email, "syncContactEmail": sync}
        payload = await self.succeed(operations.CHANGE_EMAIL, "changeEmail", **given)
        assert payload["accepted"] is True
        assert (await self.me())["email"] != email
        mail = await self.storefront.wait_for_mail(email)
        payload = await self.succeed(operations.CONFIRM_EMAIL_CHANGE, "confirmEmailChange", token=mail.token)
        assert payload["email"] == email

    async def takes_the_last_change_back(self) -> None:
        """As its notice offers, which went to the address before."""
        notice = await self.storefront.wait_for_mail("john@home.example.org", "about to change")
        payload = await self.succeed(operations.REVERT_EMAIL_CHANGE, "revertEmailChange", token=notice.token)
        assert payload["email"] == "john@home.example.org"
        assert await self.is_dead(self.tokens.access)
        self.tokens = await self.storefront.anonymous(site="main")
        refused = await self.call(operations.LOGIN, email="john@home.example.org", password=NEW_PASSWORD)
        assert refused.user_errors("login") == [("INVALID_CREDENTIALS", "password")]
        chosen = {"token": payload["resetToken"], "password": RESET_PASSWORD}
        assert (await self.succeed(operations.RESET_PASSWORD, "resetPassword", **chosen))["passwordReset"] is True
        self.tokens = await self.storefront.login("john@home.example.org", RESET_PASSWORD, self.tokens.access)
        assert (await self.me())["contactEmail"] == PROFILE["contactEmail"]

    # The end

    async def sees_the_sessions(self) -> None:
        (session,) = (await self.call(f"{{ sessions {everything('Session')} }}"))["sessions"]
        assert (session["id"], session["site"], session["current"]) == (self.tokens.session_id, "main", True)

    async def logs_out(self) -> None:
        await self.succeed(operations.LOGOUT, "logout", everywhere=False)
        assert await self.is_dead(self.tokens.access)
        refreshed = await self.call(operations.REFRESH, refreshToken=self.tokens.refresh)
        assert refreshed.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]

    async def begins_anew_with_a_dead_token_in_the_header(self) -> None:
        answer = await self.call(operations.ANONYMOUS_LOGIN, clientId="demo-storefront")
        assert Tokens.of(answer["anonymousLogin"]["tokens"]).session_id != self.tokens.session_id


class TestJourney:
    async def test_goes_from_the_first_visit_to_the_dead_token(self, server: ServerProcess) -> None:
        storefront = ServerClient(server)
        async with storefront.http:
            journey = Journey(storefront, server)
            for step in (
                journey.visits_anonymously,
                journey.refreshes,
                journey.looks_around,
                journey.is_told_every_mistake,
                journey.signs_up,
                journey.cannot_log_in_yet,
                journey.confirms_by_mail,
                journey.logs_in,
                journey.proves_it_to_another_service,
                journey.sees_whose_token_it_is,
                journey.reads_the_profile,
                journey.changes_the_profile,
                journey.is_told_when_somebody_was_faster,
                journey.lists_the_addresses,
                journey.adds_an_address,
                journey.reads_one_address,
                journey.changes_an_address,
                journey.tags_an_address,
                journey.untags_an_address,
                journey.makes_another_address_the_default,
                journey.removes_the_default_address,
                journey.sees_the_sessions,
                journey.refreshes,
                journey.forgets_the_password,
                journey.resets_the_password,
                journey.logs_in_with_the_new_password,
                journey.changes_the_password,
                journey.changes_the_email,
                journey.changes_the_email_and_the_contact_address,
                journey.takes_the_last_change_back,
                journey.logs_out,
                journey.begins_anew_with_a_dead_token_in_the_header,
            ):
                await step()
