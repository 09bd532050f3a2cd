"""Providers of social login on loopback, and the walk of a person through one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from tests.fakes import MovableClock
from tests.harness.client import Answer, StorefrontClient
from tests.harness.operations import TOKENS, USER_ERRORS
from tests.harness.postgresql import free_port

CLIENT_ID = "shop"
CLIENT_SECRET = "provider-secret"
# What a provider calls the shop's app.
APP_CLIENT_ID = "shop-app"
APP_REDIRECT_URI = "com.example.shop:/sheet"
REDIRECT_URI = "http://localhost:5173/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
PATIENCE = 30

_BEGIN = f"""mutation ($input: BeginSocialLoginInput!) {{
    beginSocialLogin(input: $input) {{ authorizationUrl state nonce expiresIn {USER_ERRORS} }}
}}"""
_CUSTOMER = "customer { id email emailVerified firstName contactEmail accounts { id provider email emailVerified } }"
_OUTCOME = f"""{{
    {TOKENS} {_CUSTOMER} created socialTokens {{ accessToken idToken expiresIn }} linkTicket
    nextStep {{ ticket methods expiresIn }} {USER_ERRORS}
}}"""
_LOGIN = f"mutation ($input: SocialLoginInput!) {{ socialLogin(input: $input) {_OUTCOME} }}"
_CONFIRM = f"mutation ($input: ConfirmSocialLinkInput!) {{ confirmSocialLink(input: $input) {_OUTCOME} }}"
_LINK = f"""mutation ($input: SocialLoginInput!) {{
    linkSocialAccount(input: $input) {{ account {{ id provider email emailVerified }} {_CUSTOMER} {USER_ERRORS} }}
}}"""
_UNLINK = f"""mutation ($input: UnlinkSocialAccountInput!) {{
    unlinkSocialAccount(input: $input) {{ accountId {_CUSTOMER} {USER_ERRORS} }}
}}"""


def challenge_of(verifier: str) -> str:
    """Return the S256 code challenge of a verifier."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def wait_until_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return as soon as the address answers; fails when the process ends, or after a while."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            httpx2.get(url, trust_env=False, timeout=PATIENCE)
        except httpx2.TransportError:
            assert process.poll() is None, f"The provider ended with {process.returncode}."
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


@contextmanager
def run_oidc_provider_mock() -> Iterator[str]:
    """Run PyPI's `oidc-provider-mock` and return its issuer."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        wait_until_answers(f"{issuer}/.well-known/openid-configuration", process)
        yield issuer
    finally:
        process.terminate()
        process.wait(PATIENCE)


def register_mock_user(issuer: str, subject: str, **claims: Any) -> None:
    """Tell the running `oidc-provider-mock` who somebody is."""
    httpx2.put(f"{issuer}/users/{subject}", json=claims, trust_env=False).raise_for_status()


def authorize_at_mock(authorization_url: str, subject: str) -> dict[str, str]:
    """Press the button of `oidc-provider-mock`, and return what the redirect brings back."""
    response = httpx2.post(authorization_url, data={"sub": subject}, trust_env=False, follow_redirects=False)
    assert response.status_code == 302, response.text
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


@cache
def signing_keys() -> tuple[RSAKey, ECKey]:
    """Return the keys that all our minting providers sign with."""
    return RSAKey.generate_key(2048, {"kid": "key-1"}), ECKey.generate_key("P-256", {"kid": "key-ec"})


NODE_PROVIDER = Path(__file__).with_name("oidc_provider")


@contextmanager
def run_node_oidc_provider(node: str) -> Iterator[str]:
    """Run npm's `oidc-provider`, which has to be installed, and return its issuer."""
    port = free_port()
    command = [node, str(NODE_PROVIDER / "provider.mjs"), str(port), CLIENT_ID, CLIENT_SECRET, REDIRECT_URI]
    command += [APP_CLIENT_ID, APP_REDIRECT_URI]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        wait_until_answers(f"{issuer}/.well-known/openid-configuration", process)
        yield issuer
    finally:
        process.terminate()
        process.wait(PATIENCE)


def sheet_of_node(issuer: str, name: str, nonce: str) -> str:
    """Do what the sheet of a platform does: return an id token for the app, which names this nonce."""
    asked = {
        "client_id": APP_CLIENT_ID,
        "response_type": "code",
        "scope": "openid email",
        "redirect_uri": APP_REDIRECT_URI,
        "nonce": nonce,
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }
    back = authorize_at_node(f"{issuer}/auth?{urlencode(asked)}", name)
    form = {
        "client_id": APP_CLIENT_ID,
        "grant_type": "authorization_code",
        "code": back["code"],
        "redirect_uri": APP_REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    response = httpx2.post(f"{issuer}/token", data=form, trust_env=False, timeout=PATIENCE)
    id_token: str = response.raise_for_status().json()["id_token"]
    return id_token


def authorize_at_node(authorization_url: str, name: str) -> dict[str, str]:
    """Log in and consent at npm's `oidc-provider`, and return what the redirect brings back."""
    with httpx2.Client(trust_env=False, timeout=PATIENCE) as browser:
        response = browser.get(authorization_url)
        for form in ({"prompt": "login", "login": name, "password": "any"}, {"prompt": "consent"}):
            response = browser.post(_follow(browser, response).url, data=form)
        response = _follow(browser, response)
        return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


# Where the provider lets its people go.
_BACK = (REDIRECT_URI, APP_REDIRECT_URI)


def _follow(browser: httpx2.Client, response: httpx2.Response) -> httpx2.Response:
    """Follow redirects as long as they stay at the provider."""
    while response.is_redirect and not response.headers["Location"].startswith(_BACK):
        response = browser.get(response.url.join(response.headers["Location"]))
    return response


class MintingProvider:
    """A provider that says whatever a test wants, signed as a real one would; no real one mints bad tokens.

    `claims`, `header` and `token` are laid over what is right; None takes a claim away. `answers` replaces the whole
    answer of a path. `codes` are those that came in. `posted` is laid over what a browser posts or is redirected with.
    """

    def __init__(self, clock: MovableClock) -> None:
        self._clock = clock
        self.key, self.elliptic_key = signing_keys()
        self.announced: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.claims_of_code: Callable[[str], dict[str, Any]] = lambda _: {}
        self.header: dict[str, Any] = {}
        self.token: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.posted: dict[str, str | None] = {}
        self.sign: Callable[[dict[str, Any], dict[str, Any]], str] = self._sign
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.requests: list[tuple[str, Mapping[str, str], dict[str, list[str]]]] = []
        self.nonce = ""
        self._end = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def codes(self) -> list[str]:
        """The codes that were traded, in their order."""
        return [form["code"][0] for path, _, form in self.requests if path == "/token"]

    @property
    def revoked(self) -> list[str]:
        """The tokens that were handed back, in their order."""
        return [form["token"][0] for path, _, form in self.requests if path == "/revoke"]

    def count(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(1 for each, _, _ in self.requests if each == path)

    def authorize(self, authorization_url: str) -> tuple[str, dict[str, str]]:
        """Let the person in who was sent here: return where their browser goes, and what it takes along."""
        asked = query_of(authorization_url)
        self.nonce = asked.get("nonce", "")
        answer = {"state": asked["state"], "code": f"code-{len(self.requests)}", **self.posted}
        return asked["redirect_uri"], {name: value for name, value in answer.items() if value is not None}

    def _show_authorize(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a browser: by a page whose form it posts by itself, or by a redirect."""
        address, answer = self.authorize(handler.path)
        if query_of(handler.path).get("response_mode") != "form_post":
            send(handler, b"", 302, Location=f"{address}?{urlencode(answer)}")
            return
        fields = "".join(f'<input type="hidden" name="{name}" value="{escape(answer[name])}">' for name in answer)
        form = f'<form method="post" action="{escape(address)}">{fields}<button>Continue</button></form>'
        send(handler, f"<!doctype html><title>Provider</title>{form}".encode(), Content_Type="text/html")

    def hang(self, _: BaseHTTPRequestHandler) -> None:
        """Answer nothing until the test ends."""
        self._end.wait(PATIENCE)

    def discovery(self) -> dict[str, Any]:
        """Return the discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256"],
            **self.announced,
        }

    def id_token(self, code: str = "") -> str:
        """Return the id token for a code, with today's claims and header."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "ada",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "email": "ada@example.com",
            "email_verified": True,
            **self.claims,
            **self.claims_of_code(code),
        }
        present = {name: value for name, value in claims.items() if value is not None}
        return self.sign({"alg": "RS256", "kid": "key-1", **self.header}, present)

    def _sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        key = self.elliptic_key if header["alg"].startswith("ES") else self.key
        return jwt.encode(header, claims, key, algorithms=[header["alg"]])

    def _answer(self, path: str, form: dict[str, list[str]]) -> Any:
        if path == "/.well-known/openid-configuration":
            return self.discovery()
        if path == "/jwks":
            return KeySet([self.key, self.elliptic_key]).as_dict(private=False)
        if path == "/revoke":
            return {}
        if path == "/userinfo":
            return {"sub": self.claims.get("sub", "ada"), **self.userinfo}
        token = {
            "access_token": "at-1",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self.id_token(*form.get("code", [])),
        }
        return {name: value for name, value in {**token, **self.token}.items() if value is not None}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                form = parse_qs(body)
                provider.requests.append((path, dict(self.headers), form))
                if path in provider.answers:
                    provider.answers[path](self)
                elif path == "/authorize":
                    provider._show_authorize(self)
                else:
                    send(self, provider._answer(path, form))

            do_POST = do_GET  # noqa: N815 - the name that http.server looks for

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler


def send(handler: BaseHTTPRequestHandler, content: Any, status: int = 200, **headers: str) -> None:
    """Answer with JSON, or with bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    handler.send_response(status)
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **own}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def write_tenants(path: Path, *providers: str) -> None:
    """Write a tenants file whose shops have these providers; `hooked` has a webhook, `strict` low limits."""
    modes = {
        "demo": 'signup = "confirm_email"',
        "auto": 'signup = "open"\nsocial_linking = "automatic"\nsocial_tokens = true',
        "staffed": 'signup = "employee_activation"',
        "quiet": 'signup = "open"\nlogin_tells_status = false',
        "hooked": 'signup = "open"\nwebhooks = [{ url = "https://hooks.test/", topics = ["*"], secret_env = "HOOK" }]',
        "strict": 'signup = "open"',
    }
    path.write_text("\n".join(_tenant(name, mode, providers) for name, mode in modes.items()))


def _tenant(name: str, mode: str, providers: tuple[str, ...]) -> str:
    most = 2 if name == "strict" else 1000
    return f"""
[tenants.{name}]
name = "{name.capitalize()} shop"
{mode}
[tenants.{name}.limits]
social_per_ip_per_minute = 1000
social_per_session_per_minute = {most}
login_per_ip_per_minute = 1000
one_time_token_per_ip_per_minute = 1000
[tenants.{name}.sites.main]
url = "http://localhost:5173"
language = "en"
[[tenants.{name}.clients]]
id = "{name}-storefront"
kind = "storefront"
redirect_uris = ["{REDIRECT_URI}", "com.example.shop:/callback"]
[[tenants.{name}.clients]]
id = "{name}-kiosk"
kind = "storefront"
redirect_uris = ["http://localhost:7000/callback"]
[[tenants.{name}.clients]]
id = "{name}-backend"
kind = "integration"
secret_env = "BACKEND_SECRET"
scopes = ["customers.read", "customers.manage"]
""" + "".join(f"[[tenants.{name}.social]]\n{provider}\n" for provider in providers)


def openid_entry(provider: str, issuer: str, trusted: str = '["example.com"]') -> str:
    """Return the table of an OpenID provider in a tenants file."""
    return f"""provider = "{provider}"
issuer = "{issuer}"
client_id = "{CLIENT_ID}"
client_secret_env = "PROVIDER_SECRET"
trusted_email_domains = {trusted}"""


def social_environment(tenants_file: Path) -> dict[str, str]:
    """Return the variables of a gateway with this tenants file."""
    return {
        "TENANTS_FILE": str(tenants_file),
        "PROVIDER_SECRET": CLIENT_SECRET,
        "BACKEND_SECRET": "backend-secret-for-tests",
        "HOOK": "whsec_" + "MDEy" * 8,
        "PATH": os.environ["PATH"],
    }


class SocialPerson:
    """Somebody at a storefront who uses social login, in one session."""

    def __init__(self, storefront: StorefrontClient, token: str, provider: str = "minted") -> None:
        self.storefront = storefront
        self.token = token
        self.provider = provider

    async def begin(self, **changes: Any) -> dict[str, Any]:
        """Begin, and return the payload, user errors and all."""
        wanted = {"provider": self.provider, "redirectUri": REDIRECT_URI, "codeChallenge": challenge_of(VERIFIER)}
        answer = await self.storefront.graphql(_BEGIN, {"input": {**wanted, **changes}}, self.token)
        payload: dict[str, Any] = answer["beginSocialLogin"]
        return payload

    async def begun(self, minted: MintingProvider | None = None, **changes: Any) -> str:
        """Begin, have the provider note the nonce, and return the state."""
        payload = await self.begin(**changes)
        assert payload["userErrors"] == [], payload
        if minted is not None:
            minted.nonce = query_of(payload["authorizationUrl"])["nonce"]
        state: str = payload["state"]
        return state

    async def native_nonce(self, minted: MintingProvider | None = None, **changes: Any) -> str:
        """Begin for the platform's own sheet, have the provider note the nonce, and return it."""
        payload = await self.begin(**{"redirectUri": None, "codeChallenge": None, **changes})
        assert payload["userErrors"] == [], payload
        if minted is not None:
            minted.nonce = payload["nonce"]
        nonce: str = payload["nonce"]
        return nonce

    async def bring(self, id_token: str | None, nonce: str | None, **changes: Any) -> dict[str, Any]:
        """Log in with an id token that the sheet has returned, and return the payload."""
        given = {"provider": self.provider, "idToken": id_token, "nonce": nonce, **changes}
        payload: dict[str, Any] = (await self.storefront.graphql(_LOGIN, {"input": given}, self.token))["socialLogin"]
        return payload

    async def link_natively(self, id_token: str, nonce: str) -> Answer:
        """Link the social account of an id token to the customer who is logged in."""
        given = {"provider": self.provider, "idToken": id_token, "nonce": nonce}
        return await self.storefront.graphql(_LINK, {"input": given}, self.token)

    def answer(self, state: str, **changes: Any) -> dict[str, Any]:
        """Return the input that finishes what was begun."""
        return {
            "provider": self.provider,
            "code": "code-1",
            "redirectUri": REDIRECT_URI,
            "codeVerifier": VERIFIER,
            "state": state,
            **changes,
        }

    async def finish(self, state: str, **changes: Any) -> dict[str, Any]:
        """Log in with what came back, and return the payload."""
        payload: dict[str, Any] = (await self.try_to_finish(state, **changes))["socialLogin"]
        return payload

    async def try_to_finish(self, state: str, **changes: Any) -> Answer:
        """Log in with what came back, and return the whole answer."""
        return await self.storefront.graphql(_LOGIN, {"input": self.answer(state, **changes)}, self.token)

    async def log_in(self, minted: MintingProvider, **changes: Any) -> dict[str, Any]:
        """Go all the way, and return the payload."""
        return await self.finish(await self.begun(minted), **changes)

    async def confirm(self, ticket: str, **proof: str) -> dict[str, Any]:
        """Confirm a link, and return the payload."""
        payload: dict[str, Any] = (await self.try_to_confirm(ticket, **proof))["confirmSocialLink"]
        return payload

    async def try_to_confirm(self, ticket: str, **proof: str) -> Answer:
        """Confirm a link, and return the whole answer."""
        return await self.storefront.graphql(_CONFIRM, {"input": {"ticket": ticket, **proof}}, self.token)

    async def link(self, minted: MintingProvider, **changes: Any) -> Answer:
        """Link the social account to the customer who is logged in."""
        return await self.link_with(await self.begun(minted), **changes)

    async def link_with(self, state: str, **changes: Any) -> Answer:
        """Link with what came back."""
        return await self.storefront.graphql(_LINK, {"input": self.answer(state, **changes)}, self.token)

    async def unlink(self, account_id: str, **changes: Any) -> Answer:
        """Take a social account away."""
        return await self.storefront.graphql(_UNLINK, {"input": {"accountId": account_id, **changes}}, self.token)


async def arrive(storefront: StorefrontClient, shop: str = "demo", provider: str = "minted") -> SocialPerson:
    """Begin an anonymous session in a shop."""
    return SocialPerson(storefront, (await storefront.anonymous(f"{shop}-storefront")).access, provider)


def query_of(url: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query))


def codes(payload: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the code and the path of each user error of a payload."""
    return [(error["code"], ".".join(error["field"] or ())) for error in payload["userErrors"]]
