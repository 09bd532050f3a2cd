"""A customer's postal addresses: limited in number, and one of them is the default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.domain.errors import UserErrorCode, refuse
from app.domain.locales import parse_country
from app.domain.patches import Patch, input_name
from app.domain.phones import parse_phone
from app.domain.problems import Problems
from app.domain.tags import normalize_tags
from app.domain.texts import is_blank, optional_line, required_line
from app.domain.topics import Topic
from app.models.addresses import Address
from app.services.accounts.own_account import lock_own_account
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork

_LINES: dict[str, Callable[[str | None], str | None]] = {
    "contact_name": required_line(200),
    "company_name": optional_line(200),
    "street": required_line(200),
    "street_number": optional_line(50),
    "street_appendix": optional_line(100),
    "extra_line1": optional_line(200),
    "extra_line2": optional_line(200),
    "extra_line3": optional_line(200),
    "extra_line4": optional_line(200),
    "zip_code": optional_line(20),
    "city": required_line(100),
    "state": optional_line(100),
}


def check_address(problems: Problems, patch: Patch, *path: str, country: str | None = None) -> dict[str, Any]:
    """Return the columns that the patch sets, checked and normalized; errors are noted under `path`.

    `country` is the current country of the address; a national phone number is read by it.
    """
    columns: dict[str, Any] = {}
    for name, rule in _LINES.items():
        if name in patch:
            columns[name] = problems.check(rule, patch[name], *path, input_name(name))
    if "country" in patch:
        country = columns["country"] = problems.check(parse_country, patch["country"] or "", *path, "country")
    if "contact_phone" in patch:
        phone = patch["contact_phone"] or ""
        columns["contact_phone"] = (
            None
            if is_blank(phone)
            else problems.check(lambda text: parse_phone(text, country), phone, *path, "contactPhone")
        )
    if "tags" in patch:
        columns["tags"] = list(problems.check(normalize_tags, patch["tags"] or (), *path, "tags") or ())
    return columns


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
    columns = check_address(problems, patch)
    problems.raise_if_any()
    await lock_own_account(uow)
    added = await add_address(uow, customer_id, columns, is_default=bool(patch.get("is_default")))
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["addresses"])
    return added


async def add_address(uow: UnitOfWork, customer_id: str, columns: dict[str, Any], *, is_default: bool) -> Address:
    """Write a checked address of a customer whose row is locked."""
    so_far = await uow.addresses.list(customer_id)
    most = uow.tenant.limits.addresses_per_customer
    if len(so_far) >= most:
        raise refuse(UserErrorCode.LIMIT_REACHED, f"You have {most} addresses already: delete one first.")
    if is_default:
        await uow.addresses.clear_default(customer_id, uow.now)
    added = Address(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        customer_id=customer_id,
        **columns,
        is_default=is_default or not so_far,
        created_at=uow.now,
        updated_at=uow.now,
    )
    await uow.addresses.add(added)
    return added


async def update_address(uow: UnitOfWork, address_id: str, patch: Patch) -> Address:
    """Change one of the caller's own addresses; a field left out stays, null clears it. NOT_FOUND for any other."""
    customer_id = uow.caller.require_customer().id
    await lock_own_account(uow)
    so_far = await _get(uow, customer_id, address_id, "id")
    problems = Problems()
    columns = check_address(problems, patch, country=so_far.country)
    if patch.get("is_default") is False and so_far.is_default:
        problems.add(UserErrorCode.INVALID, "Make another address the default instead.", "isDefault")
    problems.raise_if_any()
    if patch.get("is_default") and not so_far.is_default:
        await uow.addresses.clear_default(customer_id, uow.now)
        columns["is_default"] = True
    await uow.addresses.change(customer_id, address_id, uow.now, **columns)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["addresses"])
    return await _get(uow, customer_id, address_id, "id")


async def delete_address(uow: UnitOfWork, address_id: str) -> str:
    """Delete one of the caller's own addresses and return its id; the oldest left becomes the default if need be."""
    customer_id = uow.caller.require_customer().id
    await lock_own_account(uow)
    gone = await _get(uow, customer_id, address_id, "id")
    await uow.addresses.delete(customer_id, address_id)
    if gone.is_default:
        remaining = await uow.addresses.list(customer_id)
        if remaining:
            await uow.addresses.change(customer_id, remaining[0].id, uow.now, is_default=True)
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
    await uow.addresses.change(customer_id, address_id, uow.now, tags=list(changed or ()))
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["addresses"])
    return await _get(uow, customer_id, address_id, "addressId")


async def _get(uow: UnitOfWork, customer_id: str, address_id: str, field: str) -> Address:
    found = await uow.addresses.find(customer_id, address_id)
    if found is None:
        raise refuse(UserErrorCode.NOT_FOUND, "You have no address with this id.", field)
    return found
