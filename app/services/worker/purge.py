"""Deletes rows that expired long ago, in small batches, so that nobody has to wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.domain.requests import RequestFacts
from app.domain.tools import Tools
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
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork

BATCH = 200
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
)
# What is encrypted, and is to be gone as soon as nobody may be given it any more.
_SEALED = tuple(each for each in _KEPT if each[0] in (KeptPair, IdempotentCall, SocialAnswer))


async def purge_expired(tools: Tools) -> int:
    """Remove one batch of each kind, in a transaction each, and return how many rows went."""
    return await _purge(tools, _KEPT)


async def purge_sealed(tools: Tools) -> int:
    """Do the same with sealed secrets alone, which must not lie about until the next purge."""
    return await _purge(tools, _SEALED)


async def _purge(tools: Tools, kinds: Sequence[tuple[type[TenantRow], str, timedelta]]) -> int:
    removed = 0
    for model, moment, kept in kinds:
        async with UnitOfWork(tools, Caller(RequestFacts(request_id="worker", ip=""))) as uow:
            removed += await uow.past_rows.delete(model, moment, uow.now - kept, BATCH)
    return removed
