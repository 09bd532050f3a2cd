"""Sign-ups that wait for the proof of their address: each on its own, and none of them in anybody's way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.services.worker.erasure import anonymize_due
from app.services.worker.purge import purge_expired
from app.services.worker.unproven import purge_unproven
from tests.factories import PASSWORD, address_input, tutorial_signup
from tests.harness import operations
from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway
from tests.harness.integrations import SECRET
from tests.harness.staff import CREATE, RECORD_ORDER, Staff

pytestmark = pytest.mark.anyio

OWNER = "owner@example.com"
STRANGERS = "strange-lantern-77"
NOBODY: list[tuple[str, str]] = [("INVALID_CREDENTIALS", "password")]
NOT_CONFIRMED = [("EMAIL_NOT_CONFIRMED", "email")]
INACTIVE = [("ACCOUNT_INACTIVE", "email")]
ME = "{ me { id email emailVerified firstName addresses { city } } }"
SHOPS = {"demo": NOT_CONFIRMED, "staffed": INACTIVE}


@pytest.fixture
def settings_environment() -> dict[str, str]:
    secrets = ("DEMO_BACKEND_SECRET", "OPEN_BACKEND_SECRET", "STAFFED_BACKEND_SECRET")
    return dict.fromkeys(secrets, SECRET)


async def links(gateway: Gateway, email: str = OWNER) -> list[str]:
    """Deliver what waits, and return the tokens of all links that confirm a sign-up, the oldest first."""
    await gateway.deliver()
    return [mail.token for mail in gateway.mails(email) if "/confirm-signup?token=" in mail.text]


async def confirm(gateway: Gateway, token: str, access: str | None = None, password: str | None = None) -> Answer:
    return await gateway.graphql(operations.CONFIRM_SIGNUP, {"input": {"token": token, "password": password}}, access)


async def login(gateway: Gateway, access: str, password: str, email: str = OWNER) -> list[tuple[str, str]]:
    """Return the user errors of a login in this session."""
    given = {"input": {"email": email, "password": password}}
    return (await gateway.graphql(operations.LOGIN, given, access)).user_errors("login")


async def elsewhere(gateway: Gateway, shop: str = "demo") -> str:
    return (await gateway.anonymous(f"{shop}-storefront")).access


async def customers(gateway: Gateway) -> list[str]:
    return [row.id for row in await gateway.rows("SELECT id FROM customer ORDER BY id")]


async def try_to_sign_up(gateway: Gateway, shop: str, password: str = PASSWORD, email: str = OWNER) -> Person:
    """Sign up with an address that may be taken, whatever the answer is."""
    tokens = await gateway.anonymous(f"{shop}-storefront")
    payload = await gateway.signup(tokens.access, email=email, password=password)
    return Person(payload["customerId"] or "", email, password, tokens)


async def events(gateway: Gateway) -> list[str]:
    return [row.action for row in await gateway.rows("SELECT action FROM audit_event ORDER BY id")]


class TestSignup:
    async def test_makes_no_customer_before_the_proof(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(**tutorial_signup(email=OWNER))
        assert await customers(gateway) == []
        assert await gateway.rows("SELECT customer_id FROM credential") == []
        (token,) = await links(gateway)
        answer = await confirm(gateway, token, person.tokens.access)
        assert answer["confirmSignup"]["customerId"] == person.id
        tokens = await gateway.login(OWNER, token=person.tokens.access)
        me = (await gateway.graphql(ME, token=tokens.access))["me"]
        assert me == {
            "id": person.id,
            "email": OWNER,
            "emailVerified": True,
            "firstName": "John",
            "addresses": [{"city": "Stuttgart"}],
        }

    async def test_with_one_address_waits_each_on_its_own(self, gateway: Gateway) -> None:
        stranger = await gateway.signed_up(email=OWNER, password=STRANGERS, customerDetails={"firstName": "Mallory"})
        owner = await gateway.signed_up(email=OWNER, customerDetails={"firstName": "Ada"})
        strangers, owners = await links(gateway)
        answer = await confirm(gateway, owners, owner.tokens.access)
        assert answer["confirmSignup"]["customerId"] == owner.id
        late = await confirm(gateway, strangers, stranger.tokens.access)
        assert late.user_errors("confirmSignup") == [("TOKEN_INVALID", "token")]
        assert await customers(gateway) == [owner.id]
        assert await login(gateway, await elsewhere(gateway), STRANGERS) == NOBODY
        tokens = await gateway.login(OWNER)
        assert (await gateway.graphql(ME, token=tokens.access))["me"]["firstName"] == "Ada"
        assert "Mallory" not in str(await gateway.rows("SELECT * FROM pending_signup"))

    async def test_of_thirty_the_owners_is_confirmed(self, gateway: Gateway) -> None:
        sessions = [await gateway.anonymous() for _ in range(30)]

        async def sign_up(number: int) -> Any:
            gateway.ip = f"198.51.100.{number}"
            return await gateway.signup(sessions[number].access, email=OWNER, password=f"{STRANGERS}-{number}")

        payloads = []
        for ten in (range(10), range(10, 20), range(20, 30)):
            payloads += await asyncio.gather(*(sign_up(number) for number in ten))
        assert {payload["status"] for payload in payloads} == {"CONFIRMATION_SENT"}
        await gateway.deliver()
        gateway.clock.advance(hours=2)
        owner = await gateway.signed_up(email=OWNER)
        token = (await links(gateway))[-1]
        assert (await confirm(gateway, token, owner.tokens.access))["confirmSignup"]["customerId"] == owner.id
        assert await customers(gateway) == [owner.id]
        (row,) = await gateway.rows("SELECT count(*) AS open FROM pending_signup WHERE ended_at IS NULL")
        assert row.open == 0

    async def test_with_a_proved_address_of_somebody_else_mails_that_and_no_link(self, gateway: Gateway) -> None:
        await gateway.signup_confirmed(email=OWNER)
        before = len(await links(gateway))
        await gateway.signed_up(email=OWNER)
        assert len(await links(gateway)) == before
        assert gateway.mails(OWNER)[-1].subject == "You already have an account"

    async def test_with_an_address_that_nobody_has_proved_mails_a_link_in_an_open_shop(self, gateway: Gateway) -> None:
        stranger = await gateway.signed_up("open-storefront", email=OWNER, password=STRANGERS)
        session = await gateway.login(OWNER, STRANGERS, stranger.tokens.access)
        tokens = await gateway.anonymous("open-storefront")
        payload = await gateway.signup(tokens.access, email=OWNER, customerAddress=address_input())
        assert [error["code"] for error in payload["userErrors"]] == ["EMAIL_TAKEN"]
        (token,) = await links(gateway)
        answer = await confirm(gateway, token, tokens.access)
        assert answer["confirmSignup"]["customerId"] == stranger.id
        assert (await gateway.graphql(ME, token=session.access)).reason == "REVOKED"
        assert await login(gateway, await elsewhere(gateway, "open"), STRANGERS) == NOBODY
        own = await gateway.login(OWNER, token=tokens.access)
        me = (await gateway.graphql(ME, token=own.access))["me"]
        assert (me["emailVerified"], me["addresses"]) == (True, [{"city": "Berlin"}])

    async def test_with_another_letter_of_the_same_key_gets_no_account_of_somebody_else(self, gateway: Gateway) -> None:
        other = await gateway.signed_up("open-storefront", email="strasse@example.com", password=STRANGERS)
        tokens = await gateway.anonymous("open-storefront")
        await gateway.signup(tokens.access, email="straße@example.com")
        (token,) = await links(gateway, "straße@example.com")
        answer = await confirm(gateway, token, tokens.access)
        assert answer.user_errors("confirmSignup") == []
        assert answer["confirmSignup"]["customerId"] != other.id

    async def test_with_an_address_that_nobody_has_proved_mails_a_link_where_staff_activate(
        self, gateway: Gateway
    ) -> None:
        await gateway.signed_up("staffed-storefront", email=OWNER, password=STRANGERS)
        owner = await gateway.signed_up("staffed-storefront", email=OWNER)
        (token,) = await links(gateway)
        assert (await confirm(gateway, token, owner.tokens.access)).user_errors("confirmSignup") == []
        # The address is proved, and the account still waits for the shop.
        assert await login(gateway, await elsewhere(gateway, "staffed"), PASSWORD) == INACTIVE
        assert await login(gateway, await elsewhere(gateway, "staffed"), STRANGERS) == NOBODY

    async def test_is_told_to_other_systems_when_there_is_a_customer(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(email=OWNER)
        (token,) = await links(gateway)
        await confirm(gateway, token, person.tokens.access)
        assert await events(gateway) == ["signup", "signup.confirmed"]


class TestConfirmSignup:
    async def test_changes_nothing_when_a_mail_scanner_opens_the_link(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(email=OWNER)
        (token,) = await links(gateway)
        for _ in range(12):
            gateway.clock.advance(minutes=1)
            scanned = await confirm(gateway, token)
            assert scanned.user_errors("confirmSignup") == [("PASSWORD_REQUIRED", "password")]
        assert await customers(gateway) == []
        assert (await confirm(gateway, token, person.tokens.access)).user_errors("confirmSignup") == []

    async def test_finishes_no_strangers_sign_up_for_the_owner_who_opens_its_link(self, gateway: Gateway) -> None:
        await gateway.signed_up(email=OWNER, password=STRANGERS)
        (strangers,) = await links(gateway)
        owner = await gateway.signed_up(email=OWNER)
        clicked = await confirm(gateway, strangers, owner.tokens.access)
        assert clicked.user_errors("confirmSignup") == [("PASSWORD_REQUIRED", "password")]
        tried = await confirm(gateway, strangers, owner.tokens.access, PASSWORD)
        assert tried.user_errors("confirmSignup") == [("INVALID_CREDENTIALS", "password")]
        assert await customers(gateway) == []

    async def test_takes_the_password_of_the_sign_up_on_another_device(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(email=OWNER)
        (token,) = await links(gateway)
        answer = await confirm(gateway, token, await elsewhere(gateway), PASSWORD)
        assert answer["confirmSignup"] == {"customerId": person.id, "alreadyConfirmed": False, "userErrors": []}

    async def test_counts_wrong_passwords(self, gateway: Gateway) -> None:
        await gateway.signed_up(email=OWNER)
        (token,) = await links(gateway)
        codes = []
        for _ in range(6):
            answer = await confirm(gateway, token, None, STRANGERS)
            codes += answer.codes or [code for code, _ in answer.user_errors("confirmSignup")]
        assert codes == ["INVALID_CREDENTIALS"] * 5 + ["RATE_LIMITED"]

    async def test_answers_an_older_link_of_a_confirmed_sign_up_too(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(email=OWNER)
        await gateway.deliver()
        given = {"input": {"email": OWNER}}
        await gateway.graphql(operations.RESEND_CONFIRMATION, given, person.tokens.access)
        older, newer = await links(gateway)
        await confirm(gateway, newer, person.tokens.access)
        assert (await confirm(gateway, older))["confirmSignup"]["alreadyConfirmed"] is True

    async def test_keeps_the_token_of_a_sign_up_that_version_1_0_has_made(self, gateway: Gateway) -> None:
        """An account that waits for its confirmation, as it is in a database of before."""
        person = await gateway.signed_up("open-storefront", email=OWNER)
        await gateway.write("UPDATE credential SET must_confirm = true, made_by = NULL, tenant_id = 'demo'")
        await gateway.write("DELETE FROM customer_word")  # which that version does not write
        await gateway.write("UPDATE customer SET tenant_id = 'demo'")
        await gateway.graphql(operations.RESEND_CONFIRMATION, {"input": {"email": OWNER}}, await elsewhere(gateway))
        (token,) = await links(gateway)
        answer = await confirm(gateway, token)
        assert answer["confirmSignup"] == {"customerId": person.id, "alreadyConfirmed": False, "userErrors": []}
        assert (await confirm(gateway, token))["confirmSignup"]["alreadyConfirmed"] is True
        await gateway.login(OWNER)


class TestLogin:
    @pytest.mark.parametrize("shop", SHOPS)
    async def test_tells_what_is_missing_only_where_somebody_signed_up_and_whosever_the_address(
        self, gateway: Gateway, shop: str
    ) -> None:
        taken = await gateway.signed_up(f"{shop}-storefront", email="taken@example.com")
        await gateway.deliver()
        await gateway.write("UPDATE pending_signup SET session_id = 'another'")
        if shop == "demo":
            (token,) = await links(gateway, taken.email)
            await confirm(gateway, token, None, PASSWORD)
        else:
            await gateway.write("UPDATE credential SET email_verified_at = changed_at")
            await gateway.write("UPDATE customer SET active = true")
        for email in (taken.email, "free@example.com"):
            person = await try_to_sign_up(gateway, shop, STRANGERS, email)
            await gateway.deliver()
            for password in (STRANGERS, "wrong-harbour-43"):
                assert await login(gateway, person.tokens.access, password, email) == SHOPS[shop]
                assert await login(gateway, await elsewhere(gateway, shop), password, email) == NOBODY

    @pytest.mark.parametrize("shop", SHOPS)
    async def test_counts_the_right_password_of_a_sign_up_as_any_other(self, gateway: Gateway, shop: str) -> None:
        seen = []
        owner = await gateway.signup_confirmed(email="taken@example.com")
        for number, email in enumerate(("free@example.com", owner.email)):
            gateway.ip = f"198.51.100.{number}"
            person = await try_to_sign_up(gateway, "demo", STRANGERS, email)
            answers = []
            for _ in range(7):
                given = {"input": {"email": email, "password": STRANGERS}}
                answer = await gateway.graphql(operations.LOGIN, given, person.tokens.access)
                answers.append(answer.codes or answer.user_errors("login"))
            seen.append(answers)
        assert seen[0] == seen[1]
        assert seen[0][-1] == ["RATE_LIMITED"]

    async def test_keeps_to_it_when_the_address_has_become_somebodys(self, gateway: Gateway) -> None:
        stranger = await gateway.signed_up(email=OWNER, password=STRANGERS)
        await gateway.signup_confirmed(email="someone@example.com")
        owner = await gateway.signed_up(email=OWNER)
        await confirm(gateway, (await links(gateway))[-1], owner.tokens.access)
        assert await login(gateway, stranger.tokens.access, STRANGERS) == NOT_CONFIRMED
        assert await login(gateway, owner.tokens.access, "wrong-harbour-43") == NOBODY

    async def test_with_the_right_password_elsewhere_mails_the_link_again(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(email=OWNER)
        (first,) = await links(gateway)
        session = await elsewhere(gateway)
        assert await login(gateway, session, "wrong-harbour-43") == NOBODY
        assert await links(gateway) == [first]
        assert await login(gateway, session, PASSWORD) == NOBODY
        first, again = await links(gateway)
        assert (await confirm(gateway, again, session, PASSWORD))["confirmSignup"]["customerId"] == person.id
        assert await login(gateway, session, PASSWORD) == []


class TestResendConfirmation:
    async def test_mails_the_link_of_the_sessions_own_sign_up(self, gateway: Gateway) -> None:
        owner = await gateway.signed_up(email=OWNER)
        await gateway.signed_up(email=OWNER, password=STRANGERS)
        await gateway.deliver()
        await gateway.graphql(operations.RESEND_CONFIRMATION, {"input": {"email": OWNER}}, owner.tokens.access)
        token = (await links(gateway))[-1]
        assert (await confirm(gateway, token, owner.tokens.access))["confirmSignup"]["customerId"] == owner.id


class TestRequestPasswordReset:
    async def request(self, gateway: Gateway, access: str) -> None:
        await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": OWNER}}, access)
        await gateway.deliver()

    async def test_mails_the_session_that_signed_up_its_link_again(self, gateway: Gateway) -> None:
        person = await gateway.signed_up(email=OWNER)
        await gateway.deliver()
        await self.request(gateway, person.tokens.access)
        _, again = await links(gateway)
        assert (await confirm(gateway, again, person.tokens.access)).user_errors("confirmSignup") == []

    async def test_mails_others_that_there_is_no_account_yet(self, gateway: Gateway) -> None:
        await gateway.signed_up(email=OWNER, password=STRANGERS)
        await gateway.deliver()
        await self.request(gateway, await elsewhere(gateway))
        mail = gateway.mails(OWNER)[-1]
        assert (mail.subject, mail.has_token) == ("There is no account with this e-mail address yet", False)
        assert await customers(gateway) == []


class TestUnprovenAccount:
    async def moved(self, gateway: Gateway, client: str, email: str) -> Answer:
        """Have a proved customer ask for the address, and open the link that comes to it."""
        person = await gateway.customer(client)
        if client == "open-storefront":
            await gateway.write(
                "UPDATE credential SET email_verified_at = changed_at WHERE customer_id = :id", id=person.id
            )
        given = {"input": {"newEmail": email, "password": PASSWORD}}
        await gateway.graphql(operations.CHANGE_EMAIL, given, person.tokens.access)
        await gateway.deliver()
        token = [mail for mail in gateway.mails(email) if "/confirm-email?token=" in mail.text][-1].token
        return await gateway.graphql(operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": token}}, person.tokens.access)

    @pytest.mark.parametrize("shop", ["demo", "open"])
    async def test_does_not_block_a_change_of_address(self, gateway: Gateway, shop: str) -> None:
        stranger = await gateway.signed_up(f"{shop}-storefront", email=OWNER, password=STRANGERS)
        await gateway.deliver()
        answer = await self.moved(gateway, f"{shop}-storefront", OWNER)
        assert answer["confirmEmailChange"] == {"email": OWNER, "userErrors": []}
        assert await login(gateway, await elsewhere(gateway, shop), STRANGERS) == NOBODY
        await gateway.login(OWNER, client_id=f"{shop}-storefront")
        rows = await gateway.rows("SELECT email FROM credential WHERE customer_id = :id", id=stranger.id)
        assert [row.email for row in rows] == ([None] if shop == "open" else [])

    async def test_loses_the_address_to_one_of_those_that_ask_for_it_at_once(self, gateway: Gateway) -> None:
        await gateway.signed_up("open-storefront", email=OWNER, password=STRANGERS)
        people = [await gateway.customer("open-storefront") for _ in range(3)]
        await gateway.write("UPDATE credential SET email_verified_at = changed_at WHERE email <> :email", email=OWNER)
        tokens: list[str] = []
        for person in people:
            given = {"input": {"newEmail": OWNER, "password": PASSWORD}}
            await gateway.graphql(operations.CHANGE_EMAIL, given, person.tokens.access)
            await gateway.deliver()
            tokens.append([mail for mail in gateway.mails(OWNER) if "/confirm-email?token=" in mail.text][-1].token)
        calls = [
            gateway.graphql(
                operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": token}}, await elsewhere(gateway, "open")
            )
            for token in tokens
        ]
        answers = await asyncio.gather(*calls)
        assert sorted(str(answer.user_errors("confirmEmailChange")) for answer in answers) == [
            "[('EMAIL_TAKEN', 'token')]",
            "[('EMAIL_TAKEN', 'token')]",
            "[]",
        ]

    async def test_does_not_keep_the_address_that_it_has_left(self, gateway: Gateway) -> None:
        stranger = await gateway.customer("open-storefront", email=OWNER, password=STRANGERS)
        given = {"input": {"newEmail": "stranger@example.org", "password": STRANGERS}}
        await gateway.graphql(operations.CHANGE_EMAIL, given, stranger.tokens.access)
        await gateway.deliver()
        token = gateway.mails("stranger@example.org")[-1].token
        left = await gateway.graphql(
            operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": token}}, stranger.tokens.access
        )
        assert left["confirmEmailChange"]["email"] == "stranger@example.org"
        owner = await gateway.signed_up("open-storefront", email=OWNER)
        await gateway.login(OWNER, token=owner.tokens.access)

    async def test_makes_way_for_a_customer_of_staff(self, gateway: Gateway) -> None:
        stranger = await gateway.signed_up("open-storefront", email=OWNER, password=STRANGERS)
        staff = await Staff.of(gateway, "open-backend")
        made = await staff.graphql(CREATE, {"input": {"email": OWNER}})
        assert made.user_errors("createCustomer") == []
        assert made["createCustomer"]["customer"]["id"] != stranger.id
        again = await staff.graphql(CREATE, {"input": {"email": OWNER}})
        assert again.user_errors("createCustomer") == [("EMAIL_TAKEN", "email")]

    async def test_that_is_used_keeps_its_address_where_staff_do_not_know_whose_it_is(self, gateway: Gateway) -> None:
        await gateway.customer("open-storefront", email=OWNER)
        staff = await Staff.of(gateway, "open-backend")
        made = await staff.graphql(CREATE, {"input": {"email": OWNER}})
        assert made.user_errors("createCustomer") == [("EMAIL_TAKEN", "email")]

    async def test_of_staff_goes_to_who_signs_up_and_proves_the_address(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        made = await staff.graphql(CREATE, {"input": {"email": OWNER, "firstName": "Grace"}})
        person = await gateway.signed_up(email=OWNER, customerDetails={"firstName": "G.", "lastName": "Hopper"})
        (token,) = await links(gateway)
        answer = await confirm(gateway, token, person.tokens.access)
        assert answer["confirmSignup"]["customerId"] == made["createCustomer"]["customer"]["id"]
        tokens = await gateway.login(OWNER)
        seen = await gateway.graphql("{ me { firstName lastName emailVerified } }", token=tokens.access)
        assert seen["me"] == {"firstName": "Grace", "lastName": "Hopper", "emailVerified": True}


class TestPurge:
    async def purge(self, gateway: Gateway, days: int) -> list[str]:
        """Let time pass, and return who is there then."""
        gateway.clock.advance(days=days)
        await purge_unproven(gateway.tools)
        return await customers(gateway)

    async def test_removes_after_thirty_days_who_did_nothing_but_sign_up(self, gateway: Gateway) -> None:
        person = await gateway.signed_up("open-storefront", **tutorial_signup(email=OWNER))
        assert await self.purge(gateway, 29) == [person.id]
        assert await self.purge(gateway, 2) == []
        tables = ("credential", "address", "legal_entity_assignment", "one_time_token")
        for table in tables:
            assert await gateway.rows(f"SELECT tenant_id FROM {table}") == []  # noqa: S608 - one of these tables
        await gateway.signed_up("open-storefront", email=OWNER)

    async def test_leaves_who_logged_in_or_ordered_or_was_made_by_staff_or_proved_the_address(
        self, gateway: Gateway
    ) -> None:
        staff = await Staff.of(gateway, "open-backend")
        ordering = await gateway.signed_up("open-storefront")
        await staff.graphql(
            RECORD_ORDER,
            {"input": {"customerId": ordering.id, "orderReference": "1", "placedAt": "2026-01-01T00:00:00Z"}},
        )
        made = (await staff.graphql(CREATE, {"input": {"email": OWNER}}))["createCustomer"]["customer"]["id"]
        proved = await gateway.signup_confirmed()
        logged_in = await gateway.customer("open-storefront")
        kept = sorted([ordering.id, made, proved.id, logged_in.id])
        assert await self.purge(gateway, 400) == kept

    async def test_removes_a_sign_up_that_was_never_confirmed(self, gateway: Gateway) -> None:
        await gateway.signed_up(email=OWNER)
        await gateway.deliver()
        gateway.clock.advance(days=29)
        await purge_expired(gateway.tools)
        assert len(await gateway.rows("SELECT id FROM pending_signup")) == 1
        gateway.clock.advance(days=2)
        await purge_expired(gateway.tools)
        assert await gateway.rows("SELECT id FROM pending_signup") == []


class TestErasure:
    async def test_leaves_nothing_of_the_sign_ups_with_the_address(self, gateway: Gateway) -> None:
        await gateway.signed_up(email=OWNER, password=STRANGERS)
        person = await gateway.signed_up(email=OWNER)
        await confirm(gateway, (await links(gateway))[-1], person.tokens.access)
        await try_to_sign_up(gateway, "demo", STRANGERS)
        gateway.clock.advance(hours=2)
        await gateway.write(
            "INSERT INTO anonymization (tenant_id, id, customer_id, status, requester_type, requester_id, requested_at,"
            " due_at, next_attempt_at, attempts) SELECT tenant_id, 'a', id, 'REQUESTED', 'Customer', id, created_at,"
            " created_at, created_at, 0 FROM customer"
        )
        await anonymize_due(gateway.tools)
        for table in ("pending_signup", "one_time_token", "credential"):
            assert OWNER not in str(await gateway.rows(f"SELECT * FROM {table}"))  # noqa: S608 - one of these tables
        mails = "SELECT payload FROM outbox_message WHERE topic <> 'anonymization_done'"
        assert OWNER not in str(await gateway.rows(mails))


class TestLinkOntoAnAccountThatWasUsed:
    """In an open shop: a stranger was in before the owner signed up and opened the own link."""

    UPDATE = "mutation($input: UpdateMeInput!) { updateMe(input: $input) { userErrors { code } } }"
    SEEN = "{ me { firstName lastName contactEmail } }"

    async def test_leaves_the_stranger_no_way_out_and_tells_the_owner_of_the_data(self, gateway: Gateway) -> None:
        stranger = await gateway.customer("open-storefront", email=OWNER, password=STRANGERS)
        given = {"firstName": "Mallory", "lastName": "Strange", "contactEmail": "mallory@example.org"}
        await gateway.graphql(self.UPDATE, {"input": given}, stranger.tokens.access)
        session = await gateway.anonymous("open-storefront")
        signed_up = {"email": OWNER, "password": PASSWORD, "customerDetails": {"firstName": "Ada"}}
        answer = await gateway.graphql(operations.SIGNUP, {"input": signed_up}, session.access)
        assert [code for code, _ in answer.user_errors("signup")] == ["EMAIL_TAKEN"]
        query = "mutation($t: String!) { confirmSignup(input: {token: $t}) { keptUnprovenData userErrors { code } } }"
        confirmed = await gateway.graphql(query, {"t": (await links(gateway))[-1]}, session.access)
        assert confirmed["confirmSignup"] == {"keptUnprovenData": True, "userErrors": []}
        tokens = await gateway.login(OWNER, PASSWORD, client_id="open-storefront")
        seen = (await gateway.graphql(self.SEEN, None, tokens.access))["me"]
        assert (seen["firstName"], seen["lastName"], seen["contactEmail"]) == ("Ada", "Strange", OWNER)
        await gateway.graphql("mutation { discardUnprovenData { userErrors { code } } }", None, tokens.access)
        seen = (await gateway.graphql(self.SEEN, None, tokens.access))["me"]
        assert (seen["firstName"], seen["lastName"]) == ("Ada", None)
