"""Who wrote what an account holds: the shop, the customer, or somebody who never proved that the address was theirs.

A row says it in one word, `Origin`; a profile in two lists of fields, each a JSON pointer (RFC 6901) such as
`/last_name` or `/mixins/loyalty/level`, because a profile is written by several.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum, unique
from typing import Any, Protocol

# What a profile says about a person; all else about a customer is the shop's.
PROFILE_FIELDS = (
    "title",
    "first_name",
    "middle_name",
    "last_name",
    "contact_email",
    "contact_phone",
    "company",
    "preferred_language",
    "preferred_currency",
    "preferred_site",
    "business_model",
    "company_registration_id",
    "mixins",
)
# The pointer to the whole: in `shop_fields`, that each of the shop's fields is in the list since the beginning.
ALL = ""
_MIXINS = "/mixins/"


@unique
class Origin(StrEnum):
    """Who wrote a row, where that is known to be nobody but the shop, or somebody before the first proof."""

    SHOP = "shop"
    UNPROVEN = "unproven"


class Written(Protocol):
    """A profile, and whose fields are in it."""

    shop_fields: list[str] | None
    unproven_fields: list[str] | None


def fields_of(profile: object, names: Iterable[str] = PROFILE_FIELDS) -> dict[str, Any]:
    """Return what a profile says, by field."""
    return {name: getattr(profile, name) for name in names}


def pointers_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return each single value of a profile that is not empty, by its pointer."""
    told = {name: value for name, value in values.items() if name in PROFILE_FIELDS}
    return dict(_leaves(told, ""))


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, each in value.items():
            yield from _leaves(each, f"{pointer}/{_escape(name)}")
    elif value is not None and (value or not isinstance(value, Mapping) or pointer.count("/") > 1):
        yield pointer, value


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def origins_after(profile: Written, columns: Mapping[str, Any], *, by_shop: bool) -> dict[str, Any]:
    """Return the columns about who wrote what, after these columns of a profile are written; none where none changes.

    What changes is from now on whoever's who changes it. What the shop says is the shop's even where it says the same.
    """
    before = pointers_of(fields_of(profile, columns.keys() & set(PROFILE_FIELDS)))
    after = pointers_of(columns)
    written = {each for each in before.keys() | after.keys() if before.get(each) != after.get(each)}
    if by_shop:
        # Mixins are merged: those that the shop did not touch are in `after`, too.
        written |= {each for each in after if not each.startswith(_MIXINS)}
    shop, unproven = set(profile.shop_fields or ()), set(profile.unproven_fields or ())
    changed: dict[str, Any] = {}
    theirs = (shop - written) | (written & after.keys() if by_shop else set())
    if theirs != shop:
        changed["shop_fields"] = sorted(theirs)
    if not unproven.isdisjoint(written):
        changed["unproven_fields"] = sorted(unproven - written)
    return changed


def without(values: Mapping[str, Any], pointers: Iterable[str]) -> dict[str, Any]:
    """Return these values of a profile without those that the pointers name: they, and what only held them, are None.

    Of mixins nothing is left in the place of such a value, not even its name.
    """
    gone = frozenset(pointers)
    return {name: _without(value, f"/{_escape(name)}", gone) for name, value in values.items()}


def _without(value: Any, pointer: str, gone: frozenset[str]) -> Any:
    if pointer in gone:
        return None
    if not isinstance(value, Mapping) or not value:
        return value
    each = ((name, _without(inner, f"{pointer}/{_escape(name)}", gone)) for name, inner in value.items())
    return {name: inner for name, inner in each if inner is not None} or None
