"""E-mail addresses: the form to show and to mail, and the form to compare."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from app.domain.email_faults import describe_refusal, fault_of_dots, find_fault
from app.domain.errors import Refused, UserErrorCode

MAXIMUM_LENGTH = 254
# Mobile carriers of Japan have handed out addresses with dots where the standard (RFC 5321) has none, and still deliver
# them: `a..b@docomo.ne.jp`, `a.@ezweb.ne.jp`.
_FREE_WITH_DOTS = (
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "au.com",
    "softbank.ne.jp",
    "i.softbank.jp",
    "vodafone.ne.jp",
    "disney.ne.jp",
    "ymobile.ne.jp",
    "ymobile1.ne.jp",
    "y-mobile.ne.jp",
    "emnet.ne.jp",
    "willcom.com",
    "pdx.ne.jp",
)


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

    def is_same_mailbox(self, stored: str | None) -> bool:
        """Tell whether a stored address is the same but for capitals: who has proved one has proved the other.

        `strasse` and `straße` have the same key, and may be different people's.
        """
        other = parse_email(stored)
        return self.key == other.key and _lower(self.local_part) == _lower(other.local_part)


def parse_email(text: str | None) -> EmailAddress:
    """Return the address (RFC 5321, internationalized by RFC 6531); nothing is looked up in the DNS.

    Outer white space is dropped. `key` has the local part case-folded and the domain in its ASCII form (IDNA 2008).
    Quoted local parts, address literals, display names and every control character are refused. Raises `Refused` with
    REQUIRED, TOO_LONG (254 octets, RFC 5321 section 4.5.3.1.3) or INVALID_EMAIL, whose message says what is wrong.
    """
    trimmed = (text or "").strip()
    if not trimmed:
        raise Refused(UserErrorCode.REQUIRED, "Please enter your e-mail address.")
    if len(trimmed.encode("utf-8", "surrogatepass")) > MAXIMUM_LENGTH:
        raise _too_long()
    if (fault := find_fault(trimmed)) is not None:
        raise Refused(UserErrorCode.INVALID_EMAIL, fault)
    odd_dots = fault_of_dots(trimmed)
    valid = _validate(trimmed if odd_dots is None else _with_even_dots(trimmed))
    local_part = valid.local_part
    if odd_dots is not None:
        if not _is_free_with_dots(valid.ascii_domain):
            raise Refused(UserErrorCode.INVALID_EMAIL, odd_dots)
        local_part = unicodedata.normalize("NFC", trimmed.rpartition("@")[0])
    if len(f"{local_part}@{valid.ascii_domain}".encode()) > MAXIMUM_LENGTH:
        raise _too_long()
    return EmailAddress(f"{local_part}@{valid.domain}", f"{fold_address(local_part)}@{valid.ascii_domain}")


def _validate(text: str) -> ValidatedEmail:
    try:
        # `test_environment` only allows the reserved top-level domain .test, which shops use for staging.
        return validate_email(text, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise Refused(UserErrorCode.INVALID_EMAIL, describe_refusal(text)) from error


def _with_even_dots(text: str) -> str:
    local_part, _, domain = text.rpartition("@")
    return f"{re.sub(r'[.]{2,}', '.', local_part).rstrip('.')}@{domain}"


def _is_free_with_dots(domain: str) -> bool:
    return domain in _FREE_WITH_DOTS or domain.endswith(tuple(f".{each}" for each in _FREE_WITH_DOTS))


def _too_long() -> Refused:
    return Refused(UserErrorCode.TOO_LONG, f"Please use an e-mail address of at most {MAXIMUM_LENGTH} characters.")


def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", text.lower())


def fold_address(text: str) -> str:
    """Return the local part of an address, or the beginning of one, as it is compared."""
    return unicodedata.normalize("NFC", text.casefold())
