"""What a provider's answers say about an address: the address and whether it is verified, always from one answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# The claims of OpenID Connect Core 1.0 section 5.1.
_EMAIL, _EMAIL_VERIFIED = "email", "email_verified"


@dataclass(frozen=True, slots=True)
class ToldEmail:
    """An address from one answer; `is_decided` if the same answer says whether it is verified."""

    address: str
    is_decided: bool
    is_verified: bool


def tell_email(claims: Mapping[str, Any], name: str) -> ToldEmail | None:
    """Return the address that one answer has under `name`, or None if it has none.

    It is verified only if this answer has JSON `true`, and only if that is about this address: a provider may report
    another address beside `email`, and `email_verified` is not about that.
    """
    address = readable_text(claims.get(name))
    if address is None:
        return None
    verified = claims.get(_EMAIL_VERIFIED)
    is_about_it = claims.get(_EMAIL) in (None, address)
    return ToldEmail(
        address, is_decided=verified is not None and is_about_it, is_verified=verified is True and is_about_it
    )


def choose_email(told: Iterable[ToldEmail | None]) -> ToldEmail | None:
    """Return the first address whose answer says whether it is verified; if none does, the first address."""
    addresses = [each for each in told if each is not None]
    return next((each for each in addresses if each.is_decided), addresses[0] if addresses else None)


def readable_text(value: object) -> str | None:
    """Return a readable text, or None: NUL and incomplete characters must not reach the database."""
    return value if isinstance(value, str) and value and value.isprintable() else None
