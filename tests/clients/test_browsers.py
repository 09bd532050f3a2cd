"""Pages in a real browser, on origins that are not the gateway's: what CORS lets through, and sessions in cookies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.clients.test_tabs import CHROMIUM, FLAGS
from tests.factories import PASSWORD, signup_input
from tests.harness.moved_clock import MovedServer
from tests.harness.operations import LOGIN, SIGNUP
from tests.harness.postgresql import free_port
from tests.harness.server import PATIENCE
from tests.harness.sites import serve_folder
from tests.harness.tenants import shop, storefront

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

PAGE = """<!doctype html>
<title>Shop</title>
<script type="module">
import { createClient } from "./client/index.js";

window.url = GATEWAY;
window.open_session = (clientId) => { window.session = createClient({ url, clientId, mode: "cookie" }); };
window.me = async () => (await session.request("{ me { email } }")).me?.email ?? null;

/** What a page hears that calls by itself: the answer with the headers that it can read, or nothing at all. */
window.call = async (query, { headers = {}, ...options } = {}) => {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify({ query }),
      ...options,
    });
    return { ...(await response.json()), headers: Object.fromEntries(response.headers) };
  } catch (error) {
    return { refused: error.name };
  }
};
</script>"""
BEGIN = 'mutation { anonymousLogin(input: {clientId: "CLIENT"}) { tokens { accessToken } } }'
REFRESH = "mutation { refresh(input: {}) { tokens { accessToken } userErrors { code } } }"
LOGOUT = "mutation { logout { loggedOut } }"
REFUSED = {"refused": "TypeError"}
TRACING = {
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "vendor=1",
    "baggage": "sentry-environment=production,sentry-release=1.0",
    "sentry-trace": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
}


@dataclass(frozen=True, slots=True)
class Origins:
    """Sites on ports of loopback: two of one shop, one of another shop, and one that nobody has registered.

    `far` is of the shop too, by another name of this machine, which is another site to browsers.
    """

    web: str
    account: str
    other: str
    stranger: str

    @property
    def far(self) -> str:
        return self.web.replace("127.0.0.1", "localhost")

    @property
    def far_stranger(self) -> str:
        return self.stranger.replace("127.0.0.1", "localhost")


@pytest.fixture
def origins() -> Origins:
    return Origins(*(f"http://127.0.0.1:{free_port()}" for _ in range(4)))


@pytest.fixture
def settings_environment(tmp_path: Path, origins: Origins) -> dict[str, str]:
    file = tmp_path / "tenants.toml"
    file.write_text(
        shop("shop")
        + storefront("shop", "web", origins=[origins.web, origins.far], refresh_cookie=True)
        + storefront("shop", "account", origins=[origins.account], refresh_cookie=True)
        + shop("other")
        + storefront("other", "other-web", origins=[origins.other])
    )
    return {"TENANTS_FILE": str(file)}


@pytest.fixture
def sites(library: Path, tmp_path: Path, origins: Origins, moved_server: MovedServer) -> Iterator[Origins]:
    """Serve the page, with the client library, on all of the origins."""
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copytree(library, folder / "client")
    (folder / "index.html").write_text(PAGE.replace("GATEWAY", f'"{moved_server.url}/graphql"'))
    with ExitStack() as stack:
        for origin in (origins.web, origins.account, origins.other, origins.stranger):
            stack.enter_context(serve_folder(folder, int(origin.rpartition(":")[2])))
        yield origins


@pytest.fixture
def browser() -> Iterator[BrowserContext]:
    """Run a browser that keeps the cookies of all its pages together, as a person's does."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = started.new_context()
        context.set_default_timeout(1000 * PATIENCE)
        yield context
        started.close()


def load(page: Page, origin: str, client_id: str | None = None) -> Page:
    page.goto(origin)
    page.wait_for_function("typeof window.call === 'function'")
    if client_id is not None:
        page.evaluate("id => open_session(id)", client_id)
    return page


def visit(browser: BrowserContext, origin: str, client_id: str | None = None) -> Page:
    return load(browser.new_page(), origin, client_id)


def call(page: Page, query: str, **options: Any) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate("([query, options]) => call(query, options)", [query, options])
    return answer


def log_in(page: Page, email: str) -> dict[str, Any]:
    """Sign up and log in on a page with a session, and return the tokens as the page sees them."""
    ask = "([query, input]) => session.request(query, { input })"
    page.evaluate(ask, [SIGNUP, signup_input(email=email, password=PASSWORD)])
    tokens: dict[str, Any] = page.evaluate(ask, [LOGIN, {"email": email, "password": PASSWORD}])["login"]["tokens"]
    return tokens


def cookies(browser: BrowserContext, kind: str = "refresh") -> dict[str, str]:
    """Return the cookies of the gateway, each of which no script can read."""
    found = [each for each in browser.cookies() if each["name"].startswith(f"gateway-{kind}-")]
    assert all(each["httpOnly"] and each["sameSite"] == "Lax" and each["path"] == "/" for each in found)
    return {each["name"]: each["value"] for each in found}


class TestCors:
    def test_lets_tracing_headers_through(self, browser: BrowserContext, sites: Origins) -> None:
        page = visit(browser, sites.other)
        answer = call(page, BEGIN.replace("CLIENT", "other-web"), headers=TRACING)
        token = answer["data"]["anonymousLogin"]["tokens"]["accessToken"]
        answer = call(page, "{ tokenInfo { kind } }", headers={**TRACING, "Authorization": f"Bearer {token}"})
        assert answer["data"] == {"tokenInfo": {"kind": "ANONYMOUS"}}

    def test_shows_what_a_page_needs_of_the_answer_and_nothing_else(
        self, browser: BrowserContext, sites: Origins
    ) -> None:
        answer = call(visit(browser, sites.other), BEGIN.replace("CLIENT", "other-web"))
        assert answer["headers"].keys() == {
            "x-request-id",
            *("cache-control", "content-length", "content-type"),  # which every page may read (Fetch standard)
        }

    def test_shows_how_long_to_wait(self, browser: BrowserContext, sites: Origins) -> None:
        page = visit(browser, sites.other)
        for _ in range(100):
            answer = call(page, BEGIN.replace("CLIENT", "other-web"))
            if "errors" in answer:
                break
        extensions = answer["errors"][0]["extensions"]
        assert extensions["code"] == "RATE_LIMITED"
        assert answer["headers"]["retry-after"] == str(extensions["retryAfter"])

    @pytest.mark.parametrize("headers", [{}, TRACING, {"Content-Type": "text/plain"}], ids=["json", "traced", "simple"])
    def test_refuses_an_origin_that_nobody_has_registered(
        self, browser: BrowserContext, sites: Origins, headers: dict[str, str]
    ) -> None:
        page = visit(browser, sites.stranger)
        assert call(page, BEGIN.replace("CLIENT", "other-web"), headers=headers) == REFUSED

    def test_keeps_the_answers_about_one_shop_from_the_pages_of_another(
        self, browser: BrowserContext, sites: Origins
    ) -> None:
        page = visit(browser, sites.account)
        assert call(page, BEGIN.replace("CLIENT", "other-web")) == REFUSED
        answer = call(visit(browser, sites.other), BEGIN.replace("CLIENT", "other-web"))
        token = answer["data"]["anonymousLogin"]["tokens"]["accessToken"]
        assert call(page, "{ tokenInfo { kind } }", headers={"Authorization": f"Bearer {token}"}) == REFUSED


class TestCookieSession:
    def test_outlives_the_page(self, browser: BrowserContext, sites: Origins) -> None:
        page = visit(browser, sites.web, "web")
        assert page.evaluate("me()") is None
        log_in(page, "ada@example.com")
        load(page, sites.web, "web")
        assert page.evaluate("me()") == "ada@example.com"

    def test_outlives_the_night(self, browser: BrowserContext, sites: Origins, moved_server: MovedServer) -> None:
        page = visit(browser, sites.web, "web")
        log_in(page, "ada@example.com")
        for _ in range(2):
            moved_server.sleep(hours=8)
            assert page.evaluate("me()") == "ada@example.com"

    def test_hides_the_tokens_that_go_on_from_every_script(self, browser: BrowserContext, sites: Origins) -> None:
        page = visit(browser, sites.web, "web")
        tokens = log_in(page, "ada@example.com")
        assert (tokens["refreshToken"], tokens["deviceToken"]) == (None, None)
        assert (len(cookies(browser)), len(cookies(browser, "device"))) == (1, 1)
        # The port does not count for cookies, so the page has the same as the gateway's own pages.
        assert page.evaluate("document.cookie") == ""

    def test_is_one_for_all_tabs(self, browser: BrowserContext, sites: Origins, moved_server: MovedServer) -> None:
        tabs = [visit(browser, sites.web, "web") for _ in range(4)]
        log_in(tabs[0], "ada@example.com")
        assert [tab.evaluate("me()") for tab in tabs] == ["ada@example.com"] * 4
        moved_server.sleep(hours=8)
        for tab in tabs[:2]:
            tab.evaluate("void me()")  # reloaded before the answer is there
            load(tab, sites.web, "web")
        assert [tab.evaluate("me()") for tab in tabs] == ["ada@example.com"] * 4

    def test_ends_with_the_logout_in_every_tab(self, browser: BrowserContext, sites: Origins) -> None:
        page, tab = visit(browser, sites.web, "web"), visit(browser, sites.web, "web")
        log_in(page, "ada@example.com")
        page.evaluate("session.logout()")
        assert (cookies(browser), len(cookies(browser, "device"))) == ({}, 1)
        load(page, sites.web, "web")
        assert page.evaluate("me()") is None
        assert tab.evaluate("me()") is None

    def test_is_logged_out_after_the_night_too(
        self, browser: BrowserContext, sites: Origins, moved_server: MovedServer
    ) -> None:
        page = visit(browser, sites.web, "web")
        log_in(page, "ada@example.com")
        moved_server.sleep(hours=8)
        page.evaluate("session.logout()")
        assert cookies(browser) == {}

    def test_of_one_client_lives_beside_that_of_another(
        self, browser: BrowserContext, sites: Origins, moved_server: MovedServer
    ) -> None:
        web, account = visit(browser, sites.web, "web"), visit(browser, sites.account, "account")
        log_in(web, "ada@example.com")
        log_in(account, "grace@example.com")
        moved_server.sleep(hours=8)
        load(web, sites.web, "web")
        load(account, sites.account, "account")
        assert [web.evaluate("me()"), account.evaluate("me()")] == ["ada@example.com", "grace@example.com"]
        web.evaluate("session.logout()")
        load(account, sites.account, "account")
        assert [web.evaluate("me()"), account.evaluate("me()")] == [None, "grace@example.com"]


class TestCookieOfOthers:
    @pytest.mark.parametrize("origin", ["stranger", "far_stranger", "account", "other"])
    @pytest.mark.parametrize("query", [REFRESH, LOGOUT], ids=["refresh", "logout"])
    def test_is_of_no_use(self, browser: BrowserContext, sites: Origins, origin: str, query: str) -> None:
        """Also where the browser sends the cookie along, because both pages are of one site."""
        page = visit(browser, sites.web, "web")
        log_in(page, "ada@example.com")
        before = cookies(browser)
        elsewhere = visit(browser, getattr(sites, origin))
        for headers in ({"Gateway-Client": "web"}, {}, {"Content-Type": "text/plain"}):
            answer = call(elsewhere, query, headers=headers, credentials="include")
            assert answer == REFUSED or answer.get("data") is None or answer["data"]["refresh"]["tokens"] is None
        assert cookies(browser) == before
        load(page, sites.web, "web")
        assert page.evaluate("me()") == "ada@example.com"

    def test_is_not_sent_to_another_site_even_from_a_page_of_the_client(
        self, browser: BrowserContext, sites: Origins
    ) -> None:
        log_in(visit(browser, sites.web, "web"), "ada@example.com")
        before = cookies(browser)
        answer = call(visit(browser, sites.far), REFRESH, headers={"Gateway-Client": "web"}, credentials="include")
        assert answer["data"]["refresh"]["userErrors"] == [{"code": "TOKEN_INVALID"}]
        assert cookies(browser) == before
