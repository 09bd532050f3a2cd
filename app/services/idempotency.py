"""Calls with an `Idempotency-Key`: made again within a day, they answer what they have answered, and do nothing.

First the key is claimed, in a transaction of its own, so that nobody else begins the same call meanwhile. Then the call
runs, and its answer is written in the transaction that has its effect: either both are there or neither. A process that
dies before that leaves a claim, which ends by itself; whoever comes then runs the call anew.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest

from app.domain.errors import AccessCode, AccessError, BusyError
from app.domain.principal import Principal
from app.models.idempotent_calls import IdempotentCall
from app.services.unit_of_work import UnitOfWork

REPEATED_WITHIN = timedelta(hours=24)
# No request runs as long as this.
LONGEST_RUN = timedelta(seconds=20)
LONGEST_KEY = 255
_ROUNDS = 5


def check_key(key: str, fields: Collection[str]) -> None:
    """Raise BAD_REQUEST for what is no key (1 to 255 visible ASCII characters), or not for one root field."""
    if len(fields) != 1:
        raise AccessError(
            AccessCode.BAD_REQUEST, "An Idempotency-Key is for one call: send it with a single mutation field."
        )
    if not 1 <= len(key) <= LONGEST_KEY or not all("\x21" <= character <= "\x7e" for character in key):
        raise AccessError(
            AccessCode.BAD_REQUEST,
            f"An Idempotency-Key is 1 to {LONGEST_KEY} visible ASCII characters, without blanks.",
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A call that this request may run: as long as nobody else has taken it over, it can be finished."""

    key_hash: bytes
    attempt: str


async def claim_call(uow: UnitOfWork, key: str, sent: str) -> Claim | str:
    """Return the claim for the first call with this key in the caller's session, or else what that has answered.

    `sent` is all that the answer depends on. Raises IDEMPOTENCY_KEY_REUSED if something else was sent with the key
    before, and `BusyError` while the first call runs.
    """
    principal = uow.caller.require_principal()
    key_hash, input_hash = _hash_key(principal, key), sha256(sent.encode()).hexdigest()
    async with UnitOfWork(uow.tools, uow.caller) as own:
        claim = Claim(key_hash, own.tools.random.new_id())
        for _ in range(_ROUNDS):
            found = await own.idempotent_calls.find(key_hash)
            if found is not None and found.expires_at > own.now:
                return await _repeat(own, found, claim, input_hash)
            if found is not None:
                await own.idempotent_calls.delete_expired(key_hash, own.now)
            if await own.idempotent_calls.claim(_new_call(own, principal, claim, input_hash)):
                return claim
        raise _still_running()


def _hash_key(principal: Principal, key: str) -> bytes:
    """Return the hash of the key and whose it is: a session's, or an integration's with all of its tokens."""
    whose = f"session {principal.session_id}" if principal.session_id else f"client {principal.client_id}"
    return sha256(f"{whose} {key}".encode()).digest()


def _new_call(uow: UnitOfWork, principal: Principal, claim: Claim, input_hash: str) -> IdempotentCall:
    return IdempotentCall(
        tenant_id=uow.tenant.id,
        key_hash=claim.key_hash,
        session_id=principal.session_id,
        customer_id=principal.customer_id,
        attempt=claim.attempt,
        busy_until=uow.now + LONGEST_RUN,
        sealed_input=uow.tools.sealer.seal(input_hash),
        created_at=uow.now,
        expires_at=uow.now + REPEATED_WITHIN,
    )


async def _repeat(uow: UnitOfWork, call: IdempotentCall, claim: Claim, input_hash: str) -> Claim | str:
    if not compare_digest(uow.tools.sealer.open(call.sealed_input), input_hash):
        raise AccessError(
            AccessCode.IDEMPOTENCY_KEY_REUSED,
            "This Idempotency-Key came with another operation or other variables before: take a new key.",
        )
    if call.sealed_answer is not None:
        return uow.tools.sealer.open(call.sealed_answer)
    if await uow.idempotent_calls.take_over(call.key_hash, uow.now, claim.attempt, uow.now + LONGEST_RUN):
        return claim
    raise _still_running()


def _still_running() -> BusyError:
    return BusyError("The first call with this Idempotency-Key still runs: try again in a second.")


async def finish_call(uow: UnitOfWork, claim: Claim, answer: str) -> None:
    """Write the answer in the transaction of the effect; raises `BusyError` if somebody else runs the call by now."""
    sealed = uow.tools.sealer.seal(answer)
    if not await uow.idempotent_calls.finish(claim.key_hash, claim.attempt, sealed, uow.about):
        raise _still_running()


async def release_call(uow: UnitOfWork, claim: Claim) -> None:
    """Forget the call, which has had no effect."""
    await uow.idempotent_calls.release(claim.key_hash, claim.attempt)


async def abandon_call(uow: UnitOfWork, claim: Claim) -> None:
    """Do the same after the unit of the call has ended, in one of its own."""
    async with UnitOfWork(uow.tools, uow.caller) as own:
        own.enter(uow.tenant)
        await release_call(own, claim)
