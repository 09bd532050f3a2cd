"""How staff find customers: one by an identifier, many by a filter, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.cursors import decode_cursor, encode_cursor
from app.domain.customer_filters import CustomerFilter, CustomerOrder, CustomerPosition
from app.domain.emails import fold_address, parse_email
from app.domain.errors import AccessCode, AccessError, Refused
from app.domain.names import search_name
from app.domain.patches import Patch
from app.models.customers import CustomerFound, CustomerProfile
from app.services.unit_of_work import UnitOfWork

MOST = 100


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """Some of the customers, each with its cursor, and whether there are more on either side."""

    customers: Sequence[CustomerFound]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool


async def customer(
    uow: UnitOfWork,
    *,
    customer_id: str | None,
    customer_number: str | None,
    email: str | None,
    shopper_reference: str | None,
) -> CustomerProfile | None:
    """Return the customer who has this, or None; raises `AccessError` BAD_REQUEST unless exactly one is given."""
    if sum(each is not None for each in (customer_id, customer_number, email, shopper_reference)) != 1:
        raise AccessError(AccessCode.BAD_REQUEST, "Give exactly one of id, customerNumber, email and shopperReference.")
    if customer_number is not None:
        return await uow.customers.find_by_number(customer_number)
    if shopper_reference is not None:
        return await uow.customers.find_by_shopper_reference(shopper_reference)
    if email is not None:
        key = _email_key(email)
        credential = await uow.credentials.find_by_email(key) if key is not None else None
        customer_id = credential.customer_id if credential is not None else None
    return await uow.customers.find(customer_id) if customer_id is not None else None


async def customers(uow: UnitOfWork, first: int, after: str | None, terms: Patch) -> CustomerPage:
    """Return a page of the customers whom the terms describe: email, email_prefix, name, customer_number, and so on.

    Raises `AccessError` BAD_REQUEST for a page of less than 1 or more than 100, and for a cursor that is not one of
    this list.
    """
    if not 1 <= first <= MOST:
        raise AccessError(AccessCode.BAD_REQUEST, f"`first` must be a number from 1 to {MOST}.")
    wanted = _filter(terms)
    position = _position(wanted, after) if after is not None else None
    # One more than asked for tells whether there is a next page.
    found = await uow.customer_search.page(wanted, position, first + 1)
    shown = found[:first]
    return CustomerPage(
        customers=shown,
        cursors=[_cursor(wanted.order, each) for each in shown],
        has_next=len(found) > first,
        has_previous=after is not None,
    )


def _filter(terms: Patch) -> CustomerFilter:
    email, prefix = terms.get("email"), terms.get("email_prefix")
    return CustomerFilter(
        # A text that is no address is searched unchanged, and finds nobody.
        email_key=(_email_key(email) or email) if email is not None else None,
        email_prefix=_email_prefix(prefix) if prefix is not None else None,
        name_prefix=search_name(terms.get("name")) or None,
        customer_number=terms.get("customer_number"),
        status=terms.get("status"),
        group_id=terms.get("group_id"),
        active=terms.get("active"),
        on_hold=terms.get("on_hold"),
    )


def _email_key(email: str) -> str | None:
    try:
        return parse_email(email).key
    except Refused:
        return None


def _email_prefix(prefix: str) -> str | None:
    """Return the beginning of an address in the form to compare."""
    return fold_address(prefix.strip()) or None


def _cursor(order: CustomerOrder, found: CustomerFound) -> str:
    key = {CustomerOrder.NAME: found.search_name, CustomerOrder.EMAIL: found.email_key, CustomerOrder.ID: None}[order]
    return encode_cursor(order.value, key or "", found.id)


def _position(wanted: CustomerFilter, cursor: str) -> CustomerPosition:
    order, key, customer_id = decode_cursor(cursor, 3)
    if order != wanted.order.value:
        raise AccessError(AccessCode.BAD_REQUEST, "The cursor belongs to another filter: begin without a cursor.")
    return CustomerPosition(key, customer_id)
