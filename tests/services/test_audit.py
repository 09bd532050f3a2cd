"""What is written down of what customers do, and of what is refused to them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import PASSWORD, signup_input
from tests.harness import operations
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "copper-lantern-77"


async def audit(gateway: Gateway, action: str) -> list[Any]:
    """Return the lines of one action, the oldest first."""
    return await gateway.rows("SELECT * FROM audit_event WHERE action = :action ORDER BY id", action=action)


async def login(gateway: Gateway, email: str, password: str) -> str:
    """Try to log in, and return the session that it was tried in."""
    session = await gateway.anonymous()
    await gateway.graphql(operations.LOGIN, {"input": {"email": email, "password": password}}, session.access)
    return session.session_id


class TestRecord:
    async def test_tells_who_did_what_from_where(self, gateway: Gateway) -> None:
        gateway.ip = "203.0.113.77"
        person = await gateway.customer()
        (line,) = await audit(gateway, "login")
        assert (line.tenant_id, line.outcome, line.customer_id) == ("demo", "success", person.id)
        assert (line.actor_kind, line.actor_id) == ("ANONYMOUS", "demo-storefront")
        assert (line.session_id, line.ip) == (person.tokens.session_id, "203.0.113.0/24")
        assert len(line.request_id) >= 16

    @pytest.mark.parametrize("action", ["signup", "signup.confirmed", "login"])
    async def test_has_a_line_for_each_step_of_a_beginning(self, gateway: Gateway, action: str) -> None:
        person = await gateway.customer()
        assert [line.customer_id for line in await audit(gateway, action)] == [person.id]

    async def test_has_a_line_for_a_logout(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await gateway.graphql(operations.LOGOUT, {"input": {"everywhere": True}}, person.tokens.access)
        (line,) = await audit(gateway, "logout")
        assert (line.customer_id, line.actor_kind, line.actor_id) == (person.id, "CUSTOMER", person.id)

    async def test_has_a_line_for_a_session_that_is_ended(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        other = await gateway.login(person.email)
        revoke = (
            f"mutation ($input: RevokeSessionInput!) {{ revokeSession(input: $input) {{ {operations.USER_ERRORS} }} }}"
        )
        await gateway.graphql(revoke, {"input": {"sessionId": other.session_id}}, person.tokens.access)
        (line,) = await audit(gateway, "session.revoked")
        assert (line.customer_id, line.session_id) == (person.id, person.tokens.session_id)

    async def test_has_a_line_for_each_step_of_a_reset(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        session = await gateway.anonymous()
        given = {"input": {"email": person.email}}
        await gateway.graphql(operations.REQUEST_PASSWORD_RESET, given, session.access)
        await gateway.deliver()
        token = gateway.mails(person.email)[-1].token
        new = {"input": {"token": token, "password": NEW_PASSWORD}}
        await gateway.graphql(operations.RESET_PASSWORD, new, session.access)
        (asked,) = await audit(gateway, "password.reset_requested")
        (done,) = await audit(gateway, "password.reset")
        for line in (asked, done):
            assert (line.customer_id, line.session_id, line.outcome) == (person.id, session.session_id, "success")

    async def test_has_a_line_for_each_step_of_a_change(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        given = {"input": {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}}
        answer = await gateway.graphql(operations.CHANGE_PASSWORD, given, person.tokens.access)
        access = answer["changePassword"]["tokens"]["accessToken"]
        new = {"input": {"newEmail": "countess@example.org", "password": NEW_PASSWORD}}
        await gateway.graphql(operations.CHANGE_EMAIL, new, access)
        await gateway.deliver()
        confirm = {"input": {"token": gateway.mails("countess@example.org")[-1].token}}
        await gateway.graphql(operations.CONFIRM_EMAIL_CHANGE, confirm, access)
        notice = next(mail for mail in gateway.mails(person.email) if "/revert-email" in mail.text)
        await gateway.graphql(operations.REVERT_EMAIL_CHANGE, {"input": {"token": notice.token}})
        for action in ("password.changed", "email.change_requested", "email.changed", "email.change_reverted"):
            assert [line.customer_id for line in await audit(gateway, action)] == [person.id], action

    async def test_holds_no_address_no_password_and_no_token(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await login(gateway, person.email, "wrong-harbour-42")
        await login(gateway, "nobody@example.com", "wrong-harbour-42")
        lines = str(await gateway.rows("SELECT * FROM audit_event"))
        for secret in (person.email, "nobody", PASSWORD, "wrong-harbour", "cg_", "$argon2"):
            assert secret not in lines


class TestRecordRefusal:
    async def test_outlives_the_rollback_of_a_bad_login(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        session_id = await login(gateway, person.email, "wrong-harbour-42")
        (line,) = [line for line in await audit(gateway, "login") if line.outcome == "refused"]
        assert (line.customer_id, line.session_id) == (person.id, session_id)
        assert "INVALID_CREDENTIALS" in str(line.detail)

    async def test_names_nobody_for_an_unknown_address(self, gateway: Gateway) -> None:
        await login(gateway, "nobody@example.com", PASSWORD)
        (line,) = await audit(gateway, "login")
        assert (line.outcome, line.customer_id) == ("refused", None)

    async def test_has_a_line_for_a_sign_up_with_a_taken_address(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await gateway.signup((await gateway.anonymous()).access, email=person.email)
        await gateway.deliver()
        (line,) = [line for line in await audit(gateway, "signup") if line.outcome == "refused"]
        assert (line.customer_id, line.actor_kind) == (person.id, "ANONYMOUS")

    async def test_has_a_line_for_a_refresh_token_that_two_have(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await gateway.refresh((await gateway.refresh(person.tokens.refresh)).refresh)
        gateway.clock.advance(seconds=31)
        await gateway.graphql(operations.REFRESH, {"input": {"refreshToken": person.tokens.refresh}})
        (line,) = await audit(gateway, "session.refresh_reused")
        assert (line.customer_id, line.outcome) == (person.id, "refused")

    async def test_has_a_line_for_a_wrong_password_of_who_is_logged_in(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        given = {"input": {"currentPassword": "wrong-harbour-42", "newPassword": NEW_PASSWORD}}
        await gateway.graphql(operations.CHANGE_PASSWORD, given, person.tokens.access)
        (line,) = await audit(gateway, "reauthentication")
        assert (line.customer_id, line.outcome) == (person.id, "refused")

    async def test_has_a_line_for_a_link_that_does_not_work_any_more(self, gateway: Gateway) -> None:
        person = await gateway.signed_up()
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        gateway.clock.advance(hours=25)
        await gateway.graphql(operations.CONFIRM_SIGNUP, {"input": {"token": mail.token}}, person.tokens.access)
        (line,) = await audit(gateway, "one_time_token")
        assert (line.customer_id, line.outcome) == (person.id, "refused")
        assert "confirm_signup" in str(line.detail)


class TestRecordAccessRefusal:
    async def test_has_a_line_for_an_operation_that_the_caller_may_not_do(self, gateway: Gateway) -> None:
        session = await gateway.anonymous()
        answer = await gateway.graphql("query { other: addresses { id } }", token=session.access)
        assert answer.codes == ["FORBIDDEN"]
        (line,) = await audit(gateway, "authorization.refused")
        assert (line.session_id, line.outcome) == (session.session_id, "refused")
        assert "addresses" in str(line.detail)
        assert "other" not in str(line.detail)

    async def test_has_a_line_for_a_limit_that_is_hit(self, gateway: Gateway) -> None:
        session = await gateway.anonymous()
        for number in range(6):
            given = {"input": signup_input(email=f"ada-{number}@example.com")}
            answer = await gateway.graphql(operations.SIGNUP, given, session.access)
        assert answer.codes == ["RATE_LIMITED"]
        (line,) = await audit(gateway, "limit.hit")
        assert (line.session_id, line.outcome) == (session.session_id, "refused")

    async def test_writes_a_few_lines_only_for_one_address(self, gateway: Gateway) -> None:
        session = await gateway.anonymous()
        for _ in range(40):
            await gateway.graphql("{ addresses { id } }", token=session.access)
        assert len(await audit(gateway, "authorization.refused")) == 30
