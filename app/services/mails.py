"""Mails: written to the outbox in the transaction that caused them; the worker renders and sends them."""

from __future__ import annotations

from datetime import timedelta

from app.domain.tenants import Site
from app.domain.tokens import OpaqueToken, TokenPrefix
from app.models.one_time_tokens import OneTimeToken, Purpose
from app.models.outbox import OutboxKind, OutboxMessage
from app.services.unit_of_work import UnitOfWork


def current_site(uow: UnitOfWork) -> Site:
    """Return the site that the caller is on; its pages are where mailed links lead."""
    principal = uow.caller.principal
    site = uow.tenant.find_site(principal.site) if principal and principal.site else None
    return site or uow.tenant.default_site


async def send_mail(
    uow: UnitOfWork,
    template: str,
    customer_id: str,
    recipient: str,
    *,
    language: str | None = None,
    token: OpaqueToken | None = None,
) -> None:
    """Write one mail to the outbox; `language` is the customer's own, else the site's counts."""
    site = current_site(uow)
    message = OutboxMessage(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        kind=OutboxKind.MAIL.value,
        topic=template,
        customer_id=customer_id,
        payload={
            "recipient": recipient,
            "site": site.id,
            "language": language or site.language,
            # The token must wait here to be mailed; sealed, it is of no use to a reader of the database.
            "token": uow.tools.sealer.seal(token.text) if token else None,
        },
        created_at=uow.now,
        due_at=uow.now,
    )
    await uow.outbox.add(message)


async def issue_one_time_token(
    uow: UnitOfWork, purpose: Purpose, customer_id: str, email: str, credential_version: int, lifetime: timedelta
) -> OpaqueToken:
    """Make a token to be mailed; older ones for the same purpose are worthless from now on."""
    token = OpaqueToken.of(TokenPrefix.ONE_TIME, uow.tools.random.secret())
    await uow.one_time_tokens.revoke(customer_id, uow.now, purpose)
    await uow.one_time_tokens.add(
        OneTimeToken(
            tenant_id=uow.tenant.id,
            token_hash=token.hash,
            purpose=purpose.value,
            customer_id=customer_id,
            email=email,
            credential_version=credential_version,
            created_at=uow.now,
            expires_at=uow.now + lifetime,
        )
    )
    return token
