"""The caller's own account, locked before anything about it is written.

Whoever was shut out of it while the call waited for the lock writes nothing any more.
"""

from __future__ import annotations

from app.domain.errors import UnauthenticatedReason, unauthenticated
from app.models.customers import Customer
from app.services.unit_of_work import UnitOfWork


async def lock_own_account(uow: UnitOfWork) -> Customer:
    """Return the caller's own row, locked; UNAUTHENTICATED when account or session has ended since the call began."""
    customer = await uow.customers.lock(uow.caller.require_customer().id)
    session_id = uow.caller.require_principal().session_id or ""
    if customer is None or not await uow.sessions.goes_on(session_id):
        raise unauthenticated(UnauthenticatedReason.REVOKED)
    return customer
