"""The development mailbox, as a browser gets it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.production import production
from tests.harness.sign_in import request_code

pytestmark = pytest.mark.anyio


@pytest.fixture
async def gateway(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[Gateway]:
    """Run the whole gateway, where the tests beside this one have an example."""
    async with run_gateway(environment, clock) as running:
        yield running


async def page(gateway: Gateway, path: str) -> tuple[str, str]:
    """Return a page and its Content-Security-Policy."""
    response = await gateway.http.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "<script" not in response.text
    return response.text, response.headers["content-security-policy"]


class TestList:
    async def test_shows_what_was_sent_the_newest_first(self, gateway: Gateway) -> None:
        for number in range(3):
            await gateway.signed_up(email=f"a{number}@example.com")
            await gateway.deliver()
            gateway.clock.advance(seconds=1)
        html, policy = await page(gateway, "/dev/mail")
        assert re.findall(r"a\d@example.com", html) == ["a2@example.com", "a1@example.com", "a0@example.com"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy

    async def test_says_so_when_nothing_was_sent(self, gateway: Gateway) -> None:
        html, _ = await page(gateway, "/dev/mail")
        assert "Nothing has been sent yet" in html


class TestMail:
    async def test_leads_a_newcomer_from_the_list_to_the_end_of_the_flow(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(email="ada@example.com")
        await gateway.deliver()
        listed, _ = await page(gateway, "/dev/mail")
        (path,) = re.findall(r'<li><a href="(/dev/mail/[^"]+)"', listed)
        html, policy = await page(gateway, path)
        (token,) = re.findall(r"<code>(cg_ot_[\w-]+)</code>", html)
        assert f'<a href="http://localhost:8000/confirm-signup?token={token}">' in html
        assert f'src="{path}/html"' in html
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in html
        assert "frame-src 'self'" in policy
        answer = await gateway.graphql(operations.CONFIRM_SIGNUP, {"input": {"token": token}}, person.tokens.access)
        assert answer.user_errors("confirmSignup") == []

    async def test_shows_its_html_in_a_frame_that_can_do_nothing(self, gateway: Gateway) -> None:
        await gateway.signed_up(email="ada@example.com")
        await gateway.deliver()
        listed, _ = await page(gateway, "/dev/mail")
        (path,) = re.findall(r'<li><a href="(/dev/mail/[^"]+)"', listed)
        html, policy = await page(gateway, f"{path}/html")
        assert html.replace('\n<base target="_blank">', "", 1) == gateway.mails("ada@example.com")[0].html.replace(
            "\r\n", "\n"
        )
        assert '<base target="_blank">' in html
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert policy.endswith("sandbox allow-popups allow-popups-to-escape-sandbox")

    @pytest.mark.parametrize("path", ["/dev/mail/nothing", "/dev/mail/nothing/html", "/dev/mail/..%2Fsigning-keys"])
    async def test_is_not_found_when_there_is_none(self, gateway: Gateway, path: str) -> None:
        assert (await gateway.http.get(path)).status_code == 404


class TestLatest:
    async def test_tells_programs_the_token_of_each_link_the_newest_first(self, gateway: Gateway) -> None:
        for name in ("ada", "grace"):
            await gateway.signed_up(email=f"{name}@example.com")
            await gateway.deliver()
            gateway.clock.advance(seconds=1)
        answer = await gateway.http.get("/dev/mail/latest.json")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        links = answer.json()["links"]
        assert [link["recipient"] for link in links] == ["grace@example.com", "ada@example.com"]
        for link in links:
            html, _ = await page(gateway, f"/dev/mail/{link['mail']}")
            assert f"<code>{link['token']}</code>" in html
            assert (link["page"], link["code"]) == ("/confirm-signup", None)

    async def test_tells_the_mailed_code(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        await request_code(gateway, (await gateway.anonymous()).access, person.email)
        gateway.clock.advance(seconds=1)
        await gateway.deliver()
        (newest, *_) = (await gateway.http.get("/dev/mail/latest.json")).json()["links"]
        assert newest["page"] == "/login-code"
        assert re.fullmatch("[0-9]{6}", newest["code"])
        assert newest["token"] is None

    async def test_has_nothing_when_nothing_was_sent(self, gateway: Gateway) -> None:
        assert (await gateway.http.get("/dev/mail/latest.json")).json() == {"links": []}


class TestElsewhere:
    async def test_does_not_exist_where_mail_leaves_by_smtp(
        self, environment: dict[str, str], clock: MovableClock
    ) -> None:
        smtp = {"SMTP_URL": "smtp://127.0.0.1:2525", "MAIL_FROM": "shop@example.com"}
        async with run_gateway({**environment, **smtp}, clock) as gateway:
            assert (await gateway.http.get("/dev/mail")).status_code == 404
            assert (await gateway.http.get("/dev/mail/latest.json")).status_code == 404
            assert (await gateway.http.get("/playground/journey.json")).json()["mailbox"] is False

    async def test_does_not_exist_in_production(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        async with run_gateway({**environment, **production(tmp_path)}, clock) as gateway:
            assert (await gateway.http.get("/healthz")).status_code == 200
            assert (await gateway.http.get("/dev/mail")).status_code == 404
            assert (await gateway.http.get("/dev/mail/latest.json")).status_code == 404
            assert (await gateway.http.get("/dev/mail/x/html")).status_code == 404
            for page in ("/", "/dev", "/login", "/confirm-signup?token=x", "/storefront/assets/x.js"):
                assert (await gateway.http.get(page)).status_code == 404
