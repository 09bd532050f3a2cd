"""Webhooks leave signed and for public hosts only."""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64encode
from collections.abc import Sequence

import pytest
import trustme
from standardwebhooks.webhooks import WebhookVerificationError

from app.adapters.clock import SystemClock
from app.adapters.safe_hosts import UnsafeHostError, resolve
from app.adapters.webhooks import HttpWebhookSender
from app.domain.ports import Webhook
from tests.harness.receiver import run_receiver

pytestmark = pytest.mark.anyio

SECRET = "whsec_" + b64encode(b"the secret of these tests, now").decode()
PREVIOUS = "whsec_" + b64encode(b"the secret that it replaces...").decode()
BODY = '{"type":"customer.created","timestamp":"2026-01-01T00:00:00Z","data":{"customerId":"1"}}'


def webhook(url: str, *secrets: str) -> Webhook:
    return Webhook(id="0190-id", url=url, body=BODY, secrets=secrets or (SECRET,))


class Resolver:
    """A name server with one answer after another."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def sender(*, loopback: bool = True, **options: object) -> HttpWebhookSender:
    return HttpWebhookSender(SystemClock(), loopback=loopback, **options)  # type: ignore[arg-type]


class TestSend:
    async def test_is_verified_by_the_library_of_the_standard(self) -> None:
        async with run_receiver() as receiver:
            status = await sender().send(webhook(receiver.url))
        (delivery,) = receiver.deliveries
        assert status == 204
        assert delivery.id == "0190-id"
        assert delivery.verify(SECRET)["type"] == "customer.created"
        assert delivery.headers["content-type"] == "application/json"

    async def test_is_signed_with_both_secrets_while_they_change(self) -> None:
        async with run_receiver() as receiver:
            await sender().send(webhook(receiver.url, SECRET, PREVIOUS))
        (delivery,) = receiver.deliveries
        assert delivery.verify(SECRET) == delivery.verify(PREVIOUS)

    async def test_is_not_verified_with_another_secret(self) -> None:
        async with run_receiver() as receiver:
            await sender().send(webhook(receiver.url))
        with pytest.raises(WebhookVerificationError):
            receiver.deliveries[0].verify(PREVIOUS)

    async def test_returns_the_status_of_a_refusal(self) -> None:
        async with run_receiver() as receiver:
            receiver.status = 500
            assert await sender().send(webhook(receiver.url)) == 500

    async def test_does_not_follow_a_redirect(self) -> None:
        async with run_receiver() as receiver, run_receiver() as other:
            receiver.status = 307
            receiver.headers = [f"Location: {other.url}"]
            assert await sender().send(webhook(receiver.url)) == 307
        assert other.deliveries == []

    async def test_gives_up_when_the_answer_takes_too_long(self) -> None:
        async with run_receiver() as receiver:
            receiver.before_answer = asyncio.Event().wait
            with pytest.raises(TimeoutError, match=r"No answer within 0\.05 seconds"):
                await sender(timeout=0.05).send(webhook(receiver.url))

    async def test_hangs_up_on_an_answer_without_end(self) -> None:
        async with run_receiver() as receiver:
            receiver.status, receiver.endless = 200, True
            assert await sender().send(webhook(receiver.url)) == 200

    async def test_fails_when_nobody_listens(self) -> None:
        async with run_receiver() as receiver:
            url = receiver.url
        with pytest.raises(ConnectionError):
            await sender().send(webhook(url))

    async def test_asks_no_proxy_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        async with run_receiver() as receiver:
            assert await sender().send(webhook(receiver.url)) == 204


class TestTarget:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "127.8.9.1",
            "localhost",
            "[::1]",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "[fe80::1]",
            "[fd00::1]",
            "0.0.0.0",  # noqa: S104 - a target
            "[::]",
            "224.0.0.1",
            "[ff02::1]",
            "240.0.0.1",
            "255.255.255.255",
            "[::ffff:127.0.0.1]",
            "[::ffff:8.8.8.8]",
            "[::127.0.0.1]",
            "[64:ff9b::a00:1]",
            "[2002:7f00:1::]",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.1",
        ],
    )
    async def test_is_never_inside(self, host: str) -> None:
        with pytest.raises(OSError, match=r"^The target |not public"):
            await sender(loopback=False).send(webhook(f"https://{host}/hooks"))

    @pytest.mark.parametrize(
        "address",
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "0.0.0.0"],  # noqa: S104 - a target
    )
    async def test_is_never_a_name_for_something_inside(self, address: str) -> None:
        names = Resolver([address])
        with pytest.raises(UnsafeHostError):
            await sender(resolve=names).send(webhook("https://hooks.example/"))
        assert names.asked == ["hooks.example"]

    async def test_is_refused_for_one_bad_address_among_good_ones(self) -> None:
        with pytest.raises(UnsafeHostError):
            await sender(resolve=Resolver(["1.1.1.1", "10.0.0.1"])).send(webhook("https://hooks.example/"))

    async def test_is_refused_without_any_address(self) -> None:
        with pytest.raises(UnsafeHostError):
            await sender(resolve=Resolver([])).send(webhook("https://hooks.example/"))

    @pytest.mark.parametrize("url", ["http://hooks.example/", "ftp://hooks.example/", "https://user:pw@hooks.example/"])
    async def test_is_https_without_a_password(self, url: str) -> None:
        with pytest.raises(ConnectionRefusedError):
            await sender(resolve=Resolver(["1.1.1.1"])).send(webhook(url))

    async def test_is_looked_up_once_and_met_where_that_said(self) -> None:
        names = Resolver(["127.0.0.2"], ["10.0.0.1"])
        async with run_receiver("127.0.0.2") as receiver:
            await sender(resolve=names).send(webhook(f"http://localhost:{receiver.port}/"))
        assert names.asked == ["localhost"]
        assert receiver.deliveries[0].headers["host"] == f"localhost:{receiver.port}"

    async def test_is_met_at_its_next_address_when_one_is_closed(self) -> None:
        async with run_receiver() as receiver:
            names = Resolver(["127.0.0.3", "127.0.0.1"])
            assert await sender(resolve=names).send(webhook(f"http://localhost:{receiver.port}/")) == 204

    async def test_is_met_at_its_next_address_when_one_says_nothing(self) -> None:
        authority = trustme.CA()
        ours, theirs = ssl.create_default_context(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.configure_trust(ours)
        authority.issue_cert("localhost").configure_cert(theirs)
        async with run_receiver(tls=theirs) as receiver:
            # The kernel takes the connection, and nobody answers its TLS.
            with socket.create_server(("127.0.0.3", receiver.port)):
                names = Resolver(["127.0.0.3", "127.0.0.1"])
                patient = sender(tls=ours, resolve=names, timeout=60.0, connect_timeout=0.2)
                assert await patient.send(webhook(f"https://localhost:{receiver.port}/")) == 204


class TestCertificate:
    async def test_is_that_of_the_name_and_not_of_the_address(self) -> None:
        assert await self._send("localhost") == 204

    async def test_of_another_name_is_refused(self) -> None:
        with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            await self._send("other.example")

    async def _send(self, name: str) -> int:
        authority = trustme.CA()
        ours, theirs = ssl.create_default_context(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.configure_trust(ours)
        authority.issue_cert(name).configure_cert(theirs)
        async with run_receiver(tls=theirs) as receiver:
            return await sender(tls=ours, resolve=Resolver(["127.0.0.1"])).send(
                webhook(f"https://localhost:{receiver.port}/")
            )


class TestResolve:
    async def test_finds_this_machine_behind_other_spellings(self) -> None:
        assert await resolve("127.1", 80) == ("127.0.0.1",)

    async def test_finds_nothing_behind_an_unknown_name(self) -> None:
        with pytest.raises(OSError, match=r"."):
            await resolve("nowhere.invalid", 80)
