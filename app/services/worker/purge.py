"""Deletes rows that expired long ago, in small batches, so that nobody has to wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.domain.tools import Tools
from app.models.anonymizations import Anonymization
from app.models.base import TenantRow
from app.models.devices import Device
from app.models.idempotent_calls import IdempotentCall
from app.models.integration_tokens import IntegrationToken, UsedAssertion
from app.models.one_time_tokens import OneTimeToken
from app.models.outbox import OutboxMessage
from app.models.passkeys import Passkey
from app.models.pending_signups import PendingSignup
from app.models.sessions import AccessToken, KeptPair, RefreshToken, Session
from app.models.sign_in_tickets import SignInTicket
from app.models.social import LinkTicket, SocialAnswer, SocialState
from app.models.totp import RecoveryCode, TotpSecret
from app.services.worker.pace import MOST, Pace
from app.services.worker_unit import open_for_worker

# How long rows stay after the time in this column: for a while an expired token is still answered as expired, and a
# reused refresh token is recognized as long as its session can last.
_KEPT: tuple[tuple[type[TenantRow], str, timedelta], ...] = (
    (AccessToken, "expires_at", timedelta(days=1)),
    (RefreshToken, "expires_at", timedelta(days=30)),
    (OneTimeToken, "expires_at", timedelta(days=7)),
    (PendingSignup, "expires_at", timedelta(0)),
    (Session, "expires_at", timedelta(days=30)),
    (OutboxMessage, "delivered_at", timedelta(days=7)),
    (IntegrationToken, "expires_at", timedelta(days=1)),
    (UsedAssertion, "expires_at", timedelta(hours=1)),
    (Device, "expires_at", timedelta()),
    (SocialState, "expires_at", timedelta(days=1)),
    (SocialAnswer, "expires_at", timedelta()),
    (LinkTicket, "expires_at", timedelta(days=1)),
    (KeptPair, "expires_at", timedelta()),
    (IdempotentCall, "expires_at", timedelta()),
    (SignInTicket, "expires_at", timedelta(days=1)),
    # Until then a mailed link may bring them back.
    (Passkey, "removed_at", timedelta(days=30)),
    (TotpSecret, "removed_at", timedelta(days=30)),
    (RecoveryCode, "removed_at", timedelta(days=30)),
    (Anonymization, "canceled_at", timedelta(days=400)),
)
# What is encrypted, and is to be gone as soon as nobody may be given it any more.
_SEALED = tuple(each for each in _KEPT if each[0] in (KeptPair, IdempotentCall, SocialAnswer))


# Batches of a kind before the next kind has its turn: a kind of which there is much is not asked for once for each look
# at all others.
BATCHES = 5


async def purge_expired(tools: Tools, pace: Pace | None = None) -> int:
    """Remove some batches of each kind, in a transaction each, and return how many rows went.

    Some are left for the next call where there are many. `pace` has learned how large a batch may be.
    """
    return await _purge(tools, _KEPT, pace or Pace())


async def purge_sealed(tools: Tools) -> int:
    """Do the same with sealed secrets alone, which must not lie about until the next purge."""
    return await _purge(tools, _SEALED, Pace())


async def _purge(tools: Tools, kinds: Sequence[tuple[type[TenantRow], str, timedelta]], pace: Pace) -> int:
    now = tools.clock.now()
    return sum([await remove_past(tools, pace, model, moment, now - kept) for model, moment, kept in kinds])


async def remove_past(
    tools: Tools, pace: Pace, model: type[TenantRow], moment: str, before: datetime, tenant_id: str | None = None
) -> int:
    """Remove some batches of the rows with an earlier time, of one tenant if it is named, and return how many went."""
    removed = 0
    for _ in range(BATCHES):
        limit = pace.rows_of(model) if tools.database.has_one_writer else MOST
        async with open_for_worker(tools) as uow:
            found = await uow.past_rows.list(model, moment, before, limit, tenant_id)
        gone = await _remove(tools, pace, model, moment, before, found) if found else 0
        removed += gone
        if gone < limit:
            break
    return removed


async def _remove(
    tools: Tools,
    pace: Pace,
    model: type[TenantRow],
    moment: str,
    before: datetime,
    found: dict[str, list[tuple[Any, ...]]],
) -> int:
    with pace.timing(model, sum(map(len, found.values()))):
        async with open_for_worker(tools) as uow:
            tenant_id, keys = next(iter(found.items()))
            if not await uow.past_rows.claim(model, tenant_id, keys[0]):
                return 0
            return sum(
                [
                    await uow.past_rows.delete(model, moment, before, tenant_id, keys)
                    for tenant_id, keys in sorted(found.items())
                ]
            )
