"""Social login end to end against OpenID providers that were not written here: code, PKCE and nonce over HTTP."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.fakes import MovableClock
from tests.harness.gateway import Gateway
from tests.harness.social import (
    APP_CLIENT_ID,
    NODE_PROVIDER,
    VERIFIER,
    SocialPerson,
    arrive,
    authorize_at_mock,
    authorize_at_node,
    challenge_of,
    codes,
    openid_entry,
    register_mock_user,
    run_node_oidc_provider,
    run_oidc_provider_mock,
    sheet_of_node,
    social_environment,
    write_tenants,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with run_oidc_provider_mock() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def node_provider() -> Iterator[str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    if not (NODE_PROVIDER / "node_modules" / "oidc-provider").is_dir():
        subprocess.run([npm, "ci", "--ignore-scripts"], cwd=NODE_PROVIDER, check=True, capture_output=True, timeout=300)
    with run_node_oidc_provider(node) as issuer:
        yield issuer


@pytest.fixture
def subject() -> str:
    """Somebody whom no other test knows: the providers outlive a test."""
    return f"person-{uuid4().hex[:12]}"


class TestOidcProviderMock:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path, mock: str) -> dict[str, str]:
        write_tenants(tmp_path / "tenants.toml", openid_entry("mock", mock))
        return social_environment(tmp_path / "tenants.toml")

    async def test_logs_a_new_customer_in_and_knows_them_again(self, gateway: Gateway, mock: str, subject: str) -> None:
        email = f"{subject}@example.com"
        register_mock_user(mock, subject, email=email, email_verified=True, given_name="Ada")
        for created in (True, False):
            person = await arrive(gateway, provider="mock")
            payload = await _through(person, lambda url: authorize_at_mock(url, subject))
            assert (payload["userErrors"], payload["created"]) == ([], created)
            assert payload["customer"]["email"] == email
            assert payload["customer"]["firstName"] == "Ada"

    async def test_gives_no_login_address_to_whom_the_provider_does_not_vouch_for(
        self, gateway: Gateway, mock: str, subject: str
    ) -> None:
        register_mock_user(mock, subject, email=f"{subject}@example.com", email_verified=False)
        person = await arrive(gateway, provider="mock")
        payload = await _through(person, lambda url: authorize_at_mock(url, subject))
        assert payload["customer"]["email"] is None

    async def test_a_code_counts_for_the_login_that_it_was_made_for(
        self, gateway: Gateway, mock: str, subject: str
    ) -> None:
        victim, thief = await arrive(gateway, provider="mock"), await arrive(gateway, provider="mock")
        stolen = authorize_at_mock((await victim.begin())["authorizationUrl"], subject)
        own_state = (await thief.begin())["state"]
        # The mock does not check PKCE itself, so that the nonce of the id token has to give the thief away.
        assert codes(await thief.finish(own_state, code=stolen["code"])) == [("PROVIDER_REFUSED", "provider")]


class TestNodeOidcProvider:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path, node_provider: str) -> dict[str, str]:
        entry = openid_entry("node", node_provider) + f'\nclient_ids = ["{APP_CLIENT_ID}"]'
        write_tenants(tmp_path / "tenants.toml", entry, openid_entry("web-only", node_provider))
        return social_environment(tmp_path / "tenants.toml")

    @pytest.fixture
    def authorize(self, subject: str) -> Callable[[str], dict[str, str]]:
        return lambda url: authorize_at_node(url, subject)

    async def test_logs_a_customer_in_by_userinfo_and_with_the_issuer_in_the_redirect(
        self, gateway: Gateway, node_provider: str, authorize: Callable[[str], dict[str, str]], subject: str
    ) -> None:
        person = await arrive(gateway, provider="node")
        back = authorize((await person.begin())["authorizationUrl"])
        assert back["iss"] == node_provider
        payload = await person.finish(back["state"], code=back["code"], iss=back["iss"])
        assert (payload["userErrors"], payload["created"]) == ([], True)
        assert payload["customer"]["email"] == f"{subject}@example.com"

    async def test_wants_the_issuer_that_the_provider_sends(
        self, gateway: Gateway, authorize: Callable[[str], dict[str, str]]
    ) -> None:
        person = await arrive(gateway, provider="node")
        back = authorize((await person.begin())["authorizationUrl"])
        payload = await person.finish(back["state"], code=back["code"])
        assert codes(payload) == [("PROVIDER_REFUSED", "provider")]

    async def test_a_code_of_another_login_fails_at_the_provider_by_its_code_challenge(
        self, gateway: Gateway, authorize: Callable[[str], dict[str, str]]
    ) -> None:
        victim, thief = await arrive(gateway, provider="node"), await arrive(gateway, provider="node")
        stolen = authorize((await victim.begin())["authorizationUrl"])
        verifier = VERIFIER[::-1]
        state = (await thief.begin(codeChallenge=challenge_of(verifier)))["state"]
        payload = await thief.finish(state, code=stolen["code"], iss=stolen["iss"], codeVerifier=verifier)
        assert codes(payload) == [("PROVIDER_REFUSED", "provider")]

    async def test_a_code_works_once(
        self, gateway: Gateway, authorize: Callable[[str], dict[str, str]], clock: MovableClock
    ) -> None:
        person = await arrive(gateway, provider="node")
        back = authorize((await person.begin())["authorizationUrl"])
        assert codes(await person.finish(back["state"], code=back["code"], iss=back["iss"])) == []
        other = await arrive(gateway, provider="node")
        state = (await other.begin())["state"]
        assert codes(await other.finish(state, code=back["code"], iss=back["iss"])) == [
            ("PROVIDER_REFUSED", "provider")
        ]

    async def test_logs_a_customer_in_by_the_id_token_of_the_app(
        self, gateway: Gateway, node_provider: str, subject: str
    ) -> None:
        for created, hashed in ((True, False), (False, True)):
            person = await arrive(gateway, provider="node")
            nonce = await person.native_nonce()
            asked = sha256(nonce.encode()).hexdigest() if hashed else nonce
            payload = await person.bring(sheet_of_node(node_provider, subject, asked), nonce)
            assert (payload["userErrors"], payload["created"]) == ([], created)
            assert payload["customer"]["email"] == f"{subject}@example.com"

    async def test_an_id_token_for_a_client_that_is_not_ours_logs_nobody_in(
        self, gateway: Gateway, node_provider: str, subject: str
    ) -> None:
        person = await arrive(gateway, provider="web-only")
        nonce = await person.native_nonce()
        payload = await person.bring(sheet_of_node(node_provider, subject, nonce), nonce)
        assert codes(payload) == [("PROVIDER_REFUSED", "provider")]


async def _through(person: SocialPerson, authorize: Callable[[str], dict[str, str]]) -> dict[str, Any]:
    """Go to the provider and back."""
    back = authorize((await person.begin())["authorizationUrl"])
    return await person.finish(back["state"], code=back["code"])
