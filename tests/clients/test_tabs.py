"""The tabs of one browser, which share a session: one of them refreshes, whatever becomes of the others."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import pytest
from playwright.async_api import BrowserContext, Page, Route, async_playwright

from tests.factories import PASSWORD
from tests.harness.moved_clock import MovedServer
from tests.harness.operations import REFRESH
from tests.harness.postgresql import free_port
from tests.harness.server import PATIENCE, ServerClient

CHROMIUM = shutil.which("chromium")
# Chromium's own services would look for hosts that are none of ours.
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-background-networking"]
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
origins = ["ORIGIN"]
"""
PAGE = """<!doctype html>
<script type="importmap">{"imports": {"customer-gateway-client": "./client/index.js"}}</script>
<script type="module">
import { createClient } from "customer-gateway-client";

const client = createClient({ url: GATEWAY, clientId: "shop-web" });
const heard = [];
client.on("session", ({ kind }) => heard.push(kind));
client.on("sessionEnded", ({ reason }) => heard.push(reason));

window.email = async () => (await client.request("query Me { me { email } }")).me?.email ?? null;
window.emails = async (number) => [...new Set(await Promise.all(Array.from({ length: number }, () => email())))];
window.session = async () => (await client.session()).id;
window.logIn = async (email, password) => (await client.login({ email, password })).state;
window.logOut = () => client.logout();
window.tellAll = () => heard.splice(0);
window.tokens = async () => {
  const { result } = await new Promise((resolve) => {
    const opening = indexedDB.open("customer-gateway");
    opening.onsuccess = () => {
      const asked = opening.result.transaction("values").objectStore("values");
      const found = asked.get(`customer-gateway shop-web ${GATEWAY} session`);
      found.onsuccess = () => resolve(found);
    };
  });
  return JSON.parse(result);
};
</script>"""

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


@pytest.fixture
def origin() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def settings_environment(tmp_path: Path, origin: str) -> dict[str, str]:
    file = tmp_path / "tenants.toml"
    file.write_text(SHOP.replace("ORIGIN", origin))
    return {"TENANTS_FILE": str(file)}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def site(library: Path, tmp_path: Path, origin: str, moved_server: MovedServer) -> Any:
    """Serve the page of the shop with the client library, on an origin that the gateway knows."""
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copytree(library, folder / "client", ignore=shutil.ignore_patterns("*.d.ts"))
    (folder / "index.html").write_text(PAGE.replace("GATEWAY", f'"{moved_server.url}/graphql"'))
    server = ThreadingHTTPServer(("127.0.0.1", int(origin.rpartition(":")[2])), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield origin
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Tabs:
    """The tabs of somebody who has logged in, and what they have sent."""

    pages: list[Page]
    email: str
    refreshes: list[str] = field(default_factory=list)

    async def hear(self, what: list[str]) -> None:
        """Wait until every tab has heard just this since it was asked the last time."""
        for page in self.pages:
            heard: list[str] = []
            with anyio.fail_after(PATIENCE):
                while len(heard) < len(what):
                    heard += await page.evaluate("tellAll()")
            assert heard == what

    async def ask_all(self, what: str = "email()") -> list[Any]:
        """Let every tab ask, who is logged in or something else, all at once."""
        found: list[Any] = []

        async def ask(page: Page) -> None:
            found.append(await page.evaluate(what))

        async with anyio.create_task_group() as group:
            for page in self.pages:
                group.start_soon(ask, page)
        return found


@asynccontextmanager
async def open_tabs(server: MovedServer, site: str, number: int) -> AsyncIterator[Tabs]:
    client = ServerClient(server)
    async with client.http:
        person = await client.customer("shop-web")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context()
        tabs = Tabs([await open_tab(context, site) for _ in range(number)], person.email)
        context.on(
            "request",
            lambda sent: tabs.refreshes.append(sent.url) if "mutation Refresh" in (sent.post_data or "") else None,
        )
        state = await tabs.pages[0].evaluate("([email, password]) => logIn(email, password)", [person.email, PASSWORD])
        assert state == "done"
        yield tabs
        await browser.close()


async def open_tab(context: BrowserContext, site: str) -> Page:
    page = await context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    await load(page, site)
    return page


async def load(page: Page, site: str) -> None:
    await page.goto(site)
    await page.wait_for_function("typeof window.email === 'function'")


def lose_answer(lost: anyio.Event) -> Callable[[Route], Any]:
    """Let a refresh reach the gateway, and keep its answer from the tab."""

    async def handle(route: Route) -> None:
        if "mutation Refresh" in (route.request.post_data or "") and not lost.is_set():
            await route.fetch()
            lost.set()
        else:
            await route.continue_()

    return handle


class TestTabs:
    async def test_refresh_once_after_the_machine_has_slept(self, moved_server: MovedServer, site: str) -> None:
        async with open_tabs(moved_server, site, 8) as tabs:
            for night in (1, 2):
                moved_server.sleep(hours=8)
                assert await tabs.ask_all() == [tabs.email] * 8
                assert len(tabs.refreshes) == night

    @pytest.mark.parametrize("reloaded", [1, 3, 8])
    async def test_stay_logged_in_when_some_are_reloaded_before_the_answer_comes(
        self, moved_server: MovedServer, site: str, reloaded: int
    ) -> None:
        """Each of the k tabs has sent the token when it is reloaded, so its answer is lost and its lock free."""
        async with open_tabs(moved_server, site, 8) as tabs:
            moved_server.sleep(hours=8)
            for page in tabs.pages[:reloaded]:
                lost = anyio.Event()
                await page.route("**/graphql", lose_answer(lost))
                await page.evaluate("void email()")
                with anyio.fail_after(PATIENCE):
                    await lost.wait()
                await load(page, site)
            assert await tabs.ask_all() == [tabs.email] * 8
            assert len(tabs.refreshes) == reloaded + 1
            moved_server.sleep(hours=8)
            assert await tabs.ask_all() == [tabs.email] * 8

    async def test_begin_one_session_and_hear_what_becomes_of_it(self, moved_server: MovedServer, site: str) -> None:
        async with open_tabs(moved_server, site, 16) as tabs:
            await tabs.hear(["guest", "customer"])
            assert len(set(await tabs.ask_all("session()"))) == 1
            assert await tabs.pages[3].evaluate("emails(16)") == [tabs.email]
            await tabs.pages[5].evaluate("logOut()")
            await tabs.hear(["LOGGED_OUT"])
            (guest,) = set(await tabs.ask_all("session()"))
            await tabs.hear(["guest"])
            assert await tabs.ask_all() == [None] * 16
            assert set(await tabs.ask_all("session()")) == {guest}
            assert tabs.refreshes == []

    async def test_hear_that_somebody_else_has_used_the_token(self, moved_server: MovedServer, site: str) -> None:
        async with open_tabs(moved_server, site, 3) as tabs:
            stolen = (await tabs.pages[0].evaluate("tokens()"))["refreshToken"]
            thief = ServerClient(moved_server)
            async with thief.http:
                for _ in range(2):  # the copy is used, and what it gave too
                    answer = await thief.graphql(REFRESH, {"input": {"refreshToken": stolen}})
                    assert answer.data is not None
                    stolen = answer.data["refresh"]["tokens"]["refreshToken"]
                moved_server.sleep(hours=8)
                await tabs.hear(["guest", "customer"])
                assert await tabs.ask_all() == [None] * 3
                await tabs.hear(["TOKEN_REUSED", "guest"])

    @pytest.mark.parametrize("date", ["0", "4e12"], ids=["1970", "2096"])
    async def test_do_not_ask_the_clock_of_the_device(self, moved_server: MovedServer, site: str, date: str) -> None:
        async with open_tabs(moved_server, site, 2) as tabs:
            for page in tabs.pages:
                await page.evaluate(f"void (Date.now = () => {date})")
            assert await tabs.ask_all() == [tabs.email] * 2
            assert tabs.refreshes == []
            moved_server.sleep(hours=8)
            assert await tabs.ask_all() == [tabs.email] * 2
            assert len(tabs.refreshes) == 1
