"""Where the storefront is: at each site at the gateway's own address, in development, and with Node.js."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from app.wiring import read_tenants
from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.tenants import shop, storefront

pytestmark = pytest.mark.anyio

INDEX = '<!doctype html><html lang="en"><script src="./assets/index-1.js"></script></html>'


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path) -> dict[str, str]:
    """Return that of SQLite only: the pages are the same on both databases."""
    database = tmp_path / "gateway.db"
    database.write_bytes(sqlite_template.read_bytes())
    return {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state")}


@pytest.fixture
def bundle(tmp_path: Path) -> Iterator[Path]:
    """Take the place of what Node.js makes."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "assets/index-1.js").write_text("shop();" * 200)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.http.storefront._BUNDLE", folder)
        yield folder


async def facts_at(gateway: Gateway, path: str) -> dict[str, str]:
    """Return what the gateway has written into the page."""
    answer = await gateway.http.get(path)
    assert answer.status_code == 200
    return dict(re.findall(r'data-([a-z-]+)="([^"]*)"', answer.text))


@pytest.mark.usefixtures("bundle")
class TestPages:
    @pytest.mark.parametrize(
        ("path", "home", "client", "site"),
        [
            ("/", "", "demo-storefront", "main"),
            ("/login", "", "demo-storefront", "main"),
            ("/confirm-signup?token=x", "", "demo-storefront", "main"),
            ("/de", "/de", "demo-storefront", "de"),
            ("/de/reset-password", "/de", "demo-storefront", "de"),
            ("/open/sign-up", "/open", "open-storefront", "main"),
            ("/staffed/", "/staffed", "staffed-storefront", "main"),
        ],
    )
    async def test_are_those_of_the_site(
        self, environment: dict[str, str], clock: MovableClock, path: str, home: str, client: str, site: str
    ) -> None:
        async with run_gateway(environment, clock) as gateway:
            facts = await facts_at(gateway, path)
            assert (facts["home"], facts["client"], facts["site"]) == (home, client, site)

    @pytest.mark.parametrize(
        "path", ["/nothing", "/de/nothing", "/login/nothing", "/nothing/login", "/storefront/assets/x.js"]
    )
    async def test_are_no_others(self, environment: dict[str, str], clock: MovableClock, path: str) -> None:
        async with run_gateway(environment, clock) as gateway:
            assert (await gateway.http.get(path)).status_code == 404

    async def test_run_only_our_own_files(self, environment: dict[str, str], clock: MovableClock) -> None:
        async with run_gateway(environment, clock) as gateway:
            page = await gateway.http.get("/")
            policy = page.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "unsafe" not in policy
            assert 'src="/storefront/assets/index-1.js"' in page.text
            file = await gateway.http.get("/storefront/assets/index-1.js", headers={"Accept-Encoding": "gzip"})
            assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert file.headers["content-encoding"] == "gzip"

    async def test_are_below_the_path_of_the_public_address(
        self, environment: dict[str, str], clock: MovableClock
    ) -> None:
        """A proxy takes that path off."""
        public = {"PUBLIC_URL": "https://shop.example/accounts"}
        async with run_gateway({**environment, **public}, clock) as gateway:
            facts = await facts_at(gateway, "/de/login")
            assert (facts["base"], facts["home"]) == ("/accounts", "/accounts/de")
            page = await gateway.http.get("/login")
            assert 'src="/accounts/storefront/assets/index-1.js"' in page.text

    async def test_show_the_first_storefront_of_other_tenants(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        file = tmp_path / "tenants.toml"
        file.write_text(shop("boutique", signup="open") + storefront("boutique", "window"))
        async with run_gateway({**environment, "TENANTS_FILE": str(file)}, clock) as gateway:
            assert (await facts_at(gateway, "/"))["client"] == "window"
            assert (await gateway.http.get("/de")).status_code == 404


class TestWithoutNode:
    async def test_a_plain_page_says_what_to_do(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.http.storefront._BUNDLE", tmp_path / "nothing")
        async with run_gateway(environment, clock) as gateway:
            for path in ("/", "/confirm-signup?token=x", "/dev"):
                page = await gateway.http.get(path)
                assert page.status_code == 200
                assert "install Node.js" in page.text

    async def test_an_image_has_no_storefront_at_all(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.http.storefront._BUNDLE", tmp_path / "nothing")
        monkeypatch.setattr("app.http.storefront._PAGES", tmp_path / "nothing.json")
        async with run_gateway(environment, clock) as gateway:
            assert (await gateway.http.get("/")).status_code == 200
            assert (await gateway.http.get("/login")).status_code == 404


class TestDemoSites:
    @pytest.mark.parametrize(
        ("variables", "url"),
        [
            ({}, "http://localhost:8000"),
            ({"PORT": "9000"}, "http://localhost:9000"),
            ({"PORT": "80"}, "http://localhost"),
            ({"HOST": "0.0.0.0"}, "http://localhost:8000"),  # noqa: S104 - nothing listens
            ({"PUBLIC_URL": "http://127.0.0.1:9000/accounts"}, "http://localhost:9000/accounts"),
            ({"PUBLIC_URL": "https://Shop.example:443/accounts/"}, "https://Shop.example:443/accounts"),
            ({"PUBLIC_URL": "http://gateway.test:9000"}, "http://localhost:8000"),
        ],
    )
    def test_are_at_the_address_of_the_gateway(self, variables: dict[str, str], url: str) -> None:
        demo = read_tenants(Settings.load(variables)).tenant("demo")
        main, german = demo.sites
        assert (main.url, german.url) == (url, f"{url}/de")
        client = demo.find_client("demo-storefront")
        assert client is not None
        assert f"{url}/callback" in client.redirect_uris
        assert main.relying_party_id == ("shop.example" if "Shop" in url else "localhost")
        origin = "https://shop.example" if "Shop" in url else "/".join(url.split("/")[:3])
        assert origin in client.origins
        assert origin in main.origins_of_passkeys
