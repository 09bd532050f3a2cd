"""A storefront that renders on its server, in Next.js: its visitors stay logged in, and none pays for another."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest

from tests.clients.packages import CLIENTS, NODE, install, made_once
from tests.harness.moved_clock import MovedServer
from tests.harness.postgresql import free_port
from tests.harness.server import PATIENCE, ServerClient, ServerProcess

NEXT = CLIENTS / "next"
SECRET = "development-only-shop-web-secret-0123456789"
SHOP = """
[tenants.shop]
name = "The shop"
signup = "open"
[tenants.shop.sites.main]
url = "https://shop.example"
language = "en"
[[tenants.shop.clients]]
id = "shop-web"
kind = "storefront"
secret_env = "SHOP_WEB_SECRET"
"""
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
ACCESS, REFRESH = "shop-access", "shop-refresh"

StartShop = Callable[..., str]


@pytest.fixture(scope="session")
def built_shop() -> Path:
    """Build the Next app, which also checks its types."""
    install(NEXT)
    sources = [path for path in NEXT.rglob("*.ts*") if not {"node_modules", ".next"} & set(path.parts)]
    sources = [path for path in sources if path.name != "next-env.d.ts"] + [NEXT / "package-lock.json"]
    with made_once(NEXT, ".next", sources) as is_made:
        if not is_made:
            ended = subprocess.run(_next("build"), env=_environment(), cwd=NEXT, capture_output=True, text=True)
            assert ended.returncode == 0, ended.stdout + ended.stderr
    return NEXT


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "tenants.toml"
    file.write_text(SHOP)
    return {"TENANTS_FILE": str(file), "SHOP_WEB_SECRET": SECRET}


@pytest.fixture
def start_shop(built_shop: Path) -> Iterator[StartShop]:
    """Start the Next server on a free port; all are gone after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(server: ServerProcess, **further: str) -> str:
        port = free_port()
        variables = {"GATEWAY_URL": f"{server.url}/graphql", "CLIENT_ID": "shop-web", "STOREFRONT_SECRET": SECRET}
        variables |= further
        command = _next("start", "--port", str(port), "--hostname", "127.0.0.1")
        process = subprocess.Popen(command, cwd=built_shop, env=_environment(**variables), stdout=subprocess.DEVNULL)
        started.append(process)
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
        while True:
            try:
                httpx2.get(f"{url}/favicon.ico", trust_env=False, timeout=PATIENCE)
            except httpx2.TransportError:
                assert process.poll() is None, "Next has ended."
                assert time.monotonic() < deadline, "Next does not listen."
                time.sleep(0.05)
            else:
                return url

    yield start
    for process in started:
        process.terminate()
        process.wait(PATIENCE)


def _next(*arguments: str) -> list[str]:
    return [str(NODE), "node_modules/next/dist/bin/next", *arguments]


def _environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "NEXT_TELEMETRY_DISABLED": "1", **variables}


class Browser:
    """Somebody's browser: one jar of cookies, for any number of page loads at once."""

    def __init__(self, url: str, ip: str = "203.0.113.7") -> None:
        headers = {"User-Agent": FIREFOX, "X-Forwarded-For": ip}
        limits = httpx2.Limits(max_connections=64)
        self.http = httpx2.AsyncClient(
            base_url=url, headers=headers, trust_env=False, timeout=PATIENCE, limits=limits, follow_redirects=True
        )

    async def load(self, url: str = "/") -> str:
        """Load a page, and return its first paragraph."""
        page = await self.http.get(url)
        assert page.status_code == 200, page.text
        (paragraph,) = re.findall("<p>(.*?)</p>", page.text)
        return str(paragraph)

    async def load_at_once(self, *urls: str) -> list[str]:
        """Load pages at the same moment, each with the cookies that there are now."""
        found: list[str] = []

        async def load(url: str) -> None:
            found.append(await self.load(url))

        async with anyio.create_task_group() as group:
            for url in urls:
                group.start_soon(load, url)
        return found

    async def log_in(self, email: str, password: str) -> str:
        """Send the form, as a browser without JavaScript does, and return the page that it leads to."""
        page = await self.http.get("/login")
        (action,) = re.findall(r'name="(\$ACTION_ID_\w+)"', page.text)
        form = {action: (None, ""), "email": (None, email), "password": (None, password)}
        origin = str(self.http.base_url).rstrip("/")
        answer = await self.http.post("/login", files=form, headers={"Origin": origin})
        assert answer.status_code == 200, answer.text
        (paragraph,) = re.findall("<p>(.*?)</p>", answer.text)
        return str(paragraph)

    def forget_access(self) -> None:
        """Drop the access token, as a browser does when the cookie's time is over."""
        self.http.cookies.delete(ACCESS)


@asynccontextmanager
async def logged_in(server: ServerProcess, url: str) -> AsyncIterator[tuple[Browser, str]]:
    """Open the browser of a customer who has logged in, and say what the shop greets them with."""
    client, browser = ServerClient(server), Browser(url)
    async with client.http, browser.http:
        person = await client.signup_confirmed("shop-web")
        greeting = f"Hello, {person.email}, with Firefox on Windows."
        assert await browser.log_in(person.email, person.password) == greeting
        yield browser, greeting


def refreshes(server: ServerProcess) -> int:
    """Count the refreshes that the gateway has answered."""
    return len(re.findall(r"200 POST /graphql +refresh ", server.log))


@pytest.mark.anyio
class TestShop:
    async def test_greets_guests_and_keeps_tokens_from_scripts(
        self, moved_server: MovedServer, start_shop: StartShop
    ) -> None:
        browser = Browser(start_shop(moved_server))
        async with browser.http:
            page = await browser.http.get("/")
            assert "Hello, guest." in page.text
            cookies = page.headers.get_list("set-cookie")
            assert [cookie.partition("=")[0] for cookie in cookies] == [ACCESS, REFRESH]
            assert all("HttpOnly" in cookie and "SameSite=lax" in cookie for cookie in cookies)
            assert "cg_a" not in page.text
            assert "is not right" in await browser.log_in("nobody@example.com", "violet-harbour-42")

    async def test_has_cookies_that_no_other_host_can_set_where_it_is_served_by_https(
        self, moved_server: MovedServer, start_shop: StartShop
    ) -> None:
        browser = Browser(start_shop(moved_server, SHOP_URL="https://shop.example"))
        async with browser.http:
            cookies = (await browser.http.get("/")).headers.get_list("set-cookie")
            assert [cookie.partition("=")[0] for cookie in cookies] == [f"__Host-{ACCESS}", f"__Host-{REFRESH}"]
            assert all("; Secure" in cookie and "; Path=/" in cookie and "omain" not in cookie for cookie in cookies)

    async def test_keeps_the_session_while_the_gateway_is_away(
        self, moved_server: MovedServer, start_shop: StartShop
    ) -> None:
        async with logged_in(moved_server, start_shop(moved_server)) as (browser, greeting):
            moved_server.sleep(hours=8)
            browser.forget_access()
            moved_server.kill()
            page = await browser.http.get("/")
            assert page.status_code == 500
            assert "set-cookie" not in page.headers
            moved_server.start()
            assert await browser.load() == greeting

    @pytest.mark.parametrize("pages", [8, 16])
    async def test_stays_logged_in_after_pages_that_were_loaded_at_once(
        self, moved_server: MovedServer, start_shop: StartShop, pages: int
    ) -> None:
        async with logged_in(moved_server, start_shop(moved_server)) as (browser, greeting):
            for night in (1, 2):
                moved_server.sleep(hours=8)
                browser.forget_access()
                assert await browser.load_at_once(*["/"] * pages) == [greeting] * pages
                assert refreshes(moved_server) == night
            assert await browser.load() == greeting

    async def test_stays_logged_in_where_the_browser_kept_what_has_expired(
        self, moved_server: MovedServer, start_shop: StartShop
    ) -> None:
        async with logged_in(moved_server, start_shop(moved_server)) as (browser, greeting):
            moved_server.sleep(hours=8)
            assert await browser.load_at_once(*["/"] * 16) == [greeting] * 16
            assert refreshes(moved_server) == 1

    async def test_stays_logged_in_on_two_servers_that_know_nothing_of_each_other(
        self, moved_server: MovedServer, start_shop: StartShop
    ) -> None:
        one, other = start_shop(moved_server), start_shop(moved_server)
        async with logged_in(moved_server, one) as (browser, greeting):
            for _ in range(2):
                moved_server.sleep(hours=8)
                browser.forget_access()
                assert await browser.load_at_once(*[f"{one}/", f"{other}/"] * 8) == [greeting] * 16
            assert await browser.load() == greeting

    async def test_lets_the_61st_visitor_of_a_minute_in(self, moved_server: MovedServer, start_shop: StartShop) -> None:
        url = start_shop(moved_server)
        for number in range(70):
            browser = Browser(url, f"198.51.100.{number}")
            async with browser.http:
                assert await browser.load() == "Hello, guest."

    async def test_sends_nobody_to_another_host(self, moved_server: MovedServer, start_shop: StartShop) -> None:
        browser = Browser(start_shop(moved_server))
        async with browser.http:
            for to in (
                "//evil.example/",
                "https://evil.example/",
                "/\\evil.example",
                "/\t/evil.example",
                "/.//evil.example",
            ):
                answer = await browser.http.get("/renew", params={"to": to}, follow_redirects=False)
                assert answer.status_code == 307
                assert answer.headers["location"] in {"/", "/evil.example"}
            back = await browser.http.get("/renew", params={"to": "/login?fault=x"}, follow_redirects=False)
            assert back.headers["location"] == "/login?fault=x"
