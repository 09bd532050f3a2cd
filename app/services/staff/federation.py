"""Customers to whom other services of the shop refer by their ids."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.errors import AccessCode, AccessError
from app.domain.principal import TokenKind
from app.models.customers import CustomerProfile
from app.services.accounts.merged_accounts import merged_into
from app.services.unit_of_work import UnitOfWork

MOST = 100


async def customers_by_id(uow: UnitOfWork, ids: Sequence[str]) -> Sequence[CustomerProfile | None]:
    """Return the customer of each id, or None where the caller may not see one, or there is none: one statement.

    An integration sees every customer of the tenant; whoever is a customer, or acts for one, sees only that customer,
    and what is left of accounts that were joined with theirs: other services still refer to them.
    Raises `AccessError` BAD_REQUEST for more than 100.
    """
    if len(ids) > MOST:
        raise AccessError(AccessCode.BAD_REQUEST, f"Ask for at most {MOST} entities at once.")
    if uow.caller.require_principal().kind is not TokenKind.INTEGRATION:
        return await _own(uow, ids)
    found = {each.id: each for each in await uow.customers.list_by_id(sorted(set(ids)))} if ids else {}
    return [found.get(each) for each in ids]


async def _own(uow: UnitOfWork, ids: Sequence[str]) -> Sequence[CustomerProfile | None]:
    own = uow.caller.customer
    if own is None:
        return [None for _ in ids]
    found = {own.id: own}
    if found.keys() != set(ids):
        others = await uow.customers.list_by_id(sorted(set(ids) - found.keys())) if ids else ()
        found |= {each.id: each for each in others if await merged_into(uow, each) == own.id}
    return [found.get(each) for each in ids]
