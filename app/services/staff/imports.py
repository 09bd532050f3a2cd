"""The import of customers from another system, in batches. Run again, it imports no customer twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique

from app.domain.audit import AuditAction
from app.domain.customer_lines import CustomerLine, read_line
from app.domain.errors import DomainError, FieldError, UserErrorCode
from app.domain.foreign_hashes import NO_SECRETS, HashSecrets, JudgedHash
from app.domain.problems import Problems
from app.domain.requests import RequestFacts
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.models.credentials import Maker
from app.services.audit import record
from app.services.caller import Caller
from app.services.staff.imported_hashes import check_hash, take_over_hashes
from app.services.staff.new_customers import (
    CheckedCustomer,
    NewCustomer,
    check_new_customer,
    join_groups,
    write_new_customer,
)
from app.services.unit_of_work import UnitOfWork


@unique
class Outcome(StrEnum):
    """The result of a line."""

    IMPORTED = "imported"
    SKIPPED = "skipped"
    FAULTY = "faulty"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, the first of which is number 1."""

    number: int
    content: bytes


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """The result of a line: the customer, new or known, or the errors."""

    number: int
    outcome: Outcome
    customer_id: str | None = None
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class _Row:
    """A line with all fields checked."""

    number: int
    checked: CheckedCustomer
    judged_hash: JudgedHash | None
    group_ids: Sequence[str]


async def import_customers(
    tools: Tools, tenant: Tenant, lines: Sequence[Line], secrets: HashSecrets = NO_SECRETS
) -> list[LineOutcome]:
    """Import one batch in one transaction, and return what came of each line; `secrets` are those of the old hashes.

    A customer whose shopper reference is there already, or without one whose e-mail address is, is skipped. No events
    are emitted and no mail is sent: for the other systems these are no new customers.
    """
    caller = Caller(RequestFacts(request_id="import", ip=""))
    async with UnitOfWork(tools, caller) as uow:
        uow.enter(tenant)
        checked = await _check_all(uow, lines, secrets)
        rows = [row for row in checked if isinstance(row, _Row)]
        known = await _find_known(uow, rows)
        hashes = await take_over_hashes(
            uow, {row.number: row.judged_hash for row in rows if row.judged_hash and known.find(row.checked) is None}
        )
        return [
            await _import(uow, row, known, hashes.get(row.number)) if isinstance(row, _Row) else row for row in checked
        ]


async def _check_all(uow: UnitOfWork, lines: Sequence[Line], secrets: HashSecrets) -> list[_Row | LineOutcome]:
    """Return each line ready to be written, or what is wrong with it."""
    read = [(line.number, read_line(line.content)) for line in lines]
    codes = {code for _, customer in read if isinstance(customer, CustomerLine) for code in customer.groups}
    groups = await uow.groups.find_by_codes(sorted(codes)) if codes else {}
    return [
        _check(uow, number, customer, groups, secrets)
        if isinstance(customer, CustomerLine)
        else LineOutcome(number, Outcome.FAULTY, errors=customer)
        for number, customer in read
    ]


def _check(
    uow: UnitOfWork, number: int, line: CustomerLine, groups: Mapping[str, str], secrets: HashSecrets
) -> _Row | LineOutcome:
    problems = Problems()
    checked = check_new_customer(uow, problems, NewCustomer.of(line.said))
    for index, code in enumerate(line.groups):
        if code not in groups:
            problems.add(
                UserErrorCode.NOT_FOUND, "The shop has no customer group with this code.", "groups", str(index)
            )
    if line.created_at is not None and line.created_at > uow.now:
        problems.add(UserErrorCode.INVALID, "This time is in the future.", "createdAt")
    judged_hash = check_hash(uow, problems, line.password_hash, secrets)
    try:
        problems.raise_if_any()
    except DomainError as error:
        return LineOutcome(number, Outcome.FAULTY, errors=error.errors)
    if checked is None:
        raise RuntimeError("A missing address is a problem that has been raised.")
    return _Row(number, checked, judged_hash, sorted({groups[code] for code in line.groups}))


@dataclass(frozen=True, slots=True)
class _Known:
    """Who is in the shop already: the customers' ids by shopper reference, and by address."""

    by_reference: Mapping[str, str]
    by_email: Mapping[str, str]

    def find(self, checked: CheckedCustomer) -> str | None:
        """Return the id of the customer on the line."""
        if checked.shopper_reference is not None:
            return self.by_reference.get(checked.shopper_reference)
        return self.by_email.get(checked.email.key)


async def _find_known(uow: UnitOfWork, rows: Sequence[_Row]) -> _Known:
    references = [row.checked.shopper_reference for row in rows if row.checked.shopper_reference is not None]
    emails = [row.checked.email.key for row in rows if row.checked.shopper_reference is None]
    return _Known(
        await uow.customers.find_ids_by_shopper_reference(references) if references else {},
        await uow.credentials.find_ids_by_email(emails) if emails else {},
    )


async def _import(uow: UnitOfWork, row: _Row, known: _Known, password_hash: str | None) -> LineOutcome:
    customer_id = known.find(row.checked)
    if customer_id is not None:
        return LineOutcome(row.number, Outcome.SKIPPED, customer_id)
    try:
        customer_id = await write_new_customer(
            uow, row.checked, password_hash, initial_password=False, made_by=Maker.IMPORT
        )
    except DomainError as error:
        return LineOutcome(row.number, Outcome.FAULTY, errors=error.errors)
    await join_groups(uow, customer_id, row.group_ids, "groups")
    await record(uow, AuditAction.CUSTOMER_CREATED, customer_id, source="import")
    return LineOutcome(row.number, Outcome.IMPORTED, customer_id)
