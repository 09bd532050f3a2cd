"""One request with an `Idempotency-Key`: its root mutation field is held open until the whole answer is there."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from app.domain.errors import ConflictError
from app.services.idempotency import Claim, abandon_call, claim_call, finish_call, release_call
from app.services.unit_of_work import UnitOfWork

# Seconds that giving a claim back may take; it ends by itself a little later.
PATIENCE = 1.0


class KeptAnswerError(Exception):
    """No error, but the way out of a field whose call was answered before: `answer` is the body of that answer."""

    def __init__(self, answer: str) -> None:
        super().__init__("This call was answered before.")
        self.answer = answer


class KeyedCall:
    """`sent` is all that the answer depends on: the operation and its variables."""

    def __init__(self, key: str, sent: str) -> None:
        self._key = key
        self._sent = sent
        self._uow: UnitOfWork | None = None
        self._claim: Claim | None = None
        self._is_done = False

    async def begin(self, uow: UnitOfWork) -> None:
        """Claim the call before its field runs, or raise what it has answered; `KeptAnswerError`."""
        if self._claim is not None:
            return  # The field runs again.
        claim = await claim_call(uow, self._key, self._sent)
        if isinstance(claim, str):
            raise KeptAnswerError(claim)
        uow.hold()
        self._uow, self._claim = uow, claim

    def note_payload(self) -> None:
        """Take note that the field has a payload, with user errors or without: so the answer is to be kept."""
        self._is_done = True

    async def settle(self, answer: str) -> None:
        """Commit the effect together with the answer; or forget the call, if its field has failed."""
        uow, claim, is_done = self._uow, self._claim, self._is_done
        if uow is None or claim is None:
            return
        if is_done:
            try:
                await uow.finish(lambda: finish_call(uow, claim, answer), has_effect=True)
            except ConflictError:
                uow.tools.metrics.conflict_met("given_up")
                raise
        else:
            await uow.finish(lambda: release_call(uow, claim), has_effect=False)
        self._claim = None

    async def abandon(self) -> bool:
        """Roll back what was not settled, and forget the call, unless COMMIT was sent: then it may have been done.

        Returns whether there was such a call.
        """
        uow, claim, self._claim = self._uow, self._claim, None
        if uow is None or claim is None:
            return False
        with suppress(Exception):
            async with asyncio.timeout(PATIENCE):
                await uow.abandon()
                if not uow.commit_was_sent:
                    await abandon_call(uow, claim)
        return True
