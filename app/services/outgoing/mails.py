"""Mails: written to the outbox in the transaction that caused them; the worker renders and sends them."""

from __future__ import annotations

from datetime import timedelta

from app.domain.tenants import Site
from app.domain.tokens import OpaqueToken
from app.models.customers import CustomerProfile
from app.models.outbox import OutboxKind, OutboxMessage
from app.services.unit_of_work import UnitOfWork

# The mail after the erasure of its recipient.
FAREWELL = "anonymization_done"
# Longer than any erasure takes.
_UNTIL_SENT = timedelta(days=36_500)


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
    code: str | None = None,
    at_site: Site | None = None,
    **details: str,
) -> None:
    """Write one mail to the outbox; `language` is the customer's own, else the site's counts.

    `token` goes into the mail's link, which leads to the client that the caller uses, if that has a place for it, or to
    `at_site`, or else to the caller's site; `code` is shown; `details` are what else its text names.
    """
    sealer = uow.tools.sealer
    site, principal = at_site or current_site(uow), uow.caller.principal
    message = OutboxMessage(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        kind=OutboxKind.MAIL.value,
        topic=template,
        customer_id=customer_id,
        endpoint=_own_mailer(uow),
        payload={
            "recipient": recipient,
            "site": site.id,
            "client": principal.client_id if principal is not None else None,
            "language": language or site.language,
            # Token and code wait here to be mailed. They are encrypted, so a reader of the database cannot use them.
            "token": sealer.seal(token.text) if token else None,
            "code": sealer.seal(code) if code else None,
            "details": details,
        },
        created_at=uow.now,
        due_at=uow.now,
    )
    await uow.outbox.add(message)


def _own_mailer(uow: UnitOfWork) -> str | None:
    """Return where the mail goes as an event: to the shop's own mailer, if it has one."""
    endpoint = uow.tenant.mail_endpoint
    return endpoint.url if endpoint is not None else None


async def prepare_farewell(
    uow: UnitOfWork, held_as: str, recipient: str, *, language: str | None, site: str | None
) -> None:
    """Write the mail that tells somebody that they are erased; under this id it waits for `send_farewell`.

    It is nobody's, so that the erasure may be done again without losing it. The address is the last that is left of
    them: it waits sealed, and the row goes as soon as the mail has left or is given up.
    """
    home = (uow.tenant.find_site(site) if site else None) or uow.tenant.default_site
    message = OutboxMessage(
        tenant_id=uow.tenant.id,
        id=held_as,
        kind=OutboxKind.MAIL.value,
        topic=FAREWELL,
        endpoint=_own_mailer(uow),
        payload={
            "recipient": None,
            "address": uow.tools.sealer.seal(recipient),
            "site": home.id,
            "language": language or home.language,
            "token": None,
            "code": None,
            "details": {},
        },
        created_at=uow.now,
        due_at=uow.now + _UNTIL_SENT,
    )
    await uow.outbox.add(message)


async def send_farewell(uow: UnitOfWork, held_as: str) -> None:
    """Release the mail about the erasure, if there is one. The erasure is done now, which the mail says."""
    held = await uow.outbox.take_back(held_as)
    if held is not None:
        message = OutboxMessage(
            tenant_id=uow.tenant.id,
            id=uow.tools.random.new_id(),
            kind=held.kind,
            topic=held.topic,
            endpoint=_own_mailer(uow),
            payload=held.payload,
            created_at=uow.now,
            due_at=uow.now,
        )
        await uow.outbox.add(message)


async def send_security_mail(
    uow: UnitOfWork, template: str, customer: CustomerProfile, *, recipient: str | None = None, **details: str
) -> None:
    """Warn a customer, at the login address or at another recipient, where the shop has such mails on."""
    to = recipient or customer.email
    if to is not None and uow.tenant.security_mails:
        language = customer.preferred_language
        await send_mail(
            uow, template, customer.id, to, language=language, token=None, code=None, at_site=None, **details
        )
