"""The mails of a registration that waits for the shop, by whichever way the person has come."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.gateway import Gateway
from tests.harness.sign_in import complete, mailed_code, shop_environment
from tests.harness.social import MintingProvider, arrive, codes, openid_entry, social_environment, write_tenants

pytestmark = pytest.mark.anyio

EMAIL = "ada@example.com"
STAFF = "staff@shop.example"
RECEIVED = "We have received your registration"


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    return shop_environment(tmp_path, signup="employee_activation", login_code_signup=True, staff_email=STAFF)


async def subjects(gateway: Gateway, to: str) -> list[str]:
    await gateway.deliver()
    return [mail.subject for mail in gateway.mails(to)]


class TestSignUpByCode:
    async def test_tells_the_customer_and_the_shop_that_the_registration_waits(self, gateway: Gateway) -> None:
        session = await gateway.anonymous("shop-storefront")
        ticket, code = await mailed_code(gateway, session.access, EMAIL)
        assert RECEIVED not in await subjects(gateway, EMAIL)
        answer = await complete(gateway, session.access, ticket, emailCode=code)
        assert answer["completeLogin"]["tokens"] is None
        assert (await subjects(gateway, EMAIL)).count(RECEIVED) == 1
        (note,) = await subjects(gateway, STAFF)
        assert note.startswith("A registration waits for you: ")


class TestSignUpAtAProvider:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
        file = tmp_path / "tenants.toml"
        write_tenants(file, openid_entry("minted", minted.issuer))
        waits = 'signup = "employee_activation"'
        file.write_text(file.read_text().replace(waits, f'{waits}\nstaff_email = "{STAFF}"'))
        return social_environment(file)

    async def test_tells_the_customer_and_the_shop_once_that_the_registration_waits(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        for _ in range(2):
            payload = await (await arrive(gateway, "staffed")).log_in(minted)
            assert codes(payload) == [("ACCOUNT_INACTIVE", "")]
        (customer,) = await gateway.rows("SELECT contact_email FROM customer")
        assert (await subjects(gateway, customer.contact_email)).count(RECEIVED) == 1
        (note,) = await subjects(gateway, STAFF)
        assert note.startswith("A registration waits for you: ")
