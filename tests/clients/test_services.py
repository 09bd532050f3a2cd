"""Other services of the shop, which learn from a token who calls: by its signature, or by asking the gateway."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx2
import pytest

from tests.clients.packages import NODE
from tests.harness import operations
from tests.harness.client import Person, Tokens
from tests.harness.postgresql import free_port
from tests.harness.server import PATIENCE, ServerClient, ServerProcess

SECRET = "development-only-open-backend-secret"
LOGIN_ON_BEHALF = """mutation ($input: LoginOnBehalfInput!) {
    loginOnBehalf(input: $input) { tokens { accessToken saasToken } userErrors { code } }
}"""
SHOPS = """
[tenants.open]
name = "The shop"
signup = "open"
[tenants.open.sites.main]
url = "https://shop.example"
language = "en"
[[tenants.open.clients]]
id = "open-storefront"
kind = "storefront"
[[tenants.open.clients]]
id = "open-backend"
kind = "integration"
secret_env = "OPEN_BACKEND_SECRET"
scopes = ["customers.read", "customers.manage"]
[tenants.brief]
name = "The shop of the brief tokens"
signup = "open"
saas_token_seconds = 1
[tenants.brief.sites.main]
url = "https://brief.example"
language = "en"
[[tenants.brief.clients]]
id = "brief-storefront"
kind = "storefront"
"""

StartService = Callable[..., str]


@dataclass(frozen=True)
class Sessions:
    """A guest, a customer, and staff on that customer's behalf."""

    guest: Tokens
    person: Person
    number: str
    behalf_access: str
    behalf_saas: str


async def begin_sessions(server: ServerProcess) -> Sessions:
    client = ServerClient(server)
    async with client.http:
        guest, person = await client.anonymous("open-storefront"), await client.customer("open-storefront")
        me = await client.graphql("{ me { customerNumber } }", token=person.tokens.access)
        form = {"grant_type": "client_credentials"}
        issued = await client.http.post("/oauth/token", data=form, auth=("open-backend", SECRET))
        acting = {"input": {"customerId": person.id, "reason": "A call"}}
        answer = await client.graphql(LOGIN_ON_BEHALF, acting, issued.json()["access_token"])
    behalf = answer["loginOnBehalf"]["tokens"]
    return Sessions(guest, person, me["me"]["customerNumber"], behalf["accessToken"], behalf["saasToken"])


async def begin_brief_session(server: ServerProcess) -> Tokens:
    client = ServerClient(server)
    async with client.http:
        return await client.anonymous("brief-storefront")


async def log_out(server: ServerProcess, access_token: str) -> None:
    client = ServerClient(server)
    async with client.http:
        answer = await client.graphql(operations.LOGOUT, {"input": {}}, access_token)
        assert answer["logout"]["loggedOut"]


def ask(url: str, token: str | None) -> tuple[int, str]:
    """Call a service with a token, and return its status and what it says."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = httpx2.get(url, headers=headers, trust_env=False, timeout=PATIENCE)
    assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
    return answer.status_code, answer.text


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "tenants.toml"
    file.write_text(SHOPS)
    return {"TENANTS_FILE": str(file), "OPEN_BACKEND_SECRET": SECRET}


@pytest.fixture
def start_service() -> Iterator[StartService]:
    """Start a service on a free port, with these variables; all are gone after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str, **variables: str) -> str:
        port = free_port()
        started.append(subprocess.Popen(command, env={**os.environ, "PORT": str(port), **variables}))
        url, deadline = f"http://127.0.0.1:{port}/", time.monotonic() + PATIENCE
        while True:
            try:
                httpx2.get(url, trust_env=False, timeout=PATIENCE)
            except httpx2.TransportError:
                assert started[-1].poll() is None, f"{command} has ended."
                assert time.monotonic() < deadline, f"{command} does not listen."
                time.sleep(0.05)
            else:
                return url

    yield start
    for process in started:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(params=["jose", "pyjwt"])
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Return how to start the service that checks saas tokens: in TypeScript, and in Python."""
    if request.param == "pyjwt":
        return (sys.executable, str(Path(__file__).with_name("service.py")))
    return (str(NODE), str(request.getfixturevalue("build") / "basket_service.js"))


class TestService:
    """Another service of the shop, which reads saas tokens."""

    def test_knows_whose_session_it_is_and_what_it_may(
        self, server: ServerProcess, start_service: StartService, command: tuple[str, ...]
    ) -> None:
        service = start_service(*command, GATEWAY_URL=server.url, SHOP="open")
        they = anyio.run(begin_sessions, server)
        assert ask(service, they.guest.saas) == (200, f"guest {they.guest.session_id} may not save addresses")
        assert ask(service, they.person.tokens.saas) == (200, f"customer {they.number} may save addresses")
        behalf = f"open-backend for customer {they.number} may save addresses"
        assert ask(service, they.behalf_saas) == (200, behalf)

    def test_refuses_every_other_token(
        self, server: ServerProcess, start_service: StartService, command: tuple[str, ...]
    ) -> None:
        service = start_service(*command, GATEWAY_URL=server.url, SHOP="open")
        other = start_service(*command, GATEWAY_URL=server.url, SHOP="demo")
        they = anyio.run(begin_sessions, server)
        saas = they.guest.saas
        header, payload, signature = saas.split(".")
        forged = f"{header}.{they.person.tokens.saas.split('.')[1]}.{signature}"
        unsigned = f"eyJhbGciOiJub25lIn0.{payload}."
        refused = [forged, unsigned, they.guest.access, "nonsense", None]
        assert [ask(service, token)[0] for token in refused] == [401] * len(refused)
        assert ask(other, saas)[0] == 401
        assert ask(other, saas)[1] in {"InvalidAudienceError", "ERR_JWT_CLAIM_VALIDATION_FAILED"}

    def test_refuses_a_token_that_has_expired(
        self, server: ServerProcess, start_service: StartService, command: tuple[str, ...]
    ) -> None:
        service = start_service(*command, GATEWAY_URL=server.url, SHOP="brief")
        tokens = anyio.run(begin_brief_session, server)
        time.sleep(2)
        assert ask(service, tokens.saas) in [(401, "ExpiredSignatureError"), (401, "ERR_JWT_EXPIRED")]

    def test_says_nothing_of_a_token_while_it_cannot_read_the_keys(
        self, server: ServerProcess, start_service: StartService, command: tuple[str, ...]
    ) -> None:
        service = start_service(*command, GATEWAY_URL=f"http://127.0.0.1:{free_port()}", SHOP="open")
        assert ask(service, anyio.run(begin_sessions, server).guest.saas)[0] == 503


class TestIntrospectingService:
    """Another service of the shop, which asks the gateway about each access token."""

    def start(self, start_service: StartService, gateway: str, secret: str = SECRET) -> str:
        script = str(Path(__file__).with_name("introspecting.py"))
        return start_service(
            sys.executable, script, GATEWAY_URL=gateway, CLIENT_ID="open-backend", CLIENT_SECRET=secret
        )

    def test_knows_who_calls_until_the_logout(self, server: ServerProcess, start_service: StartService) -> None:
        service = self.start(start_service, server.url)
        they = anyio.run(begin_sessions, server)
        access = they.person.tokens.access
        assert ask(service, they.guest.access) == (200, f"ANONYMOUS {they.guest.session_id} may not save addresses")
        assert ask(service, access) == (200, f"CUSTOMER {they.person.id} may save addresses")
        assert ask(service, they.behalf_access) == (200, f"ON_BEHALF {they.person.id} may save addresses")
        anyio.run(log_out, server, access)
        assert ask(service, access) == (401, "Log in.")

    def test_refuses_what_is_no_access_token_of_the_shop(
        self, server: ServerProcess, start_service: StartService
    ) -> None:
        service = self.start(start_service, server.url)
        they, brief = anyio.run(begin_sessions, server), anyio.run(begin_brief_session, server)
        refused = [they.person.tokens.refresh, they.person.tokens.saas, brief.access, "nonsense", None]
        assert [ask(service, token)[0] for token in refused] == [401] * len(refused)

    def test_says_nothing_of_a_token_while_it_gets_no_answer(
        self, server: ServerProcess, start_service: StartService
    ) -> None:
        access = anyio.run(begin_sessions, server).person.tokens.access
        gone = self.start(start_service, f"http://127.0.0.1:{free_port()}")
        unknown = self.start(start_service, server.url, "a-secret-of-nobody-at-all-0123456789")
        assert [ask(each, access)[0] for each in (gone, unknown)] == [503, 503]
