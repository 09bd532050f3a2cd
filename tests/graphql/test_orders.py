"""Orders: each counts once, and the first two bring a customer on."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.harness.gateway import Gateway
from tests.harness.integrations import BACKEND, shops
from tests.harness.staff import RECORD_ORDER, Staff
from tests.harness.tenants import integration, shop, table

pytestmark = pytest.mark.anyio

UNKNOWN = "00000000-0000-7000-8000-000000000000"
_OTHER_BACKEND = shop("third") + integration("third", "third-backend", secret_env="BACKEND_SECRET")
_WEBHOOK = table(
    "[[tenants.shop.webhooks]]", url="http://127.0.0.1:9/hooks", topics=["customer.*"], secret_env="WEBHOOK_SECRET"
)


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
    return shops(tmp_path / "shops", BACKEND, _OTHER_BACKEND, _WEBHOOK, WEBHOOK_SECRET=secret)


@pytest.fixture
async def staff(gateway: Gateway) -> Staff:
    return await Staff.of(gateway, "shop-backend")


async def record(staff: Staff, customer_id: str, reference: str, **more: str) -> dict[str, Any]:
    answer = await staff.try_to(RECORD_ORDER, customerId=customer_id, orderReference=reference, **more)
    payload: dict[str, Any] = answer["recordOrder"]
    assert payload["userErrors"] == []
    return payload


async def emitted(gateway: Gateway, topic: str) -> int:
    (row,) = await gateway.rows("SELECT count(*) AS n FROM outbox_message WHERE topic = :topic", topic=topic)
    count: int = row.n
    return count


async def order_count(gateway: Gateway, customer_id: str) -> int:
    (row,) = await gateway.rows("SELECT order_count AS n FROM customer WHERE id = :id", id=customer_id)
    count: int = row.n
    return count


class TestRecordOrder:
    async def test_makes_a_prospect_acquired_and_then_repeat(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        statuses = [(await record(staff, made["id"], f"order-{n}"))["customer"]["status"] for n in range(3)]
        assert statuses == ["ACQUIRED", "REPEAT", "REPEAT"]
        assert (await emitted(gateway, "customer.acquired"), await emitted(gateway, "customer.repeat")) == (1, 1)
        assert await order_count(gateway, made["id"]) == 3

    async def test_counts_a_reference_once(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        payloads = [await record(staff, made["id"], reference) for reference in ("order-1", "order-1", " order-1 ")]
        assert [payload["recorded"] for payload in payloads] == [True, False, False]
        assert {payload["customer"]["status"] for payload in payloads} == {"ACQUIRED"}
        assert await order_count(gateway, made["id"]) == 1

    async def test_counts_a_reference_once_when_told_sixteen_times_at_once(
        self, gateway: Gateway, staff: Staff
    ) -> None:
        made = await staff.create()
        payloads = await asyncio.gather(*(record(staff, made["id"], "order-1") for _ in range(16)))
        assert [payload["recorded"] for payload in payloads].count(True) == 1
        assert {payload["customer"]["status"] for payload in payloads} == {"ACQUIRED"}
        assert (await emitted(gateway, "customer.acquired"), await emitted(gateway, "customer.repeat")) == (1, 0)
        assert await order_count(gateway, made["id"]) == 1

    async def test_emits_each_event_once_for_sixteen_orders_at_once(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        await asyncio.gather(*(record(staff, made["id"], f"order-{number}") for number in range(16)))
        assert (await emitted(gateway, "customer.acquired"), await emitted(gateway, "customer.repeat")) == (1, 1)
        assert await order_count(gateway, made["id"]) == 16

    async def test_gives_a_reference_to_one_of_sixteen_customers(self, gateway: Gateway, staff: Staff) -> None:
        made = [(await staff.create())["id"] for _ in range(16)]
        tries = [staff.try_to(RECORD_ORDER, customerId=each, orderReference="order-1") for each in made]
        errors = [answer.user_errors("recordOrder") for answer in await asyncio.gather(*tries)]
        assert errors.count([]) == 1
        assert errors.count([("TAKEN", "orderReference")]) == 15
        assert sorted([await order_count(gateway, each) for each in made]) == [0] * 15 + [1]

    async def test_refuses_the_order_of_another_customer(self, gateway: Gateway, staff: Staff) -> None:
        one, other = await staff.create(), await staff.create()
        await record(staff, one["id"], "order-1")
        answer = await staff.try_to(RECORD_ORDER, customerId=other["id"], orderReference="order-1")
        assert answer.user_errors("recordOrder") == [("TAKEN", "orderReference")]
        assert await order_count(gateway, other["id"]) == 0

    async def test_does_not_stand_in_the_way_of_the_customers_own_changes(self, staff: Staff) -> None:
        made = await staff.create()
        await record(staff, made["id"], "order-1")
        assert (await staff.update(made["id"], firstName="Ada", metadata={"version": 1}))["firstName"] == "Ada"

    async def test_keeps_the_time_with_its_offset(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        await record(staff, made["id"], "order-1", placedAt="2024-02-29T23:30:00-05:00")
        (row,) = await gateway.rows("SELECT placed_at FROM recorded_order")
        assert str(row.placed_at).startswith("2024-03-01 04:30:00")

    async def test_tells_every_fault_at_once(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        later = (gateway.clock.now() + timedelta(minutes=6)).isoformat()
        answer = await staff.try_to(RECORD_ORDER, customerId=made["id"], orderReference=" ", placedAt=later)
        assert answer.user_errors("recordOrder") == [("REQUIRED", "orderReference"), ("INVALID", "placedAt")]
        answer = await staff.try_to(
            RECORD_ORDER, customerId=made["id"], orderReference="x" * 129, placedAt="2024-02-29T23:30:00"
        )
        assert answer.user_errors("recordOrder") == [("TOO_LONG", "orderReference"), ("INVALID", "placedAt")]
        assert await order_count(gateway, made["id"]) == 0

    async def test_does_not_find_a_customer_of_another_shop(self, gateway: Gateway, staff: Staff) -> None:
        other = await Staff.of(gateway, "third-backend")
        theirs = await other.create()
        for customer_id in (theirs["id"], UNKNOWN):
            answer = await staff.try_to(RECORD_ORDER, customerId=customer_id, orderReference="order-1")
            assert answer.user_errors("recordOrder") == [("NOT_FOUND", "customerId")]
        assert await order_count(gateway, theirs["id"]) == 0

    async def test_takes_a_reference_that_only_another_shop_has(self, gateway: Gateway, staff: Staff) -> None:
        other = await Staff.of(gateway, "third-backend")
        await record(other, (await other.create())["id"], "order-1")
        assert (await record(staff, (await staff.create())["id"], "order-1"))["recorded"] is True

    async def test_is_for_integrations_with_the_scope_only(self, gateway: Gateway) -> None:
        reader = await Staff.of(gateway, "shop-backend", scope="customers.read")
        answer = await reader.try_to(RECORD_ORDER, customerId=UNKNOWN, orderReference="order-1")
        assert answer.codes == ["FORBIDDEN"]


class TestEvents:
    async def test_tell_what_staff_changed(self, gateway: Gateway, staff: Staff) -> None:
        group = await staff.create_group("wholesale")
        made = await staff.create(groupIds=[group["id"]])
        assert await emitted(gateway, "customer.created") == 1
        await staff.update(made["id"], firstName="Ada", groupIds=[], active=False)
        await staff.update(made["id"], active=True)
        await staff.update(made["id"], active=True)
        topics = ("updated", "group_changed", "deactivated", "activated")
        assert [await emitted(gateway, f"customer.{topic}") for topic in topics] == [3, 1, 1, 1]

    async def test_tell_of_nothing_when_the_change_was_refused(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create(shopperReference="taken")
        await staff.create(shopperReference="other")
        update = "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { userErrors { code } } }"
        await staff.try_to(update, id=made["id"], active=False, shopperReference="other")
        assert await emitted(gateway, "customer.deactivated") == 0
        assert await emitted(gateway, "customer.updated") == 0
