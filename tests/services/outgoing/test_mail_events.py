"""Mails that the shop's own mailer sends: each arrives there as a signed event, with its link."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.commands.command_line import main
from app.services.outgoing.outbox import outbox_state
from tests.harness.gateway import Gateway
from tests.harness.receiver import Receiver, run_receiver
from tests.harness.tenants import shop, storefront

pytestmark = pytest.mark.anyio

SECRET = "whsec_" + b64encode(b"the secret of these tests, now").decode()


def webhook(url: str, topics: str) -> str:
    return f'[[tenants.demo.webhooks]]\nurl = "{url}"\ntopics = {topics}\nsecret_env = "HOOK_SECRET"\n'


@pytest.fixture
async def mailer() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        yield running


@pytest.fixture
async def other() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        yield running


@pytest.fixture
def settings_environment(tmp_path: Path, mailer: Receiver, other: Receiver) -> dict[str, str]:
    hooks = webhook(other.url, '["*"]') + webhook(mailer.url, '["mail.requested"]')
    own = shop("demo", signup="confirm_email", mail="event") + storefront("demo", "demo-storefront")
    (tmp_path / "tenants.toml").write_text(own + hooks)
    return {"TENANTS_FILE": str(tmp_path / "tenants.toml"), "HOOK_SECRET": SECRET}


class TestMailAsEvent:
    async def test_has_the_mail_and_its_link(self, gateway: Gateway, mailer: Receiver, other: Receiver) -> None:
        await gateway.signed_up(email="ada@example.com")
        await gateway.deliver()
        (event,) = [delivery.verify(SECRET) for delivery in mailer.deliveries]
        assert event["type"] == "mail.requested"
        assert set(event["data"]) == {"to", "subject", "text", "link"}
        assert event["data"]["to"] == "ada@example.com"
        assert event["data"]["subject"] == "Please confirm your e-mail address"
        assert event["data"]["link"].startswith("https://demo.example/confirm-signup?token=")
        assert event["data"]["link"] in event["data"]["text"]
        assert gateway.mails() == []
        # Who listens to everything is not told of anybody's link.
        assert b"confirm-signup" not in b"".join(delivery.body for delivery in other.deliveries)

    async def test_leaves_nothing_behind(self, gateway: Gateway, mailer: Receiver) -> None:
        await gateway.signed_up(email="ada@example.com")
        await gateway.deliver()
        rows = await gateway.rows("SELECT payload, delivered_at FROM outbox_message WHERE kind = 'mail'")
        assert [row.payload in ({}, "{}") for row in rows] == [True]
        assert len(mailer.deliveries) == 1

    async def test_keeps_the_token_sealed_while_it_waits(self, gateway: Gateway, mailer: Receiver) -> None:
        mailer.status = 503
        await gateway.signed_up(email="ada@example.com")
        await gateway.deliver()
        (row,) = await gateway.rows("SELECT payload FROM outbox_message WHERE kind = 'mail'")
        assert "confirm-signup" not in str(row.payload)
        mailer.status = 204
        gateway.clock.advance(seconds=5)
        await gateway.deliver()
        first, second = mailer.deliveries
        assert first.id == second.id
        assert first.verify(SECRET)["data"] == second.verify(SECRET)["data"]
        assert (await outbox_state(gateway.tools)).waiting == 0


class TestWebhookForMails:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path, mailer: Receiver) -> dict[str, str]:
        own = shop("demo", signup="confirm_email", mail="event") + storefront("demo", "demo-storefront")
        (tmp_path / "tenants.toml").write_text(own + webhook(mailer.url, '["*"]'))
        return {"TENANTS_FILE": str(tmp_path / "tenants.toml"), "HOOK_SECRET": SECRET}

    async def test_may_be_the_only_one_that_listens_to_everything(self, gateway: Gateway, mailer: Receiver) -> None:
        await gateway.signed_up(email="ada@example.com")
        await gateway.deliver()
        types = [delivery.verify(SECRET)["type"] for delivery in mailer.deliveries]
        assert types.count("mail.requested") == 1

    @pytest.mark.parametrize(
        "hooks",
        [
            "",
            webhook("http://127.0.0.1:1/a", '["customer.*"]'),
            webhook("http://127.0.0.1:1/a", '["mail.*"]') + webhook("http://127.0.0.1:1/b", '["mail.requested"]'),
        ],
        ids=["none", "of other topics", "two"],
    )
    def test_has_to_be_a_single_one(
        self, tmp_path: Path, hooks: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        own = shop("demo", mail="event") + storefront("demo", "demo-storefront")
        (tmp_path / "tenants.toml").write_text(own + hooks)
        monkeypatch.setenv("TENANTS_FILE", str(tmp_path / "tenants.toml"))
        monkeypatch.setenv("HOOK_SECRET", SECRET)
        assert main(["tenants", "check"]) == 2
        assert "exactly one webhook" in capsys.readouterr().err
