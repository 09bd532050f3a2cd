"""Likely slips in the domain of an e-mail address, such as gmial.com, and what was probably meant."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

from email_validator import SPECIAL_USE_DOMAIN_NAMES

from app.domain.emails import EmailAddress
from app.domain.web_origins import top_level_domains

# Where most people have their mail, the greater first: of two that are as like, the first is suggested. The list also
# keeps a domain of its own, like mail.com, from being taken for a slip of another.
_WELL_KNOWN = (Path(__file__).parent / "mail_domains.txt").read_text(encoding="ascii").split()
_PLACE = {domain: place for place, domain in enumerate(_WELL_KNOWN)}
# These have one domain for the whole world, whatever country somebody writes behind the name.
_ONE_DOMAIN = {"gmail": "gmail.com", "icloud": "icloud.com"}
_ENDINGS = (
    "com",
    "de",
    "net",
    "org",
    "at",
    "ch",
    "fr",
    "it",
    "es",
    "nl",
    "be",
    "pl",
    "cz",
    "sk",
    "hu",
    "ru",
    "ua",
    "se",
    "dk",
    "no",
    "fi",
    "pt",
    "br",
    "co.uk",
    "eu",
    "info",
    "biz",
    "jp",
    "co.jp",
    "com.au",
    "ca",
    "us",
)  # Names of fewer letters are like too many others; only their letters may stand in another order.
_SHORT = 5
_LIKE_NAME = 0.8
_LIKE_ENDING = 0.66
_LONGEST = 40


def suggest_email(address: EmailAddress) -> str | None:
    """Return the whole address with the domain that was probably meant; None where the domain may well be right.

    A domain that is well known is never a slip, nor one whose ending exists and whose name is like none of those.
    Nothing is looked up: it takes less than a millisecond, and does not tell who has an account.
    """
    domain = address.key.rpartition("@")[2]
    meant = _mend(domain)
    return f"{address.local_part}@{meant}" if meant is not None else None


@lru_cache(1000)
def _mend(domain: str) -> str | None:
    name, _, ending = domain.partition(".")
    if domain in _PLACE or len(domain) > _LONGEST or domain.rpartition(".")[2] in SPECIAL_USE_DOMAIN_NAMES:
        return None
    if name in _ONE_DOMAIN:
        return _of_one_domain(name, ending)
    alike = [known for known in _WELL_KNOWN if _is_slip_of(name, ending, known)]
    if alike:
        return max(alike, key=lambda known: (_likeness(domain, known), -_PLACE[known]))
    provider = next((known for known in _ONE_DOMAIN if _is_like_name(name, known)), None)
    return (_of_one_domain(provider, ending) if provider is not None else None) or _mend_ending(domain)


def _of_one_domain(provider: str, ending: str) -> str | None:
    """Return the one domain of the provider, unless the name is only the first part of somebody's own domain."""
    return _ONE_DOMAIN[provider] if "." not in ending.removeprefix("co.").removeprefix("com.") else None


def _is_slip_of(name: str, ending: str, known: str) -> bool:
    known_name, _, known_ending = known.partition(".")
    if not _is_like_name(name, known_name):
        return False
    # Two slips in one domain are rare, two real domains that differ in both parts are not.
    return ending == known_ending or (_is_like_ending(ending, known_ending) and not _is_other_country(ending))


def _is_like_name(name: str, known: str) -> bool:
    if name == known:
        return True
    if len(known) < _SHORT:
        return sorted(name) == sorted(known)
    return abs(len(name) - len(known)) <= 1 and _likeness(name, known) >= _LIKE_NAME


def _is_like_ending(ending: str, known: str) -> bool:
    return sorted(ending) == sorted(known) or _likeness(ending, known) >= _LIKE_ENDING


def _is_other_country(ending: str) -> bool:
    """Tell whether the ending is one that people have on purpose, and no slip of .com or .net."""
    return _exists(ending) and ending not in {"co", "cm", "om", "ne"}


def _mend_ending(domain: str) -> str | None:
    """Return the domain with an ending that exists, where its own does not and is like one."""
    ending = domain.rpartition(".")[2]
    if _exists(ending):
        return None
    rest = domain[: -len(ending)]
    meant = max(_ENDINGS, key=lambda known: (_likeness(ending, known), -_ENDINGS.index(known)))
    return f"{rest}{meant}" if _is_like_ending(ending, meant) else None


def _exists(ending: str) -> bool:
    top = ending.rpartition(".")[2]
    return top in _ENDINGS or top.startswith("xn--") or top in top_level_domains()


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
