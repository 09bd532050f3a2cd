"""Orders: they set the status of a customer; each counts once, by its reference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.errors import UserErrorCode, refuse
from app.domain.problems import Problems
from app.domain.references import parse_order_reference
from app.domain.topics import Topic
from app.models.customers import Customer, CustomerProfile, CustomerStatus
from app.models.orders import RecordedOrder
from app.services.accounts.customers import get_profile
from app.services.accounts.merged_accounts import merged_into
from app.services.outgoing.events import emit
from app.services.staff.customers import not_found
from app.services.unit_of_work import UnitOfWork

# How far the order system's clock may be ahead of ours.
CLOCK_SKEW = timedelta(minutes=5)

_TOPICS = {CustomerStatus.ACQUIRED: Topic.CUSTOMER_ACQUIRED, CustomerStatus.REPEAT: Topic.CUSTOMER_REPEAT}


@dataclass(frozen=True, slots=True)
class OrderRecorded:
    """The customer after the order; `is_new` unless the order was recorded before."""

    customer: CustomerProfile
    is_new: bool


async def record_order(uow: UnitOfWork, customer_id: str, reference: str, placed_at: datetime | None) -> OrderRecorded:
    """Count an order of a customer, once for each reference; the first makes them ACQUIRED, the next one REPEAT.

    One of an account that was joined with another one is the order of the customer who has both.

    NOT_FOUND for the customer, TAKEN for a reference that is another customer's order, INVALID for a time to come.
    """
    checked = _check(uow, reference, placed_at)
    customer = await _lock_today(uow, customer_id)
    customer_id = customer.id
    order = RecordedOrder(
        tenant_id=uow.tenant.id,
        reference=checked,
        customer_id=customer_id,
        placed_at=placed_at or uow.now,
        recorded_at=uow.now,
    )
    is_new = await uow.orders.add_unless_recorded(order)
    if is_new:
        await _count(uow, customer)
    else:
        known = await uow.orders.find(checked)
        if known is None or known.customer_id != customer_id:
            raise refuse(UserErrorCode.TAKEN, "This is an order of another customer.", "orderReference")
    return OrderRecorded(await get_profile(uow, customer_id), is_new)


async def _lock_today(uow: UnitOfWork, customer_id: str) -> Customer:
    """Return the customer, locked, or the one whom the account was joined with; NOT_FOUND.

    Only one is locked at a time: whoever joins accounts locks two, in an order of their own.
    """
    found = await uow.customers.find(customer_id)
    while found is not None:
        survivor = await merged_into(uow, found) or found.id
        customer = await uow.customers.lock_even_if_closed(survivor)
        if customer is not None and customer.merged_into is None:
            return customer
        # It was joined with another one a moment ago.
        await uow.roll_back()
        found = await uow.customers.find(survivor)
    raise not_found("customerId")


def _check(uow: UnitOfWork, reference: str, placed_at: datetime | None) -> str:
    problems = Problems()
    checked = problems.check(parse_order_reference, reference, "orderReference")
    if placed_at is not None and placed_at.utcoffset() is None:
        problems.add(
            UserErrorCode.INVALID, "Please give the time with an offset, such as 2026-11-30T10:30:00+01:00.", "placedAt"
        )
    elif placed_at is not None and placed_at > uow.now + CLOCK_SKEW:
        problems.add(UserErrorCode.INVALID, "Please give the time when the order was placed.", "placedAt")
    problems.raise_if_any()
    return checked or ""


async def _count(uow: UnitOfWork, customer: Customer) -> None:
    so_far = CustomerStatus(customer.status)
    status = so_far.after_an_order
    await uow.customers.count_order(customer.id, status)
    if status is not so_far:
        await emit(uow, _TOPICS[status], customer.id)
