"""What a customer may do whose password somebody else has chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories import PASSWORD
from tests.harness.access import Bearer, Verdict, root_fields
from tests.harness.arguments import document, least_arguments
from tests.harness.client import Tokens
from tests.harness.gateway import Gateway
from tests.harness.integrations import SECRET
from tests.harness.operations import USER_ERRORS
from tests.harness.staff import Staff
from tests.harness.tenants import integration, shop, storefront

pytestmark = pytest.mark.anyio

EMAIL = "ada@example.com"
NEW_PASSWORD = "amber-lantern-77"
OPEN_TO_THEM = {"me", "changePassword", "logout"}
LOGIN_ON_BEHALF = f"""mutation ($input: LoginOnBehalfInput!) {{
    loginOnBehalf(input: $input) {{ tokens {{ accessToken scope initialPassword }} {USER_ERRORS} }}
}}"""
CHANGE_PASSWORD = f"""mutation ($input: ChangePasswordInput!) {{
    changePassword(input: $input) {{ tokens {{ accessToken refreshToken scope initialPassword }} {USER_ERRORS} }}
}}"""
REFRESH = f"""mutation ($input: RefreshInput!) {{
    refresh(input: $input) {{ tokens {{ accessToken refreshToken saasToken scope initialPassword }} {USER_ERRORS} }}
}}"""
LOGIN = f"""mutation ($input: LoginInput!) {{
    login(input: $input) {{ tokens {{ accessToken refreshToken saasToken scope initialPassword }} {USER_ERRORS} }}
}}"""
GATED = ["password.initial", "tenant=demo"]


@pytest.fixture
def gate() -> dict[str, bool]:
    """Return what the shop's table says about the gate: nothing."""
    return {}


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path, gate: dict[str, bool]) -> dict[str, str]:
    file = tmp_path / "tenants.toml"
    backend = integration("demo", "demo-backend", secret_env="SECRET")
    file.write_text("\n".join((shop("demo", **gate), storefront("demo", "demo-storefront"), backend)))
    return {**environment, "TENANTS_FILE": str(file), "SECRET": SECRET}


async def made_and_logged_in(gateway: Gateway) -> dict[str, object]:
    """Have staff make a customer with a password, log that in, and return the tokens."""
    await (await Staff.of(gateway)).create(email=EMAIL, password=PASSWORD)
    anonymous = await gateway.anonymous()
    answer = await gateway.graphql(LOGIN, {"input": {"email": EMAIL, "password": PASSWORD}}, anonymous.access)
    tokens: dict[str, object] = answer["login"]["tokens"]
    return tokens


class TestSession:
    async def test_may_do_what_is_open_to_it_and_nothing_else(self, gateway: Gateway) -> None:
        token = str((await made_and_logged_in(gateway))["accessToken"])
        for field in root_fields():
            if field.verdict(Bearer.CUSTOMER) is not Verdict.ALLOWED or not field.rule.kinds:
                continue
            arguments = least_arguments(field.shown)
            if field.name == "logout":
                continue
            answer = await gateway.graphql(document(field.root, field.name, field.shown, arguments), arguments, token)
            assert ("FORBIDDEN" in answer.codes) is (field.name not in OPEN_TO_THEM), field.name
            assert bool(field.rule.initial_password) is (field.name in OPEN_TO_THEM), field.name
        assert (await gateway.graphql("mutation { logout { loggedOut } }", token=token))["logout"] == {
            "loggedOut": True
        }

    async def test_says_so_in_its_scope_and_has_no_saas_token(self, gateway: Gateway) -> None:
        tokens = await made_and_logged_in(gateway)
        assert tokens["initialPassword"] is True
        assert tokens["scope"] == GATED
        assert tokens["saasToken"] is None

    async def test_is_not_opened_by_a_refresh(self, gateway: Gateway) -> None:
        tokens = await made_and_logged_in(gateway)
        answer = await gateway.graphql(REFRESH, {"input": {"refreshToken": tokens["refreshToken"]}})
        refreshed = answer["refresh"]["tokens"]
        assert refreshed["scope"] == GATED
        assert refreshed["saasToken"] is None
        token = refreshed["accessToken"]
        assert (await gateway.graphql("{ addresses { id } }", token=token)).codes == ["FORBIDDEN"]
        assert (await gateway.graphql("{ me { email } }", token=token))["me"] == {"email": EMAIL}

    async def test_is_open_with_the_tokens_of_the_new_password(self, gateway: Gateway) -> None:
        token = str((await made_and_logged_in(gateway))["accessToken"])
        given = {"input": {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}}
        changed = (await gateway.graphql(CHANGE_PASSWORD, given, token))["changePassword"]["tokens"]
        assert changed["initialPassword"] is False
        assert "profile.write" in changed["scope"]
        assert (await gateway.graphql("{ addresses { id } }", token=changed["accessToken"]))["addresses"] == []

    async def test_stays_shut_after_a_new_password_that_is_refused(self, gateway: Gateway) -> None:
        token = str((await made_and_logged_in(gateway))["accessToken"])
        given = {"input": {"currentPassword": PASSWORD, "newPassword": "short"}}
        answer = await gateway.graphql(CHANGE_PASSWORD, given, token)
        assert [error["code"] for error in answer["changePassword"]["userErrors"]] == ["PASSWORD_TOO_SHORT"]
        assert (await gateway.graphql("{ addresses { id } }", token=token)).codes == ["FORBIDDEN"]

    async def test_of_staff_on_behalf_is_open(self, gateway: Gateway) -> None:
        await made_and_logged_in(gateway)
        staff = await Staff.of(gateway)
        customer = await staff.find(email=EMAIL)
        assert customer is not None
        begun = await staff.try_to(LOGIN_ON_BEHALF, customerId=customer["id"], reason="Phone")
        tokens = begun["loginOnBehalf"]["tokens"]
        assert "profile.write" in tokens["scope"]
        assert (await gateway.graphql("{ addresses { id } }", token=tokens["accessToken"]))["addresses"] == []

    async def test_of_a_password_of_the_customers_own_is_open(self, gateway: Gateway) -> None:
        tokens: Tokens = (await gateway.customer()).tokens
        assert (await gateway.graphql("{ addresses { id } }", token=tokens.access))["addresses"] == []


class TestInitialPasswordGate:
    @pytest.fixture
    def gate(self) -> dict[str, bool]:
        return {"initial_password_gate": False}

    async def test_leaves_it_to_the_storefront_where_it_is_off(self, gateway: Gateway) -> None:
        tokens = await made_and_logged_in(gateway)
        assert tokens["initialPassword"] is True
        assert tokens["saasToken"] is not None
        answer = await gateway.graphql("{ addresses { id } }", token=str(tokens["accessToken"]))
        assert answer["addresses"] == []
