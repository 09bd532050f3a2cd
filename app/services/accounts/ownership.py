"""Whose account it is: who keeps access when somebody proves that they own its address."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Any

from app.domain.audit import AuditAction
from app.domain.principal import TokenKind
from app.domain.topics import Topic
from app.models.credentials import Credential
from app.models.one_time_tokens import OneTimeToken, Purpose
from app.models.social import SocialIdentity
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork


@unique
class Proof(StrEnum):
    """How somebody has proved that they own an address."""

    SIGNUP_LINK = "signup_link"
    RESET_LINK = "reset_link"
    EMAIL_CHANGE_LINK = "email_change_link"
    REVERT_LINK = "revert_link"
    SOCIAL_IDENTITY = "social_identity"


# The key in `data` of a revert token that says whether the old address was proved.
WAS_PROVEN = "was_proven"

_NO_PASSWORD = {"password_hash": None, "initial_password": False}
# A reset sets another password, and a sign-up was waiting for exactly this proof.
_PROOFS_THAT_LEAVE_THE_PASSWORD = frozenset({Proof.SIGNUP_LINK, Proof.RESET_LINK})


async def prove_ownership(
    uow: UnitOfWork, so_far: Credential, by: Proof, *, token: OneTimeToken | None = None
) -> dict[str, Any]:
    """Give the account to the person who has proved its address, and return the new columns of the credential.

    Call it for every proof, with the customer locked; `so_far` is the credential before the proof. If the address was
    never proved before, somebody else may have used the account, so all access ends, unless the proof comes in the
    account's own session. If it was proved before, access ends only after a revert (`token` is that of the link): a
    revert means that somebody else was in, so the password is removed, and everything that was added since
    `doubted_since`.
    """
    columns: dict[str, Any] = {"email_verified_at": uow.now, "must_confirm": False}
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
    """Return since when an intruder may have been in the account, if this token reverts its change of address.

    It is as long before the change as the link works after it, because an intruder first adds a way to come back.
    """
    return token.created_at - timedelta(seconds=uow.tenant.email_revert_token_seconds)


def _is_own_session(uow: UnitOfWork, customer_id: str) -> bool:
    principal = uow.caller.principal
    return principal is not None and principal.kind is TokenKind.CUSTOMER and principal.customer_id == customer_id


async def _end_ways_in(uow: UnitOfWork, customer_id: str, since: datetime | None = None) -> None:
    """End all sessions and pending tokens, and unlink all social accounts that were linked since then, or all."""
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
