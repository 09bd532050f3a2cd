"""The caller's own account, which must be locked before anything about it is written."""

from __future__ import annotations

from app.domain.errors import UnauthenticatedReason, unauthenticated
from app.models.customers import Customer
from app.services.unit_of_work import UnitOfWork


async def lock_own_account(uow: UnitOfWork) -> Customer:
    """Return the caller's own row, locked; UNAUTHENTICATED if the account was closed after the call began."""
    customer = await uow.customers.lock(uow.caller.require_customer().id)
    if customer is None:
        raise unauthenticated(UnauthenticatedReason.REVOKED)
    return customer
