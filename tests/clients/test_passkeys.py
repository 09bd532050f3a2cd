"""Passkeys in a real browser, with a virtual authenticator: made on a page of the shop, and used to log in there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.clients.test_tabs import CHROMIUM, FLAGS
from tests.factories import PASSWORD, signup_input
from tests.harness.operations import LOGIN, SIGNUP
from tests.harness.passkeys import PASSKEYS
from tests.harness.postgresql import free_port
from tests.harness.server import PATIENCE, ServerProcess
from tests.harness.sites import serve_folder
from tests.harness.tenants import storefront, table

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

EMAIL = "ada@example.com"
PAGE = """<!doctype html>
<title>Shop</title>
<form><input name="email" autocomplete="username webauthn"></form>
<script type="module">
import { createClient } from "./client/index.js";

const client = createClient({ url: "GATEWAY/graphql", clientId: "web" });
window.ask = (query, variables) => client.request(query, variables);
window.token = async () => (await client.session()).accessToken;
window.add_passkey = async () => (await client.registerPasskey()).name;
window.log_in = async (conditional) => (await client.loginWithPasskey({ conditional })).state;
window.log_out = () => client.logout();
window.prove = async (query) => (await client.request(query, { input: await client.usePasskey() }));
window.begun = 0;
const get = navigator.credentials.get.bind(navigator.credentials);
navigator.credentials.get = (options) => (window.begun += 1, get(options));
window.ended = [];
window.start = (conditional) => { log_in(conditional).catch((error) => ended.push(error.name)); };
</script>"""


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path, settings_environment: dict[str, str]) -> dict[str, str]:
    """Return that of SQLite only: the browser is the same on both databases."""
    database = tmp_path / "gateway.db"
    shutil.copy(sqlite_template, database)
    return {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state"), **settings_environment}


@pytest.fixture
def origin() -> str:
    return f"http://localhost:{free_port()}"


@pytest.fixture
def settings_environment(tmp_path: Path, origin: str) -> dict[str, str]:
    file = tmp_path / "tenants.toml"
    file.write_text(
        table("[tenants.shop]", name="The shop", signup="open")
        + table("[tenants.shop.sites.main]", url=origin, language="en")
        + storefront("shop", "web", origins=[origin])
    )
    return {"TENANTS_FILE": str(file)}


@pytest.fixture
def page(library: Path, tmp_path: Path, origin: str, server: ServerProcess) -> Iterator[Page]:
    """Open a page of the shop, with the client library, in a browser."""
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copytree(library, folder / "client")
    (folder / "index.html").write_text(PAGE.replace("GATEWAY", server.url))
    with serve_folder(folder, int(origin.rpartition(":")[2])), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(origin)
        page.wait_for_function("typeof window.ask === 'function'")
        yield page
        browser.close()


@pytest.fixture
def devtools(page: Page) -> CDPSession:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    return session


@pytest.fixture
def device(devtools: CDPSession) -> str:
    """Give the browser a device that verifies its owner, and keeps passkeys; return its id."""
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added: str = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    return added


def ask(page: Page, query: str, given: Any = None) -> Any:
    return page.evaluate("([query, variables]) => ask(query, variables)", [query, {"input": given}])


def register(page: Page) -> None:
    """Sign up, log in and register a passkey on the page."""
    ask(page, SIGNUP, signup_input(email=EMAIL, password=PASSWORD))
    ask(page, LOGIN, {"email": EMAIL, "password": PASSWORD})
    assert "Chrome" in page.evaluate("add_passkey()")


def log_in(page: Page, *, conditional: bool) -> str:
    """Log in anew, and return the access token."""
    page.evaluate("log_out()")
    assert page.evaluate("conditional => log_in(conditional)", conditional) == "done"
    token: str = page.evaluate("token()")
    return token


# What browsers of 2023 do not have.
OLD = """
delete PublicKeyCredential.parseCreationOptionsFromJSON;
delete PublicKeyCredential.parseRequestOptionsFromJSON;
delete PublicKeyCredential.prototype.toJSON;
"""


@pytest.mark.usefixtures("device")
class TestPasskeys:
    @pytest.mark.parametrize("old", [OLD, ""], ids=["browser of 2023", "browser"])
    def test_log_in_without_an_address(self, page: Page, old: str) -> None:
        """Conditional: the browser offers the passkey in the field of the address, as the page opens."""
        page.evaluate(f"() => {{ {old} }}")
        register(page)
        first, second = log_in(page, conditional=False), log_in(page, conditional=True)
        assert first != second
        (passkey,) = ask(page, PASSKEYS)["me"]["passkeys"]
        assert passkey["lastUsedAt"] is not None

    def test_of_a_button_end_the_one_that_waits_in_a_field(self, page: Page, devtools: CDPSession, device: str) -> None:
        register(page)
        page.evaluate("log_out()")
        presence = {"authenticatorId": device, "enabled": False}
        devtools.send("WebAuthn.setAutomaticPresenceSimulation", presence)
        page.evaluate("start(true)")
        page.wait_for_function("begun === 1")
        page.evaluate("start(false)")
        page.wait_for_function("ended.join() === 'AbortError'")
        page.wait_for_function("begun === 2")
        devtools.send("WebAuthn.setAutomaticPresenceSimulation", {**presence, "enabled": True})
        assert page.evaluate("log_in(false)") == "done"

    def test_are_not_made_twice_on_one_device(self, page: Page) -> None:
        register(page)
        log_in(page, conditional=False)
        proof = "mutation ($input: ReauthenticateInput!) { reauthenticate(input: $input) { authenticatedAt } }"
        assert page.evaluate("query => prove(query)", proof)["reauthenticate"]["authenticatedAt"] is not None
        assert page.evaluate("add_passkey().catch((error) => error.name)") == "InvalidStateError"
