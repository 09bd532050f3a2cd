"""Mails of accounts that staff make or let in: invitations, registrations that wait, and the note to the shop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories import PASSWORD
from tests.harness.gateway import Gateway
from tests.harness.integrations import SECRET
from tests.harness.operations import USER_ERRORS
from tests.harness.sign_in import complete, mailed_code
from tests.harness.staff import Staff
from tests.harness.tenants import integration, shop, storefront

pytestmark = pytest.mark.anyio

RESET = f"mutation ($input: ResetPasswordInput!) {{ resetPassword(input: $input) {{ {USER_ERRORS} }} }}"
SCOPES = ["customers.read", "customers.manage"]


def tenants(signup: str = "open", **settings: object) -> str:
    clients = storefront("demo", "demo-storefront") + integration(
        "demo", "demo-backend", secret_env="BACKEND_SECRET", scopes=SCOPES
    )
    return shop("demo", signup=signup, **settings) + clients


def write(folder: Path, text: str) -> dict[str, str]:
    (folder / "tenants.toml").write_text(text)
    return {"TENANTS_FILE": str(folder / "tenants.toml"), "BACKEND_SECRET": SECRET}


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    return write(tmp_path, tenants())


async def subjects(gateway: Gateway, to: str) -> list[str]:
    await gateway.deliver()
    return [mail.subject for mail in gateway.mails(to)]


class TestInvitation:
    async def test_lets_a_customer_of_the_staff_choose_a_password(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        await staff.create(email="ada@example.com")
        await gateway.deliver()
        (mail,) = gateway.mails("ada@example.com")
        assert mail.subject == "Your account at The shop"
        assert "https://demo.example/reset-password?token=" in mail.text
        guest = await gateway.anonymous()
        answer = await gateway.graphql(RESET, {"input": {"token": mail.token, "password": PASSWORD}}, guest.access)
        assert answer.user_errors("resetPassword") == []
        tokens, customer = await gateway.login("ada@example.com"), await staff.find(email="ada@example.com")
        assert tokens.access
        assert customer is not None
        assert customer["emailVerified"] is True

    async def test_works_for_a_week(self, gateway: Gateway) -> None:
        await (await Staff.of(gateway)).create(email="ada@example.com")
        await gateway.deliver()
        (mail,) = gateway.mails("ada@example.com")
        assert "for 7 days" in mail.text
        guest = await gateway.anonymous()
        gateway.clock.advance(days=7)
        guest = await gateway.anonymous()
        answer = await gateway.graphql(RESET, {"input": {"token": mail.token, "password": PASSWORD}}, guest.access)
        assert answer.user_errors("resetPassword") == [("TOKEN_EXPIRED", "token")]

    async def test_is_written_in_the_language_of_the_customer(self, gateway: Gateway) -> None:
        await (await Staff.of(gateway)).create(email="ada@example.com", preferredLanguage="de")
        assert await subjects(gateway, "ada@example.com") == ["Ihr Konto bei The shop"]

    @pytest.mark.parametrize("fields", [{"password": PASSWORD}, {"active": False}, {"onHold": True}])
    async def test_is_not_for_who_has_a_password_or_may_not_log_in(
        self, gateway: Gateway, fields: dict[str, object]
    ) -> None:
        await (await Staff.of(gateway)).create(email="ada@example.com", **fields)
        assert await subjects(gateway, "ada@example.com") == []

    async def test_comes_with_the_activation_of_who_was_made_inactive(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        customer = await staff.create(email="ada@example.com", active=False)
        await staff.update(customer["id"], active=True)
        assert await subjects(gateway, "ada@example.com") == ["Your account at The shop"]


class TestInvitationWithoutPasswords:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> dict[str, str]:
        return write(tmp_path, tenants(password_login=False))

    async def test_offers_no_password_and_leads_to_the_site_where_a_code_lets_in(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        made = await staff.create(email="ada@example.com")
        await gateway.deliver()
        (mail,) = gateway.mails("ada@example.com")
        assert mail.subject == "Your account at The shop"
        assert "https://demo.example" in mail.text
        assert "token=" not in mail.text
        assert "Choose a password" not in mail.text
        guest = await gateway.anonymous()
        ticket, code = await mailed_code(gateway, guest.access, "ada@example.com")
        answer = await complete(gateway, guest.access, ticket, emailCode=code)
        assert answer["completeLogin"]["userErrors"] == []
        assert answer["completeLogin"]["customer"]["id"] == made["id"]

    async def test_is_written_in_the_language_of_the_customer(self, gateway: Gateway) -> None:
        await (await Staff.of(gateway)).create(email="ada@example.com", preferredLanguage="de")
        await gateway.deliver()
        (mail,) = gateway.mails("ada@example.com")
        assert "Melden Sie sich mit dieser E-Mail-Adresse an" in mail.text

    async def test_comes_with_the_activation_of_who_was_made_inactive(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        customer = await staff.create(email="ada@example.com", active=False)
        assert await subjects(gateway, "ada@example.com") == []
        await staff.update(customer["id"], active=True)
        await gateway.deliver()
        (mail,) = gateway.mails("ada@example.com")
        assert "You need no password" in mail.text


class TestWithoutInvitations:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> dict[str, str]:
        return write(tmp_path, tenants(invitations=False))

    async def test_nothing_is_mailed(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        customer = await staff.create(email="ada@example.com", active=False)
        await staff.update(customer["id"], active=True)
        assert await subjects(gateway, "ada@example.com") == []


class TestEmployeeActivation:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> dict[str, str]:
        return write(tmp_path, tenants("employee_activation", staff_email="staff@shop.example"))

    async def test_tells_that_the_registration_has_come_and_then_that_the_account_is_active(
        self, gateway: Gateway
    ) -> None:
        person = await gateway.signed_up(email="ada@example.com")
        assert await subjects(gateway, "ada@example.com") == ["We have received your registration"]
        await (await Staff.of(gateway)).update(person.id, active=True)
        gateway.clock.advance(seconds=1)
        assert (await subjects(gateway, "ada@example.com"))[1:] == ["Your account is active"]

    async def test_tells_the_shop_who_waits(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(email="ada@example.com")
        await gateway.deliver()
        (mail,) = gateway.mails("staff@shop.example")
        customer = await (await Staff.of(gateway)).find(id=person.id)
        assert customer is not None
        assert mail.subject == f"A registration waits for you: {customer['customerNumber']}"
        assert "ada@example.com" in mail.text

    async def test_tells_nobody_of_a_registration_where_there_is_an_account(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(email="ada@example.com")
        await gateway.deliver()
        await (await Staff.of(gateway)).update(person.id, active=True)
        await gateway.deliver()
        before = len(gateway.mails("staff@shop.example"))
        await gateway.signed_up(email="ada@example.com")
        await gateway.deliver()
        assert len(gateway.mails("staff@shop.example")) == before
        subjects_now = [mail.subject for mail in gateway.mails("ada@example.com")]
        assert subjects_now.count("We have received your registration") == 1


class TestOtherModes:
    async def test_say_nothing_of_an_activation(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(email="ada@example.com")
        staff = await Staff.of(gateway)
        await staff.update(person.id, active=False)
        await staff.update(person.id, active=True)
        assert await subjects(gateway, "ada@example.com") == []
