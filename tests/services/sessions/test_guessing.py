"""Guesses of passwords from many addresses, and at many accounts, through the real endpoint."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.adapters.challenges import DEMO_ANSWER
from app.adapters.keys.passwords import Argon2Passwords
from app.domain.ports import Comparison
from tests.factories import PASSWORD
from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.client import Answer, Person, Tokens
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.receiver import Receiver, run_receiver
from tests.harness.redis_server import RedisServer, run_redis
from tests.harness.tenants import shop, storefront, table

pytestmark = pytest.mark.anyio

WRONG = "wrong-harbour-42"
NEW_PASSWORD = "another-harbour-43"
LIMITED = "RATE_LIMITED"
REFUSED = "INVALID_CREDENTIALS"
STRANGERS = [f"198.51.100.{number}" for number in range(10)]
ELSEWHERE = "203.0.113.7"
# Enough for each test to have its own number, whatever the addresses would be limited to.
LARGE = 10_000


async def try_login(
    gateway: Gateway,
    email: str,
    password: str = WRONG,
    *,
    ip: str | None = None,
    device: str | None = None,
    token: str | None = None,
    client: str = "demo-storefront",
    **headers: str,
) -> Answer:
    if ip is not None:
        gateway.ip = ip
    token = token or (await gateway.anonymous(client)).access
    given = {"email": email, "password": password, "deviceToken": device}
    return await gateway.graphql(operations.LOGIN, {"input": given}, token, headers)


def outcome(answer: Answer, name: str = "login") -> str:
    if answer.codes:
        return str(answer.codes[0])
    found = answer.user_errors(name)
    return found[0][0] if found else "OK"


def seconds_to_wait(answer: Answer) -> int:
    (error,) = answer.errors
    assert error["extensions"]["code"] == LIMITED
    assert answer.headers["retry-after"] == str(error["extensions"]["retryAfter"])
    return int(error["extensions"]["retryAfter"])


async def attack(gateway: Gateway, email: str, client: str = "demo-storefront") -> list[str]:
    """Let ten strangers guess once each, and return how they were answered."""
    answers = [await try_login(gateway, email, f"{WRONG}-{ip}", ip=ip, client=client) for ip in STRANGERS]
    gateway.ip = ELSEWHERE
    return [outcome(answer) for answer in answers]


async def reset(gateway: Gateway, email: str, token: str) -> None:
    """Set a new password by the mailed link, in this session."""
    await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": email}}, token)
    await gateway.deliver()
    link = next(mail for mail in reversed(gateway.mails(email)) if mail.has_token)
    given = {"input": {"token": link.token, "password": NEW_PASSWORD}}
    answer = await gateway.graphql(operations.RESET_PASSWORD, given, token)
    assert answer.user_errors("resetPassword") == []


def subjects(gateway: Gateway, email: str) -> list[str]:
    return [mail.subject for mail in gateway.mails(email)]


ATTACKED = "Somebody is trying to get into your account"
AFTER_FAILURES = "Login to your account after many failures"


class TestFailuresFromTenAddresses:
    async def test_make_devices_wait_that_the_account_does_not_know(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        assert await attack(gateway, person.email) == [REFUSED] * 10
        assert 590 <= seconds_to_wait(await try_login(gateway, person.email)) <= 600
        assert outcome(await try_login(gateway, person.email, PASSWORD)) == LIMITED

    async def test_let_a_known_device_go_on_with_the_same_token(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await attack(gateway, person.email)
        for _ in range(3):
            tokens = await gateway.login(person.email, device=person.tokens.device)
            assert tokens.device == person.tokens.device

    async def test_wait_as_long_as_the_answer_says(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await attack(gateway, person.email)
        gateway.clock.advance(seconds=seconds_to_wait(await try_login(gateway, person.email, PASSWORD)))
        await gateway.login(person.email)

    async def test_treat_known_unknown_and_impossible_addresses_alike(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        seen = []
        for email in (person.email, "nobody@example.com", "no address"):
            answers = await attack(gateway, email)
            last = await try_login(gateway, email, ip=ELSEWHERE)
            seen.append(([*answers, outcome(last)], last.errors[0]["message"]))
            gateway.clock.advance(minutes=2)
        assert seen[0] == seen[1] == seen[2]

    async def test_write_as_much_for_an_unknown_address(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        written = []
        for email in (person.email, "nobody@example.com"):
            with gateway.count_statements() as statements:
                await attack(gateway, email)
                await try_login(gateway, email)
            written.append(len(statements))
            gateway.clock.advance(minutes=2)
        assert written[0] == written[1]

    async def test_count_an_address_however_it_is_spelled(self, gateway: Gateway) -> None:
        for number, ip in enumerate(STRANGERS):
            await try_login(gateway, "ADA@example.com" if number % 2 else " ada@EXAMPLE.com", ip=ip)
        assert outcome(await try_login(gateway, "ada@example.com", ip=ELSEWHERE)) == LIMITED

    async def test_let_ten_of_a_hundred_parallel_guesses_through(
        self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = await gateway.customer()
        checked: list[str] = []
        compare = Argon2Passwords.compare

        async def counting(self: Argon2Passwords, encoded: str | None, password: str) -> Comparison:
            checked.append(password)
            return await compare(self, encoded, password)

        monkeypatch.setattr(Argon2Passwords, "compare", counting)
        tokens = []
        for number in range(100):
            gateway.ip = f"198.51.{number // 50}.{number % 50}"
            tokens.append((gateway.ip, (await gateway.anonymous()).access))
            gateway.clock.advance(seconds=0.1)
        calls = []
        for ip, token in tokens:
            calls.append(asyncio.ensure_future(try_login(gateway, person.email, ip=ip, token=token)))
            # The request takes its address before the next one is set.
            await asyncio.sleep(0)
        answers = await asyncio.gather(*calls)
        assert Counter(map(outcome, answers)) == {REFUSED: 10, LIMITED: 90}
        assert len(checked) == 10

    async def test_are_forgotten_for_the_address_that_logs_in(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for ip in STRANGERS[:9]:
            await try_login(gateway, person.email, ip=ip)
        gateway.ip = ELSEWHERE
        await gateway.login(person.email)
        await gateway.login(person.email)
        assert outcome(await try_login(gateway, person.email, ip=STRANGERS[9])) == REFUSED
        assert outcome(await try_login(gateway, person.email, ip=ELSEWHERE)) == LIMITED

    async def test_let_the_owner_change_the_password_meanwhile(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await attack(gateway, person.email)
        change = {"input": {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}}
        answer = await gateway.graphql(operations.CHANGE_PASSWORD, change, person.tokens.access)
        assert answer.user_errors("changePassword") == []
        assert outcome(await try_login(gateway, person.email, NEW_PASSWORD)) == LIMITED
        device = Tokens.of(answer["changePassword"]["tokens"]).device
        await gateway.login(person.email, NEW_PASSWORD, device=device)

    async def test_let_the_owner_in_who_resets_the_password(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await attack(gateway, person.email)
        session = await gateway.anonymous()
        await reset(gateway, person.email, session.access)
        # The strangers go on, faster than the owner.
        await attack(gateway, person.email)
        assert outcome(await try_login(gateway, person.email, NEW_PASSWORD)) == LIMITED
        tokens = await gateway.login(person.email, NEW_PASSWORD, session.access)
        await gateway.login(person.email, NEW_PASSWORD, device=tokens.device)

    async def test_begin_anew_after_a_reset(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await attack(gateway, person.email)
        await reset(gateway, person.email, (await gateway.anonymous()).access)
        await gateway.login(person.email, NEW_PASSWORD)


class TestFailuresOfAnHour:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> dict[str, str]:
        return tenants(tmp_path, login_failure_addresses_per_account_per_10_minutes=LARGE)

    async def test_make_unknown_devices_wait_from_the_hundredth_on(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        seen: Counter[str] = Counter()
        for number in range(100):
            seen[outcome(await try_login(gateway, person.email, ip=f"198.51.{number}.1"))] += 1
            gateway.clock.advance(seconds=10)
        assert seen == {REFUSED: 100}
        assert seconds_to_wait(await try_login(gateway, person.email, PASSWORD, ip=ELSEWHERE)) > 60
        await gateway.login(person.email, device=person.tokens.device)

    async def test_do_not_count_logins_that_succeed(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for _ in range(110):
            await gateway.login(person.email)
            gateway.clock.advance(seconds=10)


class TestOnePasswordAtManyAccounts:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> dict[str, str]:
        return tenants(tmp_path, login_failures_per_ip_per_minute=LARGE, login_per_ip_per_minute=LARGE)

    async def spray(self, gateway: Gateway, accounts: int) -> Counter[str]:
        seen: Counter[str] = Counter()
        for number in range(accounts):
            seen[outcome(await try_login(gateway, f"a{number}@example.com", ip=f"198.51.{number}.1"))] += 1
            gateway.clock.advance(seconds=1)
        return seen

    async def test_waits_from_the_fiftieth_on(self, gateway: Gateway) -> None:
        assert await self.spray(gateway, 51) == {REFUSED: 50, LIMITED: 1}
        assert outcome(await try_login(gateway, "b@example.com", f"{WRONG}!")) == REFUSED

    async def test_lets_known_devices_go_on(self, gateway: Gateway) -> None:
        person = await gateway.customer(password=WRONG)
        await self.spray(gateway, 50)
        assert outcome(await try_login(gateway, person.email, WRONG, ip=ELSEWHERE)) == LIMITED
        await gateway.login(person.email, WRONG, device=person.tokens.device)

    async def test_is_counted_for_each_shop_alone(self, gateway: Gateway) -> None:
        await self.spray(gateway, 50)
        assert outcome(await try_login(gateway, "c@example.com", client="other-storefront")) == REFUSED

    async def test_counts_each_account_once(self, gateway: Gateway) -> None:
        for number in range(60):
            await try_login(gateway, f"a{number % 4}@example.com", ip=f"198.51.{number}.1")
            gateway.clock.advance(seconds=60)
        assert outcome(await try_login(gateway, "b@example.com", ip=ELSEWHERE)) == REFUSED

    async def test_is_nowhere_in_clear(self, gateway: Gateway) -> None:
        await self.spray(gateway, 2)
        limiter: Any = gateway.tools.limiter
        memory = limiter._limiter._storage
        assert [key for key in (*memory._counters, *memory._members._sets) if WRONG in key] == []


def tenants(folder: Path, extra: str = "", **limits: int) -> dict[str, str]:
    """Return the environment of two shops without a challenge, with these limits."""
    file = folder / "tenants.toml"
    file.write_text(
        shop("demo", signup="open")
        + table("[tenants.demo.limits]", anonymous_login_per_ip_per_minute=LARGE, **limits)
        + extra
        + storefront("demo", "demo-storefront")
        + shop("other", signup="open")
        + storefront("other", "other-storefront")
    )
    return {"TENANTS_FILE": str(file)}


class TestKnownDevice:
    async def test_gets_its_token_at_the_login_and_nowhere_else(self, gateway: Gateway) -> None:
        anonymous = await gateway.anonymous()
        assert anonymous.device is None
        person = await gateway.signup_confirmed()
        tokens = await gateway.login(person.email)
        assert tokens.device is not None
        assert tokens.device.startswith("cg_dv_")
        assert (await gateway.refresh(tokens.refresh)).device is None

    async def test_is_kept_as_a_hash(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        (row,) = await gateway.rows("SELECT * FROM device")
        assert str(person.tokens.device) not in str(row)

    async def test_slides_with_each_login_and_ends_when_it_stays_away(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        device = person.tokens.device
        for _ in range(3):
            gateway.clock.advance(days=170)
            assert (await gateway.login(person.email, device=device)).device == device
        gateway.clock.advance(days=181)
        assert (await gateway.login(person.email, device=device)).device != device

    async def test_of_somebody_else_helps_nobody(self, gateway: Gateway) -> None:
        thief, person = await gateway.customer(), await gateway.customer()
        await attack(gateway, person.email)
        for device in (thief.tokens.device, "cg_dv_" + "A" * 43, "nonsense", ""):
            assert outcome(await try_login(gateway, person.email, PASSWORD, device=device)) == LIMITED

    async def test_of_somebody_else_is_not_taken_over(self, gateway: Gateway) -> None:
        one, other = await gateway.customer(), await gateway.customer()
        tokens = await gateway.login(other.email, device=one.tokens.device)
        assert tokens.device not in {None, one.tokens.device}
        await attack(gateway, one.email)
        await gateway.login(one.email, device=one.tokens.device)

    async def test_of_another_shop_is_unknown(self, gateway: Gateway) -> None:
        person = await gateway.customer("open-storefront")
        await gateway.customer(email=person.email)
        await attack(gateway, person.email)
        assert outcome(await try_login(gateway, person.email, PASSWORD, device=person.tokens.device)) == LIMITED

    async def test_waits_longer_and_longer_when_it_guesses_itself(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        seen = []
        for ip in STRANGERS[:7]:
            answer = await try_login(gateway, person.email, ip=ip, device=person.tokens.device)
            seen.append(outcome(answer))
        assert seen == [REFUSED] * 5 + [LIMITED] * 2

    async def test_is_not_held_up_by_a_stranger_at_the_same_address(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for _ in range(7):
            await try_login(gateway, person.email)
        await gateway.login(person.email, device=person.tokens.device)

    async def test_is_forgotten_when_there_are_more_than_twenty(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for _ in range(20):
            gateway.clock.advance(minutes=1)
            latest = await gateway.login(person.email)
        (row,) = await gateway.rows("SELECT count(*) AS devices FROM device")
        assert row.devices == 20
        await attack(gateway, person.email)
        assert outcome(await try_login(gateway, person.email, PASSWORD, device=person.tokens.device)) == LIMITED
        await gateway.login(person.email, device=latest.device)

    async def test_is_forgotten_with_a_new_password(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        change = {"input": {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}}
        await gateway.graphql(operations.CHANGE_PASSWORD, change, person.tokens.access)
        await attack(gateway, person.email)
        answer = await try_login(gateway, person.email, NEW_PASSWORD, device=person.tokens.device)
        assert outcome(answer) == LIMITED

    async def test_is_forgotten_with_a_reset(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await reset(gateway, person.email, (await gateway.anonymous()).access)
        assert await gateway.rows("SELECT * FROM device") == []

    async def test_costs_a_login_one_statement_to_look_up(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        unknown, known = await gateway.anonymous(), await gateway.anonymous()
        with gateway.count_statements() as without:
            await gateway.login(person.email, token=unknown.access)
        with gateway.count_statements() as with_it:
            await gateway.login(person.email, token=known.access, device=person.tokens.device)
        # Looked up, instead of one that is added and one that makes room for it.
        assert len(with_it) == len(without) - 1


class TestOwner:
    async def test_is_told_once_a_day(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for _ in range(3):
            await attack(gateway, person.email)
            await gateway.deliver()
            gateway.clock.advance(minutes=11)
        assert subjects(gateway, person.email).count(ATTACKED) == 1
        gateway.clock.advance(days=2)
        await attack(gateway, person.email)
        await gateway.deliver()
        assert subjects(gateway, person.email).count(ATTACKED) == 2

    async def test_is_told_by_the_failure_that_makes_the_attack(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for ip in STRANGERS[:9]:
            await try_login(gateway, person.email, ip=ip)
        await gateway.deliver()
        assert ATTACKED not in subjects(gateway, person.email)
        await try_login(gateway, person.email, ip=STRANGERS[9])
        await gateway.deliver()
        assert ATTACKED in subjects(gateway, person.email)

    async def test_is_told_in_the_own_language(self, gateway: Gateway) -> None:
        person = await gateway.customer(customerDetails={"preferredLanguage": "de"})
        await attack(gateway, person.email)
        await gateway.deliver()
        assert "Jemand versucht, in Ihr Konto zu kommen" in subjects(gateway, person.email)

    async def test_of_no_account_is_nobody(self, gateway: Gateway) -> None:
        await attack(gateway, "nobody@example.com")
        await gateway.deliver()
        assert gateway.mails("nobody@example.com") == []

    async def test_is_told_of_a_login_after_ten_failures(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for ip in STRANGERS[:2]:
            for _ in range(5):
                await try_login(gateway, person.email, ip=ip)
        gateway.ip = ELSEWHERE
        await gateway.login(person.email)
        await gateway.login(person.email)
        await gateway.deliver()
        assert subjects(gateway, person.email).count(AFTER_FAILURES) == 1
        assert ATTACKED not in subjects(gateway, person.email)

    async def test_is_not_told_of_a_login_after_nine_failures(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for ip, tries in zip(STRANGERS, (5, 4), strict=False):
            for _ in range(tries):
                await try_login(gateway, person.email, ip=ip)
        gateway.ip = ELSEWHERE
        await gateway.login(person.email)
        await gateway.deliver()
        assert AFTER_FAILURES not in subjects(gateway, person.email)

    async def test_is_not_told_again_of_the_own_login_during_an_attack(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await attack(gateway, person.email)
        await gateway.login(person.email, device=person.tokens.device)
        await gateway.deliver()
        assert ATTACKED in subjects(gateway, person.email)
        assert AFTER_FAILURES not in subjects(gateway, person.email)

    async def test_is_told_of_a_strange_login_even_after_an_attack(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await attack(gateway, person.email)
        gateway.clock.advance(minutes=11)
        await gateway.login(person.email)
        await gateway.deliver()
        assert AFTER_FAILURES in subjects(gateway, person.email)


class TestChallenge:
    async def attacked(self, gateway: Gateway) -> Person:
        person = await gateway.customer("open-storefront")
        await attack(gateway, person.email, "open-storefront")
        return person

    async def answer(self, gateway: Gateway, email: str, response: str, password: str = PASSWORD) -> Answer:
        headers = {"Challenge-Response": response}
        return await try_login(gateway, email, password, client="open-storefront", **headers)

    async def test_is_asked_for_instead_of_a_wait(self, gateway: Gateway) -> None:
        person = await self.attacked(gateway)
        answer = await try_login(gateway, person.email, PASSWORD, client="open-storefront")
        (error,) = answer.errors
        assert error["extensions"] == {"code": "CHALLENGE_REQUIRED", "provider": "demo", "siteKey": "demo"}
        assert DEMO_ANSWER in error["message"]

    async def test_lets_who_solves_it_log_in(self, gateway: Gateway) -> None:
        person = await self.attacked(gateway)
        assert outcome(await self.answer(gateway, person.email, DEMO_ANSWER)) == "OK"

    async def test_is_asked_for_again_after_a_wrong_answer(self, gateway: Gateway) -> None:
        person = await self.attacked(gateway)
        assert outcome(await self.answer(gateway, person.email, "wrong")) == "CHALLENGE_REQUIRED"
        assert outcome(await self.answer(gateway, person.email, "x" * 9_000)) == "CHALLENGE_REQUIRED"

    async def test_is_asked_for_at_unknown_addresses_as_well(self, gateway: Gateway) -> None:
        await attack(gateway, "nobody@example.com", "open-storefront")
        assert outcome(await try_login(gateway, "nobody@example.com", client="open-storefront")) == "CHALLENGE_REQUIRED"
        assert outcome(await self.answer(gateway, "nobody@example.com", DEMO_ANSWER)) == REFUSED

    async def test_is_nothing_that_a_known_device_hears_of(self, gateway: Gateway) -> None:
        person = await self.attacked(gateway)
        await gateway.login(person.email, client_id="open-storefront", device=person.tokens.device)

    async def test_lets_through_as_many_as_an_account_may_fail_in_an_hour(self, gateway: Gateway) -> None:
        person = await self.attacked(gateway)
        seen: Counter[str] = Counter()
        for number in range(101):
            gateway.ip = f"198.51.{number}.1"
            seen[outcome(await self.answer(gateway, person.email, DEMO_ANSWER, f"{WRONG}-{number}"))] += 1
            gateway.clock.advance(seconds=0.1)
        assert seen == {REFUSED: 100, LIMITED: 1}

    async def test_may_be_answered_by_browsers_of_other_origins(self, gateway: Gateway) -> None:
        headers = {"Origin": "http://localhost:5174", "Access-Control-Request-Method": "POST"}
        answer = await gateway.http.options("/graphql", headers=headers)
        assert "Challenge-Response" in answer.headers["access-control-allow-headers"]


class TestChallengeOfAProvider:
    @pytest.fixture
    async def provider(self) -> AsyncIterator[Receiver]:
        async with run_receiver() as receiver:
            yield receiver

    @pytest.fixture
    def settings_environment(self, tmp_path: Path, provider: Receiver) -> dict[str, str]:
        challenge = table(
            "[tenants.demo.challenge]",
            provider="turnstile",
            site_key="site-1",
            secret_env="TURNSTILE_SECRET",
            verify_url=provider.url,
        )
        return {**tenants(tmp_path, challenge), "TURNSTILE_SECRET": "a-secret-of-turnstile"}

    async def answer(self, gateway: Gateway, email: str) -> Answer:
        return await try_login(gateway, email, PASSWORD, **{"Challenge-Response": "an answer"})

    async def test_asks_the_provider_with_secret_and_answer(self, gateway: Gateway, provider: Receiver) -> None:
        provider.status, provider.body = 200, b'{"success": true}'
        person = await gateway.customer()
        await attack(gateway, person.email)
        assert provider.deliveries == []
        assert outcome(await self.answer(gateway, person.email)) == "OK"
        (call,) = provider.deliveries
        assert b"secret=a-secret-of-turnstile" in call.body
        assert b"response=an+answer" in call.body

    async def test_asks_again_when_the_provider_says_no(self, gateway: Gateway, provider: Receiver) -> None:
        provider.status, provider.body = 200, b'{"success": false, "error-codes": ["timeout-or-duplicate"]}'
        person = await gateway.customer()
        await attack(gateway, person.email)
        answer = await self.answer(gateway, person.email)
        assert answer.errors[0]["extensions"] == {
            "code": "CHALLENGE_REQUIRED",
            "provider": "turnstile",
            "siteKey": "site-1",
        }

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (500, b"no"),
            (200, b"[]"),
            (200, b'{"success": "true"}'),
            (200, b'{"success": false, "error-codes": ["invalid-input-secret"]}'),
            (302, b'{"success": true}'),
            (200, b'{"success": true, "more": "' + b"x" * 70_000 + b'"}'),
        ],
    )
    async def test_makes_wait_when_the_provider_does_not_tell(
        self, gateway: Gateway, provider: Receiver, status: int, body: bytes
    ) -> None:
        provider.status, provider.body = status, body
        person = await gateway.customer()
        await attack(gateway, person.email)
        assert seconds_to_wait(await self.answer(gateway, person.email)) > 500


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
    async def test_count_addresses_and_accounts_together_in_redis(
        self, environment: dict[str, str], redis: RedisServer
    ) -> None:
        redis.client.flushall()
        async with two_gateways({**environment, "REDIS_URL": redis.url}) as gateways:
            person = await gateways[0].customer()
            for number, ip in enumerate(STRANGERS):
                assert outcome(await try_login(gateways[number % 2], person.email, ip=ip)) == REFUSED
            for gateway in gateways:
                assert outcome(await try_login(gateway, person.email, PASSWORD, ip=ELSEWHERE)) == LIMITED
                await gateway.login(person.email, device=person.tokens.device)
            await gateways[0].deliver()
            assert subjects(gateways[0], person.email).count(ATTACKED) == 1
            # It failed at one account so far.
            for number in range(49):
                await try_login(gateways[number % 2], f"a{number}@example.com", ip=f"198.51.{number}.1")
            assert outcome(await try_login(gateways[0], "last@example.com", ip=ELSEWHERE)) == LIMITED
            assert WRONG.encode() not in b"".join(redis.client.scan_iter())
