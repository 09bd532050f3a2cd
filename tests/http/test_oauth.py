"""The OAuth endpoints over HTTP: forms, statuses and bodies of the RFCs, and a client library that others wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AssertionClient, AsyncAssertionClient, AsyncOAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from app.domain.oauth import OAuthRequest
from app.domain.requests import RequestFacts
from app.http.oauth import MAX_BODY_BYTES
from app.services.integrations.oauth import issue_token
from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.integrations import (
    ASSERTION_TYPE,
    BACKEND,
    ISSUER,
    JWT_BEARER,
    KEY,
    NARROW,
    OTHER_KEY,
    SECRET,
    STAFF,
    ask_for_token,
    basic,
    claims,
    integration_token,
    owned_token,
    post,
    shops,
    signed,
    signed_by_secret,
)

pytestmark = pytest.mark.anyio
CLIENT_CREDENTIALS = "client_credentials"


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    return shops(tmp_path / "shops", BACKEND, NARROW)


@pytest.fixture
async def gateway(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[Gateway]:
    async with run_gateway(environment, clock) as running:
        yield running


def refusal(response: httpx2.Response) -> tuple[int, str]:
    """Return status and code of an error, which says why and is never stored."""
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body.keys() == {"error", "error_description"}
    return response.status_code, body["error"]


class TestClientCredentials:
    async def test_gives_a_token_for_an_hour(self, gateway: Gateway) -> None:
        response = await post(gateway, "token", basic("shop-backend"), grant_type=CLIENT_CREDENTIALS)
        assert response.status_code == 200
        body = response.json()
        assert body.pop("access_token").count(".") == 2
        assert body == {"token_type": "Bearer", "expires_in": 3600, "scope": "customers.manage customers.read"}
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["pragma"] == "no-cache"

    async def test_signs_the_claims_that_the_jwks_verifies(self, gateway: Gateway) -> None:
        token = await integration_token(gateway, scope="customers.read")
        keys = KeySet.import_key_set((await gateway.http.get("/.well-known/jwks.json")).json())
        verified = jwt.decode(token, keys, algorithms=["ES256"]).claims
        now = int(gateway.clock.now().timestamp())
        assert len(verified.pop("jti")) == 36
        assert verified == {
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": "shop-backend",
            "organization": {"id": "shop", "slug": "shop"},
            "test": True,
            "application": {
                "id": "shop-backend",
                "client_id": "shop-backend",
                "kind": "integration",
                "public": False,
            },
            "owner": None,
            "scope": "customers.read",
            "iat": now,
            "exp": now + 3600,
        }

    async def test_says_that_production_is_no_test(self, gateway: Gateway) -> None:
        tools = replace(gateway.tools, test=False)
        request = OAuthRequest(
            RequestFacts(request_id="r", ip=""),
            {"grant_type": CLIENT_CREDENTIALS, "client_id": "shop-backend", "client_secret": SECRET},
        )
        verified = tools.signer.verify((await issue_token(tools, request)).access_token)
        assert verified is not None
        assert verified["test"] is False

    async def test_takes_the_secret_from_the_form(self, gateway: Gateway) -> None:
        response = await post(
            gateway, "token", grant_type=CLIENT_CREDENTIALS, client_id="shop-backend", client_secret=SECRET
        )
        assert response.status_code == 200

    async def test_refuses_a_wrong_secret(self, gateway: Gateway) -> None:
        response = await post(gateway, "token", basic("shop-backend", "wrong"), grant_type=CLIENT_CREDENTIALS)
        assert refusal(response) == (401, "invalid_client")
        assert response.headers["www-authenticate"] == 'Basic realm="oauth", charset="UTF-8"'

    async def test_says_the_same_of_an_unknown_client(self, gateway: Gateway) -> None:
        wrong = await post(gateway, "token", basic("shop-backend", "wrong"), grant_type=CLIENT_CREDENTIALS)
        unknown = await post(gateway, "token", basic("nobody", "wrong"), grant_type=CLIENT_CREDENTIALS)
        assert unknown.json() == wrong.json()
        assert unknown.status_code == wrong.status_code

    @pytest.mark.parametrize("client_id", ["shop-storefront", "other-keyed"])
    async def test_refuses_a_client_without_a_secret(self, gateway: Gateway, client_id: str) -> None:
        for secret in ("", client_id):
            response = await post(gateway, "token", basic(client_id, secret), grant_type=CLIENT_CREDENTIALS)
            assert refusal(response) == (401, "invalid_client")

    async def test_refuses_a_client_that_does_not_authenticate(self, gateway: Gateway) -> None:
        response = await post(gateway, "token", grant_type=CLIENT_CREDENTIALS, client_id="shop-backend")
        assert refusal(response) == (401, "invalid_client")

    async def test_refuses_another_scheme(self, gateway: Gateway) -> None:
        headers = {"Authorization": "Bearer something"}
        response = await post(gateway, "token", headers, grant_type=CLIENT_CREDENTIALS)
        assert refusal(response) == (401, "invalid_client")

    @pytest.mark.parametrize("credentials", ["", "%%%", "bm9jb2xvbg==", "/w=="])
    async def test_refuses_basic_credentials_that_cannot_be_read(self, gateway: Gateway, credentials: str) -> None:
        headers = {"Authorization": f"Basic {credentials}"}
        response = await post(gateway, "token", headers, grant_type=CLIENT_CREDENTIALS)
        assert refusal(response) == (401, "invalid_client")

    @pytest.mark.parametrize(
        "more",
        [
            {"client_id": "shop-backend", "client_secret": SECRET},
            {"client_assertion": "x", "client_assertion_type": ASSERTION_TYPE},
            {"client_id": "shop-reports"},
        ],
        ids=["form", "assertion", "another id"],
    )
    async def test_refuses_two_methods_at_once(self, gateway: Gateway, more: dict[str, str]) -> None:
        response = await post(gateway, "token", basic("shop-backend"), grant_type=CLIENT_CREDENTIALS, **more)
        assert refusal(response) == (400, "invalid_request")


class TestSecretsOfOddCharacters:
    secret = "a+b/c%41=:ä ~"

    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> dict[str, str]:
        return shops(tmp_path / "shops", BACKEND, BACKEND_SECRET=self.secret)

    async def test_takes_them_as_the_rfc_encodes_them(self, gateway: Gateway) -> None:
        encoded = "a%2Bb%2Fc%2541%3D%3A%C3%A4+%7E"
        response = await post(gateway, "token", basic("shop-backend", encoded), grant_type=CLIENT_CREDENTIALS)
        assert response.status_code == 200

    async def test_takes_them_as_most_clients_send_them(self, gateway: Gateway) -> None:
        response = await post(gateway, "token", basic("shop-backend", self.secret), grant_type=CLIENT_CREDENTIALS)
        assert response.status_code == 200


class TestScope:
    async def test_refuses_what_the_client_does_not_have(self, gateway: Gateway) -> None:
        for scope in ("customers.anonymize", "customers.read admin", "customers.read  customers.manage"):
            response = await post(gateway, "token", basic("shop-backend"), grant_type=CLIENT_CREDENTIALS, scope=scope)
            assert refusal(response) == (400, "invalid_scope")

    async def test_an_owner_adds_nothing_to_it(self, gateway: Gateway) -> None:
        assertion = signed(claims(gateway.clock.now(), owner={"type": "User", "id": STAFF}))
        response = await ask_for_token(gateway, assertion, scope="customers.anonymize")
        assert refusal(response) == (400, "invalid_scope")


class TestGrantType:
    @pytest.mark.parametrize(
        "grant_type", ["password", "implicit", "authorization_code", "refresh_token", "CLIENT_CREDENTIALS", "ä"]
    )
    async def test_refuses_all_others(self, gateway: Gateway, grant_type: str) -> None:
        for headers in (basic("shop-backend"), {}):
            response = await post(gateway, "token", headers, grant_type=grant_type, username="a", password="b")
            assert refusal(response) == (400, "unsupported_grant_type")

    async def test_needs_one(self, gateway: Gateway) -> None:
        assert refusal(await post(gateway, "token", basic("shop-backend"), scope="customers.read")) == (
            400,
            "invalid_request",
        )


class TestForm:
    @pytest.mark.parametrize(
        ("body", "headers", "status"),
        [
            ("grant_type=a&grant_type=a", {}, 400),
            ("grant_type=%ff", {}, 400),
            ("grant_type=a%00", {}, 400),
            ("grant_type=ä", {}, 400),
            ("", {}, 400),
            ("grant_type", {}, 400),
            ("&".join(f"p{number}=1" for number in range(100)), {}, 400),
            ('{"grant_type": "client_credentials"}', {"Content-Type": "application/json"}, 415),
            ("a=b", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"}, 415),
            ("a=b", {"Content-Type": ""}, 415),
            ("a=b", {"Content-Encoding": "gzip"}, 415),
            ("a=" + "b" * MAX_BODY_BYTES, {}, 413),
        ],
    )
    async def test_refuses_what_is_not_well_formed(
        self, gateway: Gateway, body: str, headers: dict[str, str], status: int
    ) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        response = await gateway.http.post("/oauth/token", content=body.encode(), headers={**form, **headers})
        assert refusal(response) == (status, "invalid_request")

    async def test_refuses_two_authorization_headers(self, gateway: Gateway) -> None:
        headers = [*basic("shop-backend").items(), *basic("shop-reports").items()]
        response = await gateway.http.post("/oauth/token", data={"grant_type": CLIENT_CREDENTIALS}, headers=headers)
        assert refusal(response) == (400, "invalid_request")

    async def test_refuses_parameters_in_the_address(self, gateway: Gateway) -> None:
        response = await gateway.http.post(
            "/oauth/token?client_secret=x", data={"grant_type": CLIENT_CREDENTIALS}, headers=basic("shop-backend")
        )
        assert refusal(response) == (400, "invalid_request")

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    async def test_takes_post_only(self, gateway: Gateway, method: str) -> None:
        for endpoint in ("token", "introspect", "revoke"):
            response = await gateway.http.request(method, f"/oauth/{endpoint}")
            assert refusal(response) == (405, "invalid_request")
            assert response.headers["allow"] == "POST"

    async def test_takes_a_parameter_without_value_as_left_out(self, gateway: Gateway) -> None:
        response = await post(gateway, "token", basic("shop-backend"), grant_type=CLIENT_CREDENTIALS, scope="")
        assert response.json()["scope"] == "customers.manage customers.read"


class TestJwtBearer:
    async def test_an_assertion_alone_is_enough_for_a_registered_key(self, gateway: Gateway) -> None:
        response = await ask_for_token(gateway, signed(claims(gateway.clock.now())))
        assert response.status_code == 200
        assert response.json()["scope"] == "customers.manage customers.read"

    async def test_an_assertion_alone_is_not_enough_without_one(self, gateway: Gateway) -> None:
        assertion = signed_by_secret(claims(gateway.clock.now(), "shop-backend"))
        assert refusal(await ask_for_token(gateway, assertion)) == (401, "invalid_client")

    async def test_the_secret_may_sign_it_when_it_is_presented_too(self, gateway: Gateway) -> None:
        for alg in ("HS256", "HS512"):
            assertion = signed_by_secret(claims(gateway.clock.now(), "shop-backend"), alg=alg)
            response = await post(gateway, "token", basic("shop-backend"), grant_type=JWT_BEARER, assertion=assertion)
            assert response.status_code == 200

    async def test_the_secret_may_not_sign_it_where_a_key_is_registered(self, gateway: Gateway) -> None:
        assertion = signed_by_secret(claims(gateway.clock.now()))
        response = await post(gateway, "token", basic("shop-keyed"), grant_type=JWT_BEARER, assertion=assertion)
        assert refusal(response) == (400, "invalid_grant")

    async def test_takes_a_client_assertion_beside_it(self, gateway: Gateway) -> None:
        now = gateway.clock.now()
        response = await ask_for_token(
            gateway,
            signed(claims(now)),
            client_assertion_type=ASSERTION_TYPE,
            client_assertion=signed(claims(now)),
            client_id="shop-keyed",
        )
        assert response.status_code == 200

    async def test_one_assertion_does_not_serve_as_both(self, gateway: Gateway) -> None:
        assertion = signed(claims(gateway.clock.now()))
        response = await ask_for_token(
            gateway, assertion, client_assertion_type=ASSERTION_TYPE, client_assertion=assertion
        )
        assert refusal(response) == (400, "invalid_grant")

    async def test_refuses_the_assertion_of_another_client(self, gateway: Gateway) -> None:
        assertion = signed(claims(gateway.clock.now(), "shop-keyed"))
        response = await post(gateway, "token", basic("shop-backend"), grant_type=JWT_BEARER, assertion=assertion)
        assert refusal(response) == (400, "invalid_grant")

    async def test_refuses_a_client_id_that_is_not_the_issuer(self, gateway: Gateway) -> None:
        response = await ask_for_token(gateway, signed(claims(gateway.clock.now())), client_id="shop-backend")
        assert refusal(response) == (400, "invalid_request")

    async def test_refuses_an_unknown_issuer(self, gateway: Gateway) -> None:
        response = await ask_for_token(gateway, signed(claims(gateway.clock.now(), "nobody")))
        assert refusal(response) == (401, "invalid_client")

    async def test_refuses_what_is_no_jwt(self, gateway: Gateway) -> None:
        assert refusal(await ask_for_token(gateway, "no jwt")) == (400, "invalid_grant")

    async def test_needs_an_assertion(self, gateway: Gateway) -> None:
        response = await post(gateway, "token", basic("shop-backend"), grant_type=JWT_BEARER)
        assert refusal(response) == (400, "invalid_request")


class TestPrivateKeyJwt:
    async def test_authenticates_a_client_once(self, gateway: Gateway) -> None:
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed(claims(gateway.clock.now()))}
        first = await post(gateway, "token", grant_type=CLIENT_CREDENTIALS, **form)
        assert first.status_code == 200
        again = await post(gateway, "token", grant_type=CLIENT_CREDENTIALS, **form)
        assert refusal(again) == (401, "invalid_client")

    async def test_refuses_another_type_of_assertion(self, gateway: Gateway) -> None:
        form = {"client_assertion_type": "saml", "client_assertion": signed(claims(gateway.clock.now()))}
        response = await post(gateway, "token", grant_type=CLIENT_CREDENTIALS, **form)
        assert refusal(response) == (400, "invalid_request")

    @pytest.mark.parametrize("client_id", ["shop-backend", "shop-storefront", "nobody"])
    async def test_refuses_a_client_without_this_key(self, gateway: Gateway, client_id: str) -> None:
        for assertion in (signed(claims(gateway.clock.now(), client_id)), "no jwt"):
            form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
            response = await post(gateway, "token", grant_type=CLIENT_CREDENTIALS, **form)
            assert refusal(response) == (401, "invalid_client")


class TestLimits:
    async def test_ten_failures_of_a_client_are_followed_by_a_quarter_of_an_hour(self, gateway: Gateway) -> None:
        for _ in range(10):
            response = await post(gateway, "token", basic("shop-backend", "wrong"), grant_type=CLIENT_CREDENTIALS)
            assert response.status_code == 401
        response = await post(gateway, "token", basic("shop-backend"), grant_type=CLIENT_CREDENTIALS)
        assert refusal(response) == (429, "temporarily_unavailable")
        assert 0 < int(response.headers["retry-after"]) <= 901
        gateway.clock.advance(seconds=2 * 900)
        await integration_token(gateway)

    async def test_failures_from_elsewhere_do_not_keep_a_client_out(self, gateway: Gateway) -> None:
        gateway.ip = "203.0.113.66"
        for _ in range(11):
            await post(gateway, "token", basic("shop-backend", "wrong"), grant_type=CLIENT_CREDENTIALS)
        gateway.ip = "198.51.100.7"
        await integration_token(gateway)

    async def test_success_is_no_failure(self, gateway: Gateway) -> None:
        for _ in range(12):
            await integration_token(gateway)

    async def test_an_address_may_ask_sixty_times_a_minute(self, gateway: Gateway) -> None:
        for _ in range(60):
            await integration_token(gateway)
        response = await post(gateway, "token", basic("shop-backend"), grant_type=CLIENT_CREDENTIALS)
        assert refusal(response) == (429, "temporarily_unavailable")

    async def test_guessing_at_introspection_counts_too(self, gateway: Gateway) -> None:
        for _ in range(10):
            await post(gateway, "introspect", basic("shop-backend", "wrong"), token="x")
        response = await post(gateway, "introspect", basic("shop-backend"), token="x")
        assert response.status_code == 429


class TestIntrospect:
    async def active(self, gateway: Gateway, token: str, client_id: str = "shop-reports") -> dict[str, Any]:
        response = await post(gateway, "introspect", basic(client_id), token=token)
        assert response.status_code == 200
        body: dict[str, Any] = response.json()
        return body

    async def test_describes_an_integration_token(self, gateway: Gateway) -> None:
        body = await self.active(gateway, await owned_token(gateway))
        assert len(body.pop("jti")) == 36
        assert body == {
            "active": True,
            "token_type": "Bearer",
            "kind": "INTEGRATION",
            "iss": ISSUER,
            "exp": int((gateway.clock.now() + timedelta(hours=1)).timestamp()),
            "client_id": "shop-keyed",
            "scope": "customers.manage customers.read",
            "organization": {"id": "shop", "slug": "shop"},
            "test": True,
            "sub": "shop-keyed",
            "owner": {"id": STAFF, "type": "User"},
        }

    async def test_describes_a_customers_token_without_what_is_personal(self, gateway: Gateway) -> None:
        person = await gateway.customer("shop-storefront")
        assert await self.active(gateway, person.tokens.access) == {
            "active": True,
            "token_type": "Bearer",
            "kind": "CUSTOMER",
            "iss": ISSUER,
            "exp": int((gateway.clock.now() + timedelta(minutes=15)).timestamp()),
            "client_id": "shop-storefront",
            "scope": " ".join(person.tokens.all["scope"]),
            "sub": person.id,
            "sid": person.tokens.session_id,
        }

    async def test_describes_an_anonymous_token(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("shop-storefront")
        body = await self.active(gateway, tokens.access)
        assert (body["kind"], body["sid"]) == ("ANONYMOUS", tokens.session_id)
        assert body["scope"].split() == tokens.all["scope"]
        assert "sub" not in body

    async def test_another_shops_token_is_not_active(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("other-storefront")
        assert await self.active(gateway, tokens.access) == {"active": False}

    async def test_refresh_and_saas_tokens_are_not_active(self, gateway: Gateway) -> None:
        person = await gateway.customer("shop-storefront")
        for token in (person.tokens.refresh, person.tokens.saas, "nonsense", "a.b.c"):
            assert await self.active(gateway, token) == {"active": False}

    async def test_an_expired_token_is_not_active(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        gateway.clock.advance(hours=1)
        assert await self.active(gateway, token) == {"active": False}

    async def test_a_token_after_logout_is_not_active(self, gateway: Gateway) -> None:
        person = await gateway.customer("shop-storefront")
        await gateway.graphql("mutation { logout { loggedOut } }", token=person.tokens.access)
        assert await self.active(gateway, person.tokens.access) == {"active": False}

    async def test_needs_a_client(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        assert refusal(await post(gateway, "introspect", token=token)) == (401, "invalid_client")
        response = await post(gateway, "introspect", {"Authorization": f"Bearer {token}"}, token=token)
        assert refusal(response) == (401, "invalid_client")

    async def test_needs_a_token(self, gateway: Gateway) -> None:
        assert refusal(await post(gateway, "introspect", basic("shop-backend"), token="")) == (400, "invalid_request")


class TestRevoke:
    async def test_ends_a_token_at_once(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        response = await post(gateway, "revoke", basic("shop-backend"), token=token, token_type_hint="access_token")
        assert (response.status_code, response.json()) == (200, {})
        answer = await gateway.graphql("{ tokenInfo { kind } }", token=token)
        assert (answer.codes, answer.reason) == (["UNAUTHENTICATED"], "REVOKED")

    async def test_leaves_the_clients_other_tokens(self, gateway: Gateway) -> None:
        token, other = await integration_token(gateway), await integration_token(gateway)
        await post(gateway, "revoke", basic("shop-backend"), token=token)
        assert (await gateway.graphql("{ tokenInfo { kind } }", token=other))["tokenInfo"]["kind"] == "INTEGRATION"

    async def test_says_the_same_again(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        for _ in range(2):
            assert (await post(gateway, "revoke", basic("shop-backend"), token=token)).status_code == 200

    async def test_does_nothing_about_what_is_no_token(self, gateway: Gateway) -> None:
        for token in ("nonsense", "a.b.c"):
            assert (await post(gateway, "revoke", basic("shop-backend"), token=token)).status_code == 200

    async def test_refuses_the_token_of_another_client(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        response = await post(gateway, "revoke", basic("shop-reports"), token=token)
        assert refusal(response) == (400, "unauthorized_client")
        assert (await gateway.graphql("{ tokenInfo { kind } }", token=token))["tokenInfo"]["kind"] == "INTEGRATION"

    async def test_knows_nothing_of_another_shops_token(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        form = {"client_assertion_type": ASSERTION_TYPE}
        assertion = signed(claims(gateway.clock.now(), "other-keyed"), OTHER_KEY)
        response = await post(gateway, "revoke", token=token, client_assertion=assertion, **form)
        assert response.status_code == 200
        assert (await gateway.graphql("{ tokenInfo { kind } }", token=token))["tokenInfo"]["kind"] == "INTEGRATION"

    async def test_leaves_sessions_to_logout(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("shop-storefront")
        response = await post(gateway, "revoke", basic("shop-backend"), token=tokens.access)
        assert refusal(response) == (400, "unsupported_token_type")

    async def test_needs_a_client(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        assert refusal(await post(gateway, "revoke", token=token)) == (401, "invalid_client")


class TestMetadata:
    async def test_is_what_a_library_takes_for_valid(self, gateway: Gateway) -> None:
        response = await gateway.http.get("/.well-known/oauth-authorization-server")
        metadata = AuthorizationServerMetadata(response.json())
        metadata.validate_issuer()
        metadata.validate_token_endpoint()
        metadata.validate_jwks_uri()
        metadata.validate_grant_types_supported()
        metadata.validate_token_endpoint_auth_methods_supported()
        metadata.validate_token_endpoint_auth_signing_alg_values_supported()
        metadata.validate_revocation_endpoint()
        metadata.validate_introspection_endpoint()
        assert metadata["issuer"] == ISSUER
        assert metadata["grant_types_supported"] == [CLIENT_CREDENTIALS, JWT_BEARER]

    async def test_names_endpoints_that_answer(self, gateway: Gateway) -> None:
        metadata = (await gateway.http.get("/.well-known/oauth-authorization-server")).json()
        for name in ("token", "introspection", "revocation"):
            url = metadata[f"{name}_endpoint"].removeprefix(ISSUER)
            assert (await gateway.http.post(url, data={"a": "b"})).status_code == 400
        assert (await gateway.http.get(metadata["jwks_uri"].removeprefix(ISSUER))).json()["keys"]


class TestAuthlib:
    """Authlib's client, which nobody here wrote, against the application."""

    def session(self, gateway: Gateway, client_id: str, secret: Any, method: str) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id,
            secret,
            token_endpoint_auth_method=method,
            transport=gateway._transport,
            base_url="http://gateway.test",
        )

    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
    async def test_gets_inspects_and_revokes_a_token_by_secret(self, gateway: Gateway, method: str) -> None:
        async with self.session(gateway, "shop-backend", SECRET, method) as session:
            token = await session.fetch_token("/oauth/token", grant_type=CLIENT_CREDENTIALS, scope="customers.read")
            assert token["scope"] == "customers.read"
            inspected = await session.introspect_token("/oauth/introspect", token=token["access_token"])
            assert inspected.json()["active"] is True
            revoked = await session.revoke_token(  # type: ignore[no-untyped-call]  # Authlib's
                "/oauth/revoke", token=token["access_token"]
            )
            assert revoked.status_code == 200
            inspected = await session.introspect_token("/oauth/introspect", token=token["access_token"])
            assert inspected.json() == {"active": False}

    async def test_gets_a_token_by_private_key(self, gateway: Gateway) -> None:
        async with self.session(gateway, "shop-keyed", KEY, "private_key_jwt") as session:
            expires = int(gateway.clock.now().timestamp()) + 240
            session.register_client_auth_method(PrivateKeyJWT(ISSUER, claims={"exp": expires}, alg="ES256"))
            token = await session.fetch_token("/oauth/token", grant_type=CLIENT_CREDENTIALS)
            assert token["token_type"] == "Bearer"

    async def test_gets_a_token_by_assertion(self, gateway: Gateway) -> None:
        session = AsyncAssertionClient(
            "http://gateway.test/oauth/token",
            issuer="shop-keyed",
            subject="shop-keyed",
            audience=ISSUER,
            claims={"owner": {"type": "User", "id": STAFF}},
            grant_type=AssertionClient.JWT_BEARER_GRANT_TYPE,
            key=KEY,
            header={"alg": "ES256"},
            expires_in=240,
            transport=gateway._transport,
        )
        async with session:
            await session.refresh_token()  # type: ignore[no-untyped-call]  # Authlib's
            answer = await session.post(
                "http://gateway.test/graphql", json={"query": "{ tokenInfo { kind owner { id type } } }"}
            )
        info = answer.json()["data"]["tokenInfo"]
        assert info == {"kind": "INTEGRATION", "owner": {"id": STAFF, "type": "User"}}

    async def test_is_told_of_a_wrong_secret(self, gateway: Gateway) -> None:
        async with self.session(gateway, "shop-backend", "wrong", "client_secret_basic") as session:
            with pytest.raises(OAuthError, match="invalid_client"):
                await session.fetch_token("/oauth/token", grant_type=CLIENT_CREDENTIALS)
