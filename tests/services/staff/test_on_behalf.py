"""Staff acting for a customer: who may begin it, what it shows, what it is not good for, and what ends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.domain.principal import TokenKind
from app.domain.requests import RequestFacts
from app.services.callers.authentication import authenticate
from tests.fakes import MovableClock
from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.integrations import (
    BACKEND,
    KEYED,
    STAFF,
    basic,
    integration_token,
    owned_token,
    post,
    shops,
)
from tests.harness.saas_tokens import read_saas_token
from tests.harness.tenants import integration

pytestmark = pytest.mark.anyio

LOGIN_ON_BEHALF = """mutation ($input: LoginOnBehalfInput!) {
    loginOnBehalf(input: $input) {
        tokens { accessToken tokenType expiresIn refreshToken refreshTokenExpiresIn saasToken saasTokenExpiresIn
            sessionId scope }
        customer { id }
        userErrors { code field message }
    }
}"""
ME = "{ me { id } }"
SESSIONS = "{ sessions { id current device actor { id type reason } } }"
REASON = "Phone order 4711"


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    return shops(tmp_path / "shops", BACKEND, KEYED)


@pytest.fixture
async def person(gateway: Gateway) -> Person:
    return await gateway.customer("shop-storefront")


async def ask(gateway: Gateway, token: str, customer_id: str, reason: str = REASON) -> Answer:
    return await gateway.graphql(LOGIN_ON_BEHALF, {"input": {"customerId": customer_id, "reason": reason}}, token)


async def begin(gateway: Gateway, customer_id: str, token: str | None = None) -> dict[str, Any]:
    """Begin to act for a customer and return the tokens."""
    answer = await ask(gateway, token or await integration_token(gateway), customer_id)
    payload: dict[str, Any] = answer["loginOnBehalf"]
    assert payload["userErrors"] == []
    assert payload["customer"] == {"id": customer_id}
    tokens: dict[str, Any] = payload["tokens"]
    return tokens


async def reason_of(gateway: Gateway, token: str) -> str | None:
    return (await gateway.graphql(ME, token=token)).reason


class TestLoginOnBehalf:
    async def test_gives_an_access_token_and_nothing_to_prolong_it(self, gateway: Gateway, person: Person) -> None:
        tokens = await begin(gateway, person.id)
        assert tokens.pop("accessToken").startswith("cg_ob_")
        assert tokens.pop("sessionId") != person.tokens.session_id
        del tokens["saasToken"], tokens["scope"]
        assert tokens == {
            "tokenType": "Bearer",
            "expiresIn": 900,
            "refreshToken": None,
            "refreshTokenExpiresIn": None,
            "saasTokenExpiresIn": 300,
        }

    async def test_says_in_the_scope_what_is_not_for_staff(self, gateway: Gateway, person: Person) -> None:
        scope = set((await begin(gateway, person.id))["scope"])
        assert "addresses.write" in scope
        assert "tenant=shop" in scope
        missing = set(person.tokens.all["scope"]) - scope
        assert missing == {
            "credentials.recover",
            "credentials.write",
            "login.begin",
            "privacy",
            "privacy.cancel",
            "social.begin",
        }

    async def test_names_for_other_services_who_acts(self, gateway: Gateway, person: Person) -> None:
        tokens = await begin(gateway, person.id, await owned_token(gateway))
        claims = await read_saas_token(gateway, tokens["saasToken"], "shop")
        assert claims["act"] == {"sub": STAFF, "type": "User"}
        assert (claims["sub"], claims["sid"], claims["kind"]) == (person.id, tokens["sessionId"], "ON_BEHALF")
        assert claims["scope"].split() == tokens["scope"]
        assert REASON not in str(claims)

    async def test_acts_as_the_customer(self, gateway: Gateway, person: Person) -> None:
        token = (await begin(gateway, person.id))["accessToken"]
        assert (await gateway.graphql(ME, token=token))["me"] == {"id": person.id}

    async def test_ends_after_a_quarter_of_an_hour(self, gateway: Gateway, person: Person) -> None:
        token = (await begin(gateway, person.id))["accessToken"]
        gateway.clock.advance(seconds=899)
        assert (await gateway.graphql(ME, token=token)).codes == []
        gateway.clock.advance(seconds=1)
        assert await reason_of(gateway, token) == "EXPIRED"

    async def test_shows_the_client_in_token_info(self, gateway: Gateway, person: Person) -> None:
        token = (await begin(gateway, person.id))["accessToken"]
        answer = await gateway.graphql("{ tokenInfo { kind customerId actor { id type reason } } }", token=token)
        assert answer["tokenInfo"] == {
            "kind": "ON_BEHALF",
            "customerId": person.id,
            "actor": {"id": "shop-backend", "type": "Client", "reason": REASON},
        }

    async def test_shows_the_owner_of_the_token_where_it_has_one(self, gateway: Gateway, person: Person) -> None:
        token = (await begin(gateway, person.id, await owned_token(gateway)))["accessToken"]
        answer = await gateway.graphql("{ tokenInfo { actor { id type reason } } }", token=token)
        assert answer["tokenInfo"]["actor"] == {"id": STAFF, "type": "User", "reason": REASON}

    async def test_shows_the_customer_who_acts(self, gateway: Gateway, person: Person) -> None:
        tokens = await begin(gateway, person.id)
        answer = await gateway.graphql(SESSIONS, token=person.tokens.access)
        actors = {session["id"]: session["actor"] for session in answer["sessions"]}
        assert actors == {
            person.tokens.session_id: None,
            tokens["sessionId"]: {"id": "shop-backend", "type": "Client", "reason": REASON},
        }

    async def test_introspection_names_the_actor(self, gateway: Gateway, person: Person) -> None:
        token = (await begin(gateway, person.id))["accessToken"]
        body = (await post(gateway, "introspect", basic("shop-backend"), token=token)).json()
        assert (body["kind"], body["sub"]) == ("ON_BEHALF", person.id)
        assert body["act"] == {"sub": "shop-backend", "type": "Client"}

    async def test_is_written_down_from_begin_to_end(self, gateway: Gateway, person: Person) -> None:
        token = (await begin(gateway, person.id, await owned_token(gateway)))["accessToken"]
        await gateway.graphql("mutation { logout { loggedOut } }", token=token)
        rows = await gateway.rows(
            "SELECT action, actor_kind, actor_id, customer_id FROM audit_event "
            "WHERE action LIKE 'on_behalf.%' ORDER BY id"
        )
        assert [tuple(row) for row in rows] == [
            ("on_behalf.started", "INTEGRATION", STAFF, person.id),
            ("on_behalf.ended", "ON_BEHALF", STAFF, person.id),
        ]

    async def test_needs_the_scope(self, gateway: Gateway, person: Person) -> None:
        token = await integration_token(gateway, "shop-reports")
        assert (await ask(gateway, token, person.id)).codes == ["FORBIDDEN"]

    async def test_is_not_for_customers(self, gateway: Gateway, person: Person) -> None:
        on_behalf = (await begin(gateway, person.id))["accessToken"]
        anonymous = (await gateway.anonymous("shop-storefront")).access
        for token in (person.tokens.access, anonymous, on_behalf):
            assert (await ask(gateway, token, person.id)).codes == ["FORBIDDEN"]

    @pytest.mark.parametrize(
        ("reason", "code"), [("", "REQUIRED"), ("  ", "REQUIRED"), ("x" * 201, "TOO_LONG"), ("a\nb", "INVALID")]
    )
    async def test_needs_a_reason(self, gateway: Gateway, person: Person, reason: str, code: str) -> None:
        answer = await ask(gateway, await integration_token(gateway), person.id, reason)
        assert answer.user_errors("loginOnBehalf") == [(code, "reason")]

    async def test_does_not_know_another_shops_customer(self, gateway: Gateway) -> None:
        stranger = await gateway.customer("other-storefront")
        for customer_id in (stranger.id, "nobody", ""):
            answer = await ask(gateway, await integration_token(gateway), customer_id)
            assert answer.user_errors("loginOnBehalf") == [("NOT_FOUND", "customerId")]

    @pytest.mark.parametrize(
        ("change", "code"), [("active = false", "ACCOUNT_INACTIVE"), ("on_hold = true", "ACCOUNT_ON_HOLD")]
    )
    async def test_is_not_for_who_may_not_log_in(
        self, gateway: Gateway, person: Person, change: str, code: str
    ) -> None:
        await gateway.write(f"UPDATE customer SET {change} WHERE id = :id", id=person.id)  # noqa: S608 - our own words
        answer = await ask(gateway, await integration_token(gateway), person.id)
        assert answer.user_errors("loginOnBehalf") == [(code, "customerId")]


class TestWhatEndsIt:
    async def test_its_own_logout_and_nothing_else_with_it(self, gateway: Gateway, person: Person) -> None:
        token = (await begin(gateway, person.id))["accessToken"]
        await gateway.graphql("mutation { logout(input: {everywhere: true}) { loggedOut } }", token=token)
        assert await reason_of(gateway, token) == "REVOKED"
        assert (await gateway.graphql(ME, token=person.tokens.access))["me"] == {"id": person.id}

    async def test_the_customers_logout_everywhere(self, gateway: Gateway, person: Person) -> None:
        token = (await begin(gateway, person.id))["accessToken"]
        everywhere = "mutation { logout(input: {everywhere: true}) { loggedOut } }"
        await gateway.graphql(everywhere, token=person.tokens.access)
        assert await reason_of(gateway, token) == "REVOKED"

    async def test_the_customers_own_word(self, gateway: Gateway, person: Person) -> None:
        tokens = await begin(gateway, person.id)
        revoke = "mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { revoked } }"
        answer = await gateway.graphql(revoke, {"input": {"sessionId": tokens["sessionId"]}}, person.tokens.access)
        assert answer["revokeSession"] == {"revoked": True}
        assert await reason_of(gateway, tokens["accessToken"]) == "REVOKED"

    @pytest.mark.parametrize("change", ["active = false", "on_hold = true"])
    async def test_whatever_ends_the_customers_sessions(self, gateway: Gateway, person: Person, change: str) -> None:
        token = (await begin(gateway, person.id))["accessToken"]
        await gateway.write(f"UPDATE customer SET {change} WHERE id = :id", id=person.id)  # noqa: S608 - our own words
        assert await reason_of(gateway, token) == "REVOKED"

    @pytest.mark.parametrize(
        ("clients", "changes"), [((KEYED,), {}), ((BACKEND, KEYED), {"BACKEND_SECRET": "another"})]
    )
    async def test_the_end_of_the_client_or_of_its_secret(
        self,
        gateway: Gateway,
        person: Person,
        environment: dict[str, str],
        clock: MovableClock,
        tmp_path: Path,
        clients: tuple[str, ...],
        changes: dict[str, Any],
    ) -> None:
        token = (await begin(gateway, person.id))["accessToken"]
        changed = {**environment, **shops(tmp_path / "changed", *clients, **changes)}
        async with run_gateway(changed, clock) as again:
            assert await reason_of(again, token) == "REVOKED"

    @pytest.mark.parametrize(
        ("client", "changes"),
        [
            (integration("shop", "shop-keyed", scopes=["customers.read"], jwks_file="keyed.json"), {}),
            (KEYED, {"staff_may": ["customers.read"]}),
            (KEYED, {"staff": "somebody-else"}),
        ],
        ids=["the client may no more", "the owner may no more", "the owner is gone"],
    )
    async def test_the_end_of_what_let_it_begin(
        self,
        gateway: Gateway,
        person: Person,
        environment: dict[str, str],
        clock: MovableClock,
        tmp_path: Path,
        client: str,
        changes: dict[str, Any],
    ) -> None:
        token = (await begin(gateway, person.id, await owned_token(gateway)))["accessToken"]
        changed = {**environment, **shops(tmp_path / "changed", BACKEND, client, **changes)}
        async with run_gateway(changed, clock) as again:
            assert await reason_of(again, token) == "REVOKED"

    async def test_fifty_more_of_its_kind_but_not_the_customers_own(self, gateway: Gateway, person: Person) -> None:
        integration = await integration_token(gateway)
        first = (await begin(gateway, person.id, integration))["accessToken"]
        for _ in range(50):
            gateway.clock.advance(seconds=1)
            await begin(gateway, person.id, integration)
        assert await reason_of(gateway, first) == "REVOKED"
        assert (await gateway.graphql(ME, token=person.tokens.access))["me"] == {"id": person.id}


class TestAuthenticate:
    async def test_the_customer_has_proved_nothing_in_it(self, gateway: Gateway, person: Person) -> None:
        token = (await begin(gateway, person.id))["accessToken"]
        caller = await authenticate(gateway.tools, RequestFacts("request", "192.0.2.1", token=token))
        principal = caller.require_principal()
        assert principal.kind is TokenKind.ON_BEHALF
        assert principal.authenticated_at is None
