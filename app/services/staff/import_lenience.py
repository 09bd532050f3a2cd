"""What an import leaves out of a customer so that the rest can come in, and the remarks that say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.domain.errors import FieldError, UserErrorCode

_LISTS = frozenset({"addresses", "legalEntities", "groups", "socialIdentities"})
# An address that lacks one of these is none.
_NEEDED = frozenset({"contactName", "street", "city", "country", "zipCode", "state"})


def is_essential(error: FieldError) -> bool:
    """Tell whether nobody can come in with this error: it is about the e-mail address, or about all of the record."""
    return not error.field or error.field[0] == "email"


def _as_default_of_what_is_free(address: Mapping[str, Any], taken: set[str]) -> Mapping[str, Any]:
    """Return the address as the default of nothing that an earlier one is the default of."""
    changes: dict[str, Any] = {}
    if address.get("isDefault") is True and "isDefault" in taken:
        changes["isDefault"] = False
    purposes = address.get("defaultFor")
    if isinstance(purposes, Sequence):
        changes["defaultFor"] = [each for each in purposes if each not in taken]
        taken.update(map(str, purposes))
    if address.get("isDefault") is True:
        taken.add("isDefault")
    return {**address, **changes}


class Lenience:
    """A customer from which wrong values are taken one after another; `remarks` name them as the file had them."""

    def __init__(self, content: Mapping[str, Any], most_addresses: int) -> None:
        self.content = dict(content)
        self.remarks: list[FieldError] = []
        self._most_addresses = most_addresses
        self._places: dict[str, list[int]] = {}

    def leave_out(self, errors: Iterable[FieldError]) -> bool:
        """Take out what the errors are about; False if there was nothing to take out."""
        gone: dict[str, set[int]] = {}
        before = dict(self.content)
        places: set[tuple[str, ...]] = set()
        for error in errors:
            self.remarks.append(self.as_in_file(error))
            name, *rest = error.field
            if rest and error.field[:3] in places:
                # Of one field of an address there may be several: `defaultFor.0`, `defaultFor.1`.
                continue
            places.add(error.field[:3])
            value = self.content.get(name)
            if name in _LISTS and rest and rest[0].isdigit() and isinstance(value, Sequence):
                if not self._leave_part_out(name, int(rest[0]), rest[1:]):
                    gone.setdefault(name, set()).add(int(rest[0]))
            elif name == "mixins" and rest and isinstance(value, Mapping):
                self.content[name] = {key: mixin for key, mixin in value.items() if key != rest[0]}
            elif name != "addresses" or not self._keep_some_addresses(error):
                self.content.pop(name, None)
        for name, indexes in gone.items():
            self._keep(name, [index for index in range(len(self.content[name])) if index not in indexes])
        return self.content != before

    def _leave_part_out(self, name: str, index: int, rest: Sequence[str]) -> bool:
        """Take a field out of an address that is one without it."""
        entry = self.content[name][index] if index < len(self.content[name]) else None
        if name != "addresses" or not rest or not isinstance(entry, Mapping) or rest[0] not in entry:
            return False
        if rest[0] in _NEEDED - {"zipCode", "state"}:
            return False
        entries = list(self.content[name])
        entries[index] = {key: value for key, value in entry.items() if key != rest[0]}
        self.content[name] = entries
        return True

    def _keep_some_addresses(self, error: FieldError) -> bool:
        """Keep the first addresses of too many, and the first default of several."""
        addresses = self.content.get("addresses")
        if not isinstance(addresses, Sequence) or not all(isinstance(each, Mapping) for each in addresses):
            return False
        if error.code is UserErrorCode.LIMIT_REACHED:
            self._keep("addresses", range(min(len(addresses), self._most_addresses)))
            return True
        taken: set[str] = set()
        self.content["addresses"] = [_as_default_of_what_is_free(each, taken) for each in addresses]
        return True

    def _keep(self, name: str, indexes: Iterable[int]) -> None:
        kept = list(indexes)
        places = self._places.get(name, list(range(len(self.content[name]))))
        self.content[name] = [self.content[name][index] for index in kept]
        self._places[name] = [places[index] for index in kept]

    def as_in_file(self, error: FieldError) -> FieldError:
        """Return an error about what is left as one about the record in the file."""
        name, *rest = error.field
        places = self._places.get(name)
        if places is None or not rest or not rest[0].isdigit() or int(rest[0]) >= len(places):
            return error
        return replace(error, field=(name, str(places[int(rest[0])]), *rest[1:]))
