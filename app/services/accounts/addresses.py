"""A customer's postal addresses: limited in number, and one of them is the default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from app.domain.address_checks import CHECKED, COLUMNS, faults_of
from app.domain.errors import FieldError, UserErrorCode, refuse
from app.domain.locales import parse_country
from app.domain.origins import Origin
from app.domain.patches import (
    Patch,
    Rules,
    any_value,
    blank_clears,
    by_value,
    check_patch,
    null_keeps,
)
from app.domain.phones import parse_phone
from app.domain.problems import Problems
from app.domain.tags import normalize_tags
from app.domain.tenants import AddressCheck
from app.domain.texts import optional_line, required_line
from app.domain.topics import Topic
from app.models.addresses import PURPOSES, Address, AddressPurpose
from app.services.accounts.defaults import check_default_stays, keep_one_default, move_default, pass_default_on
from app.services.accounts.own_account import lock_own_account
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork

# Each is a column, but `default_for`, which is one for each purpose.
ADDRESS: Rules = {
    "contact_name": by_value(required_line(200)),
    "company_name": by_value(optional_line(200)),
    "street": by_value(required_line(200)),
    "street_number": by_value(optional_line(50)),
    "street_appendix": by_value(optional_line(100)),
    "extra_line1": by_value(optional_line(200)),
    "extra_line2": by_value(optional_line(200)),
    "extra_line3": by_value(optional_line(200)),
    "extra_line4": by_value(optional_line(200)),
    "zip_code": by_value(optional_line(20)),
    "city": by_value(optional_line(100)),
    "state": by_value(optional_line(100)),
    "country": by_value(lambda country: parse_country(country or "")),
    "contact_phone": blank_clears(lambda text, situation: parse_phone(text, *situation.countries)),
    "tags": by_value(lambda tags: list(normalize_tags(tags or ()))),
    "is_default": null_keeps(any_value),
    "default_for": lambda purposes, _: tuple(map(AddressPurpose, purposes or ())),
}


def check_address(
    uow: UnitOfWork,
    problems: Problems,
    patch: Patch,
    *path: str,
    so_far: Address | None = None,
    remarks: Problems | None = None,
) -> dict[str, Any]:
    """Return the columns that the patch sets, checked and normalized; each fault is noted under `path`.

    `so_far` is the address that is changed. By its country, or by that of the patch, a national phone number is read,
    and the rest is checked: what does not fit there is a fault or, unless the shop is strict, one of the `remarks`.
    """
    before = so_far.country if so_far is not None else None
    country = str(patch["country"] or "").strip() if "country" in patch else before
    columns = check_patch(problems, patch, ADDRESS, replace(uow.situation, countries=(country,)), *path)
    purposes = columns.pop("default_for", None)
    if purposes is not None:
        columns |= {column: purpose in purposes for purpose, column in PURPOSES.items()}
    address = {name: columns.get(name, getattr(so_far, name, None)) for name in CHECKED}
    for fault in faults_of(address):
        is_changed = so_far is None or "country" in columns or COLUMNS[fault.field[0]] in columns
        noted = _noted_in(uow.tenant.address_check, fault, problems, remarks)
        if is_changed and noted is not None and not problems.has(*path, *fault.field):
            noted.add(fault.code, fault.message, *path, *fault.field)
    return columns


def _noted_in(check: AddressCheck, fault: FieldError, problems: Problems, remarks: Problems | None) -> Problems | None:
    """Return where the fault is noted: a missing city is refused everywhere, the rest as the shop has it."""
    if check is AddressCheck.STRICT or fault.field == ("city",):
        return problems
    return remarks if check is AddressCheck.WARN else None


def remarks_on(uow: UnitOfWork, stored: Address) -> Sequence[FieldError]:
    """Return what of an address does not fit its country; nothing where the shop does not check."""
    if uow.tenant.address_check is AddressCheck.OFF:
        return ()
    return tuple(faults_of({name: getattr(stored, name) for name in CHECKED}))


async def addresses(uow: UnitOfWork, customer_id: str, tag: str | None) -> Sequence[Address]:
    """Return a customer's addresses, the default first; with `tag`, only those that have it."""
    every = await uow.addresses.list(customer_id)
    if tag is None:
        return every
    try:
        (wanted,) = normalize_tags([tag])
    except ValueError:
        return []
    return [address for address in every if wanted in address.tags]


async def address(uow: UnitOfWork, address_id: str) -> Address | None:
    """Return one of the caller's own addresses, or None."""
    return await uow.addresses.find(uow.caller.require_customer().id, address_id)


async def create_address(uow: UnitOfWork, patch: Patch) -> Address:
    """Add an address to the caller's own; the first becomes the default. LIMIT_REACHED when there are too many."""
    customer_id = uow.caller.require_customer().id
    problems = Problems()
    columns = check_address(uow, problems, patch)
    problems.raise_if_any()
    await lock_own_account(uow)
    added = await add_address(uow, customer_id, columns)
    await _let_find(uow, customer_id)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["addresses"])
    return added


async def add_address(
    uow: UnitOfWork, customer_id: str, columns: dict[str, Any], *, origin: Origin | None = None
) -> Address:
    """Write a checked address of a customer whose row is locked."""
    so_far = await uow.addresses.list(customer_id)
    most = uow.tenant.limits.addresses_per_customer
    if len(so_far) >= most:
        raise refuse(UserErrorCode.LIMIT_REACHED, f"There are {most} addresses already: delete one first.")
    await keep_one_default(uow.addresses, customer_id, uow.now, columns, so_far)
    await _clear_purposes(uow, customer_id, columns, so_far)
    added = Address(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        customer_id=customer_id,
        **columns,
        origin=origin.value if origin is not None else None,
        created_at=uow.now,
        updated_at=uow.now,
    )
    await uow.addresses.add(added)
    return added


async def _clear_purposes(
    uow: UnitOfWork, customer_id: str, columns: dict[str, Any], so_far: Sequence[Address]
) -> None:
    """Take each purpose that an address is about to be the default for from the address that is it so far."""
    for purpose, column in PURPOSES.items():
        if columns.get(column) and any(getattr(each, column) for each in so_far):
            await uow.addresses.clear_default_for(customer_id, purpose, uow.now)


async def update_address(uow: UnitOfWork, address_id: str, patch: Patch) -> Address:
    """Change one of the caller's own addresses; a field left out stays, null clears it. NOT_FOUND for any other."""
    customer_id = uow.caller.require_customer().id
    await lock_own_account(uow)
    so_far = await _get(uow, customer_id, address_id, "id")
    problems = Problems()
    columns = check_address(uow, problems, patch, so_far=so_far)
    check_default_stays(problems, columns, so_far, "address")
    problems.raise_if_any()
    await move_default(uow.addresses, customer_id, uow.now, columns, so_far)
    if any(columns.get(column) for column in PURPOSES.values()):
        await _clear_purposes(uow, customer_id, columns, await uow.addresses.list(customer_id))
    await uow.addresses.change(customer_id, address_id, uow.now, **columns, origin=None)
    await _let_find(uow, customer_id)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["addresses"])
    return await _get(uow, customer_id, address_id, "id")


async def delete_address(uow: UnitOfWork, address_id: str) -> str:
    """Remove one of the caller's own addresses and return its id; the oldest left becomes the default.

    But for one that was there before the first proof: nobody knows whose that is.
    """
    customer_id = uow.caller.require_customer().id
    await lock_own_account(uow)
    gone = await _get(uow, customer_id, address_id, "id")
    await uow.addresses.delete(customer_id, address_id)
    await pass_default_on(uow.addresses, customer_id, uow.now, gone)
    await _let_find(uow, customer_id)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["addresses"])
    return address_id


async def add_address_tags(uow: UnitOfWork, address_id: str, tags: Sequence[str]) -> Address:
    """Add tags to one of the caller's own addresses; a tag that it has already is ignored."""
    return await _change_tags(uow, address_id, tags, lambda so_far, given: [*so_far, *given])


async def remove_address_tags(uow: UnitOfWork, address_id: str, tags: Sequence[str]) -> Address:
    """Remove tags from one of the caller's own addresses; a tag that it does not have is ignored."""
    return await _change_tags(uow, address_id, tags, lambda so_far, given: [tag for tag in so_far if tag not in given])


async def _change_tags(
    uow: UnitOfWork, address_id: str, tags: Sequence[str], change: Callable[[list[str], tuple[str, ...]], list[str]]
) -> Address:
    customer_id = uow.caller.require_customer().id
    await lock_own_account(uow)
    so_far = await _get(uow, customer_id, address_id, "addressId")
    problems = Problems()
    given = problems.check(normalize_tags, tags, "tags")
    if given is not None:
        changed = problems.check(normalize_tags, change(so_far.tags, given), "tags")
    problems.raise_if_any()
    await uow.addresses.change(customer_id, address_id, uow.now, tags=list(changed or ()), origin=None)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["addresses"])
    return await _get(uow, customer_id, address_id, "addressId")


async def _let_find(uow: UnitOfWork, customer_id: str) -> None:
    """Let staff find the customer by the addresses that there are now."""
    await uow.customers.note_addresses(customer_id, await uow.addresses.list(customer_id))


async def _get(uow: UnitOfWork, customer_id: str, address_id: str, field: str) -> Address:
    found = await uow.addresses.find(customer_id, address_id)
    if found is None:
        raise refuse(UserErrorCode.NOT_FOUND, "You have no address with this id.", field)
    return found
