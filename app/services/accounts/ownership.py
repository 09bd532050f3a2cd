"""Whose account it is: who keeps access when somebody proves that they own its address."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Any

from app.domain.audit import AuditAction
from app.domain.emails import EmailAddress, parse_email
from app.domain.principal import TokenKind
from app.models.credentials import Credential
from app.models.one_time_tokens import WAS_PROVEN, OneTimeToken
from app.services.accounts.closed_accounts import cancel_doubted_request
from app.services.accounts.pending_signups import end_pending_signups
from app.services.accounts.unproven_data import keep_unproven_data
from app.services.accounts.ways_in import end_every_way_in, end_ways_in, stop_mails_to_others
from app.services.audit import record
from app.services.unit_of_work import UnitOfWork


@unique
class Proof(StrEnum):
    """How somebody has proved that they own an address."""

    SIGNUP_LINK = "signup_link"
    RESET_LINK = "reset_link"
    EMAIL_CHANGE_LINK = "email_change_link"
    REVERT_LINK = "revert_link"
    SOCIAL_IDENTITY = "social_identity"
    MAILED_CODE = "mailed_code"
    STAFF = "staff"


_NO_PASSWORD = {"password_hash": None, "initial_password": False}


async def prove_ownership(
    uow: UnitOfWork,
    so_far: Credential,
    by: Proof,
    *,
    token: OneTimeToken | None = None,
    identity_id: str | None = None,
) -> dict[str, Any]:
    """Give the account to the person who has proved its address, and return the new columns of the credential.

    Call it for every proof, with the customer locked (see `lock_for_proof`); `so_far` is the credential before the
    proof, `token` that of the mailed link, and `identity_id` the social identity that proves. The proof counts for the
    address in it: that of the token, or else that of the credential.

    If no address of the account was proved until now, whoever held the account was somebody else, unless the proof
    comes in the account's own session: every way in and out ends, and what is in the account is kept for the owner to
    judge. Of an account that was proved before, nothing ends but by a revert: it was made because somebody else was in,
    so the password goes, and with it every way in that was added since `doubted_since`. The README of this folder has
    the whole table.
    """
    columns: dict[str, Any] = {"email_verified_at": uow.now, "must_confirm": False}
    if so_far.email_key is not None:
        await end_pending_signups(uow, so_far.email_key, so_far.customer_id)
    if by is Proof.REVERT_LINK and token is not None:
        if token.data.get(WAS_PROVEN) is True:
            since = doubted_since(uow, token)
            await end_ways_in(uow, so_far.customer_id, since)
            await cancel_doubted_request(uow, so_far.customer_id, since, recipient=token.email)
        else:
            await _take_over(uow, so_far, by, parse_email(token.email))
        return {**columns, **_NO_PASSWORD}
    if so_far.email_verified_at is not None:
        if by is not Proof.EMAIL_CHANGE_LINK:
            columns["email_verified_at"] = so_far.email_verified_at
        return columns
    if _is_own_session(uow, so_far.customer_id):
        return columns
    if by is Proof.SIGNUP_LINK and so_far.must_confirm:
        # Nobody was let in before, and the sign-up has been waiting for this very proof: what it gave stays.
        await end_ways_in(uow, so_far.customer_id)
        return columns
    email = token.email if token is not None and by is Proof.EMAIL_CHANGE_LINK else so_far.email
    await _take_over(uow, so_far, by, parse_email(email), identity_id)
    return {**columns, **_NO_PASSWORD}


def doubted_since(uow: UnitOfWork, token: OneTimeToken) -> datetime:
    """Return since when an intruder may have been in the account, if this token reverts its change of address.

    It is as long before the change as the link works after it, because an intruder first adds a way to come back.
    """
    return token.created_at - timedelta(seconds=uow.tenant.email_revert_token_seconds)


def _is_own_session(uow: UnitOfWork, customer_id: str) -> bool:
    principal = uow.caller.principal
    return principal is not None and principal.kind is TokenKind.CUSTOMER and principal.customer_id == customer_id


async def _take_over(
    uow: UnitOfWork, so_far: Credential, by: Proof, proved: EmailAddress, identity_id: str | None = None
) -> None:
    """Give an account that nobody had proved to be theirs to the owner of the address, who is somebody else."""
    customer_id = so_far.customer_id
    await end_every_way_in(uow, customer_id, keep_identity=identity_id)
    await cancel_doubted_request(uow, customer_id, recipient=proved.address)
    await stop_mails_to_others(uow, customer_id, proved)
    kept = await keep_unproven_data(uow, customer_id, proved)
    await record(uow, AuditAction.OWNERSHIP_PROVED, customer_id, by=by.value, keptUnprovenData=kept)
