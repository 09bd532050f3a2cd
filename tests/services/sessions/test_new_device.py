"""The mail about a login on a device that was not seen before."""

from __future__ import annotations

import pytest

from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.client import Person
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


async def login_with(gateway: Gateway, person: Person, user_agent: str) -> int:
    """Log in with a device and return how many mails the customer got for it."""
    before = len(gateway.mails(person.email))
    session = await gateway.anonymous()
    given = {"input": {"email": person.email, "password": PASSWORD}}
    answer = await gateway.graphql(operations.LOGIN, given, session.access, {"User-Agent": user_agent})
    assert answer["login"]["userErrors"] == []
    await gateway.deliver()
    return len(gateway.mails(person.email)) - before


class TestLogin:
    async def test_says_nothing_at_the_first_one(self, gateway: Gateway) -> None:
        assert await login_with(gateway, await gateway.signup_confirmed(), FIREFOX) == 0

    async def test_says_nothing_on_a_device_that_is_known(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        await login_with(gateway, person, FIREFOX)
        assert await login_with(gateway, person, FIREFOX) == 0

    async def test_says_nothing_after_an_update_of_the_browser_or_the_system(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        await login_with(gateway, person, FIREFOX)
        assert await login_with(gateway, person, FIREFOX.replace("140.0", "141.2")) == 0
        assert await login_with(gateway, person, FIREFOX.replace("NT 10.0", "NT 11.0")) == 0

    async def test_mails_about_another_browser_on_the_same_system(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        await login_with(gateway, person, FIREFOX)
        assert await login_with(gateway, person, FIREFOX.replace("Firefox/140.0", "Chrome/140.0")) == 1

    async def test_mails_about_another_device(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        await login_with(gateway, person, FIREFOX)
        assert await login_with(gateway, person, SAFARI) == 1
        assert "iPhone" in gateway.mails(person.email)[-1].text
