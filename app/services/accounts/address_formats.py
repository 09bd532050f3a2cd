"""Addresses as they stand on an envelope, for the reader of a site of the shop."""

from __future__ import annotations

from app.domain.address_formats import FORMATTED, format_address
from app.models.addresses import Address
from app.services.outgoing.mails import current_site
from app.services.unit_of_work import UnitOfWork


def formatted(uow: UnitOfWork, address: Address, *, latin: bool = False) -> str:
    """Return the lines of an address, in the order of its country or in that for Latin letters."""
    site = current_site(uow)
    columns = {name: getattr(address, name) for name in FORMATTED}
    return format_address(columns, latin=latin, home=site.country, language=site.language)
