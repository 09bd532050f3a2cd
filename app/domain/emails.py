"""E-mail addresses: the form to show and to mail, and the form to compare."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from app.domain.errors import Refused, UserErrorCode

MAXIMUM_LENGTH = 254


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """Show and mail `address`; compare `key`.

    Two addresses with the same key may be different mailboxes, so mail goes to the stored `address` of the key's owner,
    never to the one that somebody has typed.
    """

    address: str
    key: str

    @property
    def local_part(self) -> str:
        """The part before the @-sign, as it is shown."""
        return self.address.rpartition("@")[0]


def parse_email(text: str | None) -> EmailAddress:
    """Return the address (RFC 5321, internationalized by RFC 6531); nothing is looked up in the DNS.

    Outer white space is dropped. `key` has the local part case-folded and the domain in its ASCII form (IDNA 2008).
    Quoted local parts, address literals, display names and every control character are refused. Raises `Refused` with
    REQUIRED, TOO_LONG (254 octets, RFC 5321 section 4.5.3.1.3) or INVALID_EMAIL.
    """
    trimmed = (text or "").strip()
    if not trimmed:
        raise Refused(UserErrorCode.REQUIRED, "Please enter your e-mail address.")
    if len(trimmed.encode("utf-8", "surrogatepass")) > MAXIMUM_LENGTH:
        raise Refused(UserErrorCode.TOO_LONG, f"Please use an e-mail address of at most {MAXIMUM_LENGTH} characters.")
    try:
        # `test_environment` only allows the reserved top-level domain .test, which shops use for staging.
        valid = validate_email(trimmed, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise Refused(
            UserErrorCode.INVALID_EMAIL, "Please enter a complete e-mail address, such as name@example.com."
        ) from error
    return EmailAddress(valid.normalized, f"{fold_address(valid.local_part)}@{valid.ascii_domain}")


def fold_address(text: str) -> str:
    """Return the local part of an address, or the beginning of one, as it is compared."""
    return unicodedata.normalize("NFC", text.casefold())
