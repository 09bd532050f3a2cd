"""The staff page, as a browser gets it; what its forms have done is seen through the public API."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.client import Person
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.integrations import SECRET
from tests.harness.production import production
from tests.harness.receiver import Receiver, run_receiver
from tests.harness.staff import ENVIRONMENT, Staff
from tests.harness.tenants import integration, shop, storefront, table

pytestmark = pytest.mark.anyio

HOOK_SECRET = "whsec_" + b64encode(b"the secret of these tests, now").decode()
ME = "{ me { id } }"
SESSIONS = "{ sessions { actor { id type reason } } }"
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
        for known in ("ada@", "ada@exam", "LOVELACE a", ada["customerNumber"], ada["shopperReference"], ada["id"]):
            found = await page(gateway, "/dev/staff", search=known)
            assert "ada@example.com" in found, known
            assert "bob@example.com" not in found, known
        for nobody in ("zoe@", "\0", "<zoe>", "%"):
            found = await page(gateway, "/dev/staff", search=nobody)
            assert ("Nobody is found by this." in found) == (nobody != "\0")
            assert "<zoe>" not in found
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

    async def test_is_deactivated_and_activated_as_by_the_api(self, gateway: Gateway) -> None:
        ada = await gateway.customer(email="ada@example.com")
        assert "Activate" in await done(gateway, f"{path_of(ada.id)}/active", value="false")
        assert (await customer(gateway, ada))["active"] is False
        assert (await gateway.graphql(ME, token=ada.tokens.access)).codes == ["UNAUTHENTICATED"]
        assert "Deactivate" in await done(gateway, f"{path_of(ada.id)}/active", value="true")
        assert (await customer(gateway, ada))["active"] is True
        assert await audited(gateway, ada) == [("customer.activation", "INTEGRATION", "staff-page")] * 2

    async def test_is_put_into_groups_and_taken_out(self, gateway: Gateway) -> None:
        staff, ada = await Staff.of(gateway), await gateway.customer(email="ada@example.com")
        groups = {code: (await staff.create_group(code))["id"] for code in ("retail", "wholesale")}
        for code in groups:
            await done(gateway, f"{path_of(ada.id)}/groups", group=groups[code], value="true")
        assert (await customer(gateway, ada))["groups"] == [{"code": "retail"}, {"code": "wholesale"}]
        shown = await done(gateway, f"{path_of(ada.id)}/groups", group=groups["retail"], value="false")
        assert "The customer has left the group." in shown
        assert (await customer(gateway, ada))["groups"] == [{"code": "wholesale"}]
        refused = await post(gateway, f"{path_of(ada.id)}/groups", group="nothing", value="true")
        assert refused.status_code == 422
        assert "(NOT_FOUND at groupIds" in refused.text
        assert (await customer(gateway, ada))["groups"] == [{"code": "wholesale"}]

    async def test_is_acted_for_with_a_reason(self, gateway: Gateway) -> None:
        ada = await gateway.customer(email="ada@example.com")
        path = f"{path_of(ada.id)}/on-behalf"
        answer = await post(gateway, path, reason="Phone <order> 4711")
        assert answer.status_code == 200
        check_is_page(answer)
        (token,) = re.findall(r'value="(cg_[\w-]+)" readonly', answer.text)
        assert (await gateway.graphql(ME, token=token))["me"] == {"id": ada.id}
        (session,) = [each for each in (await gateway.graphql(SESSIONS, token=token))["sessions"] if each["actor"]]
        assert session["actor"] == {"id": "staff-page", "type": "Client", "reason": "Phone <order> 4711"}
        assert await audited(gateway, ada) == [("on_behalf.started", "INTEGRATION", "staff-page")]
        shown = await page(gateway, path_of(ada.id))
        assert "<span>Phone &lt;order&gt; 4711</span>" in shown
        assert token not in shown
        without = await post(gateway, path, reason="")
        assert without.status_code == 422
        assert "(REQUIRED at reason)" in without.text
        await done(gateway, f"{path_of(ada.id)}/hold", value="true")
        held = await post(gateway, path, reason="Again")
        assert "(ACCOUNT_ON_HOLD at customerId)" in held.text
        assert 'value="Again"' in held.text
        assert (await gateway.graphql(ME, token=token)).codes == ["UNAUTHENTICATED"]

    async def test_shows_what_is_known(self, gateway: Gateway) -> None:
        ada = await gateway.customer(email="ada@example.com")
        address = {"contactName": "Ada <L>", "street": "Main Street", "city": "London", "country": "GB"}
        created = await gateway.graphql(operations.CREATE_ADDRESS, {"input": address}, ada.tokens.access)
        assert created.user_errors("createAddress") == []
        shown = await page(gateway, path_of(ada.id))
        assert "ada@example.com (verified)" in shown
        assert "Ada &lt;L&gt;" in shown
        assert "demo-storefront · begun" in shown
        for line in ("<strong>signup</strong>", "<strong>login</strong>"):
            assert line in shown
        bob = await gateway.customer(email="bob@example.com")
        await gateway.write("UPDATE customer SET merged_into = :bob WHERE id = :ada", ada=ada.id, bob=bob.id)
        assert f'<a href="{path_of(bob.id)}">' in await page(gateway, path_of(ada.id))
        audit = await page(gateway, "/dev/staff/audit", shop="demo")
        assert f'<a href="{path_of(ada.id)}">' in audit
        assert ada.id not in await page(gateway, "/dev/staff/audit", shop="open")

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


class TestSending:
    @pytest.fixture
    async def receiver(self) -> AsyncIterator[Receiver]:
        async with run_receiver() as running:
            yield running

    @pytest.fixture
    def settings_environment(self, tmp_path: Path, receiver: Receiver) -> dict[str, str]:
        hook = table(
            "[[tenants.demo.webhooks]]", url=receiver.url, topics=["customer.created"], secret_env="HOOK_SECRET"
        )
        window, back = storefront("demo", "demo-storefront"), integration("demo", "back", secret_env="BACK_SECRET")
        (tmp_path / "tenants.toml").write_text(shop("demo") + window + back + hook + shop("bare"))
        with (tmp_path / "tenants.toml").open("a") as file:
            file.write(storefront("bare", "bare-window"))
        return {"TENANTS_FILE": str(tmp_path / "tenants.toml"), "HOOK_SECRET": HOOK_SECRET, "BACK_SECRET": SECRET}

    async def test_shows_replays_and_retries_what_leaves_the_shop(self, gateway: Gateway, receiver: Receiver) -> None:
        receiver.status = 500
        await gateway.signed_up(email="ada@example.com")
        outbox = await page(gateway, "/dev/staff/outbox")
        assert "customer.created" in outbox
        assert "ada@example.com" not in outbox
        await gateway.deliver()
        (event,) = [each.id for each in await gateway.rows("SELECT id FROM outbox_message WHERE endpoint IS NOT NULL")]
        failing = await page(gateway, "/dev/staff/webhooks", shop="demo", failed="yes")
        assert event in failing
        assert "The endpoint answered 500." in failing
        assert "failures: 1" in failing
        await gateway.write("UPDATE outbox_message SET dead_at = created_at WHERE id = :id", id=event)
        assert "1 dead." in await page(gateway, "/dev/staff/outbox")
        receiver.status = 204
        assert "0 dead." in await done(gateway, "/dev/staff/outbox/retry", message=event)
        assert "The pauses have ended" in await done(
            gateway, "/dev/staff/webhooks/resume", shop="demo", url=receiver.url
        )
        await gateway.deliver()
        assert await page(gateway, "/dev/staff/webhooks", failed="yes") != failing
        assert "The event will be sent again" in await done(gateway, "/dev/staff/webhooks/replay", event=event)
        await gateway.deliver()
        assert [each.id for each in receiver.deliveries] == [event] * 3
        assert receiver.deliveries[2].verify(HOOK_SECRET)["type"] == "customer.created"

    async def test_refuses_what_is_not_there(self, gateway: Gateway) -> None:
        for path, form, words in (
            ("outbox/retry", {"message": "nothing"}, "There is no dead or failing message nothing."),
            ("webhooks/replay", {"event": "nothing"}, "There is no event nothing"),
            ("webhooks/resume", {"url": "https://nowhere.example"}, "There is no webhook with the URL"),
            ("webhooks/resume", {"shop": "nothing"}, "There is no tenant"),
        ):
            refused = await post(gateway, f"/dev/staff/{path}", None, **form)
            assert refused.status_code == 422, path
            assert words in refused.text
            other = await post(gateway, f"/dev/staff/{path}", {"Origin": "https://evil.example"}, **form)
            assert other.status_code == 403
        assert (await gateway.http.get("/dev/staff/webhooks", params={"shop": "nothing"})).status_code == 404

    async def test_shows_the_shops_as_loaded_without_their_secrets(self, gateway: Gateway) -> None:
        assert "bare" in await page(gateway, "/dev/staff/shops")
        shown = await page(gateway, "/dev/staff/shops/demo")
        assert "(set, not shown)" in shown
        assert "demo-storefront" in shown
        assert SECRET not in shown
        assert HOOK_SECRET not in shown
        bare = await gateway.http.get("/dev/staff", params={"shop": "bare"})
        assert bare.status_code == 400
        assert "This shop has no client of kind" in bare.text


class TestElsewhere:
    async def test_leads_on_below_the_path_of_the_public_url(
        self, environment: dict[str, str], clock: MovableClock
    ) -> None:
        async with run_gateway({**environment, "PUBLIC_URL": "https://shop.example/customers"}, clock) as gateway:
            ada = await gateway.customer(email="ada@example.com")
            own = {"Origin": "https://shop.example", "Sec-Fetch-Site": "same-origin"}
            answer = await post(gateway, f"{path_of(ada.id)}/hold", own, value="true")
            assert answer.headers["location"] == f"/customers{path_of(ada.id)}?done=held"
            for path in ("", "/audit", "/outbox", "/webhooks", "/shops", "/shops/demo", path_of(ada.id)[10:]):
                shown = await page(gateway, f"/dev/staff{path}")
                links = re.findall(r'(?:href|action)="([^"]+)"', shown)
                assert all(link.startswith("/customers/dev") for link in links), path

    async def test_does_not_exist_in_production(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        async with run_gateway({**environment, **production(tmp_path)}, clock) as gateway:
            assert (await gateway.http.get("/healthz")).status_code == 200
            for path in ("/dev/staff", "/dev/staff/audit", "/dev/staff/shops/shop/customers/a"):
                assert (await gateway.http.get(path)).status_code == 404
            assert (await post(gateway, "/dev/staff/shops/shop/customers/a/hold", value="true")).status_code == 404
