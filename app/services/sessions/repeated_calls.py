"""A call that has replaced the caller's tokens is repeated, because its answer was lost: it gives the same pair again.

The pair of the caller dies with such a call (`login`, `changePassword` …), so whoever has not heard the answer holds a
dead token. For `KEPT` seconds the same call with that token and with the same input gives the pair once more.

How an operation does that:

1. Its resolver says `@mutation(…, is_repeatable=True)`. So the service is called with a token that was just revoked
   too.
2. Its service makes a `RepeatableCall` with the operation's name and all of the input, and answers through it::

       call = RepeatableCall(uow, "completeLogin", ticket, method, proof)
       return await call.answer(lambda: _complete(uow, call, …), lambda kept: LoggedIn(kept.tokens, kept.owner))

3. What does the work for the first time (`_complete`) calls `await call.keep(tokens)` once the tokens are issued, in
   the same transaction. What else the answer has goes along as JSON (`await call.keep(tokens, created=True)`), and is
   there again in `kept.more`. If no tokens are issued, because there is a next step, nothing is kept: the caller's
   token goes on working.
4. An operation that asks somebody else meanwhile, and holds no lock by which its repetition would wait, raises
   `TakenError` where it finds its work taken, and says how to find out whether that still goes on:
   `call.answer(first, again, is_running)`. Then the repetition waits for the pair.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import orjson

from app.domain.errors import AccessError, BusyError, DomainError
from app.domain.ports import Limit
from app.domain.tokens import hash_token
from app.models.sessions import KeptPair
from app.services.limits import MINUTE, give_back, hit
from app.services.sessions.kept_pairs import Kept, keep_pair, reopen
from app.services.sessions.token_sets import TokenSet
from app.services.unit_of_work import UnitOfWork

Result = TypeVar("Result")

KEPT = timedelta(seconds=30)
# Whoever holds the old token could else guess at what was sent with it.
_TRIES = Limit("repeated_call.token", 10, MINUTE)
# Seconds that a repetition waits for the first call: less than a request may take. It looks as often as it may wait.
_PATIENCE = 8.0
_PAUSE = 0.1


class TakenError(DomainError):
    """Another call has begun this one's work; perhaps the same call, which is not finished yet."""


class RepeatableCall:
    """One call of an operation that replaces the caller's tokens; `given` is all of its input."""

    def __init__(self, uow: UnitOfWork, operation: str, *given: str | bool | None) -> None:
        self._uow = uow
        token = uow.caller.facts.token or ""
        self._token = token
        self._presented_hash = hash_token(token)
        # The key is a secret that nobody keeps: what was sent cannot be found out from the hash, not even by us.
        self._input_hash = hmac.digest(token.encode(), orjson.dumps([operation, *given]), "sha256")

    async def answer(
        self,
        first: Callable[[], Awaitable[Result]],
        again: Callable[[Kept], Result],
        is_running: Callable[[UnitOfWork], Awaitable[bool]] | None = None,
    ) -> Result:
        """Return what `first` does, or, if the same call has replaced the caller's token already, `again`.

        `is_running` tells after a `TakenError` whether the same call runs elsewhere, whose pair is then waited for.

        Raises UNAUTHENTICATED if the token is revoked for any other reason, or the pair does not live any more.
        """
        uow = self._uow
        if uow.caller.principal is None:
            kept = await self._find()
            if kept is None:
                uow.caller.require_principal()
                raise RuntimeError("Who has no principal is no caller.")
            return again(kept)
        try:
            return await first()
        except BusyError:
            # Nothing can be read any more in a unit that the database has broken off.
            raise
        except (DomainError, AccessError) as error:
            # Perhaps the same call was a moment faster, and this one has failed for nothing but that.
            is_taken = is_running is not None and isinstance(error, TakenError)
            if not (await self._comes(is_running) if is_taken and is_running else await self._is_kept()):
                raise
            await uow.forget()
            kept = await self._find()
            if kept is None:
                raise
            return again(kept)

    async def keep(self, tokens: TokenSet, /, **more: Any) -> None:
        """Keep the new tokens, and what the answer has besides, for the same call."""
        uow = self._uow
        await keep_pair(uow, tokens, self._presented_hash, uow.now + KEPT, input_hash=self._input_hash, more=more)

    async def _is_kept(self) -> bool:
        return bool(await self._list(self._uow))

    async def _list(self, uow: UnitOfWork) -> Sequence[KeptPair]:
        return await uow.kept_pair_lookup.list(uow.tenants_of(self._token), self._presented_hash, uow.now)

    async def _comes(self, is_running: Callable[[UnitOfWork], Awaitable[bool]]) -> bool:
        """Wait for the call that runs elsewhere, and tell whether it has kept a pair."""
        # Nobody shall wait for us meanwhile.
        await self._uow.roll_back()
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            # In this order: who has just ended has kept the pair before.
            async with UnitOfWork(self._uow.tools, self._uow.caller) as looking:
                runs = await is_running(looking)
                if await self._list(looking):
                    return True
            if not runs:
                return False
            await asyncio.sleep(_PAUSE)
        return False

    async def _find(self) -> Kept | None:
        """Return what this call has answered, and let the unit go on as the bearer of its tokens."""
        uow = self._uow
        found = await self._list(uow)
        tenant = uow.tools.tenants.find_tenant(found[0].tenant_id) if found else None
        if tenant is None:
            return None
        uow.enter(tenant)
        await hit(uow, _TRIES, self._presented_hash.hex())
        for pair in found:
            if pair.input_hash is not None and hmac.compare_digest(pair.input_hash, self._input_hash):
                await give_back(uow, _TRIES, self._presented_hash.hex())
                return await self._reopen(pair)
        return None

    async def _reopen(self, pair: KeptPair) -> Kept | None:
        uow = self._uow
        token = await uow.sessions.find_living_refresh_token(pair.refresh_hash, uow.now)
        session = await uow.sessions.find_open(token.session_id, uow.now) if token is not None else None
        if session is None or session.customer_id is None or uow.tenant.find_client(session.client_id) is None:
            return None
        customer = await uow.customers.find(session.customer_id)
        if customer is None or not customer.active or customer.on_hold:
            return None
        kept = await reopen(uow, pair, session, customer)
        if kept is not None:
            uow.caller = replace(uow.caller, principal=kept.tokens.bearer, customer=customer)
        return kept
