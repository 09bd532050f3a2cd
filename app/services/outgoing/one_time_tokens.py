"""Mailed tokens that work once: creates, finds and uses them up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.domain.audit import AuditAction
from app.domain.emails import parse_email
from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.tenants import Tenant
from app.domain.tokens import OpaqueToken, TokenPrefix, hash_token, read_prefix
from app.models.one_time_tokens import OneTimeToken, Purpose
from app.services.audit import record_failure
from app.services.limits import guard_one_time_token
from app.services.unit_of_work import UnitOfWork


async def issue_one_time_token(
    uow: UnitOfWork,
    purpose: Purpose,
    customer_id: str,
    email: str,
    credential_version: int,
    lifetime: timedelta,
    data: Mapping[str, Any] | None = None,
    *,
    keeps_older: bool = False,
) -> OpaqueToken:
    """Make a token to be mailed to an address; older ones for the same purpose are worthless from now on.

    But for the way back after a change of address: whoever asks for a second change must not cut off the way back from
    the first. And with `keeps_older`, for what a stranger can ask for: the link that the owner has goes on working.
    """
    token = OpaqueToken.of_tenant(TokenPrefix.ONE_TIME, uow.tenant.id, uow.tools.random.secret())
    if purpose is not Purpose.REVERT_EMAIL_CHANGE and not keeps_older:
        await uow.one_time_tokens.revoke(customer_id, uow.now, purpose)
    await uow.one_time_tokens.add(
        OneTimeToken(
            tenant_id=uow.tenant.id,
            token_hash=token.hash,
            purpose=purpose.value,
            customer_id=customer_id,
            email=email,
            email_key=parse_email(email).key,
            credential_version=credential_version,
            data=dict(data or {}),
            created_at=uow.now,
            expires_at=uow.now + lifetime,
        )
    )
    return token


async def find_one_time_token(uow: UnitOfWork, text: str, purpose: Purpose) -> OneTimeToken:
    """Return the token of this text, whatever its state, and enter its tenant; each try is counted first.

    The token alone decides whose it is. TOKEN_INVALID when there is none for this purpose in the caller's shop.
    """
    tenant_id = None
    if read_prefix(text) is TokenPrefix.ONE_TIME:
        tenant_id = await uow.one_time_token_lookup.find_tenant(uow.tenants_of(text), hash_token(text))
    tenant = uow.tools.tenants.find_tenant(tenant_id) if tenant_id else None
    if tenant is None or not _may_enter(uow, tenant):
        await guard_one_time_token(uow)
        raise _worthless_link(uow, purpose)
    uow.enter(tenant)
    await guard_one_time_token(uow, text)
    token = await uow.one_time_tokens.find(hash_token(text), purpose)
    if token is None:
        raise _worthless_link(uow, purpose)
    return token


def check_open(uow: UnitOfWork, token: OneTimeToken) -> None:
    """Raise TOKEN_INVALID if the token was used or revoked, TOKEN_EXPIRED if it has expired."""
    if token.used_at is not None or token.revoked_at is not None:
        raise invalid_token(uow, token)
    if token.expires_at <= uow.now:
        _note(uow, Purpose(token.purpose), token.customer_id, UserErrorCode.TOKEN_EXPIRED)
        raise refuse(UserErrorCode.TOKEN_EXPIRED, "This link has expired: ask for a new one.", "token")


async def use_up(uow: UnitOfWork, token: OneTimeToken) -> None:
    """Use the token up, or raise TOKEN_INVALID: of many at once, one succeeds. Lock the customer first."""
    if not await claim(uow, token):
        raise invalid_token(uow, token)


async def claim(uow: UnitOfWork, token: OneTimeToken) -> bool:
    """Use the token up; False when it cannot be used, or somebody else was faster."""
    principal = uow.caller.principal
    session_id = principal.session_id if principal else None
    return await uow.one_time_tokens.claim(token.token_hash, Purpose(token.purpose), session_id, uow.now)


def invalid_token(uow: UnitOfWork, token: OneTimeToken) -> DomainError:
    """Return TOKEN_INVALID for a token that is worthless by now."""
    return _worthless_link(uow, Purpose(token.purpose), token.customer_id)


def _may_enter(uow: UnitOfWork, tenant: Tenant) -> bool:
    """Tell whether the caller may act in the token's tenant: nobody's caller, or one of the same shop."""
    principal = uow.caller.principal
    return principal is None or principal.tenant_id == tenant.id


def _worthless_link(uow: UnitOfWork, purpose: Purpose, customer_id: str | None = None) -> DomainError:
    _note(uow, purpose, customer_id, UserErrorCode.TOKEN_INVALID)
    return refuse(UserErrorCode.TOKEN_INVALID, "This link no longer works: ask for a new one.", "token")


def _note(uow: UnitOfWork, purpose: Purpose, customer_id: str | None, reason: UserErrorCode) -> None:
    if uow.has_tenant:
        record_failure(uow, AuditAction.ONE_TIME_TOKEN, customer_id, purpose=purpose.value, reason=reason.value)
