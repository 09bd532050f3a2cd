"""The ways of writing addresses, by country."""

from __future__ import annotations

from app.domain import address_rules as domain
from app.domain.address_rules import AddressRules
from app.domain.errors import Refused
from app.domain.locales import parse_country


def address_rules(country: str) -> AddressRules | None:
    """Return how addresses of the country are written, or None if there is no such country."""
    try:
        return domain.address_rules(parse_country(country))
    except Refused:
        return None
