"""Whose account it is: who of those that held it stays in it when somebody proves that its address is theirs."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Any

from app.domain.audit import AuditAction
from app.domain.principal import TokenKind
from app.domain.topics import Topic
from app.models.credentials import Credential
from app.models.one_time_tokens import WAS_PROVEN, OneTimeToken, Purpose
from app.models.social import SocialIdentity
from app.services.accounts.pending_signups import end_pending_signups
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork


@unique
class Proof(StrEnum):
    """By what somebody has proved that an address is theirs."""

    SIGNUP_LINK = "signup_link"
    RESET_LINK = "reset_link"
    EMAIL_CHANGE_LINK = "email_change_link"
    REVERT_LINK = "revert_link"
    SOCIAL_IDENTITY = "social_identity"


_NO_PASSWORD = {"password_hash": None, "initial_password": False}
# A reset sets another password, and a sign-up has been waiting for this very proof.
_PROOFS_THAT_LEAVE_THE_PASSWORD = frozenset({Proof.SIGNUP_LINK, Proof.RESET_LINK})


async def prove_ownership(
    uow: UnitOfWork, so_far: Credential, by: Proof, *, token: OneTimeToken | None = None
) -> dict[str, Any]:
    """Let who has proved an address be alone in the account, and return the columns that the credential gets by it.

    Call it for every proof, with the customer locked; `so_far` is the credential before the proof. If the address was
    never proved until now, whoever held the account was somebody else, unless the proof comes in the account's own
    session: every way in ends. Of an account that was proved before, nothing ends but by a revert (`token` is the
    link's): it was made because somebody else was in, so the password goes, and every way in that was added since
    `doubted_since`.
    """
    columns: dict[str, Any] = {"email_verified_at": uow.now, "must_confirm": False}
    if so_far.email_key is not None:
        await end_pending_signups(uow, so_far.email_key, so_far.customer_id)
    if by is Proof.REVERT_LINK and token is not None:
        was_proven = token.data.get(WAS_PROVEN) is True
        await _end_ways_in(uow, so_far.customer_id, doubted_since(uow, token) if was_proven else None)
        return {**columns, **_NO_PASSWORD}
    if so_far.email_verified_at is not None:
        if by is Proof.RESET_LINK:
            columns["email_verified_at"] = so_far.email_verified_at
        return columns
    if _is_own_session(uow, so_far.customer_id):
        return columns
    await _end_ways_in(uow, so_far.customer_id)
    return columns if by in _PROOFS_THAT_LEAVE_THE_PASSWORD else {**columns, **_NO_PASSWORD}


def doubted_since(uow: UnitOfWork, token: OneTimeToken) -> datetime:
    """Return since when an intruder may have been in the account whose change of address is reverted by this token.

    As long before the change as the link works after it: what an intruder adds first is the way back in.
    """
    return token.created_at - timedelta(seconds=uow.tenant.email_revert_token_seconds)


def _is_own_session(uow: UnitOfWork, customer_id: str) -> bool:
    principal = uow.caller.principal
    return principal is not None and principal.kind is TokenKind.CUSTOMER and principal.customer_id == customer_id


async def _end_ways_in(uow: UnitOfWork, customer_id: str, since: datetime | None = None) -> None:
    """End all sessions and all that is pending, and unlink what was linked since then, or ever."""
    for identity in await uow.social_identities.list(customer_id):
        if since is None or identity.created_at >= since:
            await _unlink(uow, identity)
    await uow.sessions.revoke_all(customer_id, uow.now)
    await uow.social_states.delete_all(customer_id)
    await uow.link_tickets.delete_all(customer_id)
    await uow.one_time_tokens.revoke(customer_id, uow.now, Purpose.CONFIRM_EMAIL_CHANGE)


async def _unlink(uow: UnitOfWork, identity: SocialIdentity) -> None:
    customer_id, provider = identity.customer_id, identity.provider
    await uow.social_identities.delete(customer_id, identity.id)
    await record(uow, AuditAction.SOCIAL_UNLINKED, customer_id, provider=provider, account_id=identity.id)
    await emit(uow, Topic.CUSTOMER_SOCIAL_UNLINKED, customer_id, provider=provider, accountId=identity.id)
