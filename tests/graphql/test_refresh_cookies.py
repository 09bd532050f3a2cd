"""Clients whose refresh token is in a cookie: it leaves in no other way, and counts only from the client's pages."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema, get_named_type

from app.domain.refresh_cookies import RefreshCookie
from app.http.refresh_cookies import RefreshCookies
from tests.factories import PASSWORD, signup_input
from tests.harness.client import Answer, Tokens
from tests.harness.gateway import Gateway
from tests.harness.operations import ANONYMOUS_LOGIN, CHANGE_PASSWORD, LOGIN, LOGOUT, REFRESH, SIGNUP
from tests.harness.tenants import shop, storefront

pytestmark = pytest.mark.anyio

HERE, THERE = "https://shop.here.example", "https://shop.there.example"
BODY_ORIGIN = "https://old.here.example"
EVIL = "https://evil.example"


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    """Serve a shop with two clients in cookie mode and one without, and another shop with one."""
    file = tmp_path / "tenants.toml"
    file.write_text(
        shop("here")
        + storefront("here", "web", origins=[HERE], refresh_cookie=True)
        + storefront("here", "account", origins=[HERE, "https://account.here.example"], refresh_cookie=True)
        + storefront("here", "body", origins=[BODY_ORIGIN])
        + shop("there")
        + storefront("there", "other", origins=[THERE], refresh_cookie=True, cookie_same_site="none")
    )
    return {"TENANTS_FILE": str(file), "PUBLIC_URL": "https://id.here.example"}


class Browser:
    """A page on an origin, and what its browser has from the gateway: cookies, and apart from them those of devices."""

    def __init__(self, gateway: Gateway, client_id: str = "web", origin: str = HERE) -> None:
        self.gateway = gateway
        self.client_id = client_id
        self.origin = origin
        self.cookies: dict[str, str] = {}
        self.devices: dict[str, str] = {}
        self.access: str | None = None

    async def do(
        self, query: str, given: Mapping[str, Any] | None = None, *, token: str | None = None, **headers: str | None
    ) -> Answer:
        """Call as a page does that was told to send cookies; headers given as None are left out."""
        self.gateway.http.cookies.clear()
        sent: dict[str, str | None] = {
            "Origin": self.origin,
            "Gateway-Client": self.client_id,
            "Cookie": "; ".join(f"{name}={value}" for name, value in (self.cookies | self.devices).items()) or None,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        answer = await self.gateway.graphql(
            query, {"input": given or {}}, token, {name: value for name, value in sent.items() if value is not None}
        )
        for morsel in set_cookies(answer):
            jar = self.devices if "gateway-device-" in morsel.key else self.cookies
            if morsel["max-age"] == "0":
                jar.pop(morsel.key, None)
            else:
                jar[morsel.key] = morsel.value
        return answer

    async def begin(self) -> str:
        """Begin a session and return its access token."""
        answer = await self.do(ANONYMOUS_LOGIN, {"clientId": self.client_id})
        token: str = answer["anonymousLogin"]["tokens"]["accessToken"]
        return token

    async def log_in(self, email: str = "ada@example.com") -> str:
        """Sign up, log in, and return the access token."""
        token = await self.begin()
        await self.do(SIGNUP, signup_input(email=email, password=PASSWORD), token=token)
        answer = await self.do(LOGIN, {"email": email, "password": PASSWORD}, token=token)
        access: str = answer["login"]["tokens"]["accessToken"]
        return access


def set_cookies(answer: Answer) -> list[Morsel[str]]:
    return [morsel for value in answer.headers.get_list("set-cookie") for morsel in SimpleCookie(value).values()]


async def is_alive(gateway: Gateway, access: str) -> bool:
    return (await gateway.graphql("{ tokenInfo { kind } }", token=access)).codes == []


class TestCookie:
    async def test_is_of_this_host_alone_and_no_script_reads_it(self, gateway: Gateway) -> None:
        answer = await Browser(gateway).do(ANONYMOUS_LOGIN, {"clientId": "web"})
        tokens = answer["anonymousLogin"]["tokens"]
        assert (tokens["refreshToken"], tokens["refreshTokenExpiresIn"]) == (None, 86_400)
        (cookie,) = set_cookies(answer)
        assert cookie.key.startswith("__Host-gateway-refresh-")
        assert cookie.value.startswith("cg_ar_")
        assert {name: value for name, value in cookie.items() if value} == {
            "path": "/",
            "max-age": "86400",
            "httponly": True,
            "secure": True,
            "samesite": "Lax",
        }
        assert answer.headers["cache-control"] == "no-store"

    async def test_goes_to_other_sites_where_the_client_says_so(self, gateway: Gateway) -> None:
        answer = await Browser(gateway, "other", THERE).do(ANONYMOUS_LOGIN, {"clientId": "other"})
        assert [cookie["samesite"] for cookie in set_cookies(answer)] == ["None"]

    async def test_has_another_name_for_each_client(self, gateway: Gateway) -> None:
        names: set[str] = set()
        for client_id, origin in (("web", HERE), ("account", HERE), ("other", THERE)):
            browser = Browser(gateway, client_id, origin)
            await browser.begin()
            names |= browser.cookies.keys()
        assert len(names) == 3

    async def test_comes_with_every_answer_that_has_tokens(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        seen = [browser.cookies.copy()]
        token = await browser.begin()
        seen.append(browser.cookies.copy())
        await browser.do(SIGNUP, signup_input(email="ada@example.com", password=PASSWORD), token=token)
        answer = await browser.do(LOGIN, {"email": "ada@example.com", "password": PASSWORD}, token=token)
        assert answer["login"]["tokens"]["refreshToken"] is None
        seen.append(browser.cookies.copy())
        given = {"currentPassword": PASSWORD, "newPassword": "another good passphrase"}
        answer = await browser.do(CHANGE_PASSWORD, given, token=answer["login"]["tokens"]["accessToken"])
        assert answer["changePassword"]["tokens"]["refreshToken"] is None
        seen.append(browser.cookies.copy())
        answer = await browser.do(REFRESH)
        assert answer["refresh"]["tokens"]["refreshToken"] is None
        seen.append(browser.cookies.copy())
        assert len({str(each) for each in seen}) == 5

    def test_is_where_the_tokens_of_every_payload_go(self) -> None:
        """The token is taken out of the field `tokens` of payloads, so no type may have them elsewhere."""
        sdl = build_schema(Path("schema.graphql").read_text())
        places = {
            (type_.name, name)
            for type_ in sdl.type_map.values()
            if isinstance(type_, GraphQLObjectType)
            for name, field in type_.fields.items()
            if get_named_type(field.type) is sdl.type_map["TokenSet"]
        }
        assert places
        assert {(type_[-7:], name) for type_, name in places} == {("Payload", "tokens")}

    async def test_of_an_http_gateway_has_no_prefix(self, gateway: Gateway) -> None:
        found = gateway.tools.tenants.find_client("other")
        assert found is not None
        plain = RefreshCookies("http://127.0.0.1:8000")
        written = plain.write(RefreshCookie(found[1], "token", 60)).decode()
        assert written == f"{plain.name('other')}=token; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"
        assert plain.name("other").startswith("gateway-refresh-")


class TestCredentials:
    async def test_are_for_pages_of_the_client_alone(self, gateway: Gateway) -> None:
        for client_id, origin, seen in (
            ("web", HERE, "true"),
            ("account", "https://account.here.example", "true"),
            ("web", "https://account.here.example", None),
            ("body", BODY_ORIGIN, None),
            ("web", THERE, None),
            ("other", HERE, None),
            ("web", EVIL, None),
        ):
            answer = await Browser(gateway, client_id, origin).do("{ __typename }")
            assert answer.headers.get("access-control-allow-credentials") == seen, (client_id, origin)

    async def test_are_not_for_answers_about_another_shop(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("body")
        answer = await Browser(gateway, "other", THERE).do("{ me { id } }", token=tokens.access)
        assert "access-control-allow-credentials" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers

    async def test_pass_a_preflight_of_an_origin_with_such_a_client(self, gateway: Gateway) -> None:
        for origin, seen in ((HERE, "true"), (BODY_ORIGIN, None), (EVIL, None)):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = await gateway.http.options("/graphql", headers=headers)
            assert answer.headers.get("access-control-allow-credentials") == seen


class TestLogin:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": EVIL},
            {"Origin": "null"},
            {"Origin": None},
            {"Origin": BODY_ORIGIN},
            {"Gateway_Client": None},
            {"Gateway_Client": "account"},
        ],
        ids=str,
    )
    async def test_is_refused_from_elsewhere_before_anything_is_done(
        self, gateway: Gateway, headers: dict[str, str | None]
    ) -> None:
        browser = Browser(gateway)
        answer = await browser.do(ANONYMOUS_LOGIN, {"clientId": "web"}, **headers)
        assert (answer.codes, browser.cookies) == (["FORBIDDEN"], {})
        token = await browser.begin()
        await browser.do(SIGNUP, signup_input(email="ada@example.com", password=PASSWORD), token=token)
        before = browser.cookies.copy()
        given = {"email": "ada@example.com", "password": PASSWORD}
        answer = await browser.do(LOGIN, given, token=token, **headers)
        assert (answer.codes, browser.cookies) == (["FORBIDDEN"], before)
        assert (await browser.do(LOGIN, given, token=token))["login"]["tokens"]["accessToken"]

    async def test_sets_no_cookie_of_a_client_that_has_none(self, gateway: Gateway) -> None:
        browser = Browser(gateway, "body", BODY_ORIGIN)
        answer = await browser.do(ANONYMOUS_LOGIN, {"clientId": "body"})
        assert answer["anonymousLogin"]["tokens"]["refreshToken"].startswith("cg_ar_")
        assert browser.cookies == {}


class TestRefresh:
    async def test_goes_on_by_the_cookie(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        await browser.log_in()
        before = browser.cookies.copy()
        for _ in range(3):
            gateway.clock.advance(minutes=20)
            tokens = (await browser.do(REFRESH))["refresh"]["tokens"]
            assert tokens["refreshToken"] is None
            assert await is_alive(gateway, tokens["accessToken"])
        assert browser.cookies != before

    @pytest.mark.parametrize(
        "headers", [{"Origin": EVIL}, {"Origin": "null"}, {"Origin": None}, {"Origin": BODY_ORIGIN}], ids=str
    )
    async def test_is_refused_from_elsewhere(self, gateway: Gateway, headers: dict[str, str | None]) -> None:
        browser = Browser(gateway)
        await browser.log_in()
        before = browser.cookies.copy()
        assert (await browser.do(REFRESH, None, **headers)).codes == ["FORBIDDEN"]
        assert browser.cookies == before
        assert (await browser.do(REFRESH))["refresh"]["tokens"]["accessToken"]

    async def test_wants_to_know_whose_cookie_it_is(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        await browser.log_in()
        for named in (None, "body", "nobody"):
            answer = await browser.do(REFRESH, Gateway_Client=named)
            assert answer.user_errors("refresh") == [("REQUIRED", "refreshToken")]

    async def test_does_not_take_the_cookie_of_another_client(self, gateway: Gateway) -> None:
        browser, other = Browser(gateway), Browser(gateway, "account")
        await browser.log_in()
        await other.begin()
        (own,), (others,) = browser.cookies, other.cookies
        planted = f"{others}={browser.cookies[own]}"
        answer = await other.do(REFRESH, Cookie=planted)
        assert answer.codes == ["FORBIDDEN"] or answer.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]
        answer = await other.do(REFRESH, Cookie=f"{own}={browser.cookies[own]}")
        assert answer.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]
        assert (await browser.do(REFRESH))["refresh"]["tokens"]["accessToken"]

    async def test_does_not_take_a_token_of_a_client_without_cookies_from_one(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("body")
        browser = Browser(gateway)
        await browser.begin()
        (name,) = browser.cookies
        answer = await browser.do(REFRESH, Cookie=f"{name}={tokens.refresh}")
        assert answer.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]
        assert (await gateway.refresh(tokens.refresh)).access

    async def test_takes_no_token_of_such_a_client_in_the_input(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        await browser.log_in()
        (token,) = browser.cookies.values()
        for headers in ({}, {"Gateway_Client": None, "Origin": None, "Cookie": None}):
            answer = await browser.do(REFRESH, {"refreshToken": token}, **headers)
            assert answer.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]
        assert (await browser.do(REFRESH))["refresh"]["tokens"]["accessToken"]

    @pytest.mark.parametrize("value", ["", "nothing", "cg_cr_" + "A" * 43])
    async def test_knows_no_cookie_that_is_none(self, gateway: Gateway, value: str) -> None:
        browser = Browser(gateway)
        await browser.begin()
        (name,) = browser.cookies
        for cookie in (f"{name}={value}", f"{name}={value}; {name}={browser.cookies[name]}", "a=b", None):
            answer = await browser.do(REFRESH, Cookie=cookie)
            assert answer.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]

    async def test_of_every_other_client_needs_its_token(self, gateway: Gateway) -> None:
        answer = await gateway.graphql(REFRESH, {"input": {}})
        assert answer.user_errors("refresh") == [("REQUIRED", "refreshToken")]


class TestLogout:
    async def test_works_by_the_cookie_alone(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        access = await browser.log_in()
        answer = await browser.do(LOGOUT)
        assert answer["logout"] == {"loggedOut": True, "userErrors": []}
        assert browser.cookies == {}
        assert not await is_alive(gateway, access)

    async def test_works_by_the_cookie_beside_an_access_token_that_has_expired(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        access = await browser.log_in()
        gateway.clock.advance(hours=3)
        before = browser.cookies.copy()
        assert (await browser.do(LOGOUT, token=access))["logout"]["loggedOut"]
        browser.cookies = before
        assert (await browser.do(REFRESH)).user_errors("refresh") != []

    async def test_ends_all_sessions_by_the_cookie_alone(self, gateway: Gateway) -> None:
        browser, elsewhere = Browser(gateway), Browser(gateway, "account")
        await browser.log_in()
        token = await elsewhere.begin()
        answer = await elsewhere.do(LOGIN, {"email": "ada@example.com", "password": PASSWORD}, token=token)
        await browser.do(LOGOUT, {"everywhere": True})
        assert not await is_alive(gateway, answer["login"]["tokens"]["accessToken"])

    async def test_has_the_browser_forget_the_cookie_with_an_access_token_too(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        access = await browser.log_in()
        assert (await browser.do(LOGOUT, token=access))["logout"]["loggedOut"]
        assert browser.cookies == {}

    async def test_forgets_the_cookie_of_a_session_that_has_ended(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        access = await browser.log_in()
        await gateway.graphql(LOGOUT, token=access)
        assert browser.cookies
        assert (await browser.do(LOGOUT)).reason == "REVOKED"
        assert browser.cookies == {}

    @pytest.mark.parametrize("headers", [{"Origin": EVIL}, {"Origin": None}, {"Gateway_Client": None}], ids=str)
    async def test_is_not_done_by_anybody_elses_page(self, gateway: Gateway, headers: dict[str, str | None]) -> None:
        browser = Browser(gateway)
        access = await browser.log_in()
        before = browser.cookies.copy()
        assert (await browser.do(LOGOUT, None, **headers)).codes[0] in {"FORBIDDEN", "UNAUTHENTICATED"}
        assert browser.cookies == before
        assert await is_alive(gateway, access)

    async def test_opens_nothing_else_by_the_cookie(self, gateway: Gateway) -> None:
        browser = Browser(gateway)
        await browser.log_in()
        assert (await browser.do("{ me { id } }")).reason == "MISSING"
        query = 'mutation { updateMe(input: {firstName: "Eve"}) { userErrors { code } } }'
        assert (await browser.do(query)).reason == "MISSING"


class TestOtherClients:
    async def test_see_no_difference(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("body")
        assert isinstance(tokens, Tokens)
        assert (await gateway.refresh(tokens.refresh)).refresh != tokens.refresh
