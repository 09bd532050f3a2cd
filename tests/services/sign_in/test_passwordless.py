"""A shop without passwords: none is asked for, set or reset anywhere, and everything else goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.factories import address_input
from tests.harness import operations
from tests.harness.client import Person
from tests.harness.gateway import Gateway
from tests.harness.integrations import integration_token
from tests.harness.operations import USER_ERRORS
from tests.harness.sign_in import complete, mailed_code, shop_environment

pytestmark = pytest.mark.anyio

CLIENT = "shop-storefront"
EMAIL = "ada@example.com"
OFF = "PASSWORD_LOGIN_OFF"
NEW = "another-harbour-43"


@pytest.fixture
def keys() -> dict[str, Any]:
    """Return the keys of the shop, beyond those that every shop needs."""
    return {}


@pytest.fixture
def settings_environment(tmp_path: Path, keys: dict[str, Any]) -> dict[str, str]:
    return shop_environment(tmp_path, **{"signup": "confirm_email", "password_login": False, **keys})


async def sign_up(gateway: Gateway) -> tuple[str, str]:
    """Sign up without a password, and return the token of the session and the id."""
    session = await gateway.anonymous(CLIENT)
    answer = await gateway.graphql(operations.SIGNUP, {"input": {"email": EMAIL}}, session.access)
    assert answer["signup"]["userErrors"] == []
    return session.access, answer["signup"]["customerId"]


async def open_link(gateway: Gateway, token: str | None = None) -> str:
    """Open the mailed link, maybe in no session at all, and return whose it was."""
    await gateway.deliver()
    answer = await gateway.graphql(
        operations.CONFIRM_SIGNUP, {"input": {"token": gateway.mails(EMAIL)[-1].token}}, token
    )
    assert answer["confirmSignup"]["userErrors"] == []
    customer_id: str = answer["confirmSignup"]["customerId"]
    return customer_id


@pytest.fixture
async def ada(gateway: Gateway) -> Person:
    """Sign somebody up and log them in by a mailed code."""
    await sign_up(gateway)
    customer_id = await open_link(gateway)
    session = await gateway.anonymous(CLIENT)
    ticket, code = await mailed_code(gateway, session.access, EMAIL)
    payload = (await complete(gateway, session.access, ticket, emailCode=code))["completeLogin"]
    return Person(customer_id, EMAIL, "", type(session).of(payload["tokens"]))


class TestSignup:
    async def test_wants_no_password(self, gateway: Gateway) -> None:
        token, customer_id = await sign_up(gateway)
        assert await open_link(gateway, token) == customer_id

    @pytest.mark.parametrize("keys", [{"signup": "open"}, {"signup": "employee_activation"}])
    async def test_wants_none_in_any_mode(self, gateway: Gateway) -> None:
        await sign_up(gateway)
        rows = await gateway.rows("SELECT password_hash FROM credential")
        assert [row.password_hash for row in rows] == [None]

    async def test_is_finished_elsewhere_by_the_link_alone(self, gateway: Gateway) -> None:
        _, customer_id = await sign_up(gateway)
        assert await open_link(gateway, (await gateway.anonymous(CLIENT)).access) == customer_id

    async def test_that_may_be_a_strangers_leaves_the_owner_to_judge_what_was_written(self, gateway: Gateway) -> None:
        given = {"email": "stranger@example.org", "signup": {"email": EMAIL}, "customerAddress": address_input()}
        session = (await gateway.anonymous(CLIENT)).access
        await gateway.graphql(operations.SIGNUP, {"input": given}, session)
        await open_link(gateway, (await gateway.anonymous(CLIENT)).access)
        visitor = (await gateway.anonymous(CLIENT)).access
        ticket, code = await mailed_code(gateway, visitor, EMAIL)
        payload = (await complete(gateway, visitor, ticket, emailCode=code))["completeLogin"]
        assert payload["keptUnprovenData"] is True
        me = "{ me { contactEmail addresses { isDefault defaultFor } } }"
        answer = await gateway.graphql(me, token=payload["tokens"]["accessToken"])
        assert answer["me"] == {"contactEmail": None, "addresses": [{"isDefault": False, "defaultFor": []}]}

    @pytest.mark.parametrize(
        ("given", "path"),
        [
            ({"email": EMAIL, "password": NEW}, "password"),
            ({"email": EMAIL, "signup": {"email": "b@example.com", "password": NEW}}, "signup.password"),
        ],
    )
    async def test_refuses_a_password(self, gateway: Gateway, given: dict[str, Any], path: str) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        answer = await gateway.graphql(operations.SIGNUP, {"input": given}, token)
        assert answer.user_errors("signup") == [(OFF, path)]

    async def test_takes_a_login_address_of_its_own(self, gateway: Gateway) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        given = {"email": "contact@example.com", "signup": {"email": EMAIL}}
        answer = await gateway.graphql(operations.SIGNUP, {"input": given}, token)
        assert answer["signup"]["userErrors"] == []
        await open_link(gateway)


class TestPasswords:
    async def test_are_off_at_the_login(self, gateway: Gateway, ada: Person) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        answer = await gateway.graphql(operations.LOGIN, {"input": {"email": EMAIL, "password": NEW}}, token)
        assert answer.user_errors("login") == [(OFF, "password")]

    async def test_are_not_reset(self, gateway: Gateway, ada: Person) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        answer = await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": EMAIL}}, token)
        assert answer.user_errors("requestPasswordReset") == [(OFF, "email")]

    async def test_are_not_changed(self, gateway: Gateway, ada: Person) -> None:
        answer = await gateway.graphql(operations.CHANGE_PASSWORD, {"input": {"newPassword": NEW}}, ada.tokens.access)
        assert answer.user_errors("changePassword") == [(OFF, "newPassword")]

    async def test_prove_nothing(self, gateway: Gateway, ada: Person) -> None:
        prove = f"mutation ($input: ReauthenticateInput!) {{ reauthenticate(input: $input) {{ {USER_ERRORS} }} }}"
        answer = await gateway.graphql(prove, {"input": {"password": NEW}}, ada.tokens.access)
        assert answer.user_errors("reauthenticate") == [(OFF, "password")]
        change = {"newEmail": "new@example.com", "password": NEW}
        answer = await gateway.graphql(operations.CHANGE_EMAIL, {"input": change}, ada.tokens.access)
        assert answer.user_errors("changeEmail") == [(OFF, "password")]

    async def test_are_not_chosen_by_staff(self, gateway: Gateway, ada: Person) -> None:
        token = await integration_token(gateway, "shop-backend", "a-secret-of-the-backend-of-the-shop-1")
        create = f"mutation ($input: CreateCustomerInput!) {{ createCustomer(input: $input) {{ {USER_ERRORS} }} }}"
        answer = await gateway.graphql(create, {"input": {"email": "b@example.com", "password": NEW}}, token)
        assert answer.user_errors("createCustomer") == [(OFF, "password")]
        reset = f"""mutation ($input: CreatePasswordResetTokenInput!) {{
            createPasswordResetToken(input: $input) {{ token {USER_ERRORS} }}
        }}"""
        answer = await gateway.graphql(reset, {"input": {"customerId": ada.id}}, token)
        assert answer.user_errors("createPasswordResetToken") == [(OFF, "customerId")]

    async def test_are_no_answer_to_a_ticket(self, gateway: Gateway, ada: Person) -> None:
        session = (await gateway.anonymous(CLIENT)).access
        ticket, _ = await mailed_code(gateway, session, EMAIL)
        answer = await complete(gateway, session, ticket, password=NEW)
        assert answer.user_errors("completeLogin") == [(OFF, "password")]
