"""The metrics of a running gateway, as Prometheus reads them on their own port."""

from __future__ import annotations

import httpx2
import pytest

from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.gateway import Gateway
from tests.harness.postgresql import free_port

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings_environment() -> dict[str, str]:
    return {"METRICS_PORT": str(free_port())}


async def read_metrics(settings_environment: dict[str, str]) -> str:
    async with httpx2.AsyncClient(trust_env=False) as prometheus:
        port = settings_environment["METRICS_PORT"]
        return (await prometheus.get(f"http://127.0.0.1:{port}/metrics")).text


class TestMetrics:
    async def test_tell_of_requests_by_our_own_names(
        self, gateway: Gateway, settings_environment: dict[str, str]
    ) -> None:
        tokens = await gateway.anonymous()
        await gateway.graphql("query Theirs { theirs: me { id } storefront { name } }", token=tokens.access)
        await gateway.graphql("{ theirField }")
        await gateway.http.get("/their-path")
        await gateway.http.request("THEIRS", "/graphql")
        text = await read_metrics(settings_environment)
        for line in (
            'gateway_requests_total{field="anonymousLogin",outcome="OK"} 1.0',
            'gateway_requests_total{field="me",outcome="OK"} 1.0',
            'gateway_requests_total{field="storefront",outcome="OK"} 1.0',
            'gateway_requests_total{field="/graphql",outcome="BAD_REQUEST"} 2.0',
            'gateway_requests_total{field="(refused)",outcome="HTTP_404"} 1.0',
            'gateway_request_seconds_count{field="me"} 1.0',
            "gateway_passwords_waiting 0.0",
            "gateway_database_connections 0.0",
        ):
            assert line in text.splitlines()
        assert "heir" not in text

    async def test_tell_which_limit_was_met(self, gateway: Gateway, settings_environment: dict[str, str]) -> None:
        for _ in range(61):
            await gateway.graphql(operations.ANONYMOUS_LOGIN, {"input": {"clientId": "demo-storefront"}})
            gateway.clock.advance(seconds=0.1)
        text = await read_metrics(settings_environment)
        assert 'gateway_limited_total{limit="anonymous_login.ip"} 1.0' in text
        assert 'gateway_requests_total{field="anonymousLogin",outcome="RATE_LIMITED"} 1.0' in text

    async def test_are_nowhere_on_the_port_that_everybody_may_call(self, gateway: Gateway) -> None:
        assert (await gateway.http.get("/metrics")).status_code == 404

    async def test_tell_what_a_refused_login_was_refused_for(
        self, gateway: Gateway, settings_environment: dict[str, str]
    ) -> None:
        person = await gateway.signup_confirmed()
        for password in ("wrong-harbour-42", PASSWORD):
            given = {"input": {"email": person.email, "password": password}}
            await gateway.graphql(operations.LOGIN, given, person.tokens.access)
        text = await read_metrics(settings_environment)
        assert 'gateway_requests_total{field="login",outcome="INVALID_CREDENTIALS"} 1.0' in text
        assert 'gateway_requests_total{field="login",outcome="OK"} 1.0' in text

    async def test_tell_of_attacks_on_logins(self, gateway: Gateway, settings_environment: dict[str, str]) -> None:
        for number in range(11):
            gateway.ip = f"198.51.100.{number}"
            given = {"input": {"email": "ada@example.com", "password": "wrong-harbour-42"}}
            await gateway.graphql(operations.LOGIN, given, (await gateway.anonymous()).access)
        assert 'gateway_login_attacks_total{target="account"} 1.0' in await read_metrics(settings_environment)

    @pytest.mark.parametrize(
        ("query", "given", "outcome"),
        [
            (operations.SIGNUP, {"email": "ada@example.com", "password": "short"}, "PASSWORD_TOO_SHORT"),
            (operations.REQUEST_PASSWORD_RESET, {"email": "nonsense"}, "INVALID_EMAIL"),
            (operations.RESET_PASSWORD, {"token": "nonsense", "password": PASSWORD}, "TOKEN_INVALID"),
        ],
    )
    async def test_tell_what_any_mutation_was_refused_for(
        self,
        gateway: Gateway,
        settings_environment: dict[str, str],
        query: str,
        given: dict[str, str],
        outcome: str,
    ) -> None:
        token = (await gateway.anonymous()).access
        await gateway.graphql(query, {"input": given}, token)
        assert f'outcome="{outcome}"}} 1.0' in await read_metrics(settings_environment)
