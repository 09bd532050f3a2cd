"""Addresses that an account has left but can still take back: they are refused to others, by mail."""

from __future__ import annotations

from app.domain.anonymizations import is_closed
from app.domain.emails import EmailAddress
from app.services.outgoing.mails import send_mail
from app.services.unit_of_work import UnitOfWork


async def tell_of_way_back(uow: UnitOfWork, email: EmailAddress, *, asked_by: str = "") -> None:
    """Mail to the address that another account than the asking one has left it, and until when it is kept.

    Whoever reads there has had the notice of the change already, so the mail tells nothing new. Ask `may_mail` before.
    """
    way_back = await uow.credentials.find_way_back(email.key, asked_by, uow.now)
    if way_back is None:
        return
    # Not locked: an asking customer is already, and two who ask for each other's address would wait for ever.
    customer = await uow.customers.find(way_back.customer_id)
    if customer is not None and not is_closed(customer.anonymization_status):
        language = customer.preferred_language
        await send_mail(uow, "address_kept", way_back.customer_id, way_back.email, language=language)
