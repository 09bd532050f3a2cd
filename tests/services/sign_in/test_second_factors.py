"""The second factor after every way to log in: for each setting of the shop, and each way in that a customer has."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.domain.sign_in import Factors, SecondFactorRule, SignInMethod, WaysIn, next_methods
from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.client import Person, Tokens
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.integrations import integration_token
from tests.harness.operations import USER_ERRORS
from tests.harness.sign_in import (
    LOGIN,
    REQUEST_LOGIN_CODE,
    code_mails,
    code_of,
    complete,
    mailed_code,
    shop_environment,
)

pytestmark = pytest.mark.anyio

CLIENT = "shop-storefront"
RULES = tuple(SecondFactorRule)
Keys = dict[str, Any]


@pytest.fixture
def keys() -> Keys:
    """Return the keys of the shop, beyond those that every shop needs."""
    return {}


@pytest.fixture
def settings_environment(tmp_path: Path, keys: Keys) -> dict[str, str]:
    return shop_environment(tmp_path, **{"signup": "confirm_email", **keys})


@pytest.fixture
async def ada(gateway: Gateway) -> Person:
    """Make somebody with an account whose address is proved."""
    return await gateway.signup_confirmed(CLIENT)


async def enrol(gateway: Gateway, customer_id: str, *, totp: bool = False, passkey: bool = False) -> None:
    """Give a customer second factors, as if they had been enrolled."""
    if totp:
        await gateway.write(
            "INSERT INTO totp_secret (tenant_id, id, customer_id, secret, created_at)"
            " SELECT tenant_id, id, id, 'sealed', created_at FROM customer WHERE id = :id",
            id=customer_id,
        )
        await gateway.write(
            "INSERT INTO recovery_code (tenant_id, id, customer_id, totp_id, code_hash, created_at)"
            " SELECT tenant_id, id, id, id, 'hashed', created_at FROM customer WHERE id = :id",
            id=customer_id,
        )
    if passkey:
        await gateway.write(
            "INSERT INTO passkey (tenant_id, id, customer_id, credential_id, public_key, rp_id, name, sign_count,"
            " is_synced, backed_up, transports, created_at) SELECT tenant_id, id, id, :bytes, :bytes, 'shop.example',"
            " 'Phone', 0, false, false, '[]', created_at FROM customer WHERE id = :id",
            id=customer_id,
            bytes=customer_id.encode(),
        )


async def log_in(gateway: Gateway, person: Person, token: str | None = None, device: str | None = None) -> Any:
    """Log in by password, and return the payload."""
    given = {"email": person.email, "password": person.password, "deviceToken": device}
    token = token or (await gateway.anonymous(CLIENT)).access
    return (await gateway.graphql(LOGIN, {"input": given}, token))["login"]


def expected(keys: Keys, first: SignInMethod, *, totp: bool, passkey: bool, marked: bool) -> list[str] | None:
    """Say once more, in other words than the program, what is missing after the first method."""
    rule = keys.get("require_second_factor", "optional")
    if rule == "off":
        return None
    passkeys = ["PASSKEY"] if passkey and keys.get("passkeys", True) else []
    if totp:
        return [*passkeys, "TOTP", "RECOVERY_CODE"]
    if rule == "optional" or (rule == "staff_marked" and not marked):
        return None
    by_code = ["EMAIL_CODE"] if keys.get("login_code", True) and first is not SignInMethod.EMAIL_CODE else []
    by_password = ["PASSWORD"] if keys.get("password_login", True) and first is not SignInMethod.PASSWORD else []
    return [*passkeys, *by_code, *by_password]


class TestEveryCombination:
    """Every setting of a shop, with every way in that somebody may have, after each first method that is on."""

    FLAGS = tuple(itertools.product((True, False), repeat=6))

    @pytest.mark.parametrize("first", [SignInMethod.PASSWORD, SignInMethod.EMAIL_CODE, SignInMethod.SOCIAL])
    def test_asks_for_what_it_says(self, first: SignInMethod) -> None:
        for rule, (password_login, login_code, passkeys, totp, passkey, marked) in itertools.product(RULES, self.FLAGS):
            keys = {
                "require_second_factor": rule.value,
                "password_login": password_login,
                "login_code": login_code,
                "passkeys": passkeys,
            }
            allowed = {
                SignInMethod.PASSWORD: password_login,
                SignInMethod.EMAIL_CODE: login_code,
                SignInMethod.PASSKEY: passkeys,
                SignInMethod.TOTP: rule is not SecondFactorRule.OFF,
                SignInMethod.RECOVERY_CODE: rule is not SecondFactorRule.OFF,
            }
            ways = WaysIn(True, True, False, int(passkey), totp, 10 if totp else 0)
            missing = next_methods(
                rule, [each for each, on in allowed.items() if on], ways, Factors.of(first), marked=marked
            )
            wanted = expected(keys, first, totp=totp, passkey=passkey, marked=marked)
            assert (None if missing is None else [each.value for each in missing]) == wanted, (keys, totp, passkey)

    async def test_is_so_at_the_login(self, environment: dict[str, str], clock: MovableClock, tmp_path: Path) -> None:
        for rule in RULES:
            for login_code, passkeys in itertools.product((True, False), (True, False)):
                keys = {"require_second_factor": rule.value, "login_code": login_code, "passkeys": passkeys}
                await self._try(environment, clock, tmp_path, keys)

    async def _try(self, environment: dict[str, str], clock: MovableClock, folder: Path, keys: Keys) -> None:
        changed = {**environment, **shop_environment(folder, **{"signup": "open", **keys})}
        async with run_gateway(changed, clock) as gateway:
            for totp, passkey, marked in itertools.product((True, False), repeat=3):
                clock.advance(seconds=60)
                name = "-".join(map(str, [*keys.values(), totp, passkey, marked])).replace("_", "").lower()
                person = await gateway.signed_up(CLIENT, email=f"{name}@example.com")
                await enrol(gateway, person.id, totp=totp, passkey=passkey)
                if marked:
                    await gateway.write(
                        "UPDATE customer SET second_factor_required = true WHERE id = :id", id=person.id
                    )
                payload = await log_in(gateway, person)
                wanted = expected(keys, SignInMethod.PASSWORD, totp=totp, passkey=passkey, marked=marked)
                assert payload["userErrors"] == []
                assert (payload["tokens"] is None) == (wanted is not None)
                assert (payload["customer"] is None) == (wanted is not None)
                assert (payload["nextStep"] or {"methods": None})["methods"] == wanted, (keys, totp, passkey, marked)


class TestAll:
    @pytest.fixture
    def keys(self) -> Keys:
        return {"require_second_factor": "all"}

    async def test_mails_a_code_after_the_password(self, gateway: Gateway, ada: Person) -> None:
        session = await gateway.anonymous(CLIENT)
        payload = await log_in(gateway, ada, session.access)
        step = payload.pop("nextStep")
        assert payload == {"tokens": None, "customer": None, "keptUnprovenData": False, "userErrors": []}
        assert (step["methods"], step["expiresIn"]) == (["EMAIL_CODE"], 600)
        await gateway.deliver()
        code = code_of(code_mails(gateway, ada.email)[-1])
        done = (await complete(gateway, session.access, step["ticket"], emailCode=code))["completeLogin"]
        assert done["tokens"]["sessionId"] == session.session_id
        info = await gateway.graphql("{ tokenInfo { methods level } }", token=done["tokens"]["accessToken"])
        assert info["tokenInfo"] == {"methods": ["PASSWORD", "EMAIL_CODE"], "level": "2"}

    async def test_notes_no_login_before_the_last_step(self, gateway: Gateway, ada: Person) -> None:
        await log_in(gateway, ada)
        (row,) = await gateway.rows("SELECT last_login_at FROM customer")
        assert row.last_login_at is None
        (session,) = await gateway.rows("SELECT * FROM session WHERE customer_id IS NOT NULL") or [None]
        assert session is None

    async def test_mails_another_code_for_the_same_ticket(self, gateway: Gateway, ada: Person) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        ticket = (await log_in(gateway, ada, token))["nextStep"]["ticket"]
        await gateway.deliver()
        older = code_of(code_mails(gateway, ada.email)[-1])
        answer = await gateway.graphql(REQUEST_LOGIN_CODE, {"input": {"ticket": ticket}}, token)
        assert answer["requestLoginCode"]["ticket"] == ticket
        await gateway.deliver()
        newer = code_of(code_mails(gateway, ada.email)[-1])
        if newer != older:
            refused = await complete(gateway, token, ticket, emailCode=older)
            assert refused.user_errors("completeLogin") == [("CODE_INVALID", "emailCode")]
        assert (await complete(gateway, token, ticket, emailCode=newer))["completeLogin"]["tokens"]

    async def test_wants_the_password_after_a_mailed_code(self, gateway: Gateway, ada: Person) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        ticket, code = await mailed_code(gateway, token, ada.email)
        step = (await complete(gateway, token, ticket, emailCode=code))["completeLogin"]["nextStep"]
        assert step["methods"] == ["PASSWORD"]
        refused = await complete(gateway, token, step["ticket"], password="wrong-harbour-42")
        assert refused.user_errors("completeLogin") == [("INVALID_CREDENTIALS", "password")]
        done = (await complete(gateway, token, step["ticket"], password=ada.password))["completeLogin"]
        assert done["customer"]["id"] == ada.id

    async def test_takes_no_second_mailed_code(self, gateway: Gateway, ada: Person) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        ticket, code = await mailed_code(gateway, token, ada.email)
        step = (await complete(gateway, token, ticket, emailCode=code))["completeLogin"]["nextStep"]
        answer = await gateway.graphql(REQUEST_LOGIN_CODE, {"input": {"ticket": step["ticket"]}}, token)
        assert answer.user_errors("requestLoginCode") == [("TICKET_INVALID", "ticket")]
        answer = await complete(gateway, token, step["ticket"], emailCode=code)
        assert answer.user_errors("completeLogin") == [("TICKET_INVALID", "ticket")]

    @pytest.mark.parametrize("keys", [{"require_second_factor": "all", "login_code": False}])
    async def test_leaves_who_has_nothing_else_to_enrol_first(self, gateway: Gateway, ada: Person) -> None:
        assert (await log_in(gateway, ada))["nextStep"]["methods"] == []

    async def test_is_not_asked_of_who_may_not_log_in(self, gateway: Gateway, ada: Person) -> None:
        await gateway.write("UPDATE customer SET on_hold = true")
        payload = await log_in(gateway, ada)
        assert [each["code"] for each in payload["userErrors"]] == ["ACCOUNT_ON_HOLD"]

    async def test_is_asked_after_a_new_password_too(self, gateway: Gateway, ada: Person) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": ada.email}}, token)
        await gateway.deliver()
        given = {"token": gateway.mails(ada.email)[-1].token, "password": "another-harbour-43"}
        answer = await gateway.graphql(operations.RESET_PASSWORD, {"input": given}, token)
        assert answer["resetPassword"]["userErrors"] == []
        again = Person(ada.id, ada.email, "another-harbour-43", ada.tokens)
        assert (await log_in(gateway, again, token))["nextStep"]["methods"] == ["EMAIL_CODE"]


class TestStaffMarked:
    @pytest.fixture
    def keys(self) -> Keys:
        return {"require_second_factor": "staff_marked"}

    async def test_asks_whom_staff_have_marked(self, gateway: Gateway, ada: Person) -> None:
        assert (await log_in(gateway, ada))["tokens"]
        token = await integration_token(gateway, "shop-backend", "a-secret-of-the-backend-of-the-shop-1")
        mark = f"""mutation ($input: UpdateCustomerInput!) {{
            updateCustomer(input: $input) {{ customer {{ secondFactorRequired }} {USER_ERRORS} }}
        }}"""
        answer = await gateway.graphql(mark, {"input": {"id": ada.id, "secondFactorRequired": True}}, token)
        assert answer["updateCustomer"]["customer"] == {"secondFactorRequired": True}
        assert (await log_in(gateway, ada))["nextStep"]["methods"] == ["EMAIL_CODE"]


class TestRememberedDevice:
    @pytest.fixture
    def keys(self) -> Keys:
        return {"require_second_factor": "all", "remember_device_days": 30}

    @staticmethod
    @asynccontextmanager
    async def second_step(gateway: Gateway, ada: Person) -> AsyncIterator[dict[str, Any]]:
        """Go as far as the mailed code, and hand out what completes the login."""
        token = (await gateway.anonymous(CLIENT)).access
        ticket = (await log_in(gateway, ada, token))["nextStep"]["ticket"]
        await gateway.deliver()
        yield {"token": token, "ticket": ticket, "emailCode": code_of(code_mails(gateway, ada.email)[-1])}

    async def remember(self, gateway: Gateway, ada: Person, *, wanted: bool = True) -> Tokens:
        async with self.second_step(gateway, ada) as given:
            answer = await complete(gateway, given.pop("token"), given.pop("ticket"), rememberDevice=wanted, **given)
        return Tokens.of(answer["completeLogin"]["tokens"])

    async def test_stands_for_the_second_factor(self, gateway: Gateway, ada: Person) -> None:
        tokens = await self.remember(gateway, ada)
        payload = await log_in(gateway, ada, device=tokens.device)
        assert payload["customer"]["id"] == ada.id
        info = await gateway.graphql("{ tokenInfo { methods level } }", token=payload["tokens"]["accessToken"])
        assert info["tokenInfo"] == {"methods": ["PASSWORD"], "level": "1"}

    async def test_does_so_only_if_the_customer_wants_it(self, gateway: Gateway, ada: Person) -> None:
        tokens = await self.remember(gateway, ada, wanted=False)
        assert (await log_in(gateway, ada, device=tokens.device))["nextStep"]

    @pytest.mark.parametrize("keys", [{"require_second_factor": "all"}])
    async def test_does_so_only_if_the_shop_wants_it(self, gateway: Gateway, ada: Person) -> None:
        tokens = await self.remember(gateway, ada)
        assert (await log_in(gateway, ada, device=tokens.device))["nextStep"]

    async def test_does_so_for_thirty_days(self, gateway: Gateway, ada: Person) -> None:
        tokens = await self.remember(gateway, ada)
        gateway.clock.advance(seconds=30 * 86_400 - 1)
        assert (await log_in(gateway, ada, device=tokens.device))["tokens"]
        gateway.clock.advance(seconds=1)
        assert (await log_in(gateway, ada, device=tokens.device))["nextStep"]

    async def test_does_so_for_nobody_else(self, gateway: Gateway, ada: Person) -> None:
        tokens = await self.remember(gateway, ada)
        other = await gateway.signup_confirmed(CLIENT)
        assert (await log_in(gateway, other, device=tokens.device))["nextStep"]

    async def test_ends_with_a_new_password(self, gateway: Gateway, ada: Person) -> None:
        tokens = await self.remember(gateway, ada)
        given = {"currentPassword": ada.password, "newPassword": "another-harbour-43"}
        answer = await gateway.graphql(operations.CHANGE_PASSWORD, {"input": given}, tokens.access)
        assert answer["changePassword"]["userErrors"] == []
        again = Person(ada.id, ada.email, "another-harbour-43", ada.tokens)
        assert (await log_in(gateway, again, device=tokens.device))["nextStep"]

    async def test_ends_when_the_customer_logs_out_everywhere(self, gateway: Gateway, ada: Person) -> None:
        tokens = await self.remember(gateway, ada)
        await gateway.graphql(operations.LOGOUT, {"input": {"everywhere": True}}, tokens.access)
        assert (await log_in(gateway, ada, device=tokens.device))["nextStep"]


class TestRepeatedCompleteLogin:
    async def test_gives_the_same_pair(self, gateway: Gateway, ada: Person) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        ticket, code = await mailed_code(gateway, token, ada.email)
        first = (await complete(gateway, token, ticket, emailCode=code))["completeLogin"]["tokens"]
        gateway.clock.advance(seconds=29)
        again = (await complete(gateway, token, ticket, emailCode=code))["completeLogin"]["tokens"]
        assert (again["accessToken"], again["refreshToken"]) == (first["accessToken"], first["refreshToken"])

    async def test_gives_it_for_the_same_answer_only(self, gateway: Gateway, ada: Person) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        ticket, code = await mailed_code(gateway, token, ada.email)
        await complete(gateway, token, ticket, emailCode=code)
        assert (await complete(gateway, token, ticket, emailCode="000000")).reason == "REVOKED"
