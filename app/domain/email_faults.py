"""Why a text cannot be an e-mail address, in a sentence for the person who has typed it."""

from __future__ import annotations

import re
import unicodedata

from email_validator import SPECIAL_USE_DOMAIN_NAMES

_LABEL_OCTETS = 63
_DOMAIN_OCTETS = 253
_LOCAL_PART_LENGTH = 64
_IN_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]")
_IN_DOMAIN = re.compile(r"[A-Za-z0-9.\u0080-\U0010ffff-]")
_NUMBERS = re.compile(r"[0-9.]+")
# What a keyboard, a copied text or another script has in the place of the @-sign.
_LOOKS_LIKE_AT = frozenset("\uff20\ufe6b")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

OTHERWISE = "Please enter a complete e-mail address, such as name@example.com."


def find_fault(text: str) -> str | None:
    """Return what is wrong with the form of the address, or None if that is in order.

    The first fault counts, in the order in which a person would mend them. None repeats more than one character of the
    text.
    """
    return _fault_of_whole(text) or _fault_of_local_part(text.rpartition("@")[0]) or _fault_of_domain(text)


def _fault_of_whole(text: str) -> str | None:
    if any(unicodedata.category(each) in _HIDDEN for each in text):
        return "The address has a line break or a hidden character. Please type it instead of pasting it."
    if "<" in text or ">" in text:
        return "Please enter the address alone, without a name and without < and >."
    if '"' in text:
        return "An address with quotation marks cannot be used here."
    if "," in text or ";" in text:
        return "Please enter one address only, without a comma or a semicolon."
    if any(each.isspace() for each in text):
        return "An e-mail address has no spaces."
    if "@" not in text:
        if any(each in _LOOKS_LIKE_AT for each in text):
            return "The @-sign is a wide one. Please type it with a Latin keyboard."
        return "The @-sign is missing. An e-mail address looks like name@example.com."
    if text.count("@") > 1:
        return "There is more than one @-sign."
    return None


def _fault_of_local_part(local_part: str) -> str | None:
    if not local_part:
        return "There is nothing before the @-sign."
    if len(local_part) > _LOCAL_PART_LENGTH:
        return f"There are more than {_LOCAL_PART_LENGTH} characters before the @-sign."
    if (unknown := _first_unknown(local_part, _IN_LOCAL_PART)) is not None:
        return f"There cannot be {unknown} before the @-sign."
    if local_part.startswith("."):
        return "An e-mail address cannot begin with a dot."
    if unicodedata.combining(local_part[0]):
        return "An e-mail address cannot begin with an accent that stands alone."
    return None


def fault_of_dots(text: str) -> str | None:
    """Return what is wrong with the dots before the @-sign by the standard, which not every provider keeps to."""
    local_part = text.rpartition("@")[0]
    if local_part.endswith("."):
        return "There cannot be a dot right before the @-sign."
    return "There cannot be two dots in a row before the @-sign." if ".." in local_part else None


def _fault_of_domain(text: str) -> str | None:
    """Return what is wrong with the part of the address after the @-sign."""
    domain = text.rpartition("@")[2]
    if not domain:
        return "There is nothing after the @-sign."
    if domain.startswith("[") or _NUMBERS.fullmatch(domain):
        return "There must be a domain such as example.com after the @-sign, not the number of a computer."
    if (unknown := _first_unknown(domain, _IN_DOMAIN)) is not None:
        return f"There cannot be {unknown} after the @-sign."
    if len(domain) > _DOMAIN_OCTETS:
        return f"There are more than {_DOMAIN_OCTETS} characters after the @-sign."
    return _fault_of_labels(_with_plain_dots(domain).split("."))


def _fault_of_labels(labels: list[str]) -> str | None:
    if labels == ["test"]:
        return None
    if len(labels) == 1:
        return "There is no dot after the @-sign. A domain looks like example.com."
    if not labels[0]:
        return "There cannot be a dot right after the @-sign."
    if not labels[-1]:
        return "An e-mail address cannot end with a dot."
    if not all(labels):
        return "There cannot be two dots in a row after the @-sign."
    if any(label.startswith("-") or label.endswith("-") for label in labels):
        return "No part of the domain can begin or end with a hyphen."
    if any(_octets(label) > _LABEL_OCTETS for label in labels):
        return f"A part of the domain between two dots is longer than {_LABEL_OCTETS} characters."
    if labels[-1].isdigit():
        return "The domain cannot end with a number. It ends with .com, .de or the like."
    return None


def describe_refusal(text: str) -> str:
    """Return why a library refuses an address in whose form there is nothing wrong."""
    labels = _with_plain_dots(text.rpartition("@")[2].lower()).split(".")
    if any(label[2:4] == "--" and not label.startswith("xn") for label in labels):
        return "The domain has two hyphens at a place where no registry allows them."
    if labels[-1] in SPECIAL_USE_DOMAIN_NAMES:
        return f"Nobody can get mail at a domain that ends with .{labels[-1]}: that name is reserved."
    if any(label.startswith("xn--") or not label.isascii() for label in labels):
        return "The domain has a character or a combination of characters that no domain can have."
    return OTHERWISE


def _with_plain_dots(domain: str) -> str:
    """Return the domain with the dots that East Asian keyboards write (RFC 3490) as plain ones."""
    return re.sub("[\u3002\uff0e\uff61]", ".", domain)


def _octets(label: str) -> int:
    """Return the length of the label in the DNS (RFC 5890)."""
    return len(label) if label.isascii() else len("xn--") + len(_folded(label).encode("punycode"))


def _folded(label: str) -> str:
    return unicodedata.normalize("NFC", label.casefold())


def _first_unknown(text: str, known: re.Pattern[str]) -> str | None:
    return next((each for each in text if not known.fullmatch(each)), None)
