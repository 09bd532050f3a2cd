"""Storefronts whose own server renders the pages: with its secret the server speaks for visitors, without it nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.domain.client_credentials import SHORTEST_SECRET
from tests.harness.client import Answer, Tokens
from tests.harness.gateway import Gateway
from tests.harness.integrations import basic
from tests.harness.operations import ANONYMOUS_LOGIN, LOGIN, REFRESH
from tests.harness.tenants import shop, storefront, table

pytestmark = pytest.mark.anyio

SECRET = "the-secret-of-the-server-of-the-shop"
SECRETS = {"SHOP_SECRET": SECRET, "OTHER_SECRET": SECRET[::-1]}
WITH_SECRET, WITHOUT, OTHER = "rendered", "spa", "other-rendered"
SERVER = "198.51.100.7"
SESSIONS = "{ sessions { device userAgent current } }"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    """Serve a storefront with a secret, one without, and one of another shop with a secret of its own."""
    file = tmp_path / "tenants.toml"
    roomy = table("[tenants.here.limits]", anonymous_login_per_second=1000)
    file.write_text(
        shop("here", anonymization_by=["customer"])
        + roomy
        + storefront("here", WITH_SECRET, secret_env="SHOP_SECRET")
        + storefront("here", WITHOUT)
        + shop("there")
        + storefront("there", OTHER, secret_env="OTHER_SECRET")
    )
    return {"TENANTS_FILE": str(file), **SECRETS}


def spoken_for(ip: str | None = "203.0.113.9", secret: str = SECRET, **more: str) -> dict[str, str]:
    """Return the headers of a server that speaks for a visitor."""
    return {"Storefront-Secret": secret, **({"Buyer-IP": ip} if ip is not None else {}), **more}


async def begin(gateway: Gateway, headers: dict[str, str], client_id: str = WITH_SECRET) -> Answer:
    gateway.ip = SERVER
    return await gateway.graphql(ANONYMOUS_LOGIN, {"input": {"clientId": client_id}}, headers=headers)


async def refresh(gateway: Gateway, token: str, headers: dict[str, str]) -> Answer:
    gateway.ip = SERVER
    return await gateway.graphql(REFRESH, {"input": {"refreshToken": token}}, headers=headers)


async def audited(gateway: Gateway) -> set[str]:
    return {row.ip for row in await gateway.rows("SELECT ip FROM audit_event") if row.ip}


class TestLimits:
    async def test_let_the_61st_visitor_within_a_minute_through(self, gateway: Gateway) -> None:
        for number in range(61):
            answer = await begin(gateway, spoken_for(f"203.0.113.{number}"))
            assert answer["anonymousLogin"]["tokens"]["accessToken"]

    async def test_hold_up_one_visitor_who_comes_61_times(self, gateway: Gateway) -> None:
        answers = [await begin(gateway, spoken_for()) for _ in range(61)]
        assert [answer.codes for answer in answers[-2:]] == [[], ["RATE_LIMITED"]]
        assert (await begin(gateway, spoken_for("203.0.113.10"))).codes == []

    async def test_count_the_server_where_it_speaks_for_nobody(self, gateway: Gateway) -> None:
        answers = [await begin(gateway, {"Storefront-Secret": SECRET}) for _ in range(61)]
        assert answers[-1].codes == ["RATE_LIMITED"]

    async def test_count_the_visitor_of_a_refresh(self, gateway: Gateway) -> None:
        visits = [
            Tokens.of((await begin(gateway, spoken_for(f"203.0.113.{n}")))["anonymousLogin"]["tokens"])
            for n in range(61)
        ]
        limit = gateway.tools.tenants.tenant("here").limits.refresh_per_ip_per_minute
        tokens = [visit.refresh for visit in visits]
        for number in range(limit + 1):
            one = number % len(tokens)
            answer = await refresh(gateway, tokens[one], spoken_for(f"203.0.113.{number % 250}"))
            tokens[one] = answer["refresh"]["tokens"]["refreshToken"]

    async def test_count_the_visitor_of_a_login(self, gateway: Gateway) -> None:
        tokens = Tokens.of((await begin(gateway, spoken_for()))["anonymousLogin"]["tokens"])
        for number in range(30):
            gateway.clock.advance(seconds=7)
            given = {"email": f"nobody-{number}@example.com", "password": "wrong password"}
            answer = await gateway.graphql(LOGIN, {"input": given}, tokens.access, spoken_for(f"203.0.113.{number}"))
            assert answer.user_errors("login") == [("INVALID_CREDENTIALS", "password")]
        assert {
            row.ip for row in await gateway.rows("SELECT DISTINCT ip FROM audit_event WHERE ip LIKE '198.51%'")
        } == set()

    async def test_count_a_visitor_whose_token_nobody_knows_as_the_named_client(self, gateway: Gateway) -> None:
        unknown = "cg_ar_" + "A" * 43
        for number in range(130):
            headers = spoken_for(f"203.0.113.{number}", **{"Gateway-Client": WITH_SECRET})
            answer = await refresh(gateway, unknown, headers)
            assert answer.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]


class TestDevices:
    async def test_are_the_visitors(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed(WITH_SECRET)
        headers = spoken_for(**{"Buyer-User-Agent": FIREFOX, "User-Agent": "node"})
        given = {"email": person.email, "password": person.password}
        answer = await gateway.graphql(LOGIN, {"input": given}, person.tokens.access, headers)
        token = answer["login"]["tokens"]["accessToken"]
        (session,) = (await gateway.graphql(SESSIONS, token=token))["sessions"]
        assert session == {"device": "Firefox on Windows", "userAgent": FIREFOX, "current": True}

    async def test_are_nobodys_where_the_server_does_not_say(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed(WITH_SECRET)
        headers = spoken_for(**{"User-Agent": FIREFOX})
        given = {"email": person.email, "password": person.password}
        answer = await gateway.graphql(LOGIN, {"input": given}, person.tokens.access, headers)
        token = answer["login"]["tokens"]["accessToken"]
        assert (await gateway.graphql(SESSIONS, token=token))["sessions"][0]["userAgent"] is None


class TestAudit:
    async def test_names_the_visitor(self, gateway: Gateway) -> None:
        person = await gateway.customer(WITH_SECRET)
        assert "203.0.113.0/24" not in await audited(gateway)
        given = {"input": {"everywhere": True}}
        query = "mutation ($input: LogoutInput) { logout(input: $input) { loggedOut } }"
        await gateway.graphql(query, given, person.tokens.access, spoken_for())
        assert "203.0.113.0/24" in await audited(gateway)


class TestSecret:
    @pytest.mark.parametrize("secret", ["wrong", "", SECRETS["OTHER_SECRET"], SECRET + " x", "é"])
    async def test_that_is_wrong_is_refused_with_401(self, gateway: Gateway, secret: str) -> None:
        tokens = Tokens.of((await begin(gateway, {}))["anonymousLogin"]["tokens"])
        sent = {"Storefront-Secret": secret.encode("latin-1"), "Buyer-IP": b"203.0.113.9"}
        for body, token in (
            ({"query": ANONYMOUS_LOGIN, "variables": {"input": {"clientId": WITH_SECRET}}}, None),
            ({"query": REFRESH, "variables": {"input": {"refreshToken": tokens.refresh}}}, None),
            ({"query": "{ me { id } }"}, tokens.access),
        ):
            response = await post(gateway, body, token, sent)
            assert response.status_code == 401
            (error,) = response.json()["errors"]
            assert error["extensions"] == {"code": "UNAUTHENTICATED", "reason": "INVALID"}
            assert "data" not in response.json()
        assert (await refresh(gateway, tokens.refresh, {}))["refresh"]["tokens"]["accessToken"]

    @pytest.mark.parametrize("ip", ["", "nobody", "203.0.113.9, 203.0.113.10", "203.0.113", "203.0.113.256", "unknown"])
    async def test_does_not_excuse_an_address_that_cannot_be_read(self, gateway: Gateway, ip: str) -> None:
        body = {"query": ANONYMOUS_LOGIN, "variables": {"input": {"clientId": WITH_SECRET}}}
        response = await post(gateway, body, None, {"Storefront-Secret": SECRET.encode(), "Buyer-IP": ip.encode()})
        assert response.status_code == 400
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "BAD_REQUEST"
        assert "Buyer-IP" in error["message"]

    @pytest.mark.parametrize(
        "ip", ["203.0.113.9", "203.0.113.9:4711", "2001:db8::9", "[2001:db8::9]:443", "::ffff:203.0.113.9"]
    )
    async def test_takes_addresses_as_servers_know_them(self, gateway: Gateway, ip: str) -> None:
        assert (await begin(gateway, spoken_for(ip))).codes == []

    @pytest.mark.parametrize("secret", ["wrong", SECRET])
    async def test_means_nothing_to_a_client_that_has_none(self, gateway: Gateway, secret: str) -> None:
        headers = spoken_for("no address at all", secret)
        answers = [await begin(gateway, headers, WITHOUT) for _ in range(61)]
        assert [answer.codes for answer in answers[-2:]] == [[], ["RATE_LIMITED"]]

    async def test_is_what_the_other_headers_need(self, gateway: Gateway) -> None:
        answers = [await begin(gateway, {"Buyer-IP": f"203.0.113.{n}"}) for n in range(61)]
        assert answers[-1].codes == ["RATE_LIMITED"]
        assert (await begin(gateway, {"Buyer-IP": "nobody"})).codes == ["RATE_LIMITED"]

    async def test_of_another_shop_helps_nobody(self, gateway: Gateway) -> None:
        headers = {"Storefront-Secret": SECRETS["OTHER_SECRET"], "Gateway-Client": OTHER}
        gateway.ip = SERVER
        response = await gateway.http.post(
            "/graphql",
            json={"query": ANONYMOUS_LOGIN, "variables": {"input": {"clientId": WITH_SECRET}}},
            headers=headers,
        )
        assert response.status_code == 401

    async def test_stands_in_nobodys_way_with_an_old_token_of_another_client(self, gateway: Gateway) -> None:
        old = Tokens.of((await begin(gateway, {}, OTHER))["anonymousLogin"]["tokens"])
        gateway.ip = SERVER
        answer = await gateway.graphql(ANONYMOUS_LOGIN, {"input": {"clientId": WITH_SECRET}}, old.access, spoken_for())
        assert answer["anonymousLogin"]["tokens"]["accessToken"]

    async def test_opens_nothing_at_the_oauth_endpoints(self, gateway: Gateway) -> None:
        for path in ("/oauth/token", "/oauth/introspect"):
            form = {"grant_type": "client_credentials", "token": "cg_ca_" + "A" * 43}
            response = await gateway.http.post(path, data=form, headers=basic(WITH_SECRET, SECRET))
            assert (response.status_code, response.json()["error"]) == (401, "invalid_client")

    async def test_is_as_long_as_any_in_production(self) -> None:
        assert len(SECRET) >= SHORTEST_SECRET


async def post(gateway: Gateway, body: dict[str, Any], token: str | None, headers: dict[str, bytes]) -> httpx2.Response:
    gateway.ip = SERVER
    sent = {name.encode(): value for name, value in headers.items()}
    if token is not None:
        sent[b"Authorization"] = f"Bearer {token}".encode()
    return await gateway.http.post("/graphql", json=body, headers=sent)
