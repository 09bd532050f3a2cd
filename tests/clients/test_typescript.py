"""TypeScript clients, typed by graphql-codegen and compiled strictly, against a real server."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.adapters.social.demo_provider import run_demo_provider
from tests.clients.conftest import Run
from tests.harness.postgresql import free_port
from tests.harness.server import ServerProcess
from tests.harness.sign_in import limits, shop_environment

REDIRECT_URI = "com.example.shop:/callback"
SHOP = f"""
[tenants.shop]
name = "The shop"
signup = "open"
access_token_seconds = 2
[tenants.shop.sites.main]
url = "https://shop.example"
language = "en"
[[tenants.shop.clients]]
id = "shop-app"
kind = "storefront"
redirect_uris = ["{REDIRECT_URI}"]
[[tenants.shop.social]]
provider = "demo"
name = "Demo provider"
issuer = "ISSUER"
client_id = "demo"
client_secret_env = "SOCIAL_SECRET"
trusted_email_domains = ["example.com"]
"""


class TestJourney:
    def test_is_walked_by_a_typed_client(self, run_typescript: Run) -> None:
        assert run_typescript("journey") == [
            "begun",
            "faults told",
            "signed up",
            "logged in",
            "profile changed",
            "addresses kept",
            "password changed",
            "logged out",
        ]


class TestStorefrontClient:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> dict[str, str]:
        file = tmp_path / "tenants.toml"
        file.write_text(SHOP.replace("ISSUER", "http://127.0.0.1:1"))
        return {"TENANTS_FILE": str(file), "SOCIAL_SECRET": "provider-secret"}

    def test_refreshes_once_for_ten_queries_with_an_expired_token(self, run_typescript: Run) -> None:
        printed = run_typescript("parallel", CLIENT_ID="shop-app", ACCESS_TOKEN_SECONDS="2")
        assert printed["found"] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        sent = Counter(each["operation"] for each in printed["sent"])
        assert sent == {"Addresses": 10, "Refresh": 1}
        assert {each["method"] for each in printed["sent"]} == {"POST"}


class TestPersistedQueries:
    def test_are_understood_as_urql_sends_them(self, run_typescript: Run) -> None:
        printed = run_typescript("persisted")
        assert printed["answers"] == [{"me": None}, {"me": None}]
        sent = [(each["method"], each["operation"], each["text"]) for each in printed["sent"]]
        assert sent == [
            ("POST", "AnonymousLogin", False),
            ("POST", "AnonymousLogin", True),
            ("GET", "Me", False),
            ("GET", "Me", True),
            ("GET", "Me", False),
        ]


class TestSocialLogin:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> Iterator[dict[str, str]]:
        issuer = f"http://127.0.0.1:{free_port()}"
        file = tmp_path / "tenants.toml"
        file.write_text(SHOP.replace("ISSUER", issuer))
        with run_demo_provider(issuer, os.environ):
            yield {"TENANTS_FILE": str(file), "SOCIAL_SECRET": "provider-secret", "ISSUER": issuer}

    def test_is_finished_by_the_app_that_began_it(self, run_typescript: Run, server: ServerProcess) -> None:
        variables = {"REDIRECT_URI": REDIRECT_URI, "MAILS": str(server.state_dir / "mail")}
        printed = run_typescript("social_login", CLIENT_ID="shop-app", **variables)
        assert printed["both"] == ["Welcome!", "Welcome!"]
        assert printed["email"] == "ada@example.com"
        assert (printed["proved"], printed["linked"]) == ("proved", "linked")
        assert printed["strange"] == "This answer belongs to another login: begin again."
        assert printed["canceled"] == {"state": "canceled", "reason": "access_denied"}
        assert printed["confirmed"] == "You are logged in."
        assert len(printed["passwords"]) == 2


class TestSignIn:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> dict[str, str]:
        keys = {"signup": "confirm_email", "require_second_factor": "all", "remember_device_days": 30}
        caps = limits(mails_per_recipient_per_hour=20)
        return shop_environment(tmp_path, caps, access_token_seconds=900, **keys)

    def test_goes_through_the_steps_until_there_are_tokens(self, run_typescript: Run, server: ServerProcess) -> None:
        mails = str(server.state_dir / "mail")
        printed = run_typescript("sign_in_steps", CLIENT_ID="shop-storefront", MAILS=mails)
        ada = "ada@example.com"
        assert printed == [
            {"asked": ["EMAIL_CODE", "CODE_INVALID EMAIL_CODE"], "email": ada},
            {"asked": ["EMAIL_CODE", "CODE_INVALID EMAIL_CODE", "PASSWORD"], "email": ada},
            {"asked": [], "email": ada},
            ["INVALID_CREDENTIALS"],
        ]


class TestComposition:
    def test_of_customers_and_orders_has_no_error(
        self, compose: Callable[[str], dict[str, Any]], subgraph_sdl: str
    ) -> None:
        composed = compose(subgraph_sdl)
        assert (composed["errors"], composed["hints"]) == ([], [])
        assert "orders: [Order!]!" in composed["supergraphSdl"]

    def test_finds_what_does_not_fit(self, compose: Callable[[str], dict[str, Any]], subgraph_sdl: str) -> None:
        (error,) = compose(subgraph_sdl.replace("type PageInfo @shareable", "type PageInfo"))["errors"][:1]
        assert "PageInfo" in error
