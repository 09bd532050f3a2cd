"""Our own fields as columns of a table, such as `addresses.0.street`: read, mapped from other names, and written."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from app.domain.customer_lines import MADE, AddressLine, CustomerLine, IdentityLine, LegalEntityLine
from app.domain.moving import values
from app.domain.moving.drafts import Read, give_names, rounded
from app.domain.moving.records import Record

_LISTS = {
    "addresses": AddressLine.names(),
    "legalEntities": LegalEntityLine.names(),
    "socialIdentities": IdentityLine.names(),
}
_EVERY = CustomerLine.names()
# What says who it is, then the account, then the profile, then what there may be several of.
NAMES = (
    *_EVERY[_EVERY.index("email") : _EVERY.index("groups") + 1],
    *_EVERY[: _EVERY.index("email")],
    *_EVERY[_EVERY.index("groups") + 1 :],
)
# Written in digits, but no amounts. A spreadsheet may have rounded them, and two customers become one.
_NUMBERS = frozenset(
    {"shopperReference", "customerNumber", "companyRegistrationId", "contactPhone", "zipCode", "streetNumber"}
    | {"id", "contactAssignmentId", "subject"}
)
_LINES: Mapping[str, Callable[[Any], str | None]] = {
    "passwordHash": str,
    "country": values.country,
    **dict.fromkeys(_NUMBERS, values.digits),
}
_FLAGS = frozenset({"emailVerified", "active", "onHold", "isDefault", "confirmed"})
_WORDS = frozenset({"groups", "tags", "defaultFor"})
# What a cell holds where the customer has none, and none is to be made.
_NULL = "null"
_COLUMN = re.compile(r"(?P<list>\w+)\.(?P<index>\d{1,3})\.(?P<field>\w+)")


def is_own_column(name: str) -> bool:
    """Tell whether this is a field of ours: `email`, `addresses.0.street`, `mixins`, `mixins.loyalty.level`."""
    if name in CustomerLine.names():
        return name not in _LISTS
    place = _COLUMN.fullmatch(name)
    if place is not None:
        return place["field"] in _LISTS.get(place["list"], ())
    return re.fullmatch(r"mixins\.[^.]+\..+|groups\.\d{1,3}", name) is not None


def read_map(toml: str) -> dict[str, str]:
    """Return their column for each field of ours. Raises `ValueError`, in a sentence, for what is no map."""
    try:
        told = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is no TOML: {error}") from None
    found = dict(_flatten_map(told))
    if wrong := sorted(name for name, column in found.items() if not isinstance(column, str)):
        raise ValueError(f"must have the name of a column, in quotes, for {', '.join(wrong)}")
    if unknown := sorted(name for name in found if not is_own_column(name)):
        raise ValueError(f"names what is no field of a customer: {', '.join(unknown)}")
    if "email" not in found:
        raise ValueError('must say which column is the e-mail address: email = "…"')
    return found


def _flatten_map(told: Mapping[str, Any], *path: str) -> Iterator[tuple[str, Any]]:
    for name, value in told.items():
        if isinstance(value, dict):
            yield from _flatten_map(value, *path, name)
        else:
            yield ".".join((*path, name)), value


def map_records(read: Read, columns: Mapping[str, str]) -> Iterator[Record]:
    """Yield the records with the values of their columns in our fields; a column of JSON may be a path of names."""
    for record in read():
        content = record.content
        if content is None:
            yield record
            continue
        told = [(name, _find(content, column)) for name, column in columns.items()]
        lost = [name for name, value in told if _field(name) in _NUMBERS and values.is_rounded(value)]
        nested = _nest((name, value) for name, value in told if value not in (None, "") and name not in lost)
        give_names(nested)
        remarks = (rounded(*name.split(".")) for name in lost)
        yield replace(record, content=nested, remarks=(*record.remarks, *remarks))


def _field(name: str) -> str:
    """Return the field that a column is, in whichever entry of a list."""
    place = _COLUMN.fullmatch(name)
    return place["field"] if place is not None and place["list"] in _LISTS else name


def _find(content: Mapping[str, Any], column: str) -> Any:
    if column in content:
        return content[column]
    found: Any = content
    for name in column.split("."):
        if isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict):
            found = found.get(name)
        else:
            return None
    return found


def _nest(cells: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of the fields: cells become the values that they stand for, where that is possible."""
    nested: dict[str, Any] = {}
    lists: dict[str, dict[int, Any]] = {}
    for name, cell in cells:
        place = _COLUMN.fullmatch(name)
        if place is not None and place["list"] in _LISTS:
            entry = lists.setdefault(place["list"], {}).setdefault(int(place["index"]), {})
            entry[place["field"]] = _value(place["field"], cell)
        elif name.startswith("groups."):
            lists.setdefault("groups", {})[int(name.partition(".")[2])] = cell
        elif name.startswith("mixins."):
            _, mixin, member = name.split(".", 2)
            own = nested.setdefault("mixins", {})
            if isinstance(own, dict) and isinstance(own.setdefault(mixin, {}), dict):
                own[mixin][member] = cell
        else:
            nested[name] = _value(name, cell)
    return nested | {name: [entries[index] for index in sorted(entries)] for name, entries in lists.items()}


def _value(name: str, cell: Any) -> Any:
    """Return what a cell stands for; what cannot be read stays, and is refused where fields are checked."""
    if name in _FLAGS:
        is_so = values.flag(cell)
        return cell if is_so is None else is_so
    if name == "defaultFor":
        return [purpose.upper() for purpose in values.words(cell)]
    if name in _WORDS:
        return values.words(cell)
    if name in MADE and cell == _NULL:
        return None
    if name == "orderCount":
        number = values.count(cell)
        return cell if number is None else number
    if name == "createdAt":
        return values.moment(cell)
    if name == "mixins":
        return values.json_of(cell)
    if isinstance(cell, str | int | float) and not isinstance(cell, bool):
        return _LINES.get(name, values.text)(cell)
    return cell


def flatten(customer: Mapping[str, Any]) -> dict[str, str]:
    """Return a customer as cells, the reverse of reading them."""
    cells: dict[str, str] = {}
    for name, value in customer.items():
        if name in _LISTS:
            for index, entry in enumerate(value):
                cells |= {f"{name}.{index}.{field}": _cell(field, each) for field, each in entry.items()}
        else:
            cells[name] = _cell(name, value)
    return cells


def _cell(name: str, value: Any) -> str:
    if value is None:
        return _NULL
    if name in _WORDS:
        return ",".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def in_order(names: Iterable[str]) -> list[str]:
    """Return columns in the order of our fields, addresses one after another."""
    fields = {name: index for index, name in enumerate(NAMES)}

    def place(name: str) -> tuple[int, int, int]:
        found = _COLUMN.fullmatch(name)
        if found is None:
            return fields[name], 0, 0
        return fields[found["list"]], int(found["index"]), _LISTS[found["list"]].index(found["field"])

    return sorted(names, key=place)
