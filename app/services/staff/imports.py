"""The import of customers from another system, in batches. Run again, it imports no customer twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, unique
from hashlib import blake2b
from typing import Any

from app.domain.audit import AuditAction
from app.domain.customer_lines import CustomerLine, read_customer
from app.domain.errors import DomainError, FieldError, UserErrorCode
from app.domain.foreign_hashes import NO_SECRETS, HashSecrets, JudgedHash
from app.domain.mixins import check_mixins
from app.domain.moving.records import Record
from app.domain.moving.systems import SYSTEMS
from app.domain.problems import Problems
from app.domain.requests import RequestFacts
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.models.credentials import Maker
from app.services.audit import record
from app.services.caller import Caller
from app.services.staff.import_groups import Groups, create_groups
from app.services.staff.import_identities import Identity, add_identities, find_identities, find_taken
from app.services.staff.import_lenience import Lenience, is_essential
from app.services.staff.imported_hashes import check_hash, take_over_hashes
from app.services.staff.new_customers import (
    CheckedCustomer,
    NewCustomer,
    check_new_customer,
    join_groups,
    write_new_customer,
)
from app.services.unit_of_work import UnitOfWork

_TWIN = "The file has this customer already: the first one counts."


@unique
class Outcome(StrEnum):
    """The result of a record."""

    IMPORTED = "imported"
    SKIPPED = "skipped"
    FAULTY = "faulty"


@dataclass(frozen=True, slots=True)
class Options:
    """How to import. `strict`: whoever has anything wrong stays outside. `dry_run`: nothing is written at all.

    `create_groups`: groups that the shop has not are made. `secrets` are those of the old system's hashes.
    """

    strict: bool = False
    dry_run: bool = False
    create_groups: bool = False
    secrets: HashSecrets = NO_SECRETS


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """The result of a record: the customer, new or known, or the errors; and what was left out, or is to be known."""

    number: int
    outcome: Outcome
    customer_id: str | None = None
    errors: tuple[FieldError, ...] = ()
    remarks: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class _Row:
    """A record with all fields checked."""

    number: int
    checked: CheckedCustomer
    judged_hash: JudgedHash | None
    group_ids: Sequence[str]
    identities: Sequence[Identity]
    remarks: tuple[FieldError, ...] = ()

    @property
    def keys(self) -> set[bytes]:
        """What no two customers of a file may share."""
        reference = self.checked.shopper_reference
        return {_key("email", self.checked.email.key), *([_key("reference", reference)] if reference else ())}


def _key(kind: str, value: str) -> bytes:
    return blake2b(f"{kind}:{value}".encode(), digest_size=16).digest()


class Import:
    """The import of one file."""

    def __init__(self, tools: Tools, tenant: Tenant, options: Options) -> None:
        self._tools = tools
        self._tenant = tenant
        self._options = options
        # Digests, because a file may have millions.
        self._seen: set[bytes] = set()
        self._numbers: set[str] = set()

    async def take(self, records: Sequence[Record]) -> list[LineOutcome]:
        """Import one batch in one transaction, and return what came of each record.

        A customer whose shopper reference is there already, or without one whose e-mail address is, is skipped. No
        events are emitted and no mail is sent: for the other systems these are no new customers.
        """
        caller = Caller(RequestFacts(request_id="import", ip=""))
        if self._options.create_groups and not self._options.dry_run:
            # In a transaction of its own: hashes are taken over while none is open.
            async with UnitOfWork(self._tools, caller) as uow:
                uow.enter(self._tenant)
                await create_groups(uow, records)
        async with UnitOfWork(self._tools, caller) as uow:
            uow.enter(self._tenant)
            batch = _Batch(uow, self._options, self._seen, self._numbers)
            outcomes = await batch.take(records)
            if self._options.dry_run:
                await uow.forget()
        self._seen |= batch.seen
        return outcomes


class _Batch:
    """What is imported in one transaction; `seen` are the keys of those who are in by it."""

    def __init__(self, uow: UnitOfWork, options: Options, before: set[bytes], numbers: set[str]) -> None:
        self._uow = uow
        self._options = options
        self._before = before
        self._numbers = numbers
        self._ids: dict[bytes, str | None] = {}

    @property
    def seen(self) -> set[bytes]:
        """The keys of the customers who are in by this batch, or were in before."""
        return set(self._ids)

    async def take(self, records: Sequence[Record]) -> list[LineOutcome]:
        """Import these, and return what came of each."""
        if self._options.create_groups and self._options.dry_run:
            await create_groups(self._uow, records)
        groups = await Groups.of(self._uow, records)
        checked = [self._check(each, groups) for each in records]
        known = await _find_known(self._uow, [row for row in checked if isinstance(row, _Row)])
        hashes = await self._take_over_hashes(checked, known)
        return [
            await self._import(row, known, hashes.get(place)) if isinstance(row, _Row) else row
            for place, row in enumerate(checked)
        ]

    async def _take_over_hashes(self, checked: Sequence[_Row | LineOutcome], known: _Known) -> Mapping[int, str]:
        """Return what is stored of the hashes of those who are new, by their places."""
        if self._options.dry_run:
            return {}
        new = {
            place: row.judged_hash
            for place, row in enumerate(checked)
            if isinstance(row, _Row) and row.judged_hash is not None and known.find(row.checked) is None
        }
        return await take_over_hashes(self._uow, new)

    def _check(self, given: Record, groups: Groups) -> _Row | LineOutcome:
        """Return the record ready to be written, or what is wrong with it."""
        if given.content is None:
            return LineOutcome(given.line, Outcome.FAULTY, errors=given.faults)
        rest = Lenience(given.content, self._uow.tenant.limits.addresses_per_customer)
        while isinstance(found := self._check_once(given.line, rest.content, groups), tuple):
            essential = tuple(error for error in found if is_essential(error))
            remarks = (*given.remarks, *rest.remarks)
            if self._options.strict:
                return LineOutcome(given.line, Outcome.FAULTY, errors=(*given.remarks, *found))
            if essential or not rest.leave_out(found):
                more = tuple(error for error in found if error not in essential) if essential else ()
                return LineOutcome(given.line, Outcome.FAULTY, errors=essential or found, remarks=(*remarks, *more))
        if self._options.strict and given.remarks:
            return LineOutcome(given.line, Outcome.FAULTY, errors=given.remarks)
        return replace(found, remarks=(*given.remarks, *rest.remarks, *map(rest.as_in_file, found.checked.remarks)))

    def _check_once(self, number: int, content: Mapping[str, object], groups: Groups) -> _Row | tuple[FieldError, ...]:
        line = read_customer(content)
        if not isinstance(line, CustomerLine):
            return line
        uow, problems = self._uow, Problems()
        said = line.said
        foreign = _take_foreign(uow.tenant, problems, said)
        checked = check_new_customer(uow, problems, NewCustomer.of(said))
        group_ids = groups.find(problems, line.groups)
        identities = find_identities(uow.tenant, problems, line.social_identities)
        if line.created_at is not None and line.created_at > uow.now:
            problems.add(UserErrorCode.INVALID, "This time is in the future.", "createdAt")
        judged_hash = check_hash(uow, problems, line.password_hash, self._options.secrets)
        try:
            problems.raise_if_any()
        except DomainError as error:
            return error.errors
        if checked is None:
            raise RuntimeError("A missing address is a problem that has been raised.")
        if foreign:
            mixins = {**checked.columns.get("mixins", {}), **foreign}
            checked = replace(checked, columns={**checked.columns, "mixins": mixins})
        return _Row(number, checked, judged_hash, group_ids, identities)

    async def _import(self, row: _Row, known: _Known, password_hash: str | None) -> LineOutcome:
        twins = [key for key in row.keys if key in self._ids or key in self._before]
        if twins:
            customer_id = next((self._ids[key] for key in twins if key in self._ids), None) or known.any(row.checked)
            twin = FieldError(UserErrorCode.TAKEN, (), _TWIN)
            return LineOutcome(row.number, Outcome.SKIPPED, customer_id, remarks=(*row.remarks, twin))
        customer_id = known.find(row.checked)
        if customer_id is not None:
            self._ids |= dict.fromkeys(row.keys, customer_id)
            return LineOutcome(row.number, Outcome.SKIPPED, customer_id, remarks=row.remarks)
        outcome = await self._write(row, password_hash)
        if outcome.outcome is Outcome.IMPORTED:
            self._ids |= dict.fromkeys(row.keys, outcome.customer_id)
        return outcome

    async def _write(self, row: _Row, password_hash: str | None) -> LineOutcome:
        uow, number = self._uow, row.checked.columns.get("customer_number")
        taken = await find_taken(uow, row.identities)
        if taken and self._options.strict:
            return LineOutcome(row.number, Outcome.FAULTY, errors=taken)
        try:
            if number is not None and number in self._numbers:
                raise DomainError(FieldError(UserErrorCode.TAKEN, ("customerNumber",), "Another one has this number."))
            customer_id = await write_new_customer(
                uow, row.checked, password_hash, initial_password=False, made_by=Maker.IMPORT
            )
        except DomainError as error:
            if self._options.strict or any(each.field != ("customerNumber",) for each in error.errors):
                return LineOutcome(row.number, Outcome.FAULTY, errors=error.errors, remarks=row.remarks)
            without = replace(row.checked, columns={**row.checked.columns, "customer_number": None})
            again = replace(row, checked=without, remarks=(*row.remarks, *error.errors))
            return await self._write(again, password_hash)
        if number is not None and self._options.dry_run:
            # The next batch does not find it in the database.
            self._numbers.add(number)
        await join_groups(uow, customer_id, row.group_ids, "groups")
        remarks = (*row.remarks, *await add_identities(uow, customer_id, row.identities))
        await record(uow, AuditAction.CUSTOMER_CREATED, customer_id, source="import")
        shown = None if self._options.dry_run else customer_id
        return LineOutcome(row.number, Outcome.IMPORTED, shown, remarks=remarks)


def _take_foreign(tenant: Tenant, problems: Problems, said: dict[str, Any]) -> dict[str, Any]:
    """Take the mixins of other systems out of what is said, and return them: no schema of the shop's knows them."""
    mixins = said.get("mixins")
    if not isinstance(mixins, dict) or not tenant.mixin_schemas:
        return {}
    foreign = {name: mixin for name, mixin in mixins.items() if name in SYSTEMS and name not in tenant.mixin_schemas}
    said["mixins"] = {name: mixin for name, mixin in mixins.items() if name not in foreign}
    for fault in check_mixins(mixins, {}) if foreign else ():
        problems.add(fault.code, fault.message, "mixins", *fault.field)
    return foreign


@dataclass(frozen=True, slots=True)
class _Known:
    """Who is in the shop already: the customers' ids by shopper reference, and by address."""

    by_reference: Mapping[str, str]
    by_email: Mapping[str, str]

    def find(self, checked: CheckedCustomer) -> str | None:
        """Return the id of the customer of a record."""
        if checked.shopper_reference is not None:
            return self.by_reference.get(checked.shopper_reference)
        return self.by_email.get(checked.email.key)

    def any(self, checked: CheckedCustomer) -> str | None:
        """Return the id of whoever has the reference, or else the address."""
        return self.by_reference.get(checked.shopper_reference or "") or self.by_email.get(checked.email.key)


async def _find_known(uow: UnitOfWork, rows: Sequence[_Row]) -> _Known:
    references = [row.checked.shopper_reference for row in rows if row.checked.shopper_reference is not None]
    emails = [row.checked.email.key for row in rows]
    return _Known(
        await uow.customers.find_ids_by_shopper_reference(references) if references else {},
        await uow.credentials.find_ids_by_email(emails) if emails else {},
    )
