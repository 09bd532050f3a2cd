"""What a provider's answers say about the person; the address, and whether it is verified, are always from one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from app.adapters.social.http import ProviderRefusedError
from app.adapters.social.rules import Rules
from app.domain.social import ProviderTokens, SocialProof
from app.domain.tenants import ClaimNames, SocialProvider
from app.domain.texts import mapped_line

LONGEST_SUBJECT = 255
_LONGEST_NAME = 100

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToldEmail:
    """An address from one answer; `is_decided` if the same answer says whether it is verified.

    `is_trusted`: it is of a domain that the provider keeps itself.
    """

    address: str
    is_decided: bool
    is_verified: bool
    is_trusted: bool = False


def find_claim(claims: Claims, path: str) -> Any:
    """Return a claim by its name, or by the path to it within other claims: `kakao_account.email`."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def tell_email(claims: Claims, names: ClaimNames, rules: Rules, provider: SocialProvider) -> ToldEmail | None:
    """Return the address that one answer has, or None if it has none.

    It is verified only if this answer says so, by the rules of the provider, and only if that is about this address: a
    provider may report another address beside `email`, and `email_verified` is not about that.
    """
    address = readable_text(find_claim(claims, names.email))
    if address is None:
        return None
    is_about_it = names.email_verified != "email_verified" or claims.get("email") in (None, address)
    decided = rules.tells_verified(find_claim(claims, names.email_verified), claims, provider)
    is_verified = decided is True and is_about_it
    return ToldEmail(
        address,
        is_decided=decided is not None and is_about_it,
        is_verified=is_verified,
        is_trusted=is_verified and rules.keeps_domain(address, claims, provider),
    )


def choose_email(told: Iterable[ToldEmail | None]) -> ToldEmail | None:
    """Return the first address whose answer says whether it is verified; if none does, the first address."""
    addresses = [each for each in told if each is not None]
    return next((each for each in addresses if each.is_decided), addresses[0] if addresses else None)


def choose_listed_email(listed: object) -> ToldEmail | None:
    """Return the primary one of a list of addresses if it is verified, else the first that is."""
    entries = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    entries.sort(key=lambda each: (each.get("verified") is not True, each.get("primary") is not True))
    for entry in entries:
        address = readable_text(entry.get("email"))
        if address is not None:
            return ToldEmail(address, is_decided=True, is_verified=entry.get("verified") is True)
    return None


def readable_text(value: object) -> str | None:
    """Return a readable text, or None: NUL and incomplete characters must not reach the database."""
    return value if isinstance(value, str) and value and value.isprintable() else None


def subject_text(value: object) -> str | None:
    """Return who the person is as text: a whole number by its decimal digits; None for what names nobody."""
    if type(value) is int:
        return str(value)
    return readable_text(value)


def make_proof(
    issuer: str,
    answers: list[dict[str, Any]],
    names: ClaimNames,
    email: ToldEmail | None,
    tokens: ProviderTokens | None,
) -> SocialProof:
    """Return what all answers say together; raises `ProviderRefusedError` where they do not say who the person is."""
    subject = subject_text(_first(answers, names.subject))
    if subject is None or len(subject) > LONGEST_SUBJECT:
        raise ProviderRefusedError("it does not say who the person is")
    first_name, last_name = _name(answers, names)
    return SocialProof(
        issuer=issuer,
        subject=subject,
        email=email.address if email is not None else None,
        email_verified=email is not None and email.is_verified,
        email_trusted=email is not None and email.is_trusted,
        first_name=first_name,
        last_name=last_name,
        tokens=tokens,
        authenticated_at=seconds_of(answers[0].get("auth_time")),
    )


def seconds_of(value: object) -> int | None:
    """Return a NumericDate (RFC 7519 section 2), which may have a fraction, in whole seconds; None for what is none."""
    if type(value) is int:
        return value
    return int(value) if isinstance(value, float) and isfinite(value) else None


def _first(answers: list[dict[str, Any]], path: str) -> Any:
    told = (find_claim(answer, path) for answer in answers)
    return next((each for each in told if each is not None), None)


def _name(answers: list[dict[str, Any]], names: ClaimNames) -> tuple[str | None, str | None]:
    """Return first and last name; of a whole name, the last name is what follows its last blank."""
    first, last = _line(_first(answers, names.first_name)), _line(_first(answers, names.last_name))
    whole = _line(_first(answers, names.name), 2 * _LONGEST_NAME + 1) if first is None and last is None else None
    if whole is None:
        return first, last
    # A no-break space binds what belongs together.
    before, _, after = whole.rpartition(" ")
    return _line(before), _line(after)


def _line(value: object, maximum: int = _LONGEST_NAME) -> str | None:
    return mapped_line(value, maximum) if isinstance(value, str) else None
