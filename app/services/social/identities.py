"""Social identities: link them to a customer, log in with them, list them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.domain.anonymizations import is_closed
from app.domain.audit import AuditAction
from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import DomainError, Refused, UserErrorCode, refuse
from app.domain.sign_in import Factors, SignInMethod
from app.domain.social import SocialProof
from app.domain.tenants import SocialProvider
from app.models.social import EMAIL_LENGTH, SocialIdentity
from app.services.accounts.sign_in_changes import WayIn, tell_added, tell_removed
from app.services.audit import record, record_failure
from app.services.outgoing.social_tokens import seal_refresh_token
from app.services.sessions.devices import find_device, remember_device
from app.services.sessions.login_steps import LoginStep, begin_step
from app.services.sessions.sessions import LoggedIn, start_customer_session
from app.services.unit_of_work import UnitOfWork


def told_email(proof: SocialProof) -> EmailAddress | None:
    """Return the address from the provider, if it is valid."""
    try:
        return parse_email(proof.email)
    except Refused:
        return None


def vouched_email(provider: SocialProvider, proof: SocialProof) -> EmailAddress | None:
    """Return the address if the provider says that it is verified, and is trusted for it; else None."""
    email = told_email(proof) if proof.email_verified else None
    if email is None:
        return None
    return email if proof.email_trusted or provider.trusts(email.key.rpartition("@")[2]) else None


async def add_identity(
    uow: UnitOfWork, customer_id: str, provider: SocialProvider, proof: SocialProof
) -> SocialIdentity | None:
    """Write the identity that the provider has proved; None if it is linked to a customer already."""
    identity = SocialIdentity(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        customer_id=customer_id,
        provider=provider.provider,
        issuer=proof.issuer,
        subject=proof.subject,
        email=_shown_email(proof),
        email_verified=vouched_email(provider, proof) is not None,
        sealed_refresh_token=seal_refresh_token(uow, provider, proof.refresh_token),
        created_at=uow.now,
    )
    return identity if await uow.social_identities.add_unless_taken(identity) else None


async def keep_refresh_token(
    uow: UnitOfWork, identity: SocialIdentity, provider: SocialProvider, proof: SocialProof
) -> None:
    """Keep the refresh token that the provider has given now. The one before it belongs to the same permission."""
    sealed = seal_refresh_token(uow, provider, proof.refresh_token)
    if sealed is not None:
        await uow.social_identities.change(identity.customer_id, identity.id, sealed_refresh_token=sealed)


def _shown_email(proof: SocialProof) -> str | None:
    return proof.email if proof.email is not None and len(proof.email) <= EMAIL_LENGTH else None


async def find_identity(uow: UnitOfWork, provider: SocialProvider, proof: SocialProof) -> SocialIdentity | None:
    """Return the identity that the provider has proved, if it is linked to a customer."""
    return await uow.social_identities.find(provider.provider, proof.issuer, proof.subject)


async def tell_linked(uow: UnitOfWork, provider: SocialProvider, identity: SocialIdentity) -> None:
    """Tell that an identity was linked to a customer who was there before: audit, event, mail with the way back."""
    way = WayIn(SignInMethod.SOCIAL, identity.id, provider.provider)
    await tell_added(uow, identity.customer_id, way, provider=provider.name)


async def tell_unlinked(uow: UnitOfWork, identity: SocialIdentity) -> None:
    """Tell that an identity was taken away, which the mailed link can link again."""
    kept = {
        "issuer": identity.issuer,
        "subject": identity.subject,
        "email": identity.email,
        "email_verified": identity.email_verified,
        "created_at": identity.created_at.isoformat(),
    }
    provider = uow.tenant.find_social_provider(identity.provider)
    way = WayIn(SignInMethod.SOCIAL, identity.id, identity.provider, kept)
    await tell_removed(
        uow, identity.customer_id, way, provider=provider.name if provider is not None else identity.provider
    )


async def log_in(
    uow: UnitOfWork,
    identity: SocialIdentity,
    proof: SocialProof | None = None,
    *,
    device_token: str | None = None,
    durable: bool = False,
) -> LoggedIn | LoginStep:
    """Raise the caller's session to the customer of an identity, and keep what the provider tells today.

    Or return the step that is still missing; `device_token` is what an earlier login has given, and may stand for it.
    `durable`: what was written before stays, even when the customer may not
    log in.

    ACCOUNT_INACTIVE, ACCOUNT_ON_HOLD, or INVALID_CREDENTIALS where the tenant does not want the answer to tell.
    """
    customer_id, provider = identity.customer_id, uow.tenant.find_social_provider(identity.provider)
    so_far, proved = await uow.customers.find(customer_id), Factors.of(SignInMethod.SOCIAL)
    device = await find_device(uow, device_token)
    if so_far is not None:
        step = await begin_step(uow, so_far, proved, device=device, identity_id=identity.id)
        if step is not None:
            if provider is not None and proof is not None:
                await keep_refresh_token(uow, identity, provider, proof)
            return step
    # This locks the customer: nobody can unlink the identity, or put the customer on hold, from here on.
    if not await uow.customers.note_login(customer_id, uow.now):
        raise await cannot_log_in(uow, identity, durable=durable)
    told = _told_today(uow, identity, proof) if proof is not None else {}
    if not await uow.social_identities.change(customer_id, identity.id, last_login_at=uow.now, **told):
        raise refuse(
            UserErrorCode.PROVIDER_REFUSED, "This social account was just removed: please try again.", "provider"
        )
    customer = await uow.customers.find(customer_id)
    if customer is None:
        raise await cannot_log_in(uow, identity)
    await record(uow, AuditAction.SOCIAL_LOGIN, customer_id, provider=identity.provider)
    principal = uow.caller.require_principal()
    logged_in = await start_customer_session(uow, principal, customer, proved, identity_id=identity.id)
    if device is None or device.customer_id != customer_id:
        return logged_in
    known_by = await remember_device(uow, customer_id, device, device_token)
    return replace(logged_in, tokens=replace(logged_in.tokens, device_token=known_by))


def _told_today(uow: UnitOfWork, identity: SocialIdentity, proof: SocialProof) -> dict[str, Any]:
    """Return the columns of an identity about its address, which change together or not at all; and a new token."""
    provider = uow.tenant.find_social_provider(identity.provider)
    told: dict[str, Any] = {"email": _shown_email(proof), "email_verified": False}
    if provider is not None:
        told["email_verified"] = vouched_email(provider, proof) is not None
        if proof.refresh_token is not None:
            told["sealed_refresh_token"] = seal_refresh_token(uow, provider, proof.refresh_token)
    return told


async def cannot_log_in(uow: UnitOfWork, identity: SocialIdentity, *, durable: bool = False) -> DomainError:
    """Return the error for a customer who proved who they are and may not log in; `durable` as in `DomainError`."""
    customer = await uow.customers.find(identity.customer_id)
    code, message = UserErrorCode.INVALID_CREDENTIALS, "No customer can log in with this social account."
    is_open = customer is not None and not is_closed(customer.anonymization_status)
    if customer is not None and is_open and uow.tenant.login_tells_status:
        if not customer.active:
            code, message = UserErrorCode.ACCOUNT_INACTIVE, "This account is not active: please contact the shop."
        elif customer.on_hold:
            code, message = UserErrorCode.ACCOUNT_ON_HOLD, "This account is on hold: please contact the shop."
    error = refuse(code, message, durable=durable)
    record_failure(uow, AuditAction.SOCIAL_LOGIN, identity.customer_id, provider=identity.provider, reason=code)
    return error


async def social_identities(uow: UnitOfWork, customer_id: str) -> Sequence[SocialIdentity]:
    """Return a customer's social identities, the oldest first."""
    return await uow.social_identities.list(customer_id)
