"""Every page of the storefront: for screen readers, on a phone, in both languages, light and dark."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.clients.packages import NPM
from tests.harness.source import ROOT
from tests.storefront.shop import Shop, Visitor

STOREFRONT = ROOT / "app/http/storefront"
PAGES = ["", *json.loads((STOREFRONT / "src/pages.json").read_text())]
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
# What a page says while it has nothing to show yet.
LOADING = ("Loading …", "Wird geladen …")
# As browsers do with all cookies blocked.
NOTHING_IS_KEPT = """for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the source of axe-core, of the version in the lock file."""
    if NPM is None:
        pytest.skip("Node.js is not installed")
    version = json.loads((STOREFRONT / "package-lock.json").read_text())["packages"]["node_modules/axe-core"]["version"]
    folder = tmp_path_factory.mktemp("axe")
    command = [NPM, "install", "--ignore-scripts", "--no-audit", "--no-fund", f"axe-core@{version}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    return (Path(folder) / "node_modules/axe-core/axe.min.js").read_text()


@pytest.fixture(scope="module")
def customer(shop: Shop) -> Iterator[Visitor]:
    """Give a customer who is logged in, and has something on each page."""
    shop.customer("pages@example.com")
    with shop.visitor(viewport=DESKTOP, reduced_motion="reduce") as visitor:
        visitor.log_in("pages@example.com")
        visitor.open("/addresses")
        visitor.fill(contactName="Ada Lovelace", street="Unter den Linden", zipCode="10117", city="Berlin")
        visitor.press("Add")
        visitor.page.locator(".items li").wait_for()
        visitor.open("/lists")
        visitor.fill(name="Birthday")
        visitor.press("Add")
        visitor.page.get_by_role("heading", name="Birthday").wait_for()
        visitor.open("/payment")
        visitor.press("Add")
        visitor.page.locator(".items li").wait_for()
        yield visitor


def settle(page: Page) -> None:
    """Wait until the page has all that it asked for, and open what is folded away."""
    page.locator("h1").wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_function("words => !words.some(word => document.body.innerText.includes(word))", arg=list(LOADING))
    page.locator("details.operations").evaluate("details => { details.open = true; }")


def violations(page: Page, axe: str) -> list[str]:
    """Return what axe finds, each with the elements it is found at."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe)
    found = page.evaluate("() => axe.run()")["violations"]
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found]


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("() => document.documentElement.scrollWidth > innerWidth"))


class TestEveryPage:
    def test_is_for_everybody(self, shop: Shop, customer: Visitor, axe: str) -> None:
        """As a guest where one is sent back from it otherwise, else as a customer."""
        found: dict[str, list[str]] = {}
        with shop.visitor(viewport=DESKTOP, reduced_motion="reduce") as guest:
            for name in PAGES:
                visitor = guest if name in {"login", "login-code", "callback"} else customer
                visitor.open(f"/{name}?token=x")
                settle(visitor.page)
                for scheme in ("light", "dark"):
                    visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                    found[f"{name} {scheme}"] = violations(visitor.page, axe)
                visitor.page.set_viewport_size({"width": 360, "height": 740})
                if is_too_wide(visitor.page):
                    found[f"{name} 360"] = ["It scrolls sideways."]
                visitor.page.set_viewport_size({"width": 1280, "height": 900})
        assert [f"{name}: {faults}" for name, faults in found.items() if faults] == []

    def test_speaks_german_on_the_german_site_and_by_the_switch(self, shop: Shop) -> None:
        with shop.visitor() as visitor:
            visitor.open("/de/login")
            visitor.heading("Anmelden")
            assert visitor.page.locator("html").get_attribute("lang") == "de"
            visitor.press("English")
            visitor.heading("Log in")
            assert visitor.page.locator("html").get_attribute("lang") == "en"
            visitor.page.reload()
            visitor.heading("Log in")

    def test_moves_from_the_address_of_the_machine_to_its_name(self, shop: Shop) -> None:
        address = shop.url.replace("localhost", "127.0.0.1")
        with shop.visitor() as visitor:
            visitor.elsewhere = address
            visitor.open(f"{address}/sign-up")
            visitor.page.wait_for_url(f"{shop.url}/sign-up")


class TestGuest:
    @pytest.mark.parametrize("name", ["account", "privacy"])
    def test_is_asked_to_log_in(self, shop: Shop, name: str) -> None:
        with shop.visitor(viewport=PHONE) as visitor:
            visitor.open(f"/{name}")
            visitor.sees("Log in to see this page.")


class TestAPageThatCannotBeShown:
    def test_says_so_where_it_cannot_be_loaded(self, shop: Shop) -> None:
        with shop.visitor() as visitor:
            visitor.page.route("**/sign-up-*.js", lambda route: route.abort())
            visitor.open("/")
            visitor.press("Sign up")
            visitor.sees("This page could not be loaded.")
            assert visitor.faults != []
            visitor.faults.clear()

    def test_says_so_where_the_gateway_does_not_answer(self, shop: Shop) -> None:
        with shop.visitor() as visitor:
            # As a proxy says it; after no answer at all the page would try again for ten seconds.
            down = {"status": 503, "headers": {"Retry-After": "60"}, "body": "down"}
            visitor.page.route("**/graphql", lambda route: route.fulfill(**down))
            visitor.open("/account")
            visitor.heading("That did not work")
            assert not any(word in visitor.page.locator("main").inner_text() for word in LOADING)
            visitor.faults.clear()

    def test_is_none_where_the_browser_keeps_nothing(self, shop: Shop) -> None:
        with shop.visitor() as visitor:
            visitor.page.add_init_script(NOTHING_IS_KEPT)
            visitor.open("/")
            visitor.page.get_by_role("button", name="Put into the basket: Violet mug").click()
            assert visitor.page.locator(".basket b").inner_text() == "1"
