"""Password hashing in its bounded pool."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

import bcrypt
import pytest
from argon2 import PasswordHasher, extract_parameters

from app.adapters.keys.passwords import Argon2Passwords
from app.domain.errors import AccessCode, AccessError

pytestmark = pytest.mark.anyio

BCRYPT = "$2b$04$8yIo7wO2iVO3tx3hY2zKM.NlD73XwbdkCf.27.a4CzHkBcT1CRoQy"


@pytest.fixture
def passwords() -> Iterator[Argon2Passwords]:
    passwords = Argon2Passwords(threads=2)
    yield passwords
    passwords.close()


@pytest.fixture
def narrow() -> Iterator[Argon2Passwords]:
    """One thread, and two places to wait."""
    passwords = Argon2Passwords(threads=1, waiting=2)
    yield passwords
    passwords.close()


async def fill(passwords: Argon2Passwords, calls: int) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(passwords.hash("correct horse")) for _ in range(calls)]
    await asyncio.sleep(0)
    return tasks


class TestHash:
    async def test_uses_argon2id_with_the_agreed_parameters(self, passwords: Argon2Passwords) -> None:
        encoded = await passwords.hash("correct horse")
        parameters = extract_parameters(encoded)
        assert encoded.startswith("$argon2id$")
        assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)

    async def test_gives_equal_passwords_different_hashes(self, passwords: Argon2Passwords) -> None:
        assert await passwords.hash("correct horse") != await passwords.hash("correct horse")

    async def test_refuses_at_once_when_all_places_to_wait_are_taken(self, narrow: Argon2Passwords) -> None:
        tasks = await fill(narrow, 3)
        assert narrow.waiting == 2
        with pytest.raises(AccessError) as refusal:
            await narrow.hash("one too many")
        assert not any(task.done() for task in tasks)
        assert refusal.value.code is AccessCode.SERVICE_BUSY
        assert refusal.value.retry_after == 1
        assert len(await asyncio.gather(*tasks)) == 3

    async def test_takes_calls_again_when_the_queue_is_worked_off(self, narrow: Argon2Passwords) -> None:
        await asyncio.gather(*await fill(narrow, 3))
        assert narrow.waiting == 0
        assert await narrow.verify(await narrow.hash("correct horse"), "correct horse")

    async def test_gives_the_place_of_a_cancelled_caller_to_the_next_one(self, narrow: Argon2Passwords) -> None:
        _, _, last = tasks = await fill(narrow, 3)
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)
        assert narrow.waiting == 1
        assert (await narrow.hash("the next one")).startswith("$argon2id$")
        assert last.cancelled()
        await asyncio.gather(*tasks[:2])

    async def test_leaves_the_event_loop_responsive(self, passwords: Argon2Passwords) -> None:
        tasks = await fill(passwords, 12)
        turns = [time.thread_time()]  # what this thread computes, and not how long it waits for a core
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0.001)
            turns.append(time.thread_time())
        # Hashing on the loop would leave no turn between the first and the last; a lot of them are short instead.
        assert len(turns) > 12
        assert median(after - before for before, after in pairwise(turns)) < 0.01


class TestVerify:
    async def test_accepts_the_right_password(self, passwords: Argon2Passwords) -> None:
        assert await passwords.verify(await passwords.hash("pässwörd 🔑"), "pässwörd 🔑") is True

    async def test_refuses_a_wrong_password(self, passwords: Argon2Passwords) -> None:
        assert await passwords.verify(await passwords.hash("correct horse"), "correct horse ") is False

    async def test_refuses_every_password_where_there_is_no_hash(self, passwords: Argon2Passwords) -> None:
        assert await passwords.verify(None, "") is False

    async def test_has_the_cost_of_ours_where_there_is_no_hash(self, passwords: Argon2Passwords) -> None:
        parameters = extract_parameters(await passwords.hash("Kartoffelsalat"))
        assert extract_parameters(passwords._dummy) == parameters

    async def test_takes_as_long_where_there_is_no_hash(self, passwords: Argon2Passwords) -> None:
        encoded = await passwords.hash("correct horse")
        times: dict[str | None, list[float]] = {encoded: [], None: []}
        for _ in range(15):
            for candidate, taken in times.items():
                started = time.process_time()  # of all threads, and not of others on the machine
                await passwords.verify(candidate, "wrong horse")
                taken.append(time.process_time() - started)
        assert 0.6 < median(times[None]) / median(times[encoded]) < 1.6

    async def test_refuses_at_once_when_all_places_to_wait_are_taken(self, narrow: Argon2Passwords) -> None:
        tasks = await fill(narrow, 3)
        with pytest.raises(AccessError, match="Too many logins"):
            await narrow.verify(None, "one too many")
        await asyncio.gather(*tasks)

    async def test_accepts_a_password_that_another_system_hashed(self, passwords: Argon2Passwords) -> None:
        assert await passwords.verify(BCRYPT, "violet-harbour-42") is True
        assert await passwords.verify(BCRYPT, "violet-harbour-43") is False

    async def test_refuses_every_password_where_the_hash_is_beyond_all_bounds(self, passwords: Argon2Passwords) -> None:
        assert await passwords.verify("$2b$31$" + "a" * 53, "violet-harbour-42") is False


class TestTheSpellingOfAPassword:
    """é is one character or two, as the keyboard has it."""

    async def test_is_that_of_nfc_in_what_we_hash(self, passwords: Argon2Passwords) -> None:
        encoded = await passwords.hash("cafe\u0301-harbour")
        assert PasswordHasher().verify(encoded, "caf\u00e9-harbour")
        assert await passwords.verify(encoded, "cafe\u0301-harbour")
        assert await passwords.verify(encoded, "caf\u00e9-harbour")
        assert not await passwords.verify(encoded, "cafe-harbour")

    async def test_may_be_the_typed_one_in_an_older_hash(self, passwords: Argon2Passwords) -> None:
        encoded = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("cafe\u0301-harbour")
        assert await passwords.verify(encoded, "cafe\u0301-harbour")
        assert not await passwords.verify(encoded, "caf\u00e9-harbour")

    async def test_makes_the_kind_of_the_hash_no_slower_to_refuse(self, passwords: Argon2Passwords) -> None:
        await passwords.verify(BCRYPT, "wrong")
        before = dict(passwords._seconds)
        await passwords.verify(BCRYPT, "e\u0301" * 30)
        assert all(passwords._seconds[kind] < 50 * seconds for kind, seconds in before.items())


class TestNeedsRehash:
    def test_is_true_for_a_hash_of_another_system(self, passwords: Argon2Passwords) -> None:
        assert passwords.needs_rehash(BCRYPT)

    async def test_is_false_for_a_hash_of_today(self, passwords: Argon2Passwords) -> None:
        assert not passwords.needs_rehash(await passwords.hash("correct horse"))

    def test_is_true_for_a_hash_made_with_other_parameters(self, passwords: Argon2Passwords) -> None:
        assert passwords.needs_rehash(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct horse"))


class TestClose:
    async def test_lets_the_running_call_finish_and_cancels_the_waiting_ones(self) -> None:
        passwords = Argon2Passwords(threads=1)
        tasks = await fill(passwords, 3)
        passwords.close()
        running, *waiting = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(running, str)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in waiting)


class TestLevel:
    """`level` after `compare`: how long a refusal takes."""

    SLOW = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(11)).decode()

    async def seconds(self, passwords: Argon2Passwords, encoded: str | None, *kinds: str) -> float:
        began = time.perf_counter()
        comparison = await passwords.compare(encoded, "wrong horse")
        assert not comparison.is_right
        await passwords.level(comparison, kinds)
        return time.perf_counter() - began

    @pytest.mark.wall_clock
    async def test_makes_every_kind_take_as_long_as_the_slowest_and_more(self, passwords: Argon2Passwords) -> None:
        kind = passwords.kind_of(self.SLOW)
        assert kind is not None
        own = await passwords.hash("correct horse")
        alone = await self.seconds(passwords, self.SLOW)
        await self.seconds(passwords, None, kind)
        taken = [await self.seconds(passwords, encoded, kind) for encoded in (self.SLOW, own, None)]
        assert min(taken) > alone
        assert max(taken) < 1.5 * min(taken)

    async def test_takes_a_kind_that_was_never_compared_here_even_first_of_all(
        self, passwords: Argon2Passwords
    ) -> None:
        kind = passwords.kind_of(self.SLOW)
        assert kind is not None
        assert await self.seconds(passwords, self.SLOW, kind) > 0
        assert await self.seconds(passwords, None, "$2b$04$" + "." * 53) > 0

    async def test_waits_for_nothing_where_there_is_no_other_kind(self, passwords: Argon2Passwords) -> None:
        waited = []
        for _ in range(5):
            comparison = await passwords.compare(None, "wrong horse")
            began = time.perf_counter()
            await passwords.level(comparison, ())
            waited.append(time.perf_counter() - began)
        assert min(waited) < 0.005

    async def test_costs_no_thread_while_it_waits(self, narrow: Argon2Passwords) -> None:
        kind = narrow.kind_of(self.SLOW)
        assert kind is not None
        await self.seconds(narrow, None, kind)
        comparison = await narrow.compare(None, "wrong horse")
        waiting = asyncio.create_task(narrow.level(comparison, (kind,)))
        await asyncio.sleep(0)
        assert await narrow.hash("correct horse")
        assert narrow.waiting == 0
        await waiting

    async def test_has_no_kind_for_a_hash_of_ours(self, passwords: Argon2Passwords) -> None:
        assert passwords.kind_of(await passwords.hash("correct horse")) is None
