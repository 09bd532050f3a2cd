"""The production profile, from outside: what it refuses to start with, what it hides, and what its log never holds."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.commands.command_line import main
from app.settings import Settings
from app.wiring import migrate
from tests.factories import PASSWORD, address_input, tutorial_signup
from tests.harness import operations
from tests.harness.client import Tokens
from tests.harness.server import PATIENCE, ROOT, ServerClient, ServerProcess
from tests.harness.smtp_sink import SmtpSink
from tests.harness.tenants import integration, shop, storefront

pytestmark = pytest.mark.anyio

SECRET = "the-secret-of-the-order-system-7301"
CALLER = "203.0.113.77"
SITE = "https://shop.example"
PUBLIC_URL = "https://customers.shop.example"
TENANTS = (
    shop("shop", signup="confirm_email")
    + storefront("shop", "shop-storefront", origins=[SITE])
    + integration("shop", "shop-backend", secret_env="SHOP_BACKEND_SECRET")
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


def production(folder: Path, smtp_url: str = "smtp://127.0.0.1:2525") -> dict[str, str]:
    """Write the files that production wants, and return its environment."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tenants.toml").write_text(TENANTS)
    keys = folder / "keys.json"
    assert main(["keys", "rotate", "--file", str(keys)]) == 0
    return {
        "PROFILE": "production",
        "STATE_DIR": str(folder / "state"),
        "PUBLIC_URL": PUBLIC_URL,
        "SMTP_URL": smtp_url,
        "MAIL_FROM": "Shop <no-reply@shop.example>",
        "TENANTS_FILE": str(folder / "tenants.toml"),
        "SIGNING_KEYS_FILE": str(keys),
        "SHOP_BACKEND_SECRET": SECRET,
        "TRUSTED_PROXIES": "127.0.0.1",
    }


def start_refused(environment: dict[str, str]) -> list[str]:
    """Start a server that must not; return the lines that it says."""
    ours = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    ended = subprocess.run(
        [sys.executable, "-m", "app", "serve"],
        cwd=ROOT,
        env={**ours, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmtpSink]:
    folder = tmp_path_factory.mktemp("production") / "state" / "mail"
    folder.mkdir(parents=True)
    sink = SmtpSink(folder=folder)
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture(scope="module")
def server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, sink: SmtpSink) -> Iterator[ServerProcess]:
    """Run one server for all that is only asked."""
    assert sink._folder is not None
    folder = sink._folder.parents[1]
    environment = production(folder, sink.url)
    shutil.copy(sqlite_template, folder / "state" / "gateway.db")
    running = ServerProcess({**environment, "DATABASE_URL": f"sqlite:///{folder}/state/gateway.db"})
    running.start()
    yield running
    running.stop()


@pytest.fixture
def http(server: ServerProcess) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=PATIENCE) as client:
        yield client


class TestRefusesToStart:
    def test_names_everything_that_is_missing(self, tmp_path: Path) -> None:
        lines = start_refused({"PROFILE": "production", "STATE_DIR": str(tmp_path)})
        missing = ["MAIL_FROM", "PUBLIC_URL", "SIGNING_KEYS_FILE", "SMTP_URL", "TENANTS_FILE"]
        assert [line.split()[0] for line in lines] == missing

    def test_wants_a_mail_server_unless_each_shop_has_a_mailer_of_its_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        environment = {**production(tmp_path), "HOOK_SECRET": "whsec_" + "A" * 32}
        del environment["SMTP_URL"], environment["MAIL_FROM"]
        for name in [name for name in os.environ if name.lower() in Settings.model_fields]:
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        assert main(["tenants", "check"]) == 2
        assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == [
            "MAIL_FROM is missing",
            "SMTP_URL is missing",
        ]
        hook = '[[tenants.shop.webhooks]]\nurl = "https://m.example"\ntopics = ["mail.requested"]\n'
        own = TENANTS.replace('signup = "confirm_email"', 'signup = "confirm_email"\nmail = "event"')
        file = tmp_path / "tenants.toml"
        file.write_text(own + hook + 'secret_env = "HOOK_SECRET"\n')
        assert main(["tenants", "check"]) == 0
        file.write_text(file.read_text() + shop("other") + storefront("other", "other-storefront"))
        assert main(["tenants", "check"]) == 2

    def test_names_a_secret_that_is_missing_or_known_to_everybody(self, tmp_path: Path) -> None:
        environment = production(tmp_path)
        for secret in ("", "development-only-demo-backend-secret"):
            (line,) = start_refused({**environment, "SHOP_BACKEND_SECRET": secret})
            assert "secret_env" in line
            assert "SHOP_BACKEND_SECRET" in line

    def test_tells_how_to_make_a_secret_that_is_long_enough(self, tmp_path: Path) -> None:
        (line,) = start_refused({**production(tmp_path), "SHOP_BACKEND_SECRET": "a secret of ours"})
        assert "SHOP_BACKEND_SECRET, which holds fewer than 32 characters" in line
        command = line.partition("put there what ")[2].removesuffix(" prints")
        made = subprocess.run(command, shell=True, check=True, capture_output=True, text=True)  # noqa: S602 - our line
        assert len(made.stdout.strip()) >= 32

    def test_takes_no_demo_tenants(self, tmp_path: Path) -> None:
        demo = ROOT / "app" / "adapters" / "tenants" / "demo_tenants.toml"
        lines = start_refused({**production(tmp_path), "TENANTS_FILE": str(demo)})
        assert any("localhost" in line or "https" in line for line in lines), lines

    def test_takes_no_public_url_in_clear(self, tmp_path: Path) -> None:
        environment = {**production(tmp_path), "PUBLIC_URL": "http://customers.shop.example"}
        assert start_refused(environment) == ["PUBLIC_URL must begin with https:// in production"]

    def test_says_that_once_for_all_processes(self, tmp_path: Path) -> None:
        environment = production(tmp_path)
        migrate(Settings.load({"STATE_DIR": environment["STATE_DIR"]}))
        Path(environment["SIGNING_KEYS_FILE"]).write_text("{")
        (line,) = start_refused({**environment, "PROCESSES": "2"})
        assert line.startswith("SIGNING_KEYS_FILE names ")
        assert line.endswith("keys.json: is not JSON")

    def test_says_in_a_line_that_the_port_of_the_metrics_is_taken(self, tmp_path: Path) -> None:
        environment = production(tmp_path)
        migrate(Settings.load({"STATE_DIR": environment["STATE_DIR"]}))
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            (line,) = start_refused({**environment, "METRICS_PORT": str(port)})
        assert line == f"METRICS_PORT {port} cannot be used: Address already in use"


class TestHides:
    def ask(self, http: httpx2.Client, query: str) -> str:
        return http.post("/graphql", json={"query": query}).text

    @pytest.mark.parametrize("query", ["{ __schema { types { name } } }", '{ __type(name: "Query") { name } }'])
    def test_the_schema(self, http: httpx2.Client, query: str) -> None:
        answer = json.loads(self.ask(http, query))
        assert "data" not in answer
        assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"

    @pytest.mark.parametrize(
        "query",
        [
            "{ mee { id } }",
            "{ me { idd } }",
            "{ storefront(nam: 1) { name } }",
            "mutation { login(input: {emai: 1}) { customer { id } } }",
            "query ($input: LoginInputt) { me { id } }",
        ],
    )
    def test_names_that_somebody_nearly_guessed(self, http: httpx2.Client, query: str) -> None:
        assert "Did you mean" not in self.ask(http, query)

    @pytest.mark.parametrize(
        "path",
        [
            "/dev/mail",
            "/dev/mail/latest.json",
            "/playground/journey.json",
            "/playground/plain/plain.html",
            "/playground/assets",
            "/docs",
            "/metrics",
            "/.env",
        ],
    )
    def test_what_is_for_development(self, http: httpx2.Client, path: str) -> None:
        assert http.get(path).status_code == 404

    def test_graphiql(self, http: httpx2.Client) -> None:
        page = http.get("/graphql", headers={"Accept": "text/html"})
        assert page.status_code == 406
        assert "html" not in page.headers["content-type"]


def speak(server: ServerProcess, request: bytes) -> bytes:
    """Send bytes that no client library would, and return the answer."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


class TestAnswers:
    @pytest.mark.parametrize(
        ("method", "path", "options", "status"),
        [
            ("POST", "/graphql", {"json": {"query": "{ __typename }"}}, 200),
            ("GET", "/graphql?query=%7B__typename%7D", {}, 200),
            ("POST", "/graphql", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
            ("GET", "/nowhere", {}, 404),
            ("DELETE", "/graphql", {}, 405),
            ("POST", "/healthz", {}, 405),
            ("POST", "/graphql", {"json": {}, "headers": {"Accept": "image/png"}}, 406),
            ("POST", "/graphql", {"content": b"x" * 200_000, "headers": {"Content-Type": "application/json"}}, 413),
            ("POST", "/graphql", {"content": b"x"}, 415),
            ("GET", "/healthz", {}, 200),
            ("GET", "/readyz", {}, 200),
            ("GET", "/.well-known/jwks.json", {}, 200),
            ("GET", "/.well-known/oauth-authorization-server", {}, 200),
            ("POST", "/oauth/token", {"data": {"grant_type": "password"}}, 400),
            ("GET", "/oauth/token", {}, 405),
            ("OPTIONS", "/graphql", {"headers": {"Origin": SITE, "Access-Control-Request-Method": "POST"}}, 204),
        ],
    )
    def test_all_have_the_security_headers_and_a_request_id(
        self, http: httpx2.Client, method: str, path: str, options: dict[str, Any], status: int
    ) -> None:
        answer = http.request(method, path, **options)
        assert answer.status_code == status
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])
        assert "server" not in answer.headers
        if not path.startswith("/.well-known"):
            assert answer.headers["cache-control"] == "no-store"

    def test_to_what_is_no_http_say_nothing_of_the_server(self, server: ServerProcess) -> None:
        answer = speak(server, b"\x16\x03\x01\x02\x00 nonsense\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"server:" not in answer.lower()
        assert b"uvicorn" not in answer.lower()


class TestMasks:
    def test_what_went_wrong_inside_and_tells_where_to_look_for_it(
        self, sqlite_template: Path, tmp_path: Path, sink: SmtpSink
    ) -> None:
        """Take a table away: an answer that is nobody's fault but ours."""
        environment = {**production(tmp_path, sink.url), "WORKER": "off"}
        database = tmp_path / "gateway.db"
        shutil.copy(sqlite_template, database)
        server = ServerProcess({**environment, "DATABASE_URL": f"sqlite:///{database}"})
        server.start()
        try:
            with closing(sqlite3.connect(database)) as connection:
                connection.execute("DROP TABLE visit")
            query = 'mutation { anonymousLogin(input: {clientId: "shop-storefront"}) { tokens { accessToken } } }'
            answer = httpx2.post(f"{server.url}/graphql", json={"query": query}, trust_env=False, timeout=PATIENCE)
        finally:
            server.end()
        (error,) = answer.json()["errors"]
        assert error["message"] == "Internal error"
        assert error["extensions"] == {"code": "INTERNAL", "requestId": answer.headers["x-request-id"]}
        lines = [json.loads(line) for line in server.log.splitlines()]
        (logged,) = [line for line in lines if line["level"] == "ERROR"]
        assert logged["request_id"] == answer.headers["x-request-id"]
        assert "no such table" in logged["traceback"]
        assert "cg_aa_" not in server.log


class TestCors:
    def preflight(self, http: httpx2.Client, origin: str) -> httpx2.Headers:
        return http.options("/graphql", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}).headers

    def test_lets_a_client_s_origin_in(self, http: httpx2.Client) -> None:
        headers = self.preflight(http, SITE)
        assert headers["access-control-allow-origin"] == SITE
        assert headers["access-control-allow-methods"] == "GET, POST"
        assert "access-control-allow-credentials" not in headers
        answer = http.post("/graphql", json={"query": "{ __typename }"}, headers={"Origin": SITE})
        assert answer.headers["access-control-allow-origin"] == SITE

    @pytest.mark.parametrize("origin", ["https://evil.example", "http://shop.example", f"{SITE}.evil.example", "null"])
    def test_lets_no_other_in(self, http: httpx2.Client, origin: str) -> None:
        assert "access-control-allow-origin" not in self.preflight(http, origin)
        answer = http.post("/graphql", json={"query": "{ __typename }"}, headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers


class Shopper:
    """Somebody who does all that a shopper does, and remembers every word that was private."""

    def __init__(self, storefront: ServerClient) -> None:
        self._storefront = storefront
        self.private: set[str] = {CALLER, PASSWORD, SECRET, "Firefox of Ada"}

    async def run(self, query: str, access_token: str | None = None, /, **fields: Any) -> Any:
        """Run one mutation, noting what goes in and the tokens that come out."""
        self._note(fields)
        headers = {"X-Forwarded-For": CALLER, "User-Agent": "Firefox of Ada"}
        answer = await self._storefront.graphql(query, {"input": fields}, access_token, headers)
        assert answer.data is not None, answer.errors
        (payload,) = answer.data.values()
        self._note((payload or {}).get("tokens") or {})
        return payload

    async def tokens(self, query: str, access_token: str | None = None, /, **fields: Any) -> Tokens:
        """Run one mutation that hands out tokens."""
        return Tokens.of((await self.run(query, access_token, **fields))["tokens"])

    def _note(self, value: Any) -> None:
        if isinstance(value, dict):
            for name, member in value.items():
                if name not in {"tokenType", "scope", "sessionId", "clientId"}:
                    self._note(member)
        elif isinstance(value, list):
            for member in value:
                self._note(member)
        elif isinstance(value, str) and len(value) > 4:
            self.private.add(value)


# Runs when Python starts, as what an operator or a tracing agent brings along may; then, at a signal, all goes wrong.
SITECUSTOMIZE = """
import asyncio, signal, threading, warnings

class Broken:
    def __del__(self): raise RuntimeError("in a finalizer")

def fail(where): raise RuntimeError(where)
async def forgotten(): pass

def go_wrong(*_):
    warnings.warn("old\\nways")
    forgotten()
    Broken()
    threading.Thread(target=fail, args=("in a thread",)).start()
    asyncio.get_running_loop().call_soon(fail, "in a callback")

signal.signal(signal.SIGUSR1, go_wrong)
"""
WRITTEN_BY_PYTHON = (
    ("py.warnings", "old\nways"),
    ("py.warnings", "coroutine 'forgotten' was never awaited"),
    ("app.http.logs", "in a finalizer"),
    ("app.http.logs", "in a thread"),
    ("asyncio", "in a callback"),
)


class TestLog:
    @pytest.mark.parametrize("last", [signal.SIGTERM, signal.SIGINT])
    def test_is_json_whatever_python_itself_has_to_say(
        self, sqlite_template: Path, tmp_path: Path, sink: SmtpSink, last: signal.Signals
    ) -> None:
        (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE)
        shutil.copy(sqlite_template, tmp_path / "gateway.db")
        server = ServerProcess(
            {
                **production(tmp_path, sink.url),
                "DATABASE_URL": f"sqlite:///{tmp_path}/gateway.db",
                "PYTHONPATH": str(tmp_path),
            }
        )
        server.start()
        try:
            server.signal(signal.SIGUSR1)
            deadline = time.monotonic() + PATIENCE
            while not all(text.replace("\n", "\\n") in server.log for _, text in WRITTEN_BY_PYTHON):
                assert time.monotonic() < deadline, server.log
                time.sleep(0.02)
            httpx2.post(f"{server.url}/graphql", json={"query": "{ __typename }"}, trust_env=False, timeout=PATIENCE)
            server.signal(last)
            server.wait()
        finally:
            server.end()
        lines = [json.loads(line) for line in server.log.splitlines()]
        for logger, text in WRITTEN_BY_PYTHON:
            assert [
                line
                for line in lines
                if line["logger"] == logger and text in line["message"] + line.get("traceback", "")
            ]
        assert lines[-1]["message"].startswith("Finished server process")

    async def test_is_json_and_holds_nothing_private_of_a_whole_journey(
        self, server: ServerProcess, sink: SmtpSink
    ) -> None:
        storefront = ServerClient(server)
        shopper = Shopper(storefront)
        async with storefront.http:
            anonymous = await shopper.tokens(operations.ANONYMOUS_LOGIN, clientId="shop-storefront")
            person = tutorial_signup()
            del person["customerDetails"]["preferredCurrency"], person["customerDetails"]["preferredSite"]
            await shopper.run(operations.SIGNUP, anonymous.access, **person)
            mail = await storefront.wait_for_mail(person["email"])
            await shopper.run(operations.CONFIRM_SIGNUP, anonymous.access, token=mail.token)
            wrong = {"email": person["email"], "password": "orange-tractor-55"}
            await shopper.run(operations.LOGIN, anonymous.access, **wrong)
            right = {"email": person["email"], "password": person["password"]}
            tokens = await shopper.tokens(operations.LOGIN, anonymous.access, **right)
            tokens = await shopper.tokens(operations.REFRESH, refreshToken=tokens.refresh)
            change = {"currentPassword": person["password"], "newPassword": "amber-lantern-77"}
            tokens = await shopper.tokens(operations.CHANGE_PASSWORD, tokens.access, **change)
            await shopper.run(
                operations.CHANGE_EMAIL, tokens.access, password="amber-lantern-77", newEmail="johnny@example.com"
            )
            # What is wrong is told to the caller, and to nobody else.
            await shopper.run(operations.CREATE_ADDRESS, tokens.access, **address_input(country="Nowhere"))
            wrong_type = {"input": {"contactName": {"first": "Hildegard"}}}
            shopper.private.add("Hildegard")
            await storefront.graphql(operations.CREATE_ADDRESS, wrong_type, tokens.access)
            query = f'query {{ customer(email: "{person["email"]}") {{ id }} }}'
            for path in ("/graphql", f"/unknown/{PASSWORD}"):
                await storefront.http.get(path, params={"query": query, "token": tokens.access})
            credentials = b64encode(f"shop-backend:{SECRET}".encode()).decode()
            issued = await storefront.http.post(
                "/oauth/token",
                data={"grant_type": "client_credentials"},
                headers={"Authorization": f"Basic {credentials}"},
            )
            integration = issued.json()["access_token"]
            found = await storefront.graphql(query, token=integration)
            assert found["customer"] is not None
            await shopper.run(operations.LOGOUT, tokens.access)
            log = server.log
        lines = [json.loads(line) for line in log.splitlines()]
        assert len(lines) > 15
        assert {line["path"] for line in lines if line["message"] == "request"} >= {"/graphql", "/oauth/token"}
        assert {line["tenant"] for line in lines if line.get("fields") == ["changePassword"]} == {"shop"}
        private = {*shopper.private, integration, credentials, mail.token}
        assert len(private) > 40
        found_in_log = {word for word in private if word in log}
        assert found_in_log == set()
