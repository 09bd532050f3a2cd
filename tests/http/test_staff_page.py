"""The staff page, as a browser gets it; what its forms have done is seen through the public API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.adapters.keys.signer import Es256Signer
from tests.fakes import MovableClock
from tests.harness.client import Person
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.staff import ENVIRONMENT, Staff
from tests.harness.tenants import shop, storefront

pytestmark = pytest.mark.anyio

ME = "{ me { id } }"
CUSTOMER = "query ($id: ID!) { customer(id: $id) { active onHold groups { code } } }"


@pytest.fixture
def settings_environment() -> dict[str, str]:
    return ENVIRONMENT


@pytest.fixture
async def gateway(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[Gateway]:
    """Run the whole gateway, where the tests beside this one have an example."""
    async with run_gateway(environment, clock) as running:
        yield running


async def page(gateway: Gateway, path: str, **query: str) -> str:
    """Return a page as a browser reads it: without a script, and with forms for ourselves only."""
    response = await gateway.http.get(path, params=query)
    assert response.status_code == 200, response.text
    check_is_page(response)
    return response.text


def check_is_page(response: httpx2.Response) -> None:
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "form-action 'self'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    # With `no-referrer` browsers would send `Origin: null` with our own forms.
    assert response.headers["referrer-policy"] == "same-origin"
    assert "<script" not in response.text


async def post(gateway: Gateway, path: str, headers: dict[str, str] | None = None, **form: str) -> httpx2.Response:
    """Send a form as a browser does that has it from the page at PUBLIC_URL."""
    own = {"Origin": gateway.tools.public_url, "Sec-Fetch-Site": "same-origin"}
    return await gateway.http.post(path, data=form, headers=own if headers is None else headers)


async def done(gateway: Gateway, path: str, **form: str) -> str:
    """Send a form that works, and return the page that the browser is led to."""
    answer = await post(gateway, path, None, **form)
    assert answer.status_code == 303, answer.text
    return (await gateway.http.get(answer.headers["location"])).text


def path_of(customer_id: str, tenant: str = "demo") -> str:
    return f"/dev/staff/shops/{tenant}/customers/{customer_id}"


async def customer(gateway: Gateway, person: Person) -> dict[str, Any]:
    staff = await Staff.of(gateway)
    answer = await gateway.graphql(CUSTOMER, {"id": person.id}, staff.token)
    found: dict[str, Any] = answer["customer"]
    return found


async def audited(gateway: Gateway, person: Person) -> list[tuple[str, str, str]]:
    """Return what the audit says of staff about the customer: the action, and who."""
    lines = await gateway.rows(
        "SELECT action, actor_kind, actor_id FROM audit_event WHERE customer_id = :id AND actor_kind = 'INTEGRATION'"
        " ORDER BY id",
        id=person.id,
    )
    return [(line.action, line.actor_kind, line.actor_id) for line in lines]


class TestSearch:
    async def test_finds_customers_by_what_staff_know_of_them(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        ada = await staff.create(email="ada@example.com", firstName="Ada", lastName="Lovelace")
        await staff.create(email="bob@example.com", firstName="Bob", lastName="Babbage")
        everybody = await page(gateway, "/dev/staff")
        assert path_of(ada["id"]) in everybody
        assert "bob@example.com" in everybody
        for known in ("ada@", "lovelace", ada["customerNumber"], ada["shopperReference"], ada["id"]):
            found = await page(gateway, "/dev/staff", search=known)
            assert "ada@example.com" in found, known
            assert "bob@example.com" not in found, known
        for nobody in ("zoe@", "\0", "<b>", "%"):
            found = await page(gateway, "/dev/staff", search=nobody)
            assert ("Nobody is found by this." in found) == (nobody != "\0")
            assert "<b>" not in found
        assert "ada@example.com" not in await page(gateway, "/dev/staff", shop="open")
        assert (await gateway.http.get("/dev/staff", params={"shop": "nothing"})).status_code == 404
        assert (await gateway.http.get("/dev/staff", params={"after": "nonsense"})).status_code == 400


class TestCustomer:
    async def test_is_held_and_released_as_by_the_api(self, gateway: Gateway) -> None:
        ada = await gateway.customer(email="ada@example.com")
        assert "Put on hold" in await page(gateway, path_of(ada.id))
        held = await done(gateway, f"{path_of(ada.id)}/hold", value="true")
        assert "The customer is on hold." in held
        assert "End the hold" in held
        assert (await customer(gateway, ada))["onHold"] is True
        assert (await gateway.graphql(ME, token=ada.tokens.access)).codes == ["UNAUTHENTICATED"]
        assert "Put on hold" in await done(gateway, f"{path_of(ada.id)}/hold", value="false")
        assert (await customer(gateway, ada))["onHold"] is False
        assert await audited(gateway, ada) == [("customer.hold", "INTEGRATION", "staff-page")] * 2

    async def test_is_not_there_for_an_id_of_nobody_or_of_another_shop(self, gateway: Gateway) -> None:
        ada = await gateway.customer(email="ada@example.com")
        for path in (path_of("nobody"), path_of(ada.id, "open"), path_of(ada.id, "nothing"), path_of("%22%3E")):
            assert (await gateway.http.get(path)).status_code == 404, path
            assert (await post(gateway, f"{path}/hold", value="true")).status_code == 404, path
        assert (await customer(gateway, ada))["onHold"] is False


class TestForms:
    async def test_are_taken_from_our_own_pages_only(self, gateway: Gateway) -> None:
        ada = await gateway.customer(email="ada@example.com")
        url = gateway.tools.public_url
        for headers in (
            {},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": url, "Sec-Fetch-Site": "cross-site"},
            {"Origin": url, "Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "same-origin"},
            # A name of somebody else's that leads to this machine.
            {"Origin": "http://evil.example", "Host": "evil.example", "Sec-Fetch-Site": "same-origin"},
        ):
            refused = await post(gateway, f"{path_of(ada.id)}/hold", headers, value="true")
            assert refused.status_code == 403, headers
        assert (await customer(gateway, ada))["onHold"] is False
        for host in ("127.0.0.1:8000", "localhost:9999", "[::1]:8000", "192.168.1.5:8000"):
            own = {"Origin": f"http://{host}", "Host": host, "Sec-Fetch-Site": "same-origin"}
            assert (await post(gateway, f"{path_of(ada.id)}/hold", own, value="true")).status_code == 303, host
        assert (await customer(gateway, ada))["onHold"] is True

    async def test_are_refused_when_they_are_none(self, gateway: Gateway) -> None:
        ada = await gateway.customer(email="ada@example.com")
        path = f"{path_of(ada.id)}/hold"
        assert (await post(gateway, path)).status_code == 415
        assert (await post(gateway, path, value="perhaps")).status_code == 400
        assert (await post(gateway, path, value="true", more="x" * 20_000)).status_code == 413
        assert (await gateway.http.get(path)).status_code == 405
        assert (await customer(gateway, ada))["onHold"] is False


class TestElsewhere:
    async def test_does_not_exist_in_production(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        keys, tenants = tmp_path / "keys.json", tmp_path / "tenants.toml"
        Es256Signer.load_or_create(keys)
        tenants.write_text(shop("shop") + storefront("shop", "window"))
        production = {
            "PROFILE": "production",
            "PUBLIC_URL": "https://customers.shop.example",
            "SMTP_URL": "smtp://127.0.0.1:2525",
            "MAIL_FROM": "shop@example.com",
            "SIGNING_KEYS_FILE": str(keys),
            "TENANTS_FILE": str(tenants),
        }
        async with run_gateway({**environment, **production}, clock) as gateway:
            assert (await gateway.http.get("/healthz")).status_code == 200
            for path in ("/dev/staff", "/dev/staff/audit", "/dev/staff/shops/shop/customers/a"):
                assert (await gateway.http.get(path)).status_code == 404
            assert (await post(gateway, "/dev/staff/shops/shop/customers/a/hold", value="true")).status_code == 404
