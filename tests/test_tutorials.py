"""The tutorials of the sources from their first step to their last, with the very values that stand in them.

Each step is a method that sends what its tutorial sends, and looks at every field of what comes of it; empty texts are
sent as well. Other values stand only where ours are the stricter rules: passwords that everybody knows are refused, and
tokens, ids and versions are those of this run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.client import Answer, Tokens
from tests.harness.integrations import SECRET, basic, claims, signed_by_secret
from tests.harness.operations import USER_ERRORS
from tests.harness.selections import everything
from tests.harness.server import PATIENCE, ServerClient, ServerProcess
from tests.harness.social import (
    CLIENT_SECRET,
    REDIRECT_URI,
    SocialPerson,
    authorize_at_mock,
    codes,
    openid_entry,
    register_mock_user,
    run_oidc_provider_mock,
)
from tests.harness.tenants import integration, shop, storefront, table, user

pytestmark = pytest.mark.anyio

OWNER = "aqwDFvELOz"
EMAIL, NEW_EMAIL, SOCIAL_EMAIL = "example@customer.com", "example@emporix.com", "john.doe@example.com"
# Both stand in the tutorials, and both in every list of passwords to try first.
KNOWN_TO_EVERYBODY = ("password123", "P@ssw0rd123")
RESET_PASSWORD, CHANGED_PASSWORD = "copper-lantern-77", "marble-orchard-18"

LEGAL_ENTITY = {"id": "67e162a3ad4e2f12bc4f9306", "name": "ABC", "contactAssignmentId": "91033918"}
DETAILS = {
    "title": "MR",
    "firstName": "John",
    "middleName": "",
    "lastName": "Doe",
    "contactEmail": EMAIL,
    "contactPhone": "123456789",
    "company": "Emporix",
    "preferredLanguage": "en_US",
    "preferredCurrency": "EUR",
    "preferredSite": "main",
    "b2b": {"companyRegistrationId": "123-456-789", "legalEntities": [LEGAL_ENTITY]},
}
ADDRESS = {
    "contactName": "John Doe",
    "companyName": "Emporix",
    "street": "Platz der Republik",
    "streetNumber": "1",
    "streetAppendix": "",
    "extraLine1": "",
    "extraLine2": "",
    "zipCode": "11011",
    "city": "Berlin",
    "country": "DE",
    "state": "Berlin",
    "contactPhone": "123456789",
    "tags": ["BILLING", "SHIPPING"],
}
FURTHER_LINES = {"extraLine3": "", "extraLine4": ""}
CHANGES = {
    "title": "MR",
    "firstName": "John",
    "lastName": "Doe",
    "contactEmail": EMAIL,
    "contactPhone": "123456789",
    "company": "Emporix",
    "preferredLanguage": "en_US",
    "preferredCurrency": "EUR",
    "preferredSite": "DE",
    "b2b": {"companyRegistrationId": "123-456-789"},
}
CREATED = {
    "contactEmail": "john.doe@emporix.com",
    "title": "MR",
    "firstName": "John",
    "lastName": "Doe",
    "contactPhone": "123456789",
    "company": "Emporix",
    "preferredLanguage": "en_US",
    "preferredCurrency": "EUR",
    "preferredSite": "main",
    "b2b": {"companyRegistrationId": "123-456-789"},
}
UPDATED = {
    "contactEmail": "john.updated@emporix.com",
    "firstName": "John",
    "lastName": "Doe",
    "preferredLanguage": "de_DE",
}

# What is answered: nothing for an empty text, BCP 47, and E.164 where an address tells of the country.
PROFILE = {
    **DETAILS,
    "email": EMAIL,
    "middleName": None,
    "contactPhone": "+49123456789",
    "preferredLanguage": "en-US",
    "b2b": {"companyRegistrationId": "123-456-789", "legalEntities": [{**LEGAL_ENTITY, "confirmed": False}]},
    "businessModel": "B2B",
    "mixins": {},
    "onHold": False,
}
KEPT_ADDRESS = {
    **ADDRESS,
    "streetAppendix": None,
    **dict.fromkeys(f"extraLine{number}" for number in range(1, 5)),
    "contactPhone": "+49123456789",
}

CUSTOMER = everything("Customer")


def told_of(address: dict[str, Any]) -> dict[str, Any]:
    """Return what the tutorials know of an address: not how it is written on an envelope, nor what it is for."""
    return {name: value for name, value in address.items() if name not in {"formatted", "formattedLatin", "defaultFor"}}


UPDATE_ME = f"""mutation ($input: UpdateMeInput!) {{
    updateMe(input: $input) {{ customer {CUSTOMER} {USER_ERRORS} }}
}}"""
CREATE_CUSTOMER = f"""mutation ($input: CreateCustomerInput!) {{
    createCustomer(input: $input) {{ customer {CUSTOMER} {USER_ERRORS} }}
}}"""
UPDATE_CUSTOMER = f"""mutation ($input: UpdateCustomerInput!) {{
    updateCustomer(input: $input) {{ customer {CUSTOMER} {USER_ERRORS} }}
}}"""
LOGIN_ON_BEHALF = f"""mutation ($input: LoginOnBehalfInput!) {{
    loginOnBehalf(input: $input) {{ tokens {{ accessToken }} {USER_ERRORS} }}
}}"""
REQUEST_ANONYMIZATION = f"""mutation ($input: RequestAnonymizationInput) {{
    requestAnonymization(input: $input) {{ anonymizationInfo {{ status requester {{ id type }} }} {USER_ERRORS} }}
}}"""
FIND = f"query ($id: ID, $email: String) {{ customer(id: $id, email: $email) {CUSTOMER} }}"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with run_oidc_provider_mock() as issuer:
        yield issuer


@pytest.fixture
def settings_environment(tmp_path: Path, provider: str) -> dict[str, str]:
    """Open a shop as the tutorials have it: employees let customers in, and erasures are not put off."""
    scopes = ["customers.read", "customers.manage", "customers.anonymize", "payments.read"]
    file = tmp_path / "tenants.toml"
    file.write_text(
        "\n".join(
            (
                shop(
                    "emporix",
                    signup="employee_activation",
                    anonymization_by=["integration", "customer"],
                    anonymization_delay_hours=0,
                ),
                table("[tenants.emporix.sites.DE]", url="https://de.emporix.example", language="de", country="DE"),
                storefront("emporix", "emporix-storefront", redirect_uris=[REDIRECT_URI]),
                integration("emporix", "emporix-backend", secret_env="BACKEND_SECRET", scopes=scopes),
                user("emporix", OWNER, scopes=["customers.anonymize"]),
                "[[tenants.emporix.social]]",
                openid_entry("mock", provider),
            )
        )
    )
    return {"TENANTS_FILE": str(file), "BACKEND_SECRET": SECRET, "PROVIDER_SECRET": CLIENT_SECRET}


class Employee:
    """Somebody of the shop, with the token of its staff system."""

    def __init__(self, client: ServerClient, url: str) -> None:
        self.client = client
        self.url = url
        self.token = ""
        self.on_behalf = ""
        self.customer_id = ""
        self.address_id = ""

    async def succeed(self, query: str, token: str = "", /, **input_: Any) -> Any:
        """Run a mutation and return its payload, which has no user errors."""
        return _payload(await self.client.graphql(query, {"input": input_}, token or self.token))

    async def customer(self, **whose: str) -> dict[str, Any]:
        """Return everything about a customer."""
        found: dict[str, Any] = (await self.client.graphql(FIND, whose, self.token))["customer"]
        return found

    async def gets_an_access_token(self) -> None:
        form = {"grant_type": "client_credentials"}
        response = await self.client.http.post("/oauth/token", data=form, headers=basic("emporix-backend"))
        assert response.status_code == 200
        self.token = response.json()["access_token"]

    async def activates(self, email: str) -> None:
        found = await self.customer(email=email)
        assert found["active"] is False
        payload = await self.succeed(UPDATE_CUSTOMER, id=found["id"], active=True, onHold=False)
        assert (payload["customer"]["active"], payload["customer"]["onHold"]) == (True, False)

    async def creates_a_customer(self) -> None:
        customer = (await self.succeed(CREATE_CUSTOMER, **CREATED))["customer"]
        expected = {
            **CREATED,
            "email": "john.doe@emporix.com",
            "middleName": None,
            "preferredLanguage": "en-US",
            "b2b": {"companyRegistrationId": "123-456-789", "legalEntities": []},
            "businessModel": "B2B",
            "accounts": [],
            "addresses": [],
        }
        assert {name: customer[name] for name in expected} == expected
        self.customer_id = customer["id"]

    async def updates_the_customer(self) -> None:
        customer = (await self.succeed(UPDATE_CUSTOMER, id=self.customer_id, **UPDATED))["customer"]
        expected = {**UPDATED, "preferredLanguage": "de-DE", "title": "MR", "businessModel": "B2B"}
        assert {name: customer[name] for name in expected} == expected

    async def adds_an_address(self) -> None:
        """On the customer's behalf, for addresses are the customer's own."""
        payload = await self.succeed(LOGIN_ON_BEHALF, customerId=self.customer_id, reason="Asked for it by phone")
        self.on_behalf = payload["tokens"]["accessToken"]
        plain = {name: value for name, value in ADDRESS.items() if value != ""}
        address = (await self.succeed(operations.CREATE_ADDRESS, self.on_behalf, **plain, isDefault=True))["address"]
        self.address_id = address.pop("id")
        assert told_of(address) == {**KEPT_ADDRESS, "isDefault": True}

    async def adds_tags_to_the_address(self) -> None:
        given = {"addressId": self.address_id, "tags": ["PRIMARY_CONTACT"]}
        address = (await self.succeed(operations.ADD_ADDRESS_TAGS, self.on_behalf, **given))["address"]
        assert address["tags"] == ["BILLING", "SHIPPING", "PRIMARY_CONTACT"]

    async def activates_the_customer(self) -> None:
        await self.succeed(UPDATE_CUSTOMER, id=self.customer_id, active=True, onHold=False)

    async def retrieves_the_profile(self) -> None:
        customer = await self.customer(id=self.customer_id)
        expected = {
            "title": "MR",
            "firstName": "John",
            "lastName": "Doe",
            "contactPhone": "123456789",
            "company": "Emporix",
            "preferredLanguage": "de-DE",
            "preferredCurrency": "EUR",
            "preferredSite": "main",
            "contactEmail": "john.updated@emporix.com",
            "active": True,
            "onHold": False,
            "businessModel": "B2B",
            "b2b": {"companyRegistrationId": "123-456-789", "legalEntities": []},
        }
        assert {name: customer[name] for name in expected} == expected
        (address,) = customer["addresses"]
        tags = ["BILLING", "SHIPPING", "PRIMARY_CONTACT"]
        assert told_of(address) == {**KEPT_ADDRESS, "id": self.address_id, "tags": tags, "isDefault": True}

    async def has_the_customer_anonymized(self) -> None:
        """In the name of the user whom the assertion names."""
        content = claims(
            datetime.fromtimestamp(time.time(), UTC),
            "emporix-backend",
            aud=self.url,
            **{"https://commercelayer.io/claims": {"owner": {"type": "User", "id": OWNER}}},
        )
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": signed_by_secret(content),
            "scope": "customers.anonymize",
        }
        response = await self.client.http.post("/oauth/token", data=form, headers=basic("emporix-backend"))
        assert response.status_code == 200, response.text
        owned = response.json()["access_token"]
        info = (await self.succeed(REQUEST_ANONYMIZATION, owned, customerId=self.customer_id))["anonymizationInfo"]
        assert info == {"status": "REQUESTED", "requester": {"id": OWNER, "type": "User"}}
        await self.sees_the_end_of(self.customer_id)
        await self.client.wait_for_mail("john.doe@emporix.com", "wurden gelöscht")

    async def sees_the_end_of(self, customer_id: str) -> None:
        with anyio.fail_after(PATIENCE):
            while (await self.customer(id=customer_id))["anonymizationStatus"] != "DONE":  # noqa: ASYNC110 - a worker
                await anyio.sleep(0.05)
        customer = await self.customer(id=customer_id)
        personal = (*DETAILS, "email", "lastLoginAt")
        assert {name: customer[name] for name in personal} == dict.fromkeys(personal)
        assert (customer["addresses"], customer["accounts"], customer["mixins"]) == ([], [], {})


class Shopper:
    """A customer at the storefront, and what they know so far."""

    def __init__(self, client: ServerClient, employee: Employee, provider: str) -> None:
        self.client = client
        self.employee = employee
        self.provider = provider
        self.tokens = Tokens("", "", "", "", {})
        self.customer_id = ""
        self.address_id = ""
        self.version = 0

    async def call(self, query: str, **input_: Any) -> Answer:
        """Run an operation with the token of this moment."""
        return await self.client.graphql(query, {"input": input_} if input_ else None, self.tokens.access)

    async def succeed(self, query: str, **input_: Any) -> Any:
        """Run a mutation and return its payload, which has no user errors."""
        return _payload(await self.call(query, **input_))

    async def addresses(self) -> Any:
        """Return the addresses with every field."""
        return (await self.call(f"{{ addresses {{ {operations.ADDRESS} }} }}"))["addresses"]

    # How to manage customer authentication

    async def requests_an_anonymous_token(self) -> None:
        given = {"clientId": "emporix-storefront", "site": ""}
        answer = await self.client.graphql(operations.ANONYMOUS_LOGIN, {"input": given})
        self.tokens = Tokens.of(answer["anonymousLogin"]["tokens"])
        lives = {"tokenType": "Bearer", "expiresIn": 3_600, "refreshTokenExpiresIn": 86_400}
        assert {name: self.tokens.all[name] for name in lives} == lives

    async def refreshes(self) -> None:
        session_id = self.tokens.session_id
        given = {"refreshToken": self.tokens.refresh, "legalEntityId": ""}
        payload = _payload(await self.client.graphql(operations.REFRESH, {"input": given}))
        self.tokens = Tokens.of(payload["tokens"])
        assert self.tokens.session_id == session_id

    async def signs_up(self) -> None:
        given = {"email": EMAIL, "customerDetails": DETAILS, "customerAddress": ADDRESS}
        for known in KNOWN_TO_EVERYBODY:
            refused = await self.call(operations.SIGNUP, **given, password=known)
            assert refused.user_errors("signup") == [("PASSWORD_TOO_COMMON", "password")]
        empty = {"email": "", "password": ""}
        payload = await self.succeed(operations.SIGNUP, **given, password=PASSWORD, signup=empty)
        assert payload["status"] == "AWAITING_ACTIVATION"
        self.customer_id = payload["customerId"]

    async def is_let_in_by_an_employee(self) -> None:
        refused = await self.call(operations.LOGIN, email=EMAIL, password=PASSWORD)
        assert refused.user_errors("login") == [("ACCOUNT_INACTIVE", "email")]
        await self.employee.activates(EMAIL)

    async def logs_in(self) -> None:
        session_id = self.tokens.session_id
        payload = await self.succeed(operations.LOGIN, email=EMAIL, password=PASSWORD)
        self.tokens = Tokens.of(payload["tokens"])
        assert payload["customer"]["id"] == self.customer_id
        assert (self.tokens.all["tokenType"], self.tokens.all["initialPassword"]) == ("Bearer", False)
        assert self.tokens.session_id == session_id
        assert self.tokens.saas is not None

    async def validates_the_token(self) -> None:
        info = (await self.call("{ tokenInfo { tokenType expiresIn sessionId email legalEntityId } }"))["tokenInfo"]
        assert 0 < info.pop("expiresIn") <= 900
        assert info == {
            "tokenType": "Bearer",
            "sessionId": self.tokens.session_id,
            "email": EMAIL,
            "legalEntityId": None,
        }

    async def logs_in_using_social_login(self) -> None:
        register_mock_user(self.provider, "john", email=SOCIAL_EMAIL, email_verified=True, given_name="John")
        person = SocialPerson(self.client, (await self.client.anonymous("emporix-storefront")).access, "mock")
        assert codes(await self._through_the_provider(person)) == [("ACCOUNT_INACTIVE", "")]
        await self.employee.activates(SOCIAL_EMAIL)
        payload = await self._through_the_provider(person)
        assert payload["userErrors"] == []
        # Nothing of the provider's own tokens, which the shop has not asked for.
        assert (payload["customer"]["email"], payload["socialTokens"]) == (SOCIAL_EMAIL, None)
        self.tokens = Tokens.of(payload["tokens"])

    async def _through_the_provider(self, person: SocialPerson) -> dict[str, Any]:
        back = authorize_at_mock((await person.begin())["authorizationUrl"], "john")
        return await person.finish(back["state"], code=back["code"])

    async def is_assigned_an_account(self) -> None:
        """Who came by social login has no password so far."""
        payload = await self.succeed(operations.CHANGE_PASSWORD, newPassword=PASSWORD)
        self.tokens = Tokens.of(payload["tokens"])
        accounts = (await self.call("{ me { accounts { provider email } } }"))["me"]["accounts"]
        assert accounts == [
            {"provider": "password", "email": SOCIAL_EMAIL},
            {"provider": "mock", "email": SOCIAL_EMAIL},
        ]

    async def logs_out(self) -> None:
        await self.succeed(operations.LOGOUT, everywhere=False)
        assert (await self.call("{ me { id } }")).reason == "REVOKED"

    # How to manage a customer's profile

    async def retrieves_the_profile(self) -> None:
        me = (await self.call(f"{{ me {CUSTOMER} }}"))["me"]
        assert {name: me[name] for name in PROFILE} == PROFILE
        assert [(account["provider"], account["email"]) for account in me["accounts"]] == [("password", EMAIL)]
        (address,) = me["addresses"]
        assert address.pop("id")
        assert address["formatted"] == "John Doe\nEmporix\nPlatz der Republik 1\n11011 BERLIN\nGERMANY"
        assert told_of(address) == {**KEPT_ADDRESS, "isDefault": True}
        self.version = me["metadata"]["version"]

    async def updates_the_profile(self) -> None:
        given = {**CHANGES, "metadata": {"version": self.version}}
        customer = (await self.succeed(UPDATE_ME, **given))["customer"]
        changed = {**PROFILE, "preferredSite": "DE"}
        assert {name: customer[name] for name in PROFILE} == changed
        assert customer["metadata"]["version"] == self.version + 1
        stale = await self.call(UPDATE_ME, **given)
        assert stale.user_errors("updateMe") == [("VERSION_CONFLICT", "metadata.version")]

    async def adds_an_address(self) -> None:
        address = (await self.succeed(operations.CREATE_ADDRESS, **ADDRESS, **FURTHER_LINES))["address"]
        self.address_id = address.pop("id")
        assert told_of(address) == {**KEPT_ADDRESS, "isDefault": False}

    async def retrieves_the_addresses(self) -> None:
        first, added = await self.addresses()
        assert told_of(added) == {**KEPT_ADDRESS, "id": self.address_id, "isDefault": False}
        assert {**first, "id": self.address_id, "isDefault": False} == added

    async def retrieves_one_address(self) -> None:
        query = f"query ($id: ID!) {{ address(id: $id) {{ {operations.ADDRESS} }} }}"
        answer = await self.client.graphql(query, {"id": self.address_id}, self.tokens.access)
        assert answer["address"] == (await self.addresses())[1]

    async def updates_an_address(self) -> None:
        changes = {**ADDRESS, **FURTHER_LINES, "streetNumber": "2", "streetAppendix": "Platz", "isDefault": True}
        address = (await self.succeed(operations.UPDATE_ADDRESS, id=self.address_id, **changes))["address"]
        changed = {"streetNumber": "2", "streetAppendix": "Platz", "isDefault": True}
        assert told_of(address) == {**KEPT_ADDRESS, "id": self.address_id, **changed}

    async def adds_tags_to_an_address(self) -> None:
        given = {"addressId": self.address_id, "tags": ["BILLING", "SHIPPING"]}
        address = (await self.succeed(operations.ADD_ADDRESS_TAGS, **given))["address"]
        assert address["tags"] == ["BILLING", "SHIPPING"]

    async def deletes_an_address(self) -> None:
        await self.succeed(operations.DELETE_ADDRESS, id=self.address_id)
        (left,) = await self.addresses()
        assert left["isDefault"] is True

    async def deletes_the_profile(self) -> None:
        payload = await self.succeed(REQUEST_ANONYMIZATION, password=CHANGED_PASSWORD)
        assert payload["anonymizationInfo"]["status"] == "REQUESTED"
        await self.employee.sees_the_end_of(self.customer_id)
        await self.client.wait_for_mail(NEW_EMAIL, "has been erased")

    # How to manage customer credentials

    async def requests_a_password_reset(self) -> None:
        payload = await self.succeed(operations.REQUEST_PASSWORD_RESET, email=EMAIL, site="main")
        assert payload["accepted"] is True

    async def resets_the_password(self) -> None:
        mail = await self.client.wait_for_mail(EMAIL, "Set a new password")
        for known in KNOWN_TO_EVERYBODY:
            refused = await self.call(operations.RESET_PASSWORD, token=mail.token, password=known)
            assert refused.user_errors("resetPassword") == [("PASSWORD_TOO_COMMON", "password")]
        await self.succeed(operations.RESET_PASSWORD, token=mail.token, password=RESET_PASSWORD)
        self.tokens = await self.client.login(EMAIL, RESET_PASSWORD, client_id="emporix-storefront")

    async def changes_the_password(self) -> None:
        given = {"currentPassword": RESET_PASSWORD, "newPassword": CHANGED_PASSWORD}
        self.tokens = Tokens.of((await self.succeed(operations.CHANGE_PASSWORD, **given))["tokens"])

    async def requests_an_email_change(self) -> None:
        given = {"password": CHANGED_PASSWORD, "newEmail": NEW_EMAIL, "syncContactEmail": True}
        wrong = await self.call(operations.CHANGE_EMAIL, email="customer@customer.com", **given)
        assert wrong.user_errors("changeEmail") == [("INVALID", "email")]
        payload = await self.succeed(operations.CHANGE_EMAIL, email=EMAIL, **given)
        assert payload["accepted"] is True

    async def confirms_the_email_change(self) -> None:
        mail = await self.client.wait_for_mail(NEW_EMAIL)
        visitor = await self.client.anonymous("emporix-storefront")
        given = {"input": {"token": mail.token}}
        answer = await self.client.graphql(operations.CONFIRM_EMAIL_CHANGE, given, visitor.access)
        assert answer["confirmEmailChange"] == {"email": NEW_EMAIL, "userErrors": []}
        me = (await self.call("{ me { email contactEmail } }"))["me"]
        assert me == {"email": NEW_EMAIL, "contactEmail": NEW_EMAIL}


def _payload(answer: Answer) -> Any:
    assert answer.errors == []
    (payload,) = (answer.data or {}).values()
    assert payload["userErrors"] == []
    return payload


class TestTutorials:
    async def test_go_from_the_first_step_to_the_last(self, server: ServerProcess, provider: str) -> None:
        client = ServerClient(server)
        async with client.http:
            employee = Employee(client, server.url)
            shopper = Shopper(client, employee, provider)
            for step in (
                employee.gets_an_access_token,
                # Customer Management (Customer Managed) Tutorial
                shopper.requests_an_anonymous_token,
                shopper.refreshes,
                shopper.signs_up,
                shopper.is_let_in_by_an_employee,
                shopper.logs_in,
                shopper.refreshes,
                shopper.validates_the_token,
                shopper.retrieves_the_profile,
                shopper.updates_the_profile,
                shopper.adds_an_address,
                shopper.retrieves_the_addresses,
                shopper.retrieves_one_address,
                shopper.updates_an_address,
                shopper.adds_tags_to_an_address,
                shopper.deletes_an_address,
                shopper.logs_out,
                shopper.logs_in_using_social_login,
                shopper.is_assigned_an_account,
                shopper.logs_out,
                shopper.requests_an_anonymous_token,
                shopper.requests_a_password_reset,
                shopper.resets_the_password,
                shopper.changes_the_password,
                shopper.requests_an_email_change,
                shopper.confirms_the_email_change,
                shopper.deletes_the_profile,
                # Customer Service (Tenant Managed) Tutorial
                employee.creates_a_customer,
                employee.updates_the_customer,
                employee.adds_an_address,
                employee.adds_tags_to_the_address,
                employee.activates_the_customer,
                employee.retrieves_the_profile,
                # Customer data anonymization, by an integration in the name of its user
                employee.has_the_customer_anonymized,
            ):
                await step()
