"""A draft: what a record of another system becomes, in the fields of our own import."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from app.domain.errors import FieldError, UserErrorCode
from app.domain.moving import values
from app.domain.moving.records import Record

_TEXTS = ("companyName", "street", "streetNumber", "streetAppendix", "zipCode", "city", "state")
_DIGITS = frozenset({"zipCode", "streetNumber"})
_EXTRA = 4


@dataclass(slots=True, repr=False)
class Draft:
    """What is known of one customer so far; `system` is the name of its mixin, `remarks` are about what is not said."""

    system: str
    said: dict[str, Any] = field(default_factory=dict)
    remarks: list[FieldError] = field(default_factory=list)

    def text(self, **given: Any) -> None:
        """Note fields of one line; what is blank is not said, and what was said first counts."""
        for name, value in given.items():
            line = values.text(value)
            if line is not None:
                self.said.setdefault(name, line)

    def name(self, first: Any, last: Any, whole: Any = None) -> None:
        """Note the person's name; the whole one where its parts are not known."""
        self.text(firstName=first, lastName=last)
        if "firstName" not in self.said and "lastName" not in self.said:
            first, last = values.split_name(values.text(whole))
            self.text(firstName=first, lastName=last)

    def flag(self, name: str, value: Any) -> None:
        """Note a yes or a no, if it is one."""
        is_so = values.flag(value)
        if is_so is not None:
            self.said[name] = is_so

    def made(self, value: Any) -> None:
        """Note when the account was made."""
        self.text(createdAt=values.moment(value))

    def phone(self, value: Any) -> None:
        """Note the phone number."""
        self.text(contactPhone=self._digits(value, "contactPhone"))

    def number(self, value: Any) -> None:
        """Note the number that the customer is known by."""
        self.text(customerNumber=self._digits(value, "customerNumber"))

    def _digits(self, value: Any, *field: str) -> str | None:
        """Return what is written in digits; None, with a remark, for what a spreadsheet has rounded."""
        if values.is_rounded(value):
            self.remarks.append(rounded(*field))
            return None
        return values.digits(value)

    def reference(self, value: Any, *, short: bool = False) -> None:
        """Note the customer's id in the old system; `short` ids are counted there from 1, so they get its name."""
        line = self._digits(value, "shopperReference")
        self.text(shopperReference=f"{self.system}-{line}" if short and line is not None else line)

    def orders(self, value: Any) -> None:
        """Note how many orders there were, from which the status follows."""
        number = values.count(value)
        if number is not None and number >= 0:
            self.said["orderCount"] = number

    def groups(self, names: Iterable[str | None]) -> None:
        """Note groups, by name or code."""
        so_far = self.said.setdefault("groups", [])
        so_far += [name for name in dict.fromkeys(names) if name is not None and name not in so_far]

    def keep(self, name: str, value: Any) -> None:
        """Keep what has no field here in the mixin of the system: tags, a note, consents."""
        if value not in (None, "", [], {}):
            self.said.setdefault("mixins", {}).setdefault(self.system, {})[name] = value

    def consent(self, channel: str, value: Any) -> None:
        """Keep whether the customer takes marketing, by `email` or by `sms`."""
        is_so = values.flag(value)
        if is_so is not None:
            mixin = self.said.setdefault("mixins", {}).setdefault(self.system, {})
            mixin.setdefault("marketing", {})[channel] = is_so

    def identity(self, provider: str, subject: Any, email: Any = None) -> None:
        """Note an account at a provider of social login, by which the customer has logged in."""
        known = self._digits(subject, "socialIdentities")
        if known is not None:
            told = values.text(email)
            entry = {"provider": provider, "subject": known, **({"email": told} if told is not None else {})}
            self.said.setdefault("socialIdentities", []).append(entry)

    def address(
        self,
        *,
        name: Iterable[Any] = (),
        lines: Iterable[Any] = (),
        country: Any = None,
        phone: Any = None,
        tags: Iterable[str] = (),
        default_for: Iterable[str] = (),
        is_default: bool = False,
        **parts: Any,
    ) -> None:
        """Note an address, if there is any. `name` has its parts; `lines` are those of the street, the first first.

        There is one default for each purpose, the first that is one. The one default of all is that for shipping; if
        there is none, the first that is one of any kind.
        """
        place = ("addresses", str(len(self.said.get("addresses", ()))))
        told = {name: self._digits(part, *place, name) if name in _DIGITS else part for name, part in parts.items()}
        said: dict[str, Any] = {key: line for key in _TEXTS if (line := values.text(told.get(key))) is not None}
        every = [part for line in lines for part in str(line or "").splitlines()]
        rest = [line for line in map(values.text, every) if line is not None]
        if rest and "street" not in said:
            said["street"] = rest.pop(0)
        said |= {f"extraLine{index}": line for index, line in enumerate(rest[:_EXTRA], start=1)}
        if not said.keys() - {"companyName", "state"}:
            return
        number = self._digits(phone, *place, "contactPhone")
        whole = " ".join(line for part in name if (line := values.text(part)) is not None)
        contact = {"contactName": whole, "country": values.country(country), "contactPhone": number}
        said |= {key: value for key, value in contact.items() if value}
        same = next((each for each in self.said.get("addresses", []) if _place(each) == _place(said)), None)
        if same is None:
            same = said
            self.said.setdefault("addresses", []).append(said)
        same["tags"] = list(dict.fromkeys([*same.get("tags", ()), *tags]))
        self._make_default(same, set(default_for), is_default=is_default)

    def _make_default(self, address: dict[str, Any], purposes: set[str], *, is_default: bool) -> None:
        every = self.said["addresses"]
        free = purposes.difference(*(each.get("defaultFor", ()) for each in every))
        if free:
            address["defaultFor"] = sorted({*address.get("defaultFor", ()), *free})
        so_far = [each for each in every if each.pop("isDefault", False)]
        candidates = [*so_far, address] if purposes or is_default else so_far
        for each in [address] if "SHIPPING" in free else candidates[:1]:
            each["isDefault"] = True

    def finish(self) -> dict[str, Any]:
        """Return what is known; an address without a name has the customer's."""
        give_names(self.said)
        for address in self.said.get("addresses", []):
            if not address.get("tags"):
                address.pop("tags", None)
        return {name: value for name, value in self.said.items() if value not in ([], {})}


def give_names(customer: Mapping[str, Any]) -> None:
    """Give each address without a name that of the customer, or of the company."""
    person = " ".join(customer[name] for name in ("firstName", "middleName", "lastName") if customer.get(name))
    for address in customer.get("addresses", []):
        name = person or address.get("companyName") or customer.get("company")
        if "contactName" not in address and name:
            address["contactName"] = name


def rounded(*field: str) -> FieldError:
    """Return the remark on a number that is no more what it was."""
    message = "A spreadsheet has rounded this number: take the file as the old system has written it."
    return FieldError(UserErrorCode.INVALID, field, message)


def _place(address: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in address.items() if name not in {"tags", "isDefault", "defaultFor"}}


def purposes(*, billing: object, shipping: object) -> list[str]:
    """Return what an address is for, as its tags and its `defaultFor` name it."""
    return [purpose for purpose, is_so in (("BILLING", billing), ("SHIPPING", shipping)) if is_so]


class Row(Mapping[str, Any]):
    """A record of another system, whose members are `column_name`s; it knows which were asked for."""

    def __init__(self, content: Mapping[str, Any], asked: set[str]) -> None:
        self._content = content
        self._asked = asked

    def __getitem__(self, name: str) -> Any:
        self._asked.add(name)
        return self._content.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def first(self, *names: str) -> Any:
        """Return the first of these that is there."""
        found = [value for name in names if (value := self[name]) not in (None, "")]
        return found[0] if found else None


def column_name(header: str) -> str:
    """Return the name of a column without its capitals, spaces and signs: `default_address_zip`."""
    return re.sub(r"[\W_]+", "_", header.casefold()).strip("_")


Convert = Callable[[Draft, Row], None]
Read = Callable[[], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class System:
    """A system whose files are known.

    `convert` makes a draft of a record. `paths` are where a JSON document has its customers. `is_table`: the system
    writes tables; the members of its records are then `column_name`s, in JSON too. `gather` is for a customer who
    stands in several records: it makes one of them, and may read the file twice.
    """

    name: str
    convert: Convert
    paths: tuple[str, ...] = ("item",)
    is_table: bool = False
    gather: Callable[[Read], Iterator[Record]] | None = None

    def drafts(self, read: Read, asked: set[str]) -> Iterator[Record]:
        """Yield the records in our fields; `asked` becomes the names that were looked for."""
        reading = partial(_named, read) if self.is_table else read
        for record in reading() if self.gather is None else self.gather(reading):
            if record.content is None:
                yield record
                continue
            draft = Draft(self.name)
            self.convert(draft, Row(record.content, asked))
            yield replace(record, content=draft.finish(), remarks=(*record.remarks, *draft.remarks))


def _named(read: Read) -> Iterator[Record]:
    return (
        record if record.content is None else replace(record, content=dict(_columns(record.content)))
        for record in read()
    )


def _columns(content: Mapping[str, Any], *path: str) -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        here = (*path, column_name(name))
        if isinstance(value, dict):
            yield from _columns(value, *here)
        else:
            yield "_".join(here), value
