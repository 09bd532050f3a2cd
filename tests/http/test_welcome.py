"""The page at `/dev`, GraphiQL's tabs and what the start says: they name what is served, whichever shops it are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.commands.serving import greeting
from app.domain.operation_lists import hash_operation
from app.domain.tenants import TenantDirectory
from app.http.first_steps import FirstSteps, first_steps
from app.settings import Settings
from app.wiring import read_tenants
from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.tenants import integration, shop, storefront

pytestmark = pytest.mark.anyio

HERE = "http://127.0.0.1:8000"
SECRET = "a-secret-of-the-shop-and-of-nobody-else"


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path) -> dict[str, str]:
    """Return that of SQLite only: the page is the same on both databases."""
    database = tmp_path / "gateway.db"
    database.write_bytes(sqlite_template.read_bytes())
    return {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state")}


def own_shop(folder: Path, *tables: str) -> dict[str, str]:
    """Return the variables of a gateway that serves these tables."""
    file = folder / "tenants.toml"
    file.write_text("".join(tables))
    return {"TENANTS_FILE": str(file), "BACKEND": SECRET}


BOUTIQUE = (shop("boutique", name="Boutique", signup="open"), integration("boutique", "back", secret_env="BACKEND"))


def steps_of(**environment: str) -> FirstSteps:
    settings = Settings.load(environment)
    return first_steps(read_tenants(settings), settings.address, built_in=settings.tenants_file is None)


def greeting_of(steps: FirstSteps) -> str:
    return greeting(steps, Settings.load({}))


async def journey(gateway: Gateway) -> dict[str, Any]:
    answer = await gateway.http.get("/playground/journey.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def tabs(gateway: Gateway) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await journey(gateway))["steps"]
    return found


class TestPage:
    async def test_leads_to_graphiql_the_mailbox_and_the_first_operation(
        self, environment: dict[str, str], clock: MovableClock
    ) -> None:
        async with run_gateway(environment, clock) as gateway:
            page = await gateway.http.get("/dev")
            assert page.status_code == 200
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert set(re.findall(r'href="([^"]+)"', page.text)) - {"/"} == {"/graphql", "/dev/mail", "/dev/staff"}
            assert "demo-storefront" in page.text
            assert "Demo shop, Open shop, Staffed shop" in page.text
            assert "demo-backend:development-only-demo-backend-secret" in page.text

    async def test_loads_nothing_and_runs_nothing(self, environment: dict[str, str], clock: MovableClock) -> None:
        async with run_gateway(environment, clock) as gateway:
            page = await gateway.http.get("/dev")
            policy = page.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; style-src 'sha256-")
            assert "unsafe" not in policy
            assert not re.search(r"<script|<img|<link|style=|src=", page.text)

    async def test_answers_head_without_a_body(self, environment: dict[str, str], clock: MovableClock) -> None:
        async with run_gateway(environment, clock) as gateway:
            assert (await gateway.http.head("/dev")).status_code == 200

    async def test_shows_no_secret_of_a_shop_and_no_mailbox_where_there_is_none(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        smtp = {"SMTP_URL": "smtp://127.0.0.1:2525", "MAIL_FROM": "shop@example.com"}
        own = own_shop(tmp_path, *BOUTIQUE, storefront("boutique", "window"))
        async with run_gateway({**environment, **own, **smtp}, clock) as gateway:
            page = (await gateway.http.get("/dev")).text
            assert "window" in page
            assert "demo" not in page
            assert SECRET not in page
            assert "/dev/mail" not in page


class TestTabs:
    async def test_begin_as_the_demo_storefront(self, environment: dict[str, str], clock: MovableClock) -> None:
        async with run_gateway(environment, clock) as gateway:
            found = await tabs(gateway)
            assert found[0]["variables"] == {"input": {"clientId": "demo-storefront", "site": "main"}}
            assert [tab["name"] for tab in found[:4]] == ["1 Begin", "2 Look around", "3 Sign up", "4 Confirm"]

    async def test_walk_through_a_shop_that_is_not_the_demo(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        own = own_shop(tmp_path, *BOUTIQUE, storefront("boutique", "window"))
        async with run_gateway({**environment, **own}, clock) as gateway:
            found = await tabs(gateway)
            assert found[0]["variables"]["input"]["clientId"] == "window"
            assert "4 Log in" in [tab["name"] for tab in found]
            token = None
            for tab in found[:4]:
                answer = await gateway.graphql(tab["query"], tab["variables"], token)
                (payload,) = (answer.data or {}).values()
                assert payload.get("userErrors", []) == []
                token = (payload.get("tokens") or {}).get("accessToken", token)

    async def test_have_the_backend_s_credentials_in_the_demo_only(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        async with run_gateway(environment, clock) as gateway:
            staff = (await journey(gateway))["staff"]
            assert staff == {"clientId": "demo-backend", "clientSecret": "development-only-demo-backend-secret"}
        own = own_shop(tmp_path, *BOUTIQUE, storefront("boutique", "window"))
        async with run_gateway({**environment, **own}, clock) as gateway:
            answer = await gateway.http.get("/playground/journey.json")
            assert answer.json()["staff"] is None
            assert SECRET not in answer.text

    async def test_know_where_the_mailed_links_of_the_shop_lead(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        boutique = "".join(BOUTIQUE)
        elsewhere = re.sub(r"(\[tenants\.boutique\.sites\.\w+\]\n)", r'\1reset_path = "/forgotten"\n', boutique)
        own = own_shop(tmp_path, elsewhere, storefront("boutique", "window"))
        async with run_gateway({**environment, **own}, clock) as gateway:
            pages = (await journey(gateway))["pages"]
            assert (pages["reset_path"], pages["confirm_path"]) == ("/forgotten", "/confirm-signup")

    async def test_say_that_there_is_no_storefront(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        async with run_gateway({**environment, **own_shop(tmp_path, *BOUTIQUE)}, clock) as gateway:
            begin = (await tabs(gateway))[0]
            comment = begin["query"].partition("#\n")[0].replace("\n# ", " ")
            assert comment.startswith("# No shop of the tenants file has a storefront client, so nobody can begin")
            assert begin["variables"]["input"]["clientId"] == ""
            page = (await gateway.http.get("/dev")).text
            assert "No shop of the tenants file has a storefront client" in page


class TestGreeting:
    def test_names_the_storefront_and_shows_the_demo_s_secret(self) -> None:
        said = greeting_of(steps_of())
        assert f"Serving Demo shop, Open shop, Staffed shop at {HERE}/graphql." in said
        assert 'anonymousLogin(input: {clientId: "demo-storefront"})' in said
        assert "-u demo-backend:development-only-demo-backend-secret" in said

    def test_says_what_to_set_where_nobody_listens_for_the_storefront(self) -> None:
        said = greeting(steps_of(HOST="10.1.2.3"), Settings.load({"HOST": "10.1.2.3"}))
        assert "An example storefront is at" not in said
        assert "add 127.0.0.1 to HOST, or set PUBLIC_URL" in said

    def test_shows_no_secret_that_somebody_has_chosen(self) -> None:
        said = greeting_of(
            steps_of(DEMO_BACKEND_SECRET=SECRET, OPEN_BACKEND_SECRET=SECRET, STAFFED_BACKEND_SECRET=SECRET)
        )
        assert "curl" not in said
        assert SECRET not in said

    def test_names_the_storefront_of_another_file(self, tmp_path: Path) -> None:
        known = {"BACKEND": "development-only-but-not-of-the-demo"}
        said = greeting_of(steps_of(**{**own_shop(tmp_path, *BOUTIQUE, storefront("boutique", "window")), **known}))
        assert '{clientId: "window"}' in said
        assert "demo" not in said
        assert "development-only" not in said

    def test_says_that_there_is_no_storefront(self, tmp_path: Path) -> None:
        said = greeting_of(steps_of(**own_shop(tmp_path, *BOUTIQUE)))
        assert "No shop of the tenants file has a storefront client" in said
        assert "anonymousLogin" not in said

    def test_prefers_a_shop_that_runs_any_operation(self, tmp_path: Path) -> None:
        listed_operation = "query Me { me { email } }"
        operations = {hash_operation(listed_operation): listed_operation}
        (tmp_path / "operations.json").write_text(json.dumps(operations))
        listed = shop("listed", name="Listed", operations_file="operations.json") + storefront("listed", "first")
        alone = own_shop(tmp_path, listed)
        assert "Listed runs only the operations of its operations_file." in greeting_of(steps_of(**alone))
        both = own_shop(tmp_path, listed, *BOUTIQUE, storefront("boutique", "window"))
        assert '{clientId: "window"}' in greeting_of(steps_of(**both))

    @pytest.mark.parametrize(
        ("variables", "address"),
        [
            ({"PORT": "9000"}, "http://127.0.0.1:9000"),
            ({"HOST": "0.0.0.0"}, HERE),  # noqa: S104 - nothing listens
            ({"HOST": "::1"}, "http://[::1]:8000"),
            ({"HOST": "::"}, "http://[::1]:8000"),
            ({"PUBLIC_URL": "https://gateway.test/"}, "https://gateway.test"),
        ],
    )
    def test_says_where_it_is_found(self, variables: dict[str, str], address: str) -> None:
        assert f" at {address}/graphql." in greeting_of(steps_of(**variables))

    def test_has_nothing_to_say_of_no_shop(self) -> None:
        steps = first_steps(TenantDirectory([]), HERE, built_in=False)
        assert (steps.operation_command, steps.token_command) == (None, None)
