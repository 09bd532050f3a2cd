"""Codes to sign in with: for whom they are, where and how long they work, and that nothing tells who has an account."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Person
from tests.harness.gateway import Gateway
from tests.harness.sign_in import (
    COMPLETE_LOGIN,
    REQUEST_LOGIN_CODE,
    code_mails,
    code_of,
    complete,
    limits,
    mailed_code,
    request_code,
    shop_environment,
    wrong,
)

pytestmark = pytest.mark.anyio

CLIENT = "shop-storefront"
UNKNOWN = "nobody@example.com"


@pytest.fixture
def keys() -> dict[str, Any]:
    """Return the keys of the shop, beyond those that every shop needs."""
    return {}


@pytest.fixture
def settings_environment(tmp_path: Path, keys: dict[str, Any]) -> dict[str, str]:
    return shop_environment(tmp_path, limits(mails_per_recipient_per_hour=4), **{"signup": "confirm_email", **keys})


@pytest.fixture
async def ada(gateway: Gateway) -> Person:
    """Somebody with an account whose address is proved."""
    return await gateway.customer(CLIENT)


@pytest.fixture
async def visitor(gateway: Gateway) -> str:
    """Return the token of an anonymous session."""
    return (await gateway.anonymous(CLIENT)).access


class TestRequestLoginCode:
    async def test_mails_six_digits_and_a_link_with_them(self, gateway: Gateway, ada: Person, visitor: str) -> None:
        _, code = await mailed_code(gateway, visitor, ada.email)
        (mail,) = code_mails(gateway, ada.email)
        assert len(code) == 6
        assert f"https://shop.example/login-code?code={code}" in mail.text
        assert "10 minutes" in mail.text

    async def test_says_how_long_the_code_works(self, gateway: Gateway, visitor: str) -> None:
        answer = await gateway.graphql(REQUEST_LOGIN_CODE, {"input": {"email": UNKNOWN}}, visitor)
        assert answer["requestLoginCode"]["expiresIn"] == 600
        assert answer["requestLoginCode"]["ticket"].startswith("cg_st_")

    async def test_mails_nobody_who_has_no_account(self, gateway: Gateway, visitor: str) -> None:
        await request_code(gateway, visitor, UNKNOWN)
        await gateway.deliver()
        assert gateway.mails(UNKNOWN) == []

    async def test_ends_the_code_that_the_session_had_before(self, gateway: Gateway, ada: Person, visitor: str) -> None:
        older = await mailed_code(gateway, visitor, ada.email)
        newer = await mailed_code(gateway, visitor, ada.email)
        refused = await complete(gateway, visitor, older[0], emailCode=older[1])
        assert refused.user_errors("completeLogin") == [("TICKET_INVALID", "ticket")]
        assert (await complete(gateway, visitor, newer[0], emailCode=newer[1]))["completeLogin"]["tokens"]

    async def test_ends_no_code_of_another_session(self, gateway: Gateway, ada: Person, visitor: str) -> None:
        ticket, code = await mailed_code(gateway, visitor, ada.email)
        await mailed_code(gateway, (await gateway.anonymous(CLIENT)).access, ada.email)
        assert (await complete(gateway, visitor, ticket, emailCode=code))["completeLogin"]["tokens"]

    async def test_mails_no_more_than_the_mailbox_may_get(self, gateway: Gateway, ada: Person) -> None:
        for _ in range(8):
            await request_code(gateway, (await gateway.anonymous(CLIENT)).access, ada.email)
        await gateway.deliver()
        # The mail of the sign-up is one of the four; the last is for who has asked for nothing else that day.
        assert len(code_mails(gateway, ada.email)) in {3, 4}

    async def test_lets_no_code_count_that_was_not_mailed(self, gateway: Gateway, ada: Person) -> None:
        for _ in range(6):
            await request_code(gateway, (await gateway.anonymous(CLIENT)).access, ada.email)
        await gateway.deliver()
        sent = await gateway.rows("SELECT code_sent_at, customer_id FROM sign_in_ticket")
        mailed = len(code_mails(gateway, ada.email))
        assert Counter(row.code_sent_at is not None for row in sent) == {True: mailed, False: 6 - mailed}
        assert Counter(row.customer_id is not None for row in sent) == {True: mailed, False: 6 - mailed}

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ({}, ("REQUIRED", "email")),
            ({"email": "ada"}, ("INVALID_EMAIL", "email")),
            ({"email": UNKNOWN, "site": "moon"}, ("INVALID", "site")),
            ({"ticket": "cg_st_" + "A" * 43}, ("TICKET_INVALID", "ticket")),
        ],
    )
    async def test_refuses_what_is_no_address(
        self, gateway: Gateway, visitor: str, given: dict[str, str], error: tuple[str, str]
    ) -> None:
        answer = await gateway.graphql(REQUEST_LOGIN_CODE, {"input": given}, visitor)
        assert answer.user_errors("requestLoginCode") == [error]

    @pytest.mark.parametrize("keys", [{"login_code": False}])
    async def test_is_off_where_the_shop_wants_that(self, gateway: Gateway, visitor: str) -> None:
        answer = await gateway.graphql(REQUEST_LOGIN_CODE, {"input": {"email": UNKNOWN}}, visitor)
        assert answer.user_errors("requestLoginCode") == [("METHOD_OFF", "email")]


class TestCompleteLogin:
    async def test_logs_in_by_the_code_in_the_session_that_asked(self, gateway: Gateway, ada: Person) -> None:
        session = await gateway.anonymous(CLIENT)
        ticket, code = await mailed_code(gateway, session.access, ada.email)
        payload = (await complete(gateway, session.access, ticket, emailCode=code))["completeLogin"]
        assert payload["customer"]["id"] == ada.id
        assert payload["tokens"]["sessionId"] == session.session_id
        assert payload["nextStep"] is None
        me = await gateway.graphql("{ me { id } }", token=payload["tokens"]["accessToken"])
        assert me["me"] == {"id": ada.id}

    async def test_takes_blanks_in_the_code(self, gateway: Gateway, ada: Person, visitor: str) -> None:
        ticket, code = await mailed_code(gateway, visitor, ada.email)
        answer = await complete(gateway, visitor, ticket, emailCode=f" {code[:3]} {code[3:]} ")
        assert answer["completeLogin"]["tokens"]

    async def test_works_once(self, gateway: Gateway, ada: Person, visitor: str) -> None:
        ticket, code = await mailed_code(gateway, visitor, ada.email)
        # Two logins with one ticket could only be in one session: whoever is second has no anonymous session any more.
        await gateway.write("UPDATE sign_in_ticket SET used_at = created_at")
        answer = await complete(gateway, visitor, ticket, emailCode=code)
        assert answer.user_errors("completeLogin") == [("TICKET_INVALID", "ticket")]

    async def test_is_worthless_elsewhere_and_costs_no_try_there(
        self, gateway: Gateway, ada: Person, visitor: str
    ) -> None:
        ticket, code = await mailed_code(gateway, visitor, ada.email)
        elsewhere = (await gateway.anonymous(CLIENT)).access
        for _ in range(6):
            answer = await complete(gateway, elsewhere, ticket, emailCode=code)
            assert answer.user_errors("completeLogin") == [("TICKET_INVALID", "ticket")]
        assert (await complete(gateway, visitor, ticket, emailCode=code))["completeLogin"]["tokens"]

    async def test_lets_guess_five_times(self, gateway: Gateway, ada: Person, visitor: str) -> None:
        ticket, code = await mailed_code(gateway, visitor, ada.email)
        for _ in range(5):
            answer = await complete(gateway, visitor, ticket, emailCode=wrong(code))
            assert answer.user_errors("completeLogin") == [("CODE_INVALID", "emailCode")]
        answer = await complete(gateway, visitor, ticket, emailCode=code)
        assert answer.user_errors("completeLogin") == [("TICKET_INVALID", "ticket")]

    @pytest.mark.parametrize("email", ["ada", UNKNOWN])
    async def test_is_too_late_after_ten_minutes_whosever_it_is(
        self, gateway: Gateway, ada: Person, visitor: str, email: str
    ) -> None:
        ticket = await request_code(gateway, visitor, ada.email if email == "ada" else email)
        await gateway.deliver()
        gateway.clock.advance(seconds=600)
        answer = await complete(gateway, visitor, ticket, emailCode="123456")
        assert answer.user_errors("completeLogin") == [("CODE_EXPIRED", "emailCode")]

    @pytest.mark.parametrize("keys", [{"login_code_seconds": 60}])
    async def test_is_too_late_as_soon_as_the_shop_says(self, gateway: Gateway, ada: Person, visitor: str) -> None:
        ticket, code = await mailed_code(gateway, visitor, ada.email)
        gateway.clock.advance(seconds=60)
        answer = await complete(gateway, visitor, ticket, emailCode=code)
        assert answer.user_errors("completeLogin") == [("CODE_EXPIRED", "emailCode")]

    @pytest.mark.parametrize("answers", [{}, {"emailCode": "123456", "totp": "123456"}])
    async def test_wants_exactly_one_answer(self, gateway: Gateway, visitor: str, answers: dict[str, str]) -> None:
        ticket = await request_code(gateway, visitor, UNKNOWN)
        answer = await complete(gateway, visitor, ticket, **answers)
        wanted = [("INVALID", "totp")] if answers else [("REQUIRED", "")]
        assert answer.user_errors("completeLogin") == wanted

    async def test_takes_no_other_answer_than_the_ticket_is_for(
        self, gateway: Gateway, ada: Person, visitor: str
    ) -> None:
        ticket = await request_code(gateway, visitor, ada.email)
        answer = await complete(gateway, visitor, ticket, password=ada.password)
        assert answer.user_errors("completeLogin") == [("TICKET_INVALID", "ticket")]

    async def test_is_worthless_after_another_password(self, gateway: Gateway, ada: Person, visitor: str) -> None:
        ticket, code = await mailed_code(gateway, visitor, ada.email)
        await gateway.write("UPDATE credential SET version = version + 1")
        answer = await complete(gateway, visitor, ticket, emailCode=code)
        assert answer.user_errors("completeLogin") == [("TICKET_INVALID", "ticket")]

    @pytest.mark.parametrize(
        ("change", "code"), [("active = false", "ACCOUNT_INACTIVE"), ("on_hold = true", "ACCOUNT_ON_HOLD")]
    )
    async def test_tells_who_has_the_code_what_keeps_them_out(
        self, gateway: Gateway, ada: Person, visitor: str, change: str, code: str
    ) -> None:
        ticket, digits = await mailed_code(gateway, visitor, ada.email)
        await gateway.write(f"UPDATE customer SET {change}")  # noqa: S608 - of this test
        answer = await complete(gateway, visitor, ticket, emailCode=digits)
        assert answer.user_errors("completeLogin") == [(code, "")]

    async def test_of_sixteen_at_once_lets_one_in(self, gateway: Gateway, ada: Person, visitor: str) -> None:
        ticket, code = await mailed_code(gateway, visitor, ada.email)
        await gateway.write("UPDATE sign_in_ticket SET tries = -20")
        calls = [
            gateway.graphql(COMPLETE_LOGIN, {"input": {"ticket": ticket, "emailCode": code}}, visitor)
            for _ in range(16)
        ]
        answers = await asyncio.gather(*calls)
        opened = {
            answer["completeLogin"]["tokens"]["accessToken"]
            for answer in answers
            if answer.data and answer.data["completeLogin"] and answer["completeLogin"]["tokens"]
        }
        assert len(opened) == 1
        assert len(await gateway.rows("SELECT * FROM audit_event WHERE action = 'login' AND outcome = 'success'")) == 2


class TestFirstProof:
    @pytest.mark.parametrize("keys", [{"signup": "open"}])
    async def test_puts_whoever_held_the_account_out_of_it(self, gateway: Gateway, visitor: str) -> None:
        intruder = await gateway.customer(CLIENT, email="owner@example.com", customerDetails={"firstName": "Eve"})
        ticket, code = await mailed_code(gateway, visitor, intruder.email)
        payload = (await complete(gateway, visitor, ticket, emailCode=code))["completeLogin"]
        assert payload["customer"] == {
            "id": intruder.id,
            "email": intruder.email,
            "emailVerified": True,
            "lastLoginAt": payload["customer"]["lastLoginAt"],
        }
        assert payload["keptUnprovenData"]
        answer = await gateway.graphql("{ me { id } }", token=intruder.tokens.access)
        assert answer.reason == "REVOKED"
        rows = await gateway.rows("SELECT password_hash FROM credential")
        assert [row.password_hash for row in rows] == [None]


class TestSignupByCode:
    @pytest.fixture
    def keys(self) -> dict[str, Any]:
        return {"login_code_signup": True}

    async def test_makes_the_customer_who_has_proved_the_address(self, gateway: Gateway, visitor: str) -> None:
        ticket, code = await mailed_code(gateway, visitor, UNKNOWN)
        payload = (await complete(gateway, visitor, ticket, emailCode=code))["completeLogin"]
        assert payload["userErrors"] == []
        assert (payload["customer"]["email"], payload["customer"]["emailVerified"]) == (UNKNOWN, True)
        me = await gateway.graphql(
            "{ me { contactEmail accounts { provider } } }", token=payload["tokens"]["accessToken"]
        )
        assert me["me"]["contactEmail"] == UNKNOWN

    async def test_makes_none_before_the_code_comes_back(self, gateway: Gateway, visitor: str) -> None:
        ticket, code = await mailed_code(gateway, visitor, UNKNOWN)
        answer = await complete(gateway, visitor, ticket, emailCode=wrong(code))
        assert answer.user_errors("completeLogin") == [("CODE_INVALID", "emailCode")]
        assert await gateway.rows("SELECT * FROM customer") == []

    async def test_logs_in_to_the_account_that_the_address_has_got_meanwhile(
        self, gateway: Gateway, visitor: str
    ) -> None:
        ticket, code = await mailed_code(gateway, visitor, UNKNOWN)
        meanwhile = await gateway.customer(CLIENT, email=UNKNOWN)
        payload = (await complete(gateway, visitor, ticket, emailCode=code))["completeLogin"]
        assert payload["customer"]["id"] == meanwhile.id

    async def test_of_sixteen_sessions_makes_one_customer(self, gateway: Gateway) -> None:
        sessions = [(await gateway.anonymous(CLIENT)).access for _ in range(4)]
        tickets = [await mailed_code(gateway, session, UNKNOWN) for session in sessions]
        calls = [
            complete(gateway, session, ticket, emailCode=code)
            for session, (ticket, code) in zip(sessions, tickets, strict=True)
            for _ in range(4)
        ]
        answers = await asyncio.gather(*calls)
        customers = {
            answer["completeLogin"]["customer"]["id"]
            for answer in answers
            if answer.data and answer.data["completeLogin"] and answer["completeLogin"]["customer"]
        }
        assert len(customers) == 1
        assert len(await gateway.rows("SELECT * FROM customer")) == 1

    @pytest.mark.parametrize("keys", [{"login_code_signup": True, "signup": "employee_activation"}])
    async def test_waits_for_the_shop_where_that_lets_people_in(self, gateway: Gateway, visitor: str) -> None:
        ticket, code = await mailed_code(gateway, visitor, UNKNOWN)
        answer = await complete(gateway, visitor, ticket, emailCode=code)
        assert answer.user_errors("completeLogin") == [("ACCOUNT_INACTIVE", "")]
        (row,) = await gateway.rows("SELECT active FROM customer")
        assert not row.active

    @pytest.mark.parametrize("keys", [{}])
    async def test_is_off_unless_the_shop_wants_it(self, gateway: Gateway, visitor: str) -> None:
        ticket = await request_code(gateway, visitor, UNKNOWN)
        await gateway.deliver()
        assert gateway.mails(UNKNOWN) == []
        answer = await complete(gateway, visitor, ticket, emailCode="123456")
        assert answer.user_errors("completeLogin") == [("CODE_INVALID", "emailCode")]


class TestKnownAndUnknown:
    async def test_are_answered_alike_with_as_many_statements(self, gateway: Gateway, ada: Person) -> None:
        seen = []
        for email in (ada.email, UNKNOWN):
            token = (await gateway.anonymous(CLIENT)).access
            with gateway.count_statements() as asked:
                ticket = await request_code(gateway, token, email)
            await gateway.deliver()
            with gateway.count_statements() as answered:
                answer = await complete(gateway, token, ticket, emailCode="000000")
            seen.append((len(asked), len(answered), answer.user_errors("completeLogin")))
        assert seen[0] == seen[1]

    async def test_code_of_a_mail_is_the_only_way(self, gateway: Gateway, ada: Person, visitor: str) -> None:
        _, code = await mailed_code(gateway, visitor, ada.email)
        rows = await gateway.rows("SELECT * FROM sign_in_ticket")
        assert code not in str(rows)
        assert code_of(code_mails(gateway, ada.email)[-1]) == code
