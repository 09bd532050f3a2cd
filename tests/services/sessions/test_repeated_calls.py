"""Logins and new passwords whose answer was lost: the same call again gives the same tokens, and no other call does."""

from __future__ import annotations

import asyncio
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import text

from app.services.worker.purge import purge_sealed
from tests.factories import PASSWORD
from tests.harness.client import Answer, Person, Tokens
from tests.harness.gateway import Gateway
from tests.harness.operations import CHANGE_PASSWORD, LOGIN, LOGOUT
from tests.harness.social import (
    PATIENCE,
    MintingProvider,
    arrive,
    openid_entry,
    send,
    social_environment,
    write_tenants,
)

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "another-harbour-43"
AT_ONCE = 4


@pytest.fixture
def settings_environment(tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
    tenants = tmp_path / "tenants.toml"
    write_tenants(tenants, openid_entry("minted", minted.issuer))
    return social_environment(tenants)


@pytest.fixture
async def person(gateway: Gateway) -> Person:
    return await gateway.signup_confirmed()


async def log_in(gateway: Gateway, token: str, email: str, password: str = PASSWORD, **more: Any) -> Answer:
    return await gateway.graphql(LOGIN, {"input": {"email": email, "password": password, **more}}, token)


async def change(gateway: Gateway, token: str, current: str = PASSWORD, new: str = NEW_PASSWORD) -> Answer:
    return await gateway.graphql(CHANGE_PASSWORD, {"input": {"currentPassword": current, "newPassword": new}}, token)


def secrets(payload: dict[str, Any]) -> tuple[str, ...]:
    assert payload["userErrors"] == []
    tokens = payload["tokens"]
    return tokens["accessToken"], tokens["refreshToken"], tokens["deviceToken"], tokens["sessionId"]


class Held:
    """A provider that answers the trade of a code only when the test lets it."""

    def __init__(self, provider: MintingProvider) -> None:
        self._provider = provider
        self._released = threading.Event()

    def __enter__(self) -> Self:
        self._provider.answers["/token"] = self._wait
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _wait(self, handler: BaseHTTPRequestHandler) -> None:
        self._released.wait(PATIENCE)
        form = self._provider.requests[-1][2]
        send(handler, self._provider._answer("/token", form))

    async def is_asked(self) -> None:
        """Return as soon as the provider has the code."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if self._provider.codes:
                    return
                await asyncio.sleep(0.02)

    def release(self) -> None:
        """Let the provider answer."""
        self._released.set()


class TestLogin:
    async def test_gives_the_same_tokens_again(self, gateway: Gateway, person: Person) -> None:
        first = (await log_in(gateway, person.tokens.access, person.email))["login"]
        gateway.clock.advance(seconds=30)
        again = (await log_in(gateway, person.tokens.access, person.email))["login"]
        assert secrets(again) == secrets(first)
        assert again["customer"] == first["customer"]
        assert again["tokens"]["expiresIn"] == first["tokens"]["expiresIn"] - 30
        assert len(await gateway.rows("SELECT 1 FROM audit_event WHERE action = 'login'")) == 1

    async def test_is_busy_while_somebody_holds_the_account(
        self, gateway: Gateway, person: Person, database_url: str
    ) -> None:
        """Answer NOT_DONE where the database has broken the transaction off: nothing can be read in it any more."""
        if database_url.startswith("sqlite"):
            pytest.skip("SQLite has one writer, who waits for nobody in the middle of a transaction.")
        holder = gateway.tools.database.connect()
        await holder.write_anew(text("UPDATE customer SET active = active"))
        response = await gateway.http.post(
            "/graphql",
            json={"query": LOGIN, "variables": {"input": {"email": person.email, "password": PASSWORD}}},
            headers={"Authorization": f"Bearer {person.tokens.access}"},
        )
        await holder.close()
        (error,) = response.json()["errors"]
        assert (error["extensions"]["code"], error["extensions"]["outcome"]) == ("SERVICE_BUSY", "NOT_DONE")
        secrets((await log_in(gateway, person.tokens.access, person.email))["login"])

    async def test_gives_them_to_all_who_ask_at_once(self, gateway: Gateway, person: Person) -> None:
        calls = (log_in(gateway, person.tokens.access, person.email) for _ in range(AT_ONCE))
        payloads = [answer["login"] for answer in await asyncio.gather(*calls)]
        assert len({secrets(payload) for payload in payloads}) == 1
        logins = "SELECT outcome FROM audit_event WHERE action = 'login'"
        assert [line.outcome for line in await gateway.rows(logins)] == ["success"]

    @pytest.mark.parametrize(
        "changed", [{"password": "wrong-harbour-42"}, {"email": "nobody@example.com"}, {"deviceToken": "cg_dv_x"}]
    )
    async def test_gives_them_for_no_other_input(
        self, gateway: Gateway, person: Person, changed: dict[str, str]
    ) -> None:
        await log_in(gateway, person.tokens.access, person.email)
        answer = await log_in(gateway, person.tokens.access, **{"email": person.email, **changed})
        assert (answer.codes, answer.reason) == (["UNAUTHENTICATED"], "REVOKED")

    async def test_gives_them_for_no_other_token(self, gateway: Gateway, person: Person) -> None:
        first = (await log_in(gateway, person.tokens.access, person.email))["login"]
        elsewhere = (await log_in(gateway, (await gateway.anonymous()).access, person.email))["login"]
        assert secrets(first)[3] != secrets(elsewhere)[3]

    async def test_gives_them_for_no_other_operation(self, gateway: Gateway, person: Person) -> None:
        await log_in(gateway, person.tokens.access, person.email)
        answer = await change(gateway, person.tokens.access, person.email, PASSWORD)
        assert answer.codes == ["UNAUTHENTICATED"]

    async def test_is_over_after_half_a_minute_and_then_nothing_is_kept(self, gateway: Gateway, person: Person) -> None:
        await log_in(gateway, person.tokens.access, person.email)
        ((sealed,),) = await gateway.rows("SELECT sealed FROM kept_pair")
        assert "cg_" not in sealed
        gateway.clock.advance(seconds=31)
        assert (await log_in(gateway, person.tokens.access, person.email)).reason == "REVOKED"
        await purge_sealed(gateway.tools)
        assert await gateway.rows("SELECT sealed FROM kept_pair") == []

    @pytest.mark.parametrize("end", ["logout", "refresh", "lockout"])
    async def test_is_over_when_the_tokens_do_not_live_any_more(
        self, gateway: Gateway, person: Person, end: str
    ) -> None:
        tokens = Tokens.of((await log_in(gateway, person.tokens.access, person.email))["login"]["tokens"])
        if end == "logout":
            await gateway.graphql(LOGOUT, token=tokens.access)
        elif end == "refresh":
            await gateway.refresh(tokens.refresh)
        else:
            await gateway.write("UPDATE customer SET on_hold = true WHERE id = :id", id=person.id)
        answer = await log_in(gateway, person.tokens.access, person.email)
        assert (answer.codes, answer.reason) == (["UNAUTHENTICATED"], "REVOKED")

    async def test_is_no_way_to_guess_what_was_sent(self, gateway: Gateway, person: Person) -> None:
        await log_in(gateway, person.tokens.access, person.email)
        codes = [
            (await log_in(gateway, person.tokens.access, person.email, f"guess-{number}")).codes[0]
            for number in range(11)
        ]
        assert codes == ["UNAUTHENTICATED"] * 10 + ["RATE_LIMITED"]

    async def test_still_refuses_a_token_that_was_revoked_otherwise(self, gateway: Gateway, person: Person) -> None:
        await gateway.graphql(LOGOUT, token=person.tokens.access)
        assert (await log_in(gateway, person.tokens.access, person.email)).reason == "REVOKED"


class TestChangePassword:
    async def test_gives_the_same_tokens_again(self, gateway: Gateway) -> None:
        token = (await gateway.customer()).tokens.access
        first = (await change(gateway, token))["changePassword"]
        again = (await change(gateway, token))["changePassword"]
        assert secrets(again) == secrets(first)
        assert (await gateway.graphql("{ me { id } }", token=secrets(again)[0])).errors == []
        assert len(await gateway.rows("SELECT 1 FROM audit_event WHERE action = 'password.changed'")) == 1

    async def test_gives_them_to_all_who_ask_at_once(self, gateway: Gateway) -> None:
        token = (await gateway.customer()).tokens.access
        payloads = [
            answer["changePassword"]
            for answer in await asyncio.gather(*(change(gateway, token) for _ in range(AT_ONCE)))
        ]
        assert len({secrets(payload) for payload in payloads}) == 1

    async def test_gives_them_for_no_other_password(self, gateway: Gateway) -> None:
        token = (await gateway.customer()).tokens.access
        await change(gateway, token)
        assert (await change(gateway, token, new="third-harbour-44")).reason == "REVOKED"


class TestSocialLogin:
    async def test_gives_the_same_answer_again(self, gateway: Gateway, minted: MintingProvider) -> None:
        visitor = await arrive(gateway)
        state = await visitor.begun(minted)
        first, again = await visitor.finish(state), await visitor.finish(state)
        assert (first["created"], again["created"]) == (True, True)
        assert secrets(again) == secrets(first)
        assert again["customer"] == first["customer"]
        assert len(minted.codes) == 1

    async def test_gives_it_to_all_who_ask_while_the_provider_is_asked(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        visitor = await arrive(gateway)
        state = await visitor.begun(minted)
        with Held(minted) as held:
            first = asyncio.create_task(visitor.finish(state))
            await held.is_asked()
            others = [asyncio.create_task(visitor.finish(state)) for _ in range(AT_ONCE)]
            await asyncio.sleep(0.5)
            held.release()
            payloads = await asyncio.gather(first, *others)
        assert len({secrets(payload) for payload in payloads}) == 1
        assert len(minted.codes) == 1

    async def test_lets_nobody_wait_for_an_answer_that_does_not_come(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        visitor = await arrive(gateway)
        state = await visitor.begun(minted)
        minted.claims["nonce"] = "another"
        with Held(minted) as held:
            first = asyncio.create_task(visitor.finish(state))
            await held.is_asked()
            second = asyncio.create_task(visitor.finish(state))
            await asyncio.sleep(0.5)
            assert not second.done()
            held.release()
            codes = [payload["userErrors"][0]["code"] for payload in await asyncio.gather(first, second)]
        assert codes == ["PROVIDER_REFUSED", "TOKEN_INVALID"]
        began = time.monotonic()
        assert (await visitor.finish(state))["userErrors"][0]["code"] == "TOKEN_INVALID"
        assert time.monotonic() - began < 5

    async def test_waits_for_no_call_with_another_verifier(self, gateway: Gateway, minted: MintingProvider) -> None:
        visitor = await arrive(gateway)
        state = await visitor.begun(minted)
        with Held(minted) as held:
            first = asyncio.create_task(visitor.finish(state))
            await held.is_asked()
            other = await visitor.finish(state, codeVerifier="w" * 43)
            assert other["userErrors"][0]["code"] == "TOKEN_INVALID"
            assert not first.done()
            held.release()
            assert secrets(await first)

    async def test_refuses_another_visit_with_the_same_state(self, gateway: Gateway, minted: MintingProvider) -> None:
        visitor = await arrive(gateway)
        state = await visitor.begun(minted)
        await visitor.finish(state)
        assert (await (await arrive(gateway)).finish(state))["userErrors"][0]["code"] == "TOKEN_INVALID"
