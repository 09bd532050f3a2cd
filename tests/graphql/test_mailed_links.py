"""Where mailed links lead: into the app, if the app has begun what the mail is about, and else to the site."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.anonymizations import REQUEST
from tests.harness.client import Person
from tests.harness.gateway import Gateway
from tests.harness.sign_in import LOGIN, code_mails, code_of, complete, mailed_code
from tests.harness.tenants import shop, storefront, table

pytestmark = pytest.mark.anyio

SITE = "https://shop.example"
LINKS = {
    "reset": f"{SITE}/app/reset",
    "confirm": f"{SITE}/app/confirm-signup",
    "email_change": f"{SITE}/app/change",
    "email_revert": f"{SITE}/app/revert",
    "anonymization_cancel": f"{SITE}/app/stay",
    "login_code": f"{SITE}/app/login?from=mail",
}
APP, WEB = "shop-app", "shop-web"
NEW_EMAIL = "countess@example.org"


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "tenants.toml"
    file.write_text(
        shop(
            "shop",
            signup="confirm_email",
            require_second_factor="staff_marked",
            anonymization_by=["customer"],
            anonymization_delay_hours=24,
        )
        + storefront("shop", APP)
        + table("[tenants.shop.clients.links]", **LINKS)
        + storefront("shop", WEB)
    )
    return {"TENANTS_FILE": str(file)}


async def links(gateway: Gateway, email: str) -> list[str]:
    """Deliver, and return where the links of the mails to an address lead, without their tokens."""
    await gateway.deliver()
    words = " ".join(mail.text for mail in gateway.mails(email)).split()
    return [word.partition("?token=")[0] for word in words if "?token=" in word]


async def change_email(gateway: Gateway, person: Person) -> None:
    given = {"input": {"newEmail": NEW_EMAIL, "password": PASSWORD}}
    await gateway.graphql(operations.CHANGE_EMAIL, given, person.tokens.access)


async def ask_for_reset(gateway: Gateway, email: str, token: str, site: str | None = None) -> None:
    given = {"input": {"email": email, "site": site}}
    await gateway.graphql(operations.REQUEST_PASSWORD_RESET, given, token)


class TestOfAnApp:
    async def test_lead_into_it(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(APP)
        assert await links(gateway, person.email) == [LINKS["confirm"]]
        await gateway.graphql(operations.RESEND_CONFIRMATION, {"input": {"email": person.email}}, person.tokens.access)
        assert await links(gateway, person.email) == [LINKS["confirm"]] * 2

    async def test_lead_into_it_from_an_account_that_is_there(self, gateway: Gateway) -> None:
        person = await gateway.customer(APP)
        await change_email(gateway, person)
        assert await links(gateway, NEW_EMAIL) == [LINKS["email_change"]]
        assert (await links(gateway, person.email))[1:] == [LINKS["email_revert"]]
        await ask_for_reset(gateway, person.email, person.tokens.access)
        assert (await links(gateway, person.email))[2:] == [LINKS["reset"]]
        await gateway.graphql(REQUEST, {"input": None}, person.tokens.access)
        assert (await links(gateway, person.email))[3:] == [LINKS["anonymization_cancel"]]

    async def test_lead_into_it_whatever_site_is_named(self, gateway: Gateway) -> None:
        person = await gateway.customer(APP)
        await ask_for_reset(gateway, person.email, person.tokens.access, "main")
        assert (await links(gateway, person.email))[1:] == [LINKS["reset"]]

    async def test_lead_into_it_with_the_code_that_signs_in(self, gateway: Gateway) -> None:
        person = await gateway.customer(APP)
        token = (await gateway.anonymous(APP)).access
        ticket, code = await mailed_code(gateway, token, person.email)
        assert f"{LINKS['login_code']}&code={code}" in code_mails(gateway, person.email)[-1].text.split()
        assert (await complete(gateway, token, ticket, emailCode=code))["completeLogin"]["customer"]["id"] == person.id

    async def test_lead_into_it_with_the_code_for_a_second_factor(self, gateway: Gateway) -> None:
        person = await gateway.customer(APP)
        await gateway.write("UPDATE customer SET second_factor_required = true")
        token = (await gateway.anonymous(APP)).access
        given = {"input": {"email": person.email, "password": PASSWORD}}
        assert (await gateway.graphql(LOGIN, given, token))["login"]["nextStep"]["methods"] == ["EMAIL_CODE"]
        await gateway.deliver()
        mail = code_mails(gateway, person.email)[-1]
        assert f"{LINKS['login_code']}&code={code_of(mail)}" in mail.text.split()


class TestOfASite:
    async def test_lead_to_its_page_with_the_code_that_signs_in(self, gateway: Gateway) -> None:
        person = await gateway.customer(APP)
        token = (await gateway.anonymous(WEB)).access
        _, code = await mailed_code(gateway, token, person.email)
        assert f"{SITE}/login-code?code={code}" in code_mails(gateway, person.email)[-1].text.split()

    async def test_lead_to_its_pages(self, gateway: Gateway) -> None:
        person = await gateway.customer(WEB)
        await change_email(gateway, person)
        assert await links(gateway, NEW_EMAIL) == [f"{SITE}/confirm-email"]
        assert await links(gateway, person.email) == [f"{SITE}/confirm-signup", f"{SITE}/revert-email"]

    async def test_lead_to_its_pages_also_for_a_customer_who_has_come_by_the_app(self, gateway: Gateway) -> None:
        person = await gateway.customer(APP)
        await ask_for_reset(gateway, person.email, (await gateway.anonymous(WEB)).access)
        assert (await links(gateway, person.email))[1:] == [f"{SITE}/reset-password"]
