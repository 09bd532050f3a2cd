"""Staff who act for a customer: a short session that names them, and does not count as a login of the customer."""

from __future__ import annotations

from datetime import timedelta

from app.domain.audit import AuditAction
from app.domain.errors import UnauthenticatedReason, UserErrorCode, refuse, unauthenticated
from app.domain.principal import Actor, Principal, TokenKind
from app.domain.problems import Problems
from app.domain.texts import required_line
from app.domain.tokens import OpaqueToken, TokenPrefix
from app.models.customers import Customer, CustomerProfile
from app.models.sessions import AccessToken, Session
from app.services.accounts.customers import get_profile
from app.services.audit import record
from app.services.sessions.saas_tokens import saas_token_seconds
from app.services.sessions.sessions import LoggedIn, end_oldest_sessions
from app.services.sessions.token_sets import TokenSet, bearer_of
from app.services.staff.customers import lock_customer
from app.services.unit_of_work import UnitOfWork

REASON_LINE = required_line(200)
CLIENT_TYPE = "Client"


async def login_on_behalf(uow: UnitOfWork, customer_id: str, reason: str) -> LoggedIn:
    """Begin a session on a customer's behalf: an access token, without a refresh token.

    Its saas token names who acts, so that no other service takes its bearer for the customer. It ends with whatever
    ends the customer's sessions, and with the secret or key by which the integration had its own token.
    REQUIRED, TOO_LONG or INVALID for the reason; NOT_FOUND, ANONYMIZATION_OPEN, ACCOUNT_INACTIVE, ACCOUNT_ON_HOLD for
    the customer.
    """
    problems = Problems()
    why = problems.check(REASON_LINE, reason, "reason")
    problems.raise_if_any()
    principal = uow.caller.require_principal()
    _check_may_be_acted_for(await lock_customer(uow, customer_id, "customerId"))
    began_by = await uow.integration_tokens.find(principal.token_id or "")
    if began_by is None or began_by.revoked_at is not None:
        raise unauthenticated(UnauthenticatedReason.REVOKED)
    actor = _actor(principal, why or "")
    session = Session(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        kind=TokenKind.ON_BEHALF.value,
        client_id=principal.client_id,
        customer_id=customer_id,
        created_at=uow.now,
        last_used_at=uow.now,
        expires_at=uow.now + timedelta(seconds=uow.tenant.on_behalf_token_seconds),
        actor_id=actor.id,
        actor_type=actor.type,
        actor_reason=actor.reason,
        credential_fingerprint=began_by.credential_fingerprint,
    )
    await uow.sessions.add(session)
    await end_oldest_sessions(uow, customer_id, TokenKind.ON_BEHALF)
    customer = await get_profile(uow, customer_id)
    tokens = await _issue(uow, session, customer)
    await record(
        uow, AuditAction.ON_BEHALF_STARTED, customer_id, on_behalf_session=session.id, client_id=principal.client_id
    )
    return LoggedIn(tokens, customer)


def _check_may_be_acted_for(customer: Customer) -> None:
    if not customer.active:
        raise refuse(UserErrorCode.ACCOUNT_INACTIVE, "This customer is not active: activate them first.", "customerId")
    if customer.on_hold:
        raise refuse(UserErrorCode.ACCOUNT_ON_HOLD, "This customer is on hold: end the hold first.", "customerId")


def _actor(principal: Principal, reason: str) -> Actor:
    """Return who acts: the person whom the integration's token names, or else the integration itself."""
    if principal.owner is not None:
        return Actor(principal.owner.id, principal.owner.type, reason)
    return Actor(principal.client_id, CLIENT_TYPE, reason)


async def _issue(uow: UnitOfWork, session: Session, customer: CustomerProfile) -> TokenSet:
    access = OpaqueToken.of_tenant(TokenPrefix.ON_BEHALF_ACCESS, uow.tenant.id, uow.tools.random.secret())
    token = AccessToken(
        tenant_id=uow.tenant.id,
        token_hash=access.hash,
        session_id=session.id,
        created_at=uow.now,
        expires_at=session.expires_at,
    )
    await uow.sessions.add_access_token(token)
    bearer = bearer_of(session, session.expires_at)
    return TokenSet(
        access_token=access.text,
        expires_in=uow.tenant.on_behalf_token_seconds,
        refresh_token=None,
        refresh_token_expires_in=None,
        saas_token_expires_in=saas_token_seconds(uow, bearer),
        bearer=bearer,
        customer=customer,
    )
