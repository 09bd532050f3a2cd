"""Apple's way in a real browser: to the provider, by its form to the gateway, and back to the shop's page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc.jwk import ECKey
from playwright.async_api import Page, async_playwright

from tests.clients.test_tabs import CHROMIUM, FLAGS
from tests.harness.postgresql import free_port
from tests.harness.provider_shapes import SHAPES
from tests.harness.server import PATIENCE, ServerClient, ServerProcess
from tests.harness.sites import serve_folder
from tests.harness.social import CLIENT_ID, MintingProvider, SocialPerson, codes

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

# The provider is on another site than the gateway, as Apple is: cookies of neither go along.
SHOP = """
[tenants.shop]
name = "The shop"
signup = "open"
[tenants.shop.sites.main]
url = "SITE"
language = "en"
[[tenants.shop.clients]]
id = "shop-web"
kind = "storefront"
redirect_uris = ["SITE/callback.html?from=apple"]
[[tenants.shop.social]]
provider = "apple"
issuer = "ISSUER"
client_id = "CLIENT"
signing = { team_id = "TEAM", key_id = "KEY", private_key_env = "APPLE_KEY" }
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    folder, port = tmp_path / "site", free_port()
    folder.mkdir()
    (folder / "callback.html").write_text("<!doctype html><title>Shop</title>")
    with serve_folder(folder, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def settings_environment(tmp_path: Path, site: str, minted: MintingProvider) -> dict[str, str]:
    SHAPES["apple"].serve(minted)
    # The clock of the provider stands still, and that of the server goes on.
    minted.claims["exp"] = 99_999_999_999
    file = tmp_path / "tenants.toml"
    file.write_text(SHOP.replace("SITE", site).replace("ISSUER", minted.issuer).replace("CLIENT", CLIENT_ID))
    key = ECKey.generate_key("P-256").as_pem(private=True).decode()
    return {"TENANTS_FILE": str(file), "APPLE_KEY": key}


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = await browser.new_page()
        opened.set_default_timeout(1000 * PATIENCE)
        yield opened
        await browser.close()


async def come_back(page: Page, url: str, site: str) -> dict[str, str]:
    """Go to the provider, press its button, and return what the shop's page is opened with."""
    # The same provider under another name of this machine: to a browser that is another site.
    await page.goto(url.replace("//127.0.0.1", "//localhost", 1))
    await page.click("button")
    await page.wait_for_url(f"{site}/callback.html?from=apple&**")
    assert await page.title() == "Shop"
    return dict(parse_qsl(urlsplit(page.url).query))


async def test_a_person_logs_in_by_apples_form(
    page: Page, site: str, minted: MintingProvider, start_server: Callable[..., ServerProcess]
) -> None:
    server = start_server()
    storefront = ServerClient(server)
    async with storefront.http:
        await _walk(page, site, minted, storefront, server.url)
    server.stop()


async def _walk(page: Page, site: str, minted: MintingProvider, storefront: ServerClient, gateway: str) -> None:
    person = SocialPerson(storefront, (await storefront.anonymous("shop-web")).access, "apple")
    redirect_uri = f"{site}/callback.html?from=apple"

    minted.posted = {"error": "user_cancelled_authorize", "code": None}
    begun = await person.begin(redirectUri=redirect_uri)
    back = await come_back(page, begun["authorizationUrl"], site)
    assert back == {"from": "apple", "error": "user_cancelled_authorize", "state": begun["state"]}

    minted.posted = {"user": SHAPES["apple"].user}
    begun = await person.begin(redirectUri=redirect_uri)
    back = await come_back(page, begun["authorizationUrl"], site)
    assert back.keys() == {"from", "code", "state"}
    # The browser posts once more, and gets where it was.
    await page.goto(begun["authorizationUrl"])
    await page.go_back()
    payload = await person.finish(back["state"], redirectUri=redirect_uri, code=back["code"])
    assert (codes(payload), payload["created"], payload["customer"]["firstName"]) == ([], True, "Ada")
    assert payload["tokens"]["accessToken"]

    # Too late: the page of the provider, found again in the history of the browser.
    await page.goto(begun["authorizationUrl"].replace("//127.0.0.1", "//localhost", 1))
    await page.click("button")
    await page.wait_for_url(f"{site}/callback.html?from=apple&error=invalid_request&**")

    # And a page of ours where nobody knows where to go.
    await page.goto(begun["authorizationUrl"].replace(begun["state"], "cg_ss_" + "A" * 43))
    await page.click("button")
    await page.wait_for_url(f"{gateway}/social/form_post")
    assert await page.inner_text("h1") == "You are not logged in"
