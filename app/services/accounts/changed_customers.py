"""The customer after a change: who sees it in the answer."""

from __future__ import annotations

from app.domain.principal import TokenKind
from app.domain.scopes import Scope, has_scope
from app.models.customers import CustomerProfile
from app.services.unit_of_work import UnitOfWork


async def own_customer(uow: UnitOfWork, owner_id: str | None = None) -> CustomerProfile | None:
    """Return the customer that the caller is, or acts for, as they are now.

    `owner_id` is the customer of a call that is answered again: its token is the caller's no more.
    """
    return await uow.customers.find(owner_id or uow.caller.require_customer().id)


async def changed_customer(uow: UnitOfWork, customer_id: str) -> CustomerProfile | None:
    """Return a customer, as they are now, to themself and to who may read all customers; None for anybody else.

    Whoever holds a mailed token may change the customer by it, but sees nothing of them without a session of theirs.
    """
    principal = uow.caller.principal
    if principal is None:
        return None
    if principal.kind is TokenKind.INTEGRATION:
        may_see = has_scope(principal, Scope.CUSTOMERS_READ)
    else:
        may_see = principal.kind is TokenKind.CUSTOMER and principal.customer_id == customer_id
    return await uow.customers.find(customer_id) if may_see else None
