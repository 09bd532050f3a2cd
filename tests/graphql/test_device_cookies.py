"""What an account knows a device by, for clients in cookie mode: the browser keeps it, beyond the logout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories import PASSWORD, signup_input
from tests.graphql.test_refresh_cookies import HERE, THERE, Browser, set_cookies
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.operations import CHANGE_PASSWORD, LOGIN, LOGOUT, REFRESH, SIGNUP
from tests.harness.tenants import shop, storefront

pytestmark = pytest.mark.anyio

EMAIL = "ada@example.com"
STRANGERS = [f"198.51.100.{number}" for number in range(10)]


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    """Serve a shop with two clients in cookie mode and one without, and another shop with one."""
    file = tmp_path / "tenants.toml"
    file.write_text(
        shop("here", device_token_seconds=7 * 86_400)
        + storefront("here", "web", origins=[HERE], refresh_cookie=True)
        + storefront("here", "account", origins=[HERE], refresh_cookie=True)
        + storefront("here", "body", origins=[HERE])
        + shop("there")
        + storefront("there", "other", origins=[THERE], refresh_cookie=True)
    )
    return {"TENANTS_FILE": str(file), "PUBLIC_URL": "https://id.here.example"}


async def log_in(browser: Browser, password: str = PASSWORD) -> Answer:
    """Log in in a new session, with the cookies that the browser has."""
    given = {"email": EMAIL, "password": password}
    return await browser.do(LOGIN, given, token=await browser.begin())


async def attack(gateway: Gateway) -> None:
    """Let ten strangers guess, so that a device has to wait that the account does not know."""
    home = gateway.ip
    for gateway.ip in STRANGERS:
        token = (await gateway.anonymous("body")).access
        given = {"input": {"email": EMAIL, "password": "wrong-harbour-42"}}
        await gateway.graphql(LOGIN, given, token)
    gateway.ip = home


class TestDeviceCookie:
    async def test_has_what_the_answer_leaves_out(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        await browser.do(SIGNUP, signup_input(email=EMAIL, password=PASSWORD), token=await browser.begin())
        answer = await log_in(browser)
        assert answer["login"]["tokens"]["deviceToken"] is None
        (cookie,) = (each for each in set_cookies(answer) if "device" in each.key)
        assert cookie.key.startswith("__Host-gateway-device-")
        assert cookie.value.startswith("cg_dv_")
        assert {name: value for name, value in cookie.items() if value} == {
            "path": "/",
            "max-age": str(7 * 86_400),
            "httponly": True,
            "secure": True,
            "samesite": "Lax",
        }

    async def test_comes_with_a_new_password(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        access = await browser.log_in()
        before = browser.devices.copy()
        given = {"currentPassword": PASSWORD, "newPassword": "another good passphrase"}
        answer = await browser.do(CHANGE_PASSWORD, given, token=access)
        assert answer["changePassword"]["tokens"]["deviceToken"] is None
        assert browser.devices.keys() == before.keys()
        assert browser.devices != before

    async def test_stays_after_refresh_and_logout(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        access = await browser.log_in()
        before = browser.devices.copy()
        await browser.do(REFRESH)
        await browser.do(LOGOUT, token=access)
        assert (browser.cookies, browser.devices) == ({}, before)

    async def test_is_the_same_after_the_next_login(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        await browser.log_in()
        before = browser.devices.copy()
        await log_in(browser)
        assert browser.devices == before

    async def test_of_one_client_is_not_that_of_another(self, gateway: Gateway) -> None:
        browser, other = Browser(gateway), Browser(gateway, "account")
        await browser.log_in()
        await log_in(other)
        assert browser.devices.keys().isdisjoint(other.devices.keys())

    async def test_is_not_set_for_a_client_without_cookies(self, gateway: Gateway) -> None:
        await Browser(gateway).log_in()
        browser = Browser(gateway, "body")
        answer = await log_in(browser)
        assert answer["login"]["tokens"]["deviceToken"].startswith("cg_dv_")
        assert browser.devices == {}


class TestLoginUnderAttack:
    async def test_goes_on_by_the_cookie(self, gateway: Gateway) -> None:
        browser, stranger = Browser(gateway), Browser(gateway)
        await browser.log_in()
        await attack(gateway)
        assert (await log_in(stranger)).codes == ["RATE_LIMITED"]
        assert (await log_in(browser))["login"]["tokens"]["accessToken"]

    async def test_goes_on_by_no_cookie_that_the_client_did_not_get(self, gateway: Gateway) -> None:
        browser, other = Browser(gateway), Browser(gateway, "account")
        await browser.log_in()
        await attack(gateway)
        other.devices = browser.devices
        assert (await log_in(other)).codes == ["RATE_LIMITED"]

    @pytest.mark.parametrize("value", ["", "nothing", "cg_dv_" + "A" * 43])
    async def test_waits_with_a_cookie_that_is_none(self, gateway: Gateway, value: str) -> None:
        browser = Browser(gateway)
        await browser.log_in()
        await attack(gateway)
        browser.devices = dict.fromkeys(browser.devices, value)
        assert (await log_in(browser)).codes == ["RATE_LIMITED"]


class TestRepeatedLogin:
    async def test_gives_the_cookies_again_also_when_the_browser_has_kept_the_first(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        await browser.do(SIGNUP, signup_input(email=EMAIL, password=PASSWORD), token=await browser.begin())
        token, given = await browser.begin(), {"email": EMAIL, "password": PASSWORD}
        first = await browser.do(LOGIN, given, token=token)
        kept = (browser.cookies.copy(), browser.devices.copy())
        again = await browser.do(LOGIN, given, token=token)
        assert again["login"]["tokens"]["accessToken"] == first["login"]["tokens"]["accessToken"]
        assert [each.key for each in set_cookies(again)] == [each.key for each in set_cookies(first)]
        assert (browser.cookies, browser.devices) == kept

    async def test_gives_the_cookies_again_with_an_idempotency_key(self, gateway: Gateway) -> None:
        """A kept answer has no refresh token, so that it would leave the browser without a session."""
        browser = Browser(gateway)
        await browser.do(SIGNUP, signup_input(email=EMAIL, password=PASSWORD), token=await browser.begin())
        token, given = await browser.begin(), {"email": EMAIL, "password": PASSWORD}
        before = browser.cookies.copy()
        await browser.do(LOGIN, given, token=token, Idempotency_Key="login-1")
        kept = browser.cookies.copy()
        browser.cookies, browser.devices = before, {}
        again = await browser.do(LOGIN, given, token=token, Idempotency_Key="login-1")
        assert again["login"]["tokens"]["accessToken"]
        assert browser.cookies == kept
        assert browser.devices
        assert (await browser.do(REFRESH))["refresh"]["tokens"]["accessToken"]

    async def test_gives_the_cookies_of_a_new_password_again_with_an_idempotency_key(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        access = await browser.log_in()
        before = browser.cookies.copy()
        given = {"currentPassword": PASSWORD, "newPassword": "another good passphrase"}
        await browser.do(CHANGE_PASSWORD, given, token=access, Idempotency_Key="password-1")
        kept = browser.cookies.copy()
        browser.cookies = before
        await browser.do(CHANGE_PASSWORD, given, token=access, Idempotency_Key="password-1")
        assert browser.cookies == kept
        assert (await browser.do(REFRESH))["refresh"]["tokens"]["accessToken"]
