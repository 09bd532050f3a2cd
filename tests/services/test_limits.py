"""How often an operation may be tried, through the real endpoint."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.adapters.keys.passwords import Argon2Passwords
from app.adapters.limits.redis import logger as limiter_logger
from app.domain.ports import Comparison
from app.domain.requests import RequestFacts
from app.services.caller import Caller
from app.services.limits import may_mail
from app.services.unit_of_work import UnitOfWork
from tests.factories import PASSWORD, signup_input
from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.client import Answer
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.redis_server import RedisServer, run_redis
from tests.harness.tenants import shop, storefront, table

pytestmark = pytest.mark.anyio

WRONG = "wrong-harbour-42"
LIMITED = "RATE_LIMITED"
REQUEST_RESET = """mutation ($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) { accepted userErrors { code field message } }
}"""
RESET = """mutation ($input: ResetPasswordInput!) {
    resetPassword(input: $input) { userErrors { code field message } }
}"""
CHANGE_PASSWORD = """mutation ($input: ChangePasswordInput!) {
    changePassword(input: $input) { tokens { accessToken } userErrors { code field message } }
}"""


async def try_login(gateway: Gateway, email: str, password: str, token: str, **headers: str) -> Answer:
    return await gateway.graphql(operations.LOGIN, {"input": {"email": email, "password": password}}, token, headers)


def outcome(answer: Answer, name: str = "login") -> str:
    """Return the code of the answer, whether it stands in the errors or in the payload; OK without any."""
    if answer.codes:
        return str(answer.codes[0])
    found = answer.user_errors(name)
    return found[0][0] if found else "OK"


def seconds_to_wait(answer: Answer) -> int:
    (error,) = answer.errors
    assert error["extensions"]["code"] == LIMITED
    assert answer.headers["retry-after"] == str(error["extensions"]["retryAfter"])
    return int(error["extensions"]["retryAfter"])


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that reaches argon2."""
    passwords: list[str] = []
    compare = Argon2Passwords.compare

    async def counting(self: Argon2Passwords, encoded: str | None, password: str) -> Comparison:
        passwords.append(password)
        return await compare(self, encoded, password)

    monkeypatch.setattr(Argon2Passwords, "compare", counting)
    return passwords


class TestLogin:
    async def test_lets_five_of_a_hundred_parallel_guesses_reach_argon2(
        self, gateway: Gateway, checked: list[str]
    ) -> None:
        person = await gateway.signup_confirmed()
        sessions = [await gateway.anonymous() for _ in range(25)]
        calls = [try_login(gateway, person.email, WRONG, sessions[number % 25].access) for number in range(100)]
        answers = await asyncio.gather(*calls)
        assert len(checked) == 5
        assert Counter(map(outcome, answers)) == {"INVALID_CREDENTIALS": 5, LIMITED: 95}

    async def test_lets_ten_of_a_hundred_parallel_guesses_at_many_accounts_reach_argon2(
        self, gateway: Gateway, checked: list[str]
    ) -> None:
        sessions = [await gateway.anonymous() for _ in range(25)]
        calls = [try_login(gateway, f"a{n}@example.com", WRONG, sessions[n % 25].access) for n in range(100)]
        answers = await asyncio.gather(*calls)
        assert len(checked) == 10
        assert Counter(map(outcome, answers)) == {"INVALID_CREDENTIALS": 10, LIMITED: 90}

    async def test_refuses_aliased_logins_in_one_document(self, gateway: Gateway, checked: list[str]) -> None:
        tokens = await gateway.anonymous()
        logins = " ".join(
            f'l{n}: login(input: {{email: "ada@example.com", password: "guess-{n}"}}) {{ userErrors {{ code }} }}'
            for n in range(2)
        )
        answer = await gateway.graphql(f"mutation {{ {logins} }}", token=tokens.access)
        assert answer.data is None
        assert answer.codes == ["QUERY_TOO_COMPLEX"]
        assert checked == []

    async def test_lets_waits_grow_to_a_quarter_of_an_hour(self, gateway: Gateway) -> None:
        waits = []
        for _ in range(5):
            tokens = await gateway.anonymous()
            assert outcome(await try_login(gateway, "ada@example.com", WRONG, tokens.access)) == "INVALID_CREDENTIALS"
        for _ in range(7):
            tokens = await gateway.anonymous()
            refused = await try_login(gateway, "ada@example.com", WRONG, tokens.access)
            waits.append(seconds_to_wait(refused))
            gateway.clock.advance(seconds=waits[-1])
            tokens = await gateway.anonymous()
            assert outcome(await try_login(gateway, "ada@example.com", WRONG, tokens.access)) == "INVALID_CREDENTIALS"
        assert [round(wait / 60) for wait in waits] == [1, 2, 4, 8, 15, 15, 15]

    async def test_refuses_the_right_password_while_the_wait_goes_on(
        self, gateway: Gateway, checked: list[str]
    ) -> None:
        person = await gateway.signup_confirmed()
        for _ in range(5):
            await try_login(gateway, person.email, WRONG, person.tokens.access)
        refused = await try_login(gateway, person.email, PASSWORD, person.tokens.access)
        assert PASSWORD not in checked
        gateway.clock.advance(seconds=seconds_to_wait(refused))
        assert outcome(await try_login(gateway, person.email, PASSWORD, person.tokens.access)) == "OK"

    async def test_forgets_the_failures_of_an_account_after_the_right_password(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        for _ in range(4):
            await try_login(gateway, person.email, WRONG, person.tokens.access)
        await gateway.login(person.email, token=person.tokens.access)
        gateway.clock.advance(minutes=2)
        tokens = await gateway.anonymous()
        for _ in range(5):
            assert outcome(await try_login(gateway, person.email, WRONG, tokens.access)) == "INVALID_CREDENTIALS"

    async def test_never_locks_the_owner_out_whatever_strangers_do(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for number in range(12):
            gateway.ip = f"198.51.100.{number}"
            tokens = await gateway.anonymous()
            for _ in range(6):
                await try_login(gateway, person.email, WRONG, tokens.access)
        gateway.ip = "203.0.113.7"
        await gateway.login(person.email, device=person.tokens.device)

    async def test_counts_an_account_however_it_is_spelled(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        for email in ("Ada@example.com", "ADA@Example.com", " ada@example.com", "ada@EXAMPLE.com", "aDa@example.com"):
            assert outcome(await try_login(gateway, email, WRONG, tokens.access)) == "INVALID_CREDENTIALS"
        assert outcome(await try_login(gateway, "ada@example.com", WRONG, tokens.access)) == LIMITED

    async def test_treats_known_unknown_and_impossible_addresses_alike(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        seen = []
        for number, email in enumerate((person.email, "nobody@example.com", "no address")):
            gateway.ip = f"198.51.100.{number}"
            tokens = await gateway.anonymous()
            seen.append([outcome(await try_login(gateway, email, WRONG, tokens.access)) for _ in range(7)])
        assert seen == [["INVALID_CREDENTIALS"] * 5 + [LIMITED] * 2] * 3

    async def test_does_not_count_successes_as_failures(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        for _ in range(15):
            await gateway.login(person.email)

    async def test_never_clears_the_counter_of_an_address_by_a_success(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        for number in range(9):
            tokens = await gateway.anonymous()
            await try_login(gateway, f"a{number}@example.com", WRONG, tokens.access)
        await gateway.login(person.email)
        tokens = await gateway.anonymous()
        assert outcome(await try_login(gateway, "b1@example.com", WRONG, tokens.access)) == "INVALID_CREDENTIALS"
        assert outcome(await try_login(gateway, "b2@example.com", WRONG, tokens.access)) == LIMITED

    async def test_counts_thirty_logins_of_an_address_in_a_minute(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        for _ in range(30):
            await gateway.login(person.email)
        tokens = await gateway.anonymous()
        assert outcome(await try_login(gateway, person.email, PASSWORD, tokens.access)) == LIMITED

    async def test_counts_ten_tries_of_a_session_wherever_they_come_from(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        seen = []
        for number in range(11):
            gateway.ip = f"198.51.100.{number}"
            seen.append(outcome(await try_login(gateway, "ada@example.com", WRONG, tokens.access)))
        assert seen == ["INVALID_CREDENTIALS"] * 10 + [LIMITED]

    async def test_counts_for_each_shop_alone(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        for _ in range(6):
            refused = await try_login(gateway, "ada@example.com", WRONG, tokens.access)
        assert outcome(refused) == LIMITED
        elsewhere = await gateway.anonymous("open-storefront")
        answer = await try_login(gateway, "ada@example.com", WRONG, elsewhere.access)
        assert outcome(answer) == "INVALID_CREDENTIALS"

    async def test_takes_the_addresses_of_one_household_for_one(self, gateway: Gateway) -> None:
        seen = []
        for number in range(6):
            gateway.ip = f"2001:db8:1:2::{number + 1}"
            tokens = await gateway.anonymous()
            seen.append(outcome(await try_login(gateway, "ada@example.com", WRONG, tokens.access)))
        assert seen == ["INVALID_CREDENTIALS"] * 5 + [LIMITED]

    async def test_does_not_believe_a_header_about_the_address(self, gateway: Gateway) -> None:
        seen = []
        for number in range(6):
            headers = {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"}
            tokens = await gateway.anonymous()
            seen.append(outcome(await try_login(gateway, "ada@example.com", WRONG, tokens.access, **headers)))
        assert seen == ["INVALID_CREDENTIALS"] * 5 + [LIMITED]


class TestFullQueue:
    async def test_is_answered_at_once_and_counts_for_nothing(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        passwords = gateway.tools.passwords
        assert isinstance(passwords, Argon2Passwords)
        session = {"Authorization": f"Bearer {person.tokens.access}"}
        body = {"query": operations.LOGIN, "variables": {"input": {"email": person.email, "password": PASSWORD}}}
        go_on = threading.Event()
        hashes = [asyncio.ensure_future(passwords._run(go_on.wait)) for _ in range(200)]
        await asyncio.sleep(0)
        assert passwords.waiting == 64
        durations, codes = [], []
        for _ in range(8):
            # The queue does not move, so who waited for it would wait for ever; here is counted what an answer costs.
            started = time.process_time()
            answer = await gateway.http.post("/graphql", json=body, headers=session)
            durations.append(time.process_time() - started)
            codes.append(answer.json()["errors"][0]["extensions"]["code"])
        go_on.set()
        await asyncio.gather(*hashes, return_exceptions=True)
        assert codes == ["SERVICE_BUSY"] * 8
        assert min(durations) < 0.05
        await gateway.login(person.email, token=person.tokens.access)


class TestChangePassword:
    async def test_is_no_way_around_the_limits_of_login(self, gateway: Gateway, checked: list[str]) -> None:
        person = await gateway.customer()
        checked.clear()
        change = {"input": {"currentPassword": WRONG, "newPassword": "another-harbour-43"}}
        seen = [
            outcome(await gateway.graphql(CHANGE_PASSWORD, change, person.tokens.access), "changePassword")
            for _ in range(6)
        ]
        assert seen == ["INVALID_CREDENTIALS"] * 5 + [LIMITED]
        assert len(checked) == 5


class TestAnonymousLogin:
    async def test_counts_sixty_of_an_address_in_a_minute(self, gateway: Gateway) -> None:
        for _ in range(60):
            await gateway.anonymous()
            gateway.clock.advance(seconds=0.1)
        answer = await gateway.graphql(operations.ANONYMOUS_LOGIN, {"input": {"clientId": "demo-storefront"}})
        assert answer.codes == [LIMITED]
        gateway.clock.advance(seconds=seconds_to_wait(answer))
        await gateway.anonymous()

    async def test_counts_fifty_of_a_shop_in_a_second(self, gateway: Gateway) -> None:
        for number in range(50):
            gateway.ip = f"198.51.100.{number}"
            await gateway.anonymous()
        gateway.ip = "203.0.113.7"
        answer = await gateway.graphql(operations.ANONYMOUS_LOGIN, {"input": {"clientId": "demo-storefront"}})
        assert answer.codes == [LIMITED]
        await gateway.anonymous("open-storefront")
        gateway.clock.advance(seconds=2)
        await gateway.anonymous()


class TestRefresh:
    async def test_counts_thirty_of_a_session_in_a_minute(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        for _ in range(30):
            tokens = await gateway.refresh(tokens.refresh)
        answer = await gateway.graphql(operations.REFRESH, {"input": {"refreshToken": tokens.refresh}})
        assert answer.codes == [LIMITED]
        gateway.clock.advance(seconds=seconds_to_wait(answer))
        await gateway.refresh(tokens.refresh)

    async def test_counts_sixty_of_an_address_in_a_minute(self, gateway: Gateway) -> None:
        unknown = {"input": {"refreshToken": "cg_cr_" + "A" * 43}}
        seen = [outcome(await gateway.graphql(operations.REFRESH, unknown), "refresh") for _ in range(61)]
        assert seen == ["TOKEN_INVALID"] * 60 + [LIMITED]


class TestSignup:
    async def test_counts_five_of_a_session_in_an_hour(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        for number in range(5):
            await gateway.signup(tokens.access, email=f"a{number}@example.com")
        answer = await gateway.graphql(operations.SIGNUP, {"input": signup_input(email="b@example.com")}, tokens.access)
        assert answer.codes == [LIMITED]
        gateway.clock.advance(seconds=seconds_to_wait(answer))

    async def test_counts_no_mistake_in_the_form_for_the_session(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        for _ in range(10):
            assert (await gateway.signup(tokens.access, password="short"))["userErrors"]
        assert (await gateway.signup(tokens.access))["userErrors"] == []

    async def test_counts_twenty_forms_of_an_address_in_a_minute(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        form = {"input": signup_input(password="short")}
        seen = [outcome(await gateway.graphql(operations.SIGNUP, form, tokens.access), "signup") for _ in range(21)]
        assert seen == ["PASSWORD_TOO_SHORT"] * 20 + [LIMITED]

    async def test_mails_an_owner_three_times_an_hour_and_answers_the_same(self, gateway: Gateway) -> None:
        await gateway.signup_confirmed(email="ada@example.com")
        statuses = []
        for _ in range(4):
            tokens = await gateway.anonymous()
            payload = await gateway.signup(tokens.access, email="ada@example.com")
            assert payload["userErrors"] == []
            statuses.append(payload["status"])
        await gateway.deliver()
        assert statuses == ["CONFIRMATION_SENT"] * 4
        subjects = [mail.subject for mail in gateway.mails("ada@example.com")]
        assert subjects == ["Please confirm your e-mail address"] + ["You already have an account"] * 2
        gateway.clock.advance(hours=2)
        await gateway.signup((await gateway.anonymous()).access, email="ada@example.com")
        await gateway.deliver()
        assert len(gateway.mails("ada@example.com")) == 4


class TestMailedFlows:
    async def request_reset(self, gateway: Gateway, email: str, token: str) -> str:
        answer = await gateway.graphql(REQUEST_RESET, {"input": {"email": email}}, token)
        if not answer.errors:
            assert answer["requestPasswordReset"]["accepted"] is True
        return outcome(answer, "requestPasswordReset")

    async def test_mail_a_recipient_three_times_an_hour_and_answer_the_same(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        gateway.clock.advance(hours=2)
        for _ in range(5):
            tokens = await gateway.anonymous()
            assert await self.request_reset(gateway, person.email, tokens.access) == "OK"
            await gateway.deliver()
        assert len(gateway.mails(person.email)) == 1 + 3

    async def test_leave_the_last_mailed_token_good_when_the_next_is_not_mailed(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        gateway.clock.advance(hours=2)
        for _ in range(5):
            tokens = await gateway.anonymous()
            await self.request_reset(gateway, person.email, tokens.access)
            await gateway.deliver()
        last = gateway.mails(person.email)[-1]
        reset = {"input": {"token": last.token, "password": "another-harbour-43"}}
        answer = await gateway.graphql(RESET, reset, (await gateway.anonymous()).access)
        assert answer.user_errors("resetPassword") == []

    async def test_mail_a_recipient_ten_times_a_day(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        for _ in range(14):
            gateway.clock.advance(minutes=61)
            tokens = await gateway.anonymous()
            assert await self.request_reset(gateway, person.email, tokens.access) == "OK"
            await gateway.deliver()
        assert len(gateway.mails(person.email)) == 10

    async def test_never_keep_a_warning_from_a_recipient_who_had_enough(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for _ in range(5):
            await self.request_reset(gateway, person.email, (await gateway.anonymous()).access)
            await gateway.deliver()
        before = len(gateway.mails(person.email))
        change = {"input": {"currentPassword": PASSWORD, "newPassword": "another-harbour-43"}}
        answer = await gateway.graphql(CHANGE_PASSWORD, change, person.tokens.access)
        assert answer.user_errors("changePassword") == []
        await gateway.deliver()
        assert [mail.subject for mail in gateway.mails(person.email)[before:]] == ["Your password was changed"]

    async def test_count_five_of_a_session_in_an_hour(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        seen = [await self.request_reset(gateway, f"a{n}@example.com", tokens.access) for n in range(6)]
        assert seen == ["OK"] * 5 + [LIMITED]

    async def test_count_twenty_of_an_address_in_a_minute(self, gateway: Gateway) -> None:
        sessions = [await gateway.anonymous() for _ in range(5)]
        seen = [await self.request_reset(gateway, f"a{n}@example.com", sessions[n % 5].access) for n in range(21)]
        assert seen == ["OK"] * 20 + [LIMITED]


class TestOneTimeToken:
    async def test_counts_twenty_of_an_address_in_a_minute(self, gateway: Gateway) -> None:
        seen = []
        for number in range(21):
            unknown = {"input": {"token": "cg_ot_" + f"{number:043d}"}}
            seen.append(outcome(await gateway.graphql(operations.CONFIRM_SIGNUP, unknown), "confirmSignup"))
        assert seen == ["TOKEN_INVALID"] * 20 + [LIMITED]

    async def test_counts_five_tries_of_one_token_wherever_they_come_from(self, gateway: Gateway) -> None:
        person = await gateway.signed_up()
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        gateway.clock.advance(hours=25)
        late = {"input": {"token": mail.token}}
        seen = []
        for number in range(6):
            gateway.ip = f"198.51.100.{number}"
            seen.append(outcome(await gateway.graphql(operations.CONFIRM_SIGNUP, late), "confirmSignup"))
        assert seen == ["TOKEN_EXPIRED"] * 5 + [LIMITED]

    async def test_counts_no_refused_password_for_a_good_token(self, gateway: Gateway) -> None:
        person = await gateway.signup_confirmed()
        tokens = await gateway.anonymous()
        await gateway.graphql(REQUEST_RESET, {"input": {"email": person.email}}, tokens.access)
        await gateway.deliver()
        token = gateway.mails(person.email)[-1].token
        for password in ["short"] * 8 + ["another-harbour-43"]:
            answer = await gateway.graphql(RESET, {"input": {"token": token, "password": password}}, tokens.access)
        assert answer.user_errors("resetPassword") == []


class TestTenantNumbers:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> dict[str, str]:
        tenants = tmp_path / "tenants.toml"
        limits = table(
            "[tenants.strict.limits]", login_failures_per_account_per_5_minutes=2, login_delay_max_seconds=70
        )
        tenants.write_text(shop("strict") + limits + storefront("strict", "strict-storefront"))
        return {"TENANTS_FILE": str(tenants)}

    async def test_are_those_of_the_tenants_file(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("strict-storefront")
        answers = [await try_login(gateway, "ada@example.com", WRONG, tokens.access) for _ in range(3)]
        assert [outcome(answer) for answer in answers] == ["INVALID_CREDENTIALS"] * 2 + [LIMITED]
        gateway.clock.advance(seconds=seconds_to_wait(answers[-1]))
        await try_login(gateway, "ada@example.com", WRONG, tokens.access)
        assert 60 < seconds_to_wait(await try_login(gateway, "ada@example.com", WRONG, tokens.access)) <= 71


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with run_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@asynccontextmanager
async def two_gateways(environment: dict[str, str]) -> AsyncIterator[tuple[Gateway, Gateway]]:
    clock = MovableClock()
    async with run_gateway(environment, clock) as first, run_gateway(environment, clock) as second:
        yield first, second


class TestTwoGateways:
    async def tries(self, gateways: tuple[Gateway, Gateway], amount: int) -> Counter[str]:
        seen = []
        for number in range(amount):
            gateway = gateways[number % 2]
            tokens = await gateway.anonymous()
            seen.append(outcome(await try_login(gateway, "ada@example.com", WRONG, tokens.access)))
        return Counter(seen)

    async def test_count_together_in_redis(
        self, environment: dict[str, str], redis: RedisServer, checked: list[str]
    ) -> None:
        redis.client.flushall()
        async with two_gateways({**environment, "REDIS_URL": redis.url}) as gateways:
            seen = await self.tries(gateways, 12)
        assert seen == {"INVALID_CREDENTIALS": 5, LIMITED: 7}
        assert len(checked) == 5

    async def test_count_half_each_alone_while_redis_is_away(
        self, environment: dict[str, str], redis: RedisServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        redis.client.flushall()
        async with two_gateways({**environment, "REDIS_URL": redis.url}) as gateways:
            redis.stop()
            try:
                seen = await self.tries(gateways, 12)
            finally:
                redis.start()
        assert seen == {"INVALID_CREDENTIALS": 2 * 2, LIMITED: 8}
        assert limiter_logger.name in {record.name for record in caplog.records}


class TestWideNetworks:
    """An IPv6 subscriber may have a /48, which is 65,536 times a /64."""

    async def test_may_fail_ten_times_as_often_as_one_household(self, gateway: Gateway) -> None:
        seen: Counter[str] = Counter()
        for number in range(101):
            gateway.ip = f"2001:db8:1:{number:x}::1"
            tokens = await gateway.anonymous()
            seen[outcome(await try_login(gateway, f"a{number}@example.com", f"{WRONG}-{number}", tokens.access))] += 1
            gateway.clock.advance(seconds=0.1)
        assert seen == {"INVALID_CREDENTIALS": 100, LIMITED: 1}
        gateway.ip = "2001:db8:2::1"
        tokens = await gateway.anonymous()
        assert outcome(await try_login(gateway, "b@example.com", WRONG, tokens.access)) == "INVALID_CREDENTIALS"

    async def test_may_begin_ten_times_as_many_sessions(self, gateway: Gateway) -> None:
        for number in range(600):
            gateway.ip = f"2001:db8:1:{number:x}::1"
            await gateway.anonymous()
            gateway.clock.advance(seconds=0.05)
        gateway.ip = "2001:db8:1:ffff::1"
        answer = await gateway.graphql(operations.ANONYMOUS_LOGIN, {"input": {"clientId": "demo-storefront"}})
        assert answer.codes == [LIMITED]

    async def test_may_ask_for_ten_times_as_many_mails(self, gateway: Gateway) -> None:
        sessions = [await gateway.anonymous() for _ in range(41)]
        seen: Counter[str] = Counter()
        for number in range(201):
            gateway.ip = f"2001:db8:1:{number:x}::1"
            email = {"input": {"email": f"a{number}@example.com"}}
            answer = await gateway.graphql(REQUEST_RESET, email, sessions[number // 5].access)
            seen[outcome(answer, "requestPasswordReset")] += 1
        assert seen == {"OK": 200, LIMITED: 1}


class TestResetsOfStrangers:
    async def ask(self, gateway: Gateway, email: str, ip: str) -> None:
        gateway.ip = ip
        token = (await gateway.anonymous()).access
        await gateway.graphql(REQUEST_RESET, {"input": {"email": email}}, token)
        await gateway.deliver()

    async def used_up(self, gateway: Gateway) -> str:
        """Let a stranger use up the mails of an hour, and return whose."""
        person = await gateway.customer()
        gateway.clock.advance(hours=2)
        for _ in range(5):
            await self.ask(gateway, person.email, "198.51.100.1")
        assert len(gateway.mails(person.email)) == 1 + 3
        return person.email

    async def test_leave_one_mail_to_who_has_asked_for_nothing_else(self, gateway: Gateway) -> None:
        email = await self.used_up(gateway)
        await self.ask(gateway, email, "203.0.113.7")
        assert len(gateway.mails(email)) == 1 + 3 + 1

    async def test_leave_one_a_day(self, gateway: Gateway) -> None:
        email = await self.used_up(gateway)
        for number in range(5):
            await self.ask(gateway, email, f"203.0.113.{number}")
        assert len(gateway.mails(email)) == 1 + 3 + 1

    async def test_leave_none_to_who_has_asked_for_something_else(self, gateway: Gateway) -> None:
        email = await self.used_up(gateway)
        await self.ask(gateway, "other@example.com", "203.0.113.7")
        await self.ask(gateway, email, "203.0.113.7")
        assert len(gateway.mails(email)) == 1 + 3

    async def test_leave_every_link_good_until_one_is_used(self, gateway: Gateway) -> None:
        email = await self.used_up(gateway)
        await self.ask(gateway, email, "203.0.113.7")
        links = [mail.token for mail in gateway.mails(email) if "/reset-password" in mail.text]
        assert len(links) == 4
        seen = []
        for link in links[1:3]:
            reset = {"input": {"token": link, "password": "another-harbour-43"}}
            answer = await gateway.graphql(RESET, reset, (await gateway.anonymous()).access)
            seen.append(outcome(answer, "resetPassword"))
        assert seen == ["OK", "TOKEN_INVALID"]


class TestRolledBackMail:
    """Mails are counted with the commit: what was rolled back has used nothing up."""

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    async def test_of_a_signup_leaves_the_mails_of_that_hour_to_the_next_try(self, gateway: Gateway) -> None:
        await gateway.write(
            "CREATE TRIGGER no_mail BEFORE INSERT ON outbox_message WHEN NEW.kind = 'mail' "
            "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
        await gateway.signed_up(email="ada@example.com")
        for _ in range(6):
            await gateway.deliver()
            gateway.clock.advance(minutes=5)
        assert gateway.mails() == []
        await gateway.write("DROP TRIGGER no_mail")
        await gateway.deliver()
        assert len(gateway.mails("ada@example.com")) == 1

    async def test_is_given_back_by_a_unit_of_work_that_fails(self, gateway: Gateway) -> None:
        async def mail_and(*, fail: bool) -> bool:
            async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip="192.0.2.1"))) as uow:
                uow.enter(gateway.tools.tenants.tenant("demo"))
                allowed = await may_mail(uow, "ada@example.com", signup=True)
                if fail:
                    raise ConnectionError("The database is away.")
            return allowed

        for _ in range(10):
            with pytest.raises(ConnectionError):
                await mail_and(fail=True)
        assert [await mail_and(fail=False) for _ in range(4)] == [True, True, True, False]
