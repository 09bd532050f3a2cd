"""What an assertion must say, that it counts once, and what ends the tokens of an integration."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from app.services.worker.purge import purge_expired
from tests.fakes import MovableClock
from tests.harness.client import Answer
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.integrations import (
    BACKEND,
    ISSUER,
    KEY,
    KEYED,
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

TOKEN_INFO = "{ tokenInfo { kind tenant clientId scope sessionId customerId owner { id type } } }"
OtherShops = Callable[..., AbstractAsyncContextManager[Gateway]]


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    return shops(tmp_path / "shops", BACKEND, KEYED)


@pytest.fixture
def after_change(environment: dict[str, str], clock: MovableClock, tmp_path: Path) -> OtherShops:
    """Start the gateway again, on the same database and keys, with another tenants file."""

    @asynccontextmanager
    async def start(*clients: str, **changes: Any) -> AsyncIterator[Gateway]:
        async with run_gateway({**environment, **shops(tmp_path / "changed", *clients, **changes)}, clock) as gateway:
            yield gateway

    return start


async def token_info(gateway: Gateway, token: str) -> Answer:
    return await gateway.graphql(TOKEN_INFO, token=token)


async def refusal(gateway: Gateway, **changes: Any) -> str:
    """Return why an assertion with these claims does not count."""
    response = await ask_for_token(gateway, signed(claims(gateway.clock.now(), **changes)))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    description: str = response.json()["error_description"]
    return description.removeprefix("The assertion is not accepted: ")


def unsigned(content: dict[str, Any]) -> str:
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none"}, content)]
    return ".".join([*parts, ""])


class TestAssertion:
    @pytest.mark.parametrize(
        "aud", [[ISSUER], [ISSUER, "https://elsewhere"], f"{ISSUER}/", f"{ISSUER}/oauth/token", "", 1, None]
    )
    async def test_its_audience_is_exactly_us_in_one_string(self, gateway: Gateway, aud: Any) -> None:
        assert await refusal(gateway, aud=aud) == f"aud must be exactly {ISSUER}, as one string."

    @pytest.mark.parametrize("sub", ["shop-backend", "SHOP-KEYED", "", ["shop-keyed"], None])
    async def test_its_subject_is_the_client(self, gateway: Gateway, sub: Any) -> None:
        assert await refusal(gateway, sub=sub) == "iss and sub must both be the client id."

    async def test_its_issuer_is_the_client_whose_key_signed_it(self, gateway: Gateway) -> None:
        assertion = signed(claims(gateway.clock.now(), "shop-keyed", iss="shop-backend"))
        response = await ask_for_token(gateway, assertion)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")

    async def test_it_expires_at_most_five_minutes_ahead(self, gateway: Gateway) -> None:
        now = int(gateway.clock.now().timestamp())
        assert await refusal(gateway, exp=now + 302) == "exp may be at most 300 seconds ahead."
        response = await ask_for_token(gateway, signed(claims(gateway.clock.now(), exp=now + 300)))
        assert response.status_code == 200

    async def test_it_does_not_count_when_expired(self, gateway: Gateway) -> None:
        assert await refusal(gateway, exp=int(gateway.clock.now().timestamp())) == "It has expired."

    @pytest.mark.parametrize("name", ["iat", "exp"])
    async def test_it_says_when_it_was_made_and_ends(self, gateway: Gateway, name: str) -> None:
        assert await refusal(gateway, **{name: None}) == "iat and exp are both needed, as seconds since 1970."

    @pytest.mark.parametrize("value", ["1700000000", True, [1], float("nan"), float("inf"), -1, 10**400])
    async def test_its_times_are_numbers(self, gateway: Gateway, value: Any) -> None:
        assert await refusal(gateway, exp=value) == "exp must be in seconds since 1970."

    @pytest.mark.parametrize("name", ["iat", "nbf"])
    async def test_it_does_not_count_before_its_time(self, gateway: Gateway, name: str) -> None:
        later = int(gateway.clock.now().timestamp()) + 62
        assert await refusal(gateway, **{name: later}) == "iat and nbf must not be in the future."

    async def test_the_clients_clock_may_be_a_minute_ahead(self, gateway: Gateway) -> None:
        now = int(gateway.clock.now().timestamp())
        assert (await ask_for_token(gateway, signed(claims(gateway.clock.now(), iat=now + 59)))).status_code == 200

    @pytest.mark.parametrize("jti", [None, "", 7, "x" * 256, "\0", "\ud800"])
    async def test_it_has_a_jti(self, gateway: Gateway, jti: Any) -> None:
        assert (await refusal(gateway, jti=jti)).startswith("jti is needed")

    async def test_nobody_signed_it(self, gateway: Gateway) -> None:
        response = await ask_for_token(gateway, unsigned(claims(gateway.clock.now())))
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")

    async def test_the_public_key_is_no_secret(self, gateway: Gateway) -> None:
        public = json.dumps(KEY.as_dict(private=False))
        assertion = signed_by_secret(claims(gateway.clock.now()), public)
        response = await ask_for_token(gateway, assertion)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")

    async def test_another_clients_key_does_not_count(self, gateway: Gateway) -> None:
        response = await ask_for_token(gateway, signed(claims(gateway.clock.now()), OTHER_KEY))
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


class TestReplay:
    async def test_an_assertion_counts_once(self, gateway: Gateway) -> None:
        assertion = signed(claims(gateway.clock.now()))
        assert (await ask_for_token(gateway, assertion)).status_code == 200
        again = await ask_for_token(gateway, assertion)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")

    async def test_a_jti_counts_once_whatever_else_is_said(self, gateway: Gateway) -> None:
        for expected in (200, 400):
            content = claims(gateway.clock.now(), jti="the same", owner={"type": "User", "id": STAFF})
            assert (await ask_for_token(gateway, signed(content))).status_code == expected

    async def test_of_sixteen_at_once_one_succeeds(self, gateway: Gateway) -> None:
        assertion = signed(claims(gateway.clock.now()))
        responses = await asyncio.gather(*(ask_for_token(gateway, assertion) for _ in range(16)))
        assert sorted(response.status_code for response in responses) == [200, *[400] * 15]
        assert len(await gateway.rows("SELECT jti FROM integration_token")) == 1

    async def test_two_clients_may_have_the_same_jti(self, gateway: Gateway) -> None:
        now = gateway.clock.now()
        first = await ask_for_token(gateway, signed(claims(now, jti="1")))
        second = await ask_for_token(gateway, signed(claims(now, "other-keyed", jti="1"), OTHER_KEY))
        assert (first.status_code, second.status_code) == (200, 200)

    async def test_a_refused_scope_uses_nothing_up(self, gateway: Gateway) -> None:
        assertion = signed(claims(gateway.clock.now()))
        assert (await ask_for_token(gateway, assertion, scope="too.much")).status_code == 400
        assert (await ask_for_token(gateway, assertion)).status_code == 200


class TestOwner:
    async def test_is_a_user_of_the_organisation(self, gateway: Gateway) -> None:
        info = (await token_info(gateway, await owned_token(gateway)))["tokenInfo"]
        assert info["owner"] == {"id": STAFF, "type": "User"}

    async def test_may_stand_in_a_namespaced_claim(self, gateway: Gateway) -> None:
        named = {"https://commercelayer.io/claims": {"owner": {"type": "User", "id": STAFF}}}
        response = await ask_for_token(gateway, signed(claims(gateway.clock.now(), **named)))
        info = (await token_info(gateway, response.json()["access_token"]))["tokenInfo"]
        assert info["owner"] == {"id": STAFF, "type": "User"}

    @pytest.mark.parametrize("owner_id", ["a-user-of-the-other-shop", "nobody", ""])
    async def test_is_nobody_elses_user(self, gateway: Gateway, owner_id: str) -> None:
        why = await refusal(gateway, owner={"type": "User", "id": owner_id})
        assert why == "owner must be a user of the client's organisation."

    @pytest.mark.parametrize(
        "owner", [STAFF, [], {}, {"id": STAFF}, {"type": "Customer", "id": STAFF}, {"type": "User", "id": [STAFF]}]
    )
    async def test_is_an_object_with_type_and_id(self, gateway: Gateway, owner: Any) -> None:
        assert (await refusal(gateway, owner=owner)).startswith("owner must be one object")

    async def test_is_one_only(self, gateway: Gateway) -> None:
        other = {"https://commercelayer.io/claims": {"owner": {"type": "User", "id": "somebody"}}}
        assert (await refusal(gateway, owner={"type": "User", "id": STAFF}, **other)).startswith("owner must be one")


class TestIntegrationToken:
    async def test_says_whose_it_is(self, gateway: Gateway) -> None:
        answer = await token_info(gateway, await integration_token(gateway))
        assert answer["tokenInfo"] == {
            "kind": "INTEGRATION",
            "tenant": "shop",
            "clientId": "shop-backend",
            "scope": ["customers.manage", "customers.read"],
            "sessionId": None,
            "customerId": None,
            "owner": None,
        }

    async def test_costs_one_statement(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        with gateway.count_statements() as statements:
            await token_info(gateway, token)
        assert len(statements) == 1

    async def test_expires_after_an_hour(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        gateway.clock.advance(seconds=3598)
        assert (await token_info(gateway, token)).codes == []
        gateway.clock.advance(seconds=2)
        assert (await token_info(gateway, token)).reason == "EXPIRED"

    async def test_is_no_customers_token(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        for operation in ("{ me { id } }", "{ sessions { id } }", "mutation { logout { loggedOut } }"):
            assert (await gateway.graphql(operation, token=token)).codes == ["FORBIDDEN"]

    async def test_a_saas_token_is_none(self, gateway: Gateway) -> None:
        person = await gateway.customer("shop-storefront")
        assert (await token_info(gateway, person.tokens.saas)).reason == "INVALID"

    async def test_a_changed_claim_makes_it_invalid(self, gateway: Gateway) -> None:
        header, payload, signature = (await integration_token(gateway, "shop-reports")).split(".")
        content = json.loads(_decode(payload))
        content["scope"] = "customers.manage"
        changed = urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
        assert (await token_info(gateway, f"{header}.{changed}.{signature}")).reason == "INVALID"
        assert (await token_info(gateway, unsigned(content))).reason == "INVALID"

    @pytest.mark.parametrize("changes", [{"iss": "https://elsewhere"}, {"aud": "shop"}, {"aud": [ISSUER]}])
    async def test_another_issuer_or_audience_makes_it_invalid(self, gateway: Gateway, changes: dict[str, Any]) -> None:
        _, payload, _ = (await integration_token(gateway)).split(".")
        forged = gateway.tools.signer.sign({**json.loads(_decode(payload)), **changes})
        assert (await token_info(gateway, forged)).reason == "INVALID"

    async def test_one_that_was_never_written_down_is_revoked(self, gateway: Gateway) -> None:
        _, payload, _ = (await integration_token(gateway)).split(".")
        forged = gateway.tools.signer.sign({**json.loads(_decode(payload)), "jti": "another"})
        assert (await token_info(gateway, forged)).reason == "REVOKED"


class TestAfterAChange:
    async def test_nothing_changes_without_one(self, gateway: Gateway, after_change: OtherShops) -> None:
        tokens = [await integration_token(gateway), await owned_token(gateway)]
        async with after_change(BACKEND, KEYED) as changed:
            for token in tokens:
                assert (await token_info(changed, token)).codes == []

    async def test_a_changed_secret_ends_its_tokens(self, gateway: Gateway, after_change: OtherShops) -> None:
        token, by_key = await integration_token(gateway), await owned_token(gateway)
        async with after_change(BACKEND, KEYED, BACKEND_SECRET="another secret") as changed:
            assert (await token_info(changed, token)).reason == "REVOKED"
            assert (await token_info(changed, by_key)).codes == []

    async def test_a_removed_client_takes_its_tokens_along(self, gateway: Gateway, after_change: OtherShops) -> None:
        token, by_key = await integration_token(gateway), await owned_token(gateway)
        async with after_change(KEYED) as changed:
            assert (await token_info(changed, token)).reason == "REVOKED"
            assert (await token_info(changed, by_key)).codes == []

    async def test_a_replaced_key_ends_what_came_of_it(self, gateway: Gateway, after_change: OtherShops) -> None:
        by_key, by_secret = await owned_token(gateway), await integration_token(gateway, "shop-keyed")
        async with after_change(BACKEND, KEYED, keyed_by=ECKey.generate_key("P-256")) as changed:
            assert (await token_info(changed, by_key)).reason == "REVOKED"
            assert (await token_info(changed, by_secret)).codes == []

    async def test_a_removed_user_takes_the_tokens_along(self, gateway: Gateway, after_change: OtherShops) -> None:
        token = await owned_token(gateway)
        async with after_change(BACKEND, KEYED, staff="somebody-else") as changed:
            assert (await token_info(changed, token)).reason == "REVOKED"

    async def test_a_lost_scope_is_lost_at_once(self, gateway: Gateway, after_change: OtherShops) -> None:
        token = await integration_token(gateway)
        less = BACKEND.replace(', "customers.manage"', "")
        async with after_change(less, KEYED) as changed:
            assert (await token_info(changed, token))["tokenInfo"]["scope"] == ["customers.read"]

    async def test_a_lost_part_of_a_scope_is_lost_at_once(self, gateway: Gateway, after_change: OtherShops) -> None:
        token = await integration_token(gateway, scope="customers.manage")
        less = BACKEND.replace('"customers.manage"', '"customers.write"')
        async with after_change(less, KEYED) as changed:
            scope = (await token_info(changed, token))["tokenInfo"]["scope"]
            assert scope == ["customers.read", "customers.write"]


class TestScopeOfAnOwnedToken:
    """What an integration may in somebody's name: what both of them may."""

    MANAGE = 'mutation { createCustomerGroup(input: {name: "VIP", code: "VIP"}) { userErrors { code } } }'

    async def scope(self, gateway: Gateway, token: str) -> list[str]:
        scope: list[str] = (await token_info(gateway, token))["tokenInfo"]["scope"]
        return scope

    async def test_is_that_of_both(self, after_change: OtherShops) -> None:
        async with after_change(KEYED, staff_may=["customers.read", "customers.anonymize"]) as gateway:
            response = await ask_for_token(
                gateway, signed(claims(gateway.clock.now(), owner={"type": "User", "id": STAFF}))
            )
            assert response.json()["scope"] == "customers.anonymize customers.read"
            token = response.json()["access_token"]
            assert json.loads(_decode(token.split(".")[1]))["scope"] == "customers.anonymize customers.read"
            assert await self.scope(gateway, token) == ["customers.anonymize", "customers.read"]
            body = (await post(gateway, "introspect", basic("shop-reports"), token=token)).json()
            assert body["scope"] == "customers.anonymize customers.read"
            assert (await gateway.graphql(self.MANAGE, token=token)).codes == ["FORBIDDEN"]
            assert (await gateway.graphql("{ customers { nodes { id } } }", token=token)).codes == []

    async def test_is_not_what_only_the_owner_may(self, after_change: OtherShops) -> None:
        async with after_change(NARROW) as gateway:
            token = await owned_token(gateway)
            assert await self.scope(gateway, token) == ["customers.manage", "customers.read"]

    async def test_is_nothing_for_an_owner_who_may_nothing(self, after_change: OtherShops) -> None:
        async with after_change(KEYED, staff_may=[]) as gateway:
            token = await owned_token(gateway)
            assert await self.scope(gateway, token) == []
            assert (await gateway.graphql("{ customers { nodes { id } } }", token=token)).codes == ["FORBIDDEN"]

    @pytest.mark.parametrize("scope", ["customers.manage", "customers.read customers.manage"])
    async def test_cannot_be_asked_to_be_more_than_the_owners(self, after_change: OtherShops, scope: str) -> None:
        async with after_change(KEYED, staff_may=["customers.read"]) as gateway:
            content = claims(gateway.clock.now(), owner={"type": "User", "id": STAFF})
            response = await ask_for_token(gateway, signed(content), scope=scope)
            assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")
            assert (await ask_for_token(gateway, signed(content), scope="customers.read")).status_code == 200

    async def test_is_no_more_than_was_asked_for(self, gateway: Gateway) -> None:
        token = await owned_token(gateway, scope="customers.read")
        assert await self.scope(gateway, token) == ["customers.read"]
        assert (await gateway.graphql(self.MANAGE, token=token)).codes == ["FORBIDDEN"]

    async def test_shrinks_at_once_with_the_clients(self, gateway: Gateway, after_change: OtherShops) -> None:
        token = await owned_token(gateway)
        async with after_change(NARROW) as changed:
            assert await self.scope(changed, token) == ["customers.manage", "customers.read"]

    async def test_shrinks_at_once_with_the_owners(self, gateway: Gateway, after_change: OtherShops) -> None:
        token = await owned_token(gateway)
        async with after_change(KEYED, staff_may=["customers.read"]) as changed:
            assert await self.scope(changed, token) == ["customers.read"]
            assert (await changed.graphql(self.MANAGE, token=token)).codes == ["FORBIDDEN"]

    async def test_grows_no_more_when_the_owner_may_more_later(self, after_change: OtherShops) -> None:
        async with after_change(KEYED, staff_may=["customers.read"]) as gateway:
            token = await owned_token(gateway)
        async with after_change(KEYED) as changed:
            assert await self.scope(changed, token) == ["customers.read"]


class TestAudit:
    async def test_writes_down_a_token_that_was_given(self, gateway: Gateway) -> None:
        await owned_token(gateway)
        (row,) = await gateway.rows("SELECT tenant_id, action, outcome, detail FROM audit_event")
        assert (row.tenant_id, row.action, row.outcome) == ("shop", "integration.token", "success")
        detail = row.detail if isinstance(row.detail, dict) else json.loads(row.detail)
        assert detail == {
            "client_id": "shop-keyed",
            "grant": "jwt_bearer",
            "scope": "customers.anonymize customers.manage customers.read",
            "owner_id": STAFF,
        }

    async def test_writes_down_a_refusal(self, gateway: Gateway) -> None:
        await post(gateway, "token", basic("shop-backend", "wrong"), grant_type="client_credentials")
        (row,) = await gateway.rows("SELECT action, outcome, detail FROM audit_event")
        assert (row.action, row.outcome) == ("integration.token", "refused")
        detail = row.detail if isinstance(row.detail, dict) else json.loads(row.detail)
        assert detail == {"client_id": "shop-backend", "grant": "client_credentials", "code": "invalid_client"}

    async def test_writes_down_a_revocation_once(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        for _ in range(2):
            await post(gateway, "revoke", basic("shop-backend"), token=token)
        rows = await gateway.rows("SELECT action FROM audit_event WHERE action = 'integration.token_revoked'")
        assert len(rows) == 1

    async def test_no_secret_is_kept(self, gateway: Gateway) -> None:
        token = await integration_token(gateway)
        kept = str(await gateway.rows("SELECT * FROM integration_token"))
        assert SECRET not in kept
        assert token not in kept


class TestPurge:
    async def test_removes_what_can_never_count_again(self, gateway: Gateway) -> None:
        await owned_token(gateway)
        gateway.clock.advance(days=2)
        await purge_expired(gateway.tools)
        assert await gateway.rows("SELECT jti FROM integration_token") == []
        assert await gateway.rows("SELECT client_id FROM used_assertion") == []

    async def test_keeps_what_could_be_presented_again(self, gateway: Gateway) -> None:
        await owned_token(gateway)
        gateway.clock.advance(minutes=4)
        await purge_expired(gateway.tools)
        assert len(await gateway.rows("SELECT client_id FROM used_assertion")) == 1


def _decode(segment: str) -> bytes:
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
