"""Anonymization over GraphQL: who may ask, what ends at once, how it is canceled; and the export of one's own data."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.services.worker.erasure import anonymize_due
from tests.factories import PASSWORD, tutorial_signup
from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.anonymizations import (
    CLERK,
    DELAY_HOURS,
    EXPORT,
    STOREFRONT,
    anonymize,
    audit,
    cancel,
    events,
    info_of,
    privacy_shop,
    request,
    requested,
    without_security_mails,
)
from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.integrations import NARROW, STAFF, integration_token, owned_token
from tests.harness.staff import RECORD_ORDER, RESET_TOKEN, UPDATE
from tests.services.staff.test_on_behalf import LOGIN_ON_BEHALF

pytestmark = pytest.mark.anyio

ME = "{ me { id } }"
NEW_PASSWORD = "amber-lantern-77"


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    return privacy_shop(tmp_path / "shops")


@pytest.fixture
async def person(gateway: Gateway) -> Person:
    return await gateway.customer(STOREFRONT)


async def try_to_log_in(gateway: Gateway, person: Person) -> list[tuple[str, str]]:
    token = (await gateway.anonymous(STOREFRONT)).access
    given = {"input": {"email": person.email, "password": person.password}}
    return (await gateway.graphql(operations.LOGIN, given, token)).user_errors("login")


async def on_behalf(gateway: Gateway, customer_id: str) -> Answer:
    given = {"input": {"customerId": customer_id, "reason": "Phone call"}}
    return await gateway.graphql(LOGIN_ON_BEHALF, given, await integration_token(gateway))


async def cancel_token(gateway: Gateway, email: str) -> str:
    """Return the token of the mailed way back."""
    await gateway.deliver()
    return gateway.mails(email)[-1].token


class TestRequestAnonymization:
    async def test_answers_when_it_will_be_done(self, gateway: Gateway, person: Person) -> None:
        info = await requested(gateway, person.id)
        assert info["requester"] == {"id": STAFF, "type": "User"}
        times = [datetime.fromisoformat(info[name]) for name in ("requestedAt", "dueAt")]
        assert times[1] - times[0] == timedelta(hours=DELAY_HOURS)
        assert (info["status"], info["attempts"]) == ("REQUESTED", 0)
        rest = ("startedAt", "completedAt", "canceledAt", "failedAt", "nextAttemptAt")
        assert [info[name] for name in rest] == [None] * 5
        assert await info_of(gateway, person.id) == info

    async def test_is_for_the_customer_right_after_the_login(self, gateway: Gateway, person: Person) -> None:
        info = (await request(gateway, person.tokens.access))["requestAnonymization"]["anonymizationInfo"]
        assert info["requester"] == {"id": person.id, "type": "Customer"}

    async def test_wants_the_password_from_the_customer_later_on(self, gateway: Gateway, person: Person) -> None:
        gateway.clock.advance(minutes=11)
        assert (await request(gateway, person.tokens.access)).codes == ["REAUTHENTICATION_REQUIRED"]
        wrong = await request(gateway, person.tokens.access, password="not-the-password-1")
        assert wrong.user_errors("requestAnonymization") == [("INVALID_CREDENTIALS", "password")]
        right = await request(gateway, person.tokens.access, password=PASSWORD)
        assert right.user_errors("requestAnonymization") == []

    async def test_a_customer_asks_for_nobody_else(self, gateway: Gateway, person: Person) -> None:
        other = await gateway.customer(STOREFRONT)
        answer = await request(gateway, person.tokens.access, customerId=other.id)
        assert answer.user_errors("requestAnonymization") == [("NOT_FOUND", "customerId")]
        own = await request(gateway, person.tokens.access, customerId=person.id)
        assert own.user_errors("requestAnonymization") == []

    async def test_needs_to_be_told_whose(self, gateway: Gateway) -> None:
        answer = await request(gateway, await owned_token(gateway))
        assert answer.user_errors("requestAnonymization") == [("REQUIRED", "customerId")]

    async def test_does_not_know_another_shops_customer(self, gateway: Gateway) -> None:
        stranger = await gateway.customer("other-storefront")
        for customer_id in (stranger.id, "nobody"):
            answer = await request(gateway, await owned_token(gateway), customerId=customer_id)
            assert answer.user_errors("requestAnonymization") == [("NOT_FOUND", "customerId")]
        assert (await gateway.graphql(ME, token=stranger.tokens.access))["me"] == {"id": stranger.id}

    async def test_is_refused_to_everybody_else(self, gateway: Gateway, person: Person) -> None:
        acting = (await on_behalf(gateway, person.id))["loginOnBehalf"]["tokens"]["accessToken"]
        tokens = {
            "anonymous": (await gateway.anonymous(STOREFRONT)).access,
            "on behalf": acting,
            "without owner": await integration_token(gateway),
            "owner without the scope": await owned_token(gateway, CLERK),
            "limited to other scopes": await owned_token(gateway, scope="customers.read customers.manage"),
        }
        answers = {who: (await request(gateway, token, customerId=person.id)).codes for who, token in tokens.items()}
        assert answers == {who: ["FORBIDDEN"] for who in tokens}
        assert (await request(gateway, "", customerId=person.id)).codes == ["UNAUTHENTICATED"]
        assert (await gateway.graphql(ME, token=person.tokens.access))["me"] == {"id": person.id}

    @pytest.mark.parametrize("by", ["integration", "customer"])
    async def test_is_for_those_whom_the_shop_names(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path, by: str
    ) -> None:
        async with run_gateway({**environment, **privacy_shop(tmp_path / by, by=by)}, clock) as gateway:
            person = await gateway.customer(STOREFRONT)
            tokens = {"integration": await owned_token(gateway), "customer": person.tokens.access}
            other = next(who for who in tokens if who != by)
            assert (await request(gateway, tokens[other], customerId=person.id)).codes == ["FORBIDDEN"]
            assert (await request(gateway, tokens[by], customerId=person.id)).codes == []

    async def test_twice_is_once(self, gateway: Gateway, person: Person) -> None:
        token = await owned_token(gateway)
        first = await requested(gateway, person.id)
        gateway.clock.advance(minutes=1)
        again = await request(gateway, token, customerId=person.id)
        assert again.user_errors("requestAnonymization") == [("ANONYMIZATION_OPEN", "customerId")]
        assert await info_of(gateway, person.id) == first

    async def test_once_done_it_is_not_asked_for_again(self, gateway: Gateway, person: Person) -> None:
        await anonymize(gateway, person.id)
        again = await request(gateway, await owned_token(gateway), customerId=person.id)
        assert again.user_errors("requestAnonymization") == [("ANONYMIZATION_OPEN", "customerId")]

    async def test_is_told_to_other_systems_and_written_down(self, gateway: Gateway, person: Person) -> None:
        await requested(gateway, person.id)
        assert await events(gateway, person.id) == ["requested"]
        assert (await audit(gateway, person.id))[-1] == "anonymization.requested"


class TestWhatTheClientMayNot:
    """An assertion that names somebody who may gives a client nothing that it may not do itself."""

    async def test_is_to_ask_and_to_cancel_in_the_name_of_who_may(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        async with run_gateway({**environment, **privacy_shop(tmp_path / "narrow", keyed=NARROW)}, clock) as gateway:
            person = await gateway.customer(STOREFRONT)
            token = await owned_token(gateway)
            assert (await request(gateway, token, customerId=person.id)).codes == ["FORBIDDEN"]
            await request(gateway, person.tokens.access)
            assert (await cancel(gateway, token, customerId=person.id)).codes == ["FORBIDDEN"]

    @pytest.mark.parametrize(
        "change",
        [{"keyed": NARROW}, {"staff_may": ["customers.read", "customers.manage"]}],
        ids=["the client", "the owner"],
    )
    async def test_is_what_it_or_the_owner_has_lost_since_the_token_was_given(
        self,
        gateway: Gateway,
        environment: dict[str, str],
        clock: MovableClock,
        tmp_path: Path,
        change: dict[str, Any],
    ) -> None:
        person, token = await gateway.customer(STOREFRONT), await owned_token(gateway)
        changed = {**environment, **privacy_shop(tmp_path / "changed", **change)}
        async with run_gateway(changed, clock) as again:
            assert (await request(again, token, customerId=person.id)).codes == ["FORBIDDEN"]
        assert (await request(gateway, token, customerId=person.id)).codes == []

    async def test_is_anything_any_more_once_the_owner_is_gone(
        self, gateway: Gateway, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        person, token = await gateway.customer(STOREFRONT), await owned_token(gateway)
        changed = {**environment, **privacy_shop(tmp_path / "changed", staff="new")}
        async with run_gateway(changed, clock) as again:
            assert (await request(again, token, customerId=person.id)).reason == "REVOKED"


class TestWhatEndsAtOnce:
    async def test_every_session_and_on_behalf_access(self, gateway: Gateway, person: Person) -> None:
        acting = (await on_behalf(gateway, person.id))["loginOnBehalf"]["tokens"]["accessToken"]
        other = await gateway.login(person.email, client_id=STOREFRONT)
        await requested(gateway, person.id)
        for token in (acting, other.access, person.tokens.access):
            assert (await gateway.graphql(ME, token=token)).reason == "REVOKED"
        answer = await gateway.graphql(operations.REFRESH, {"input": {"refreshToken": other.refresh}})
        assert answer.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]

    async def test_the_session_that_asked(self, gateway: Gateway, person: Person) -> None:
        await request(gateway, person.tokens.access)
        assert (await gateway.graphql(ME, token=person.tokens.access)).reason == "REVOKED"

    async def test_the_login_as_if_there_were_no_such_customer(self, gateway: Gateway, person: Person) -> None:
        await requested(gateway, person.id)
        assert await try_to_log_in(gateway, person) == [("INVALID_CREDENTIALS", "password")]

    async def test_mailed_links(self, gateway: Gateway, person: Person) -> None:
        token = (await gateway.anonymous(STOREFRONT)).access
        await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": person.email}}, token)
        await gateway.deliver()
        mail = gateway.mails(person.email)[-1]
        await requested(gateway, person.id)
        given = {"input": {"token": mail.token, "password": NEW_PASSWORD}}
        answer = await gateway.graphql(operations.RESET_PASSWORD, given, token)
        assert answer.user_errors("resetPassword") == [("TOKEN_INVALID", "token")]

    async def test_new_links_are_not_mailed(self, gateway: Gateway, person: Person) -> None:
        await requested(gateway, person.id)
        await gateway.deliver()
        before = len(gateway.mails(person.email))
        token = (await gateway.anonymous(STOREFRONT)).access
        answer = await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": person.email}}, token)
        assert answer["requestPasswordReset"]["accepted"] is True
        await gateway.deliver()
        assert len(gateway.mails(person.email)) == before

    async def test_what_staff_do_for_the_customer(self, gateway: Gateway, person: Person) -> None:
        await requested(gateway, person.id)
        token = await integration_token(gateway)
        change = await gateway.graphql(UPDATE, {"input": {"id": person.id, "firstName": "Grace"}}, token)
        assert change.user_errors("updateCustomer") == [("ANONYMIZATION_OPEN", "id")]
        reset = await gateway.graphql(RESET_TOKEN, {"input": {"customerId": person.id}}, token)
        assert reset.user_errors("createPasswordResetToken") == [("ANONYMIZATION_OPEN", "customerId")]
        acting = await on_behalf(gateway, person.id)
        assert acting.user_errors("loginOnBehalf") == [("ANONYMIZATION_OPEN", "customerId")]

    async def test_but_orders_go_on_counting(self, gateway: Gateway, person: Person) -> None:
        await anonymize(gateway, person.id)
        given = {"input": {"customerId": person.id, "orderReference": "A-1"}}
        answer = await gateway.graphql(RECORD_ORDER, given, await integration_token(gateway))
        assert answer["recordOrder"]["customer"] == {"id": person.id, "status": "ACQUIRED"}


class TestMail:
    async def test_offers_the_way_back_to_who_asked(self, gateway: Gateway, person: Person) -> None:
        await request(gateway, person.tokens.access)
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        assert mail.subject == "Your personal data will be erased"
        assert "https://shop.example/cancel-anonymization?token=" in mail.text

    async def test_only_warns_who_did_not_ask(self, gateway: Gateway, person: Person) -> None:
        await requested(gateway, person.id)
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        assert "token=" not in mail.text

    async def test_offers_no_way_back_where_there_is_no_time(
        self, environment: dict[str, str], clock: MovableClock, tmp_path: Path
    ) -> None:
        async with run_gateway({**environment, **privacy_shop(tmp_path / "now", delay=0)}, clock) as gateway:
            person = await gateway.customer(STOREFRONT)
            await request(gateway, person.tokens.access)
            await gateway.deliver()
            (mail,) = gateway.mails(person.email)
            assert "token=" not in mail.text

    @pytest.mark.parametrize(
        ("language", "subject"), [("en", "Your account stays as it is"), ("de", "Ihr Konto bleibt bestehen")]
    )
    async def test_tells_that_it_was_canceled(self, gateway: Gateway, language: str, subject: str) -> None:
        person = await gateway.customer(STOREFRONT, customerDetails={"preferredLanguage": language})
        await requested(gateway, person.id)
        await cancel(gateway, await owned_token(gateway), customerId=person.id)
        await gateway.deliver()
        mail = gateway.mails(person.email)[-1]
        assert mail.subject == subject
        assert "token=" not in mail.text

    async def test_tells_of_the_end_who_asked_for_it_whatever_the_shop_says(
        self, environment: dict[str, str], clock: MovableClock
    ) -> None:
        without_security_mails(environment)
        async with run_gateway(environment, clock) as gateway:
            person = await gateway.customer(STOREFRONT)
            await request(gateway, person.tokens.access)
            await cancel(
                gateway, (await gateway.anonymous(STOREFRONT)).access, token=await cancel_token(gateway, person.email)
            )
            await gateway.deliver()
            assert [mail.subject for mail in gateway.mails(person.email)] == [
                "Your personal data will be erased",
                "Your account stays as it is",
            ]
            staff_asked = await gateway.customer(STOREFRONT)
            await requested(gateway, staff_asked.id)
            await cancel(gateway, await owned_token(gateway), customerId=staff_asked.id)
            await gateway.deliver()
            assert gateway.mails(staff_asked.email) == []


class TestCancelAnonymization:
    async def test_opens_the_account_again(self, gateway: Gateway, person: Person) -> None:
        await requested(gateway, person.id)
        answer = await cancel(gateway, await owned_token(gateway), customerId=person.id)
        info = answer["cancelAnonymization"]["anonymizationInfo"]
        assert info["status"] == "CANCELED"
        assert info["canceledAt"] is not None
        assert await try_to_log_in(gateway, person) == []
        assert (await gateway.graphql(ME, token=person.tokens.access)).reason == "REVOKED"
        gateway.clock.advance(hours=DELAY_HOURS)
        assert await anonymize_due(gateway.tools) == 0
        assert await events(gateway, person.id) == ["requested", "canceled"]
        assert "anonymization.canceled" in await audit(gateway, person.id)

    async def test_works_by_the_mailed_token(self, gateway: Gateway, person: Person) -> None:
        await request(gateway, person.tokens.access)
        token = await cancel_token(gateway, person.email)
        answer = await cancel(gateway, (await gateway.anonymous(STOREFRONT)).access, token=token)
        assert answer["cancelAnonymization"]["anonymizationInfo"]["status"] == "CANCELED"
        assert await try_to_log_in(gateway, person) == []

    async def test_takes_the_token_once(self, gateway: Gateway, person: Person) -> None:
        await request(gateway, person.tokens.access)
        token, visitor = await cancel_token(gateway, person.email), (await gateway.anonymous(STOREFRONT)).access
        await cancel(gateway, visitor, token=token)
        answer = await cancel(gateway, visitor, token=token)
        assert answer.user_errors("cancelAnonymization") == [("TOKEN_INVALID", "token")]

    async def test_takes_no_token_when_staff_were_faster(self, gateway: Gateway, person: Person) -> None:
        await request(gateway, person.tokens.access)
        token = await cancel_token(gateway, person.email)
        await cancel(gateway, await owned_token(gateway), customerId=person.id)
        answer = await cancel(gateway, (await gateway.anonymous(STOREFRONT)).access, token=token)
        assert answer.user_errors("cancelAnonymization") == [("TOKEN_INVALID", "token")]

    async def test_takes_no_token_when_it_is_due(self, gateway: Gateway, person: Person) -> None:
        await request(gateway, person.tokens.access)
        token = await cancel_token(gateway, person.email)
        gateway.clock.advance(hours=DELAY_HOURS)
        answer = await cancel(gateway, (await gateway.anonymous(STOREFRONT)).access, token=token)
        assert answer.user_errors("cancelAnonymization") == [("TOKEN_EXPIRED", "token")]

    async def test_needs_a_token_or_a_customer(self, gateway: Gateway) -> None:
        by_nobody = await cancel(gateway, (await gateway.anonymous(STOREFRONT)).access, customerId="somebody")
        assert by_nobody.user_errors("cancelAnonymization") == [("REQUIRED", "token")]
        by_staff = await cancel(gateway, await owned_token(gateway), token="cg_ot_nothing")
        assert by_staff.user_errors("cancelAnonymization") == [("REQUIRED", "customerId")]

    async def test_knows_no_other_customer(self, gateway: Gateway) -> None:
        stranger = await gateway.customer("other-storefront")
        answer = await cancel(gateway, await owned_token(gateway), customerId=stranger.id)
        assert answer.user_errors("cancelAnonymization") == [("NOT_FOUND", "customerId")]

    async def test_has_nothing_to_do_where_nothing_is_open(self, gateway: Gateway, person: Person) -> None:
        not_cancelable = [("ANONYMIZATION_NOT_CANCELABLE", "customerId")]
        token = await owned_token(gateway)
        never = await cancel(gateway, token, customerId=person.id)
        assert never.user_errors("cancelAnonymization") == not_cancelable
        await requested(gateway, person.id)
        await cancel(gateway, token, customerId=person.id)
        again = await cancel(gateway, token, customerId=person.id)
        assert again.user_errors("cancelAnonymization") == not_cancelable
        await anonymize(gateway, person.id)
        done = await cancel(gateway, await owned_token(gateway), customerId=person.id)
        assert done.user_errors("cancelAnonymization") == not_cancelable

    async def test_is_refused_to_everybody_else(self, gateway: Gateway, person: Person) -> None:
        other = await gateway.customer(STOREFRONT)
        acting = (await on_behalf(gateway, other.id))["loginOnBehalf"]["tokens"]["accessToken"]
        await requested(gateway, person.id)
        limited = await owned_token(gateway, scope="customers.manage")
        unowned = await integration_token(gateway, "shop-keyed")
        for token in (acting, await integration_token(gateway), unowned, await owned_token(gateway, CLERK), limited):
            assert (await cancel(gateway, token, customerId=person.id)).codes == ["FORBIDDEN"]
        assert (await cancel(gateway, "", customerId=person.id)).codes == ["UNAUTHENTICATED"]

    async def test_lets_it_be_asked_for_again(self, gateway: Gateway, person: Person) -> None:
        first = await requested(gateway, person.id)
        await cancel(gateway, await owned_token(gateway), customerId=person.id)
        gateway.clock.advance(minutes=1)
        second = await requested(gateway, person.id)
        assert second["requestedAt"] > first["requestedAt"]
        assert await info_of(gateway, person.id) == second


class TestAnonymizationInfo:
    async def test_is_null_for_whom_nobody_asked(self, gateway: Gateway, person: Person) -> None:
        query = "{ me { anonymizationStatus anonymizationInfo { status } } }"
        answer = await gateway.graphql(query, token=person.tokens.access)
        assert answer["me"] == {"anonymizationStatus": None, "anonymizationInfo": None}

    async def test_tells_the_customer_who_came_back(self, gateway: Gateway, person: Person) -> None:
        await requested(gateway, person.id)
        await cancel(gateway, await owned_token(gateway), customerId=person.id)
        tokens = await gateway.login(person.email, client_id=STOREFRONT)
        answer = await gateway.graphql("{ me { anonymizationStatus } }", token=tokens.access)
        assert answer["me"] == {"anonymizationStatus": "CANCELED"}

    async def test_tells_the_customer_what_kind_of_requester_it_was_and_no_id_of_theirs(
        self, gateway: Gateway, person: Person
    ) -> None:
        await requested(gateway, person.id)
        await cancel(gateway, await owned_token(gateway), customerId=person.id)
        tokens = await gateway.login(person.email, client_id=STOREFRONT)
        acting = (await on_behalf(gateway, person.id))["loginOnBehalf"]["tokens"]["accessToken"]
        query = "{ me { anonymizationInfo { status requester { id type } } } }"
        for token in (tokens.access, acting):
            info = (await gateway.graphql(query, token=token))["me"]["anonymizationInfo"]
            assert info == {"status": "CANCELED", "requester": {"id": None, "type": "User"}}
        assert (await info_of(gateway, person.id))["requester"] == {"id": STAFF, "type": "User"}

    async def test_tells_customers_their_own_id(self, gateway: Gateway, person: Person) -> None:
        await request(gateway, person.tokens.access)
        token = await cancel_token(gateway, person.email)
        answer = await cancel(gateway, (await gateway.anonymous(STOREFRONT)).access, token=token)
        info = answer["cancelAnonymization"]["anonymizationInfo"]
        assert info["requester"] == {"id": person.id, "type": "Customer"}

    async def test_tells_of_the_end(self, gateway: Gateway, person: Person) -> None:
        await anonymize(gateway, person.id)
        info = await info_of(gateway, person.id)
        assert info["startedAt"] == info["completedAt"] == info["dueAt"]
        assert info["attempts"] == 1


class TestExportMyData:
    async def export(self, gateway: Gateway, token: str, **given: str) -> dict[str, Any]:
        answer = await gateway.graphql(EXPORT, {"input": given or None}, token)
        assert answer.user_errors("exportMyData") == []
        data: dict[str, Any] = answer["exportMyData"]["data"]
        return data

    async def test_gives_what_the_customer_said_grouped_by_noun(self, gateway: Gateway) -> None:
        person = await gateway.customer(STOREFRONT, **tutorial_signup(email="john@example.com"))
        data = await self.export(gateway, person.tokens.access)
        assert data["customer"]["firstName"] == "John"
        assert data["customer"]["companyRegistrationId"] == "123-456-789"
        assert data["credential"]["email"] == "john@example.com"
        assert [address["street"] for address in data["addresses"]] == ["Fritz-Elsas-Straße"]
        assert [entity["name"] for entity in data["legalEntities"]] == ["Emporix AG", "Emporix Poland"]
        assert [session["id"] for session in data["sessions"]] == [person.tokens.session_id]
        assert {"signup", "login"} <= {event["action"] for event in data["auditEvents"]}

    async def test_holds_no_hash_and_no_secret(self, gateway: Gateway, person: Person) -> None:
        await gateway.graphql(operations.CHANGE_EMAIL, {"input": {"newEmail": "new@example.com"}}, person.tokens.access)
        text = json.dumps(await self.export(gateway, person.tokens.access))
        (row,) = await gateway.rows("SELECT password_hash FROM credential WHERE customer_id = :id", id=person.id)
        assert row.password_hash not in text
        sealed = [payload["token"] for payload in await self.payloads(gateway, person.id)]
        assert sealed
        assert not [each for each in (*filter(None, sealed), "tokenHash", "passwordHash", "nonce") if each in text]

    async def test_does_not_name_the_person_at_the_shop(self, gateway: Gateway, person: Person) -> None:
        await requested(gateway, person.id)
        await cancel(gateway, await owned_token(gateway), customerId=person.id)
        data = await self.export(gateway, (await gateway.login(person.email, client_id=STOREFRONT)).access)
        assert [each["requesterType"] for each in data["anonymizations"]] == ["User"]
        actions = {event["action"]: event["actorKind"] for event in data["auditEvents"]}
        assert actions["anonymization.requested"] == actions["anonymization.canceled"] == "INTEGRATION"
        assert STAFF not in json.dumps(data)

    async def payloads(self, gateway: Gateway, customer_id: str) -> list[dict[str, Any]]:
        rows = await gateway.rows(
            "SELECT payload FROM outbox_message WHERE kind = 'mail' AND customer_id = :id", id=customer_id
        )
        return [json.loads(row.payload) if isinstance(row.payload, str) else row.payload for row in rows]

    async def test_is_nobody_elses(self, gateway: Gateway, person: Person) -> None:
        other = await gateway.customer(STOREFRONT)
        text = json.dumps(await self.export(gateway, person.tokens.access))
        assert person.email in text
        assert other.email not in text
        assert other.id not in text

    async def test_wants_the_password_later_on(self, gateway: Gateway, person: Person) -> None:
        gateway.clock.advance(minutes=11)
        answer = await gateway.graphql(EXPORT, token=person.tokens.access)
        assert answer.codes == ["REAUTHENTICATION_REQUIRED"]
        wrong = await gateway.graphql(EXPORT, {"input": {"password": "not-the-password-1"}}, person.tokens.access)
        assert wrong.user_errors("exportMyData") == [("INVALID_CREDENTIALS", "password")]
        assert (await self.export(gateway, person.tokens.access, password=PASSWORD))["customer"]["id"] == person.id

    async def test_is_not_for_others(self, gateway: Gateway, person: Person) -> None:
        acting = (await on_behalf(gateway, person.id))["loginOnBehalf"]["tokens"]["accessToken"]
        for token in (acting, (await gateway.anonymous(STOREFRONT)).access, await owned_token(gateway)):
            assert (await gateway.graphql(EXPORT, token=token)).codes == ["FORBIDDEN"]
        assert (await gateway.graphql(EXPORT)).codes == ["UNAUTHENTICATED"]

    async def test_is_written_down(self, gateway: Gateway, person: Person) -> None:
        await self.export(gateway, person.tokens.access)
        assert (await audit(gateway, person.id))[-1] == "data.exported"
