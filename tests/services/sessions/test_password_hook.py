"""First logins of customers whose passwords are still in the old shop: it is asked once, and never again."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.adapters.password_hooks import MOST_AT_ONCE, WebhookPasswordHooks
from app.adapters.webhooks import HttpWebhookSender
from app.domain.ports import PasswordQuestion, Webhook
from app.domain.tenants import PasswordHook
from app.services.staff.import_files import import_file
from app.services.staff.import_sources import open_source
from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.integrations import integration_token
from tests.harness.receiver import Receiver, run_receiver
from tests.harness.sign_in import limits, shop_environment
from tests.harness.tenants import table

pytestmark = pytest.mark.anyio

CLIENT = "shop-storefront"
ADA = "ada@example.com"
WRONG = "wrong-harbour-42"
NEW = "violet-canyon-77"
AT_ONCE = 16
SECRET = "whsec_" + "A" * 32
RESET_TOKEN = """mutation ($input: CreatePasswordResetTokenInput!) {
    createPasswordResetToken(input: $input) { token userErrors { code } }
}"""
RESET = "mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { userErrors { code field } } }"
CREATE = (
    "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code } } }"
)


class OldShop(Receiver):
    """The old shop: it knows everybody's password, and answers 200 or 401 as a real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.before_answer = self._look

    @property
    def asked(self) -> list[tuple[str, str]]:
        """What it was asked, if that was signed with the secret that both have."""
        questions = [delivery.verify(SECRET) for delivery in self.deliveries]
        return [(question["email"], question["password"]) for question in questions]

    async def _look(self) -> None:
        self.status = 200 if self.asked[-1][1] == PASSWORD else 401


@pytest.fixture
async def old_shop() -> AsyncIterator[OldShop]:
    old_shop = OldShop()
    async with run_receiver(receiver=old_shop):
        yield old_shop


@pytest.fixture
def settings_environment(tmp_path: Path, old_shop: OldShop) -> dict[str, str]:
    hook = table("[tenants.shop.password_hook]", url=old_shop.url, secret_env="HOOK_SECRET")
    # Sixteen may come at once, and after sixteen failures everybody waits.
    many = limits(
        login_failures_per_account_per_5_minutes=AT_ONCE,
        login_failures_per_ip_per_minute=100,
        login_per_ip_per_minute=100,
    )
    return {**shop_environment(tmp_path, hook, many), "HOOK_SECRET": SECRET}


@pytest.fixture
async def customer_id(gateway: Gateway, tmp_path: Path) -> str:
    """Import somebody without a hash."""
    (found,) = await bring_in(gateway, tmp_path, {"email": ADA, "emailVerified": True})
    return found


async def bring_in(gateway: Gateway, folder: Path, *lines: dict[str, Any]) -> list[str]:
    file = folder / "customers.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    await import_file(gateway.tools, gateway.tools.tenants.tenant("shop"), open_source(file))
    report = file.with_name("customers.jsonl.report.jsonl").read_text().splitlines()
    return [json.loads(line)["customerId"] for line in report]


async def log_in(gateway: Gateway, password: str = PASSWORD, email: str = ADA) -> Answer:
    token = (await gateway.anonymous(CLIENT)).access
    return await gateway.graphql(operations.LOGIN, {"input": {"email": email, "password": password}}, token)


def codes(answer: Answer) -> list[str]:
    return [code for code, _ in answer.user_errors("login")]


async def encoded(gateway: Gateway, customer_id: str) -> str | None:
    (row,) = await gateway.rows("SELECT password_hash FROM credential WHERE customer_id = :id", id=customer_id)
    found: str | None = row.password_hash
    return found


class TestTheFirstLogin:
    async def test_asks_the_old_shop_once_and_never_again(
        self, gateway: Gateway, old_shop: OldShop, customer_id: str
    ) -> None:
        assert codes(await log_in(gateway, WRONG)) == ["INVALID_CREDENTIALS"]
        assert await encoded(gateway, customer_id) is None
        assert codes(await log_in(gateway)) == []
        assert (await encoded(gateway, customer_id) or "").startswith("$argon2id$")
        assert codes(await log_in(gateway)) == []
        assert codes(await log_in(gateway, WRONG)) == ["INVALID_CREDENTIALS"]
        assert old_shop.asked == [(ADA, WRONG), (ADA, PASSWORD)]

    async def test_is_written_down_and_counted(self, gateway: Gateway, old_shop: OldShop, customer_id: str) -> None:
        await log_in(gateway)
        audit = await gateway.rows("SELECT action FROM audit_event WHERE customer_id = :id", id=customer_id)
        assert {"password.taken_over", "login"} <= {row.action for row in audit}
        registry = gateway.tools.metrics.registry  # type: ignore[attr-defined]
        assert registry.get_sample_value("gateway_password_hook_seconds_count", {"answer": "right"}) == 1

    async def test_is_decided_by_the_database_where_sixteen_come_at_once(
        self, gateway: Gateway, old_shop: OldShop, customer_id: str
    ) -> None:
        answers = await asyncio.gather(*(log_in(gateway) for _ in range(AT_ONCE)))
        outcomes = Counter(tuple(codes(answer)) for answer in answers)
        assert outcomes == Counter({(): AT_ONCE})
        taken = await gateway.rows(
            "SELECT id FROM audit_event WHERE customer_id = :id AND action = 'password.taken_over'", id=customer_id
        )
        assert len(taken) == 1
        asked = len(old_shop.asked)
        await log_in(gateway)
        assert len(old_shop.asked) == asked

    async def test_counts_a_wrong_password_as_any_other(
        self, gateway: Gateway, old_shop: OldShop, customer_id: str
    ) -> None:
        refusals = await asyncio.gather(*(log_in(gateway, WRONG) for _ in range(AT_ONCE)))
        assert [codes(each) for each in refusals] == [["INVALID_CREDENTIALS"]] * AT_ONCE
        assert (await log_in(gateway)).codes == ["RATE_LIMITED"]
        assert len(old_shop.asked) == AT_ONCE

    async def test_holds_no_connection_while_it_asks(
        self, gateway: Gateway, old_shop: OldShop, customer_id: str
    ) -> None:
        held: list[int] = []

        async def look() -> None:
            held.append(gateway.tools.database.connections_in_use)
            old_shop.status = 200

        old_shop.before_answer = look
        assert codes(await log_in(gateway)) == []
        assert held == [0]

    async def test_does_not_store_what_a_new_password_has_overtaken(
        self, gateway: Gateway, old_shop: OldShop, customer_id: str
    ) -> None:
        async def reset() -> None:
            await set_password(gateway, customer_id)
            old_shop.status = 200

        old_shop.before_answer = reset
        assert codes(await log_in(gateway)) == ["INVALID_CREDENTIALS"]
        assert codes(await log_in(gateway, NEW)) == []
        assert codes(await log_in(gateway)) == ["INVALID_CREDENTIALS"]
        assert len(old_shop.asked) == 1


async def set_password(gateway: Gateway, customer_id: str) -> None:
    """Set a new password by a token that staff have made."""
    secret = "a-secret-of-the-backend-of-the-shop-1"
    token = await integration_token(gateway, "shop-backend", secret=secret)
    made = await gateway.graphql(RESET_TOKEN, {"input": {"customerId": customer_id}}, token)
    given = {"token": made["createPasswordResetToken"]["token"], "password": NEW}
    answer = await gateway.graphql(RESET, {"input": given}, (await gateway.anonymous(CLIENT)).access)
    assert answer.user_errors("resetPassword") == []


class TestAnOldShopThatDoesNotTell:
    @pytest.mark.parametrize("status", [204, 302, 403, 500])
    async def test_makes_the_gateway_busy_and_counts_nothing(
        self, gateway: Gateway, old_shop: OldShop, customer_id: str, status: int
    ) -> None:
        async def fail() -> None:
            old_shop.status = status

        old_shop.before_answer = fail
        for answer in await asyncio.gather(*(log_in(gateway) for _ in range(AT_ONCE))):
            assert answer.codes == ["SERVICE_BUSY"]
            assert answer.errors[0]["extensions"]["retryAfter"] == 5
        old_shop.before_answer = old_shop._look
        assert codes(await log_in(gateway)) == []

    async def test_is_not_waited_for(self, gateway: Gateway, old_shop: OldShop, customer_id: str) -> None:
        never = asyncio.Event()
        old_shop.before_answer = never.wait
        gateway.tools.password_hooks._sender._timeout = 0.05  # type: ignore[attr-defined]
        assert (await log_in(gateway)).codes == ["SERVICE_BUSY"]
        never.set()

    async def test_is_no_reason_to_keep_others_out(
        self, gateway: Gateway, old_shop: OldShop, customer_id: str, tmp_path: Path
    ) -> None:
        await log_in(gateway)
        old_shop.hangs_up = True
        assert codes(await log_in(gateway)) == []
        assert codes(await log_in(gateway, email="nobody@example.com")) == ["INVALID_CREDENTIALS"]


class TestWhoseFirstLogin:
    async def test_asks_for_nobody_but_those_who_were_imported_without_a_password(
        self, gateway: Gateway, old_shop: OldShop, tmp_path: Path
    ) -> None:
        await bring_in(
            gateway,
            tmp_path,
            {"email": "hashed@example.com", "passwordHash": "9af7f6905736312199acd62deb0bdbae"},
            {"email": "inactive@example.com", "active": False},
        )
        secret = "a-secret-of-the-backend-of-the-shop-1"
        token = await integration_token(gateway, "shop-backend", secret=secret)
        await gateway.graphql(CREATE, {"input": {"email": "invited@example.com"}}, token)
        for email in ("hashed@example.com", "invited@example.com", "nobody@example.com", "inactive@example.com"):
            assert codes(await log_in(gateway, WRONG, email)) == ["INVALID_CREDENTIALS"]
        assert codes(await log_in(gateway, PASSWORD, "hashed@example.com")) == []
        # Whoever knows the password learns that the account is not active, so this is asked for too.
        assert old_shop.asked == [("inactive@example.com", WRONG)]

    async def test_asks_for_nobody_who_has_chosen_a_password_since(
        self, gateway: Gateway, old_shop: OldShop, customer_id: str
    ) -> None:
        await set_password(gateway, customer_id)
        assert codes(await log_in(gateway)) == ["INVALID_CREDENTIALS"]
        assert codes(await log_in(gateway, NEW)) == []
        assert old_shop.asked == []

    async def test_asks_for_those_too_whose_address_nobody_has_proved(
        self, gateway: Gateway, old_shop: OldShop, tmp_path: Path
    ) -> None:
        await bring_in(gateway, tmp_path, {"email": ADA})
        assert codes(await log_in(gateway)) == []
        assert old_shop.asked == [(ADA, PASSWORD)]


class TestARefusal:
    @pytest.mark.wall_clock
    @pytest.mark.usefixtures("costly_passwords")
    async def test_takes_as_long_whether_or_not_the_old_shop_was_asked(
        self, gateway: Gateway, old_shop: OldShop, customer_id: str
    ) -> None:
        async def slowly() -> None:
            await asyncio.sleep(0.4)
            old_shop.status = 401

        old_shop.before_answer = slowly
        took: dict[str, list[float]] = {ADA: [], "nobody@example.com": []}
        await log_in(gateway, WRONG)
        for number in range(3):
            for email, seconds in took.items():
                gateway.ip = f"10.7.0.{number + 1}"
                began = time.perf_counter()
                assert codes(await log_in(gateway, WRONG, email)) == ["INVALID_CREDENTIALS"]
                seconds.append(time.perf_counter() - began)
        asked, unknown = (min(seconds) for seconds in took.values())
        assert 0.7 < asked / unknown < 1.4, took


class TestTheAdapter:
    async def test_asks_only_so_many_at_once(self) -> None:
        waits = asyncio.Event()

        class Slow:
            async def send(self, webhook: Webhook) -> int:
                await waits.wait()
                return 200

        hooks = WebhookPasswordHooks(Slow())
        hook = PasswordHook.model_validate({"url": "https://old.example/x", "secret": SECRET})
        asking = [asyncio.create_task(hooks.is_right(hook, question())) for _ in range(MOST_AT_ONCE)]
        await asyncio.sleep(0)
        with pytest.raises(ConnectionError, match="too many"):
            await hooks.is_right(hook, question())
        waits.set()
        assert await asyncio.gather(*asking) == [True] * MOST_AT_ONCE
        assert await hooks.is_right(hook, question())

    @pytest.mark.parametrize("url", ["https://10.0.0.1/x", "https://169.254.169.254/latest", "http://127.0.0.1:1/x"])
    async def test_calls_no_address_that_is_not_public(self, gateway: Gateway, url: str) -> None:
        sender = HttpWebhookSender(gateway.clock, loopback=False, tls=httpx2.create_ssl_context(verify=False))
        hook = PasswordHook.model_construct(
            url=url, secret=PasswordHook.model_validate({"url": "https://old.example/x", "secret": SECRET}).secret
        )
        with pytest.raises(OSError, match=r"."):
            await WebhookPasswordHooks(sender).is_right(hook, question())


def question() -> PasswordQuestion:
    return PasswordQuestion("0199f0a0-0000-7000-8000-000000000000", ADA, PASSWORD)
