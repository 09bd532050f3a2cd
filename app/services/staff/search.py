"""How staff find customers: one by an identifier, many by a filter, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.cursors import decode_cursor, encode_cursor
from app.domain.customer_filters import CustomerFilter, CustomerOrder, CustomerPosition
from app.domain.emails import fold_address, parse_email
from app.domain.errors import AccessCode, AccessError, Refused
from app.domain.names import search_name
from app.domain.patches import Patch, Rules, any_value, by_value, check_patch, null_clears
from app.domain.problems import Problems
from app.domain.search_words import MOST_WORDS, words_of_search
from app.domain.texts import is_blank
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
        raise AccessError(AccessCode.BAD_REQUEST, f"`first` is a number from 1 to {MOST}.")
    wanted = _filter(uow, terms)
    position = _position(wanted, after) if after is not None else None
    # One more than asked for tells whether there is a next page.
    async with uow.reader() as reader:
        search = reader.customer_search if wanted.search is None else reader.customer_word_search
        found = await search.page(wanted, position, first + 1)
    shown = found[:first]
    return CustomerPage(
        customers=shown,
        cursors=[_cursor(wanted.order, each) for each in shown],
        has_next=len(found) > first,
        has_previous=after is not None,
    )


def _filter(uow: UnitOfWork, terms: Patch) -> CustomerFilter:
    wanted = check_patch(Problems(), terms, TERMS, uow.situation)
    return CustomerFilter(**{_CONDITIONS.get(name, name): condition for name, condition in wanted.items()})


def _email_key(email: str) -> str | None:
    try:
        return parse_email(email).key
    except Refused:
        return None


def _email_prefix(prefix: str) -> str | None:
    """Return the beginning of an address in the form to compare."""
    return fold_address(prefix.strip()) or None


def _words(search: str | None) -> tuple[str, ...] | None:
    """Return the words to look for, or None for a blank text; raises BAD_REQUEST for more than sixteen."""
    if search is None or is_blank(search):
        return None
    words = words_of_search(search)
    if len(words) > MOST_WORDS:
        raise AccessError(AccessCode.BAD_REQUEST, f"`search` takes at most {MOST_WORDS} words.")
    return words


# What is no address is looked for as it is, and found with nobody.
TERMS: Rules = {
    "email": null_clears(by_value(lambda email: _email_key(email) or email)),
    "email_prefix": null_clears(by_value(_email_prefix)),
    "search": by_value(_words),
    "name": by_value(lambda name: search_name(name) or None),
    "customer_number": any_value,
    "status": any_value,
    "group_id": any_value,
    "active": any_value,
    "on_hold": any_value,
}
# Where a condition has another name than its term.
_CONDITIONS = {"email": "email_key", "name": "name_prefix"}


def _cursor(order: CustomerOrder, found: CustomerFound) -> str:
    keys = {
        CustomerOrder.NAME: found.search_name,
        CustomerOrder.EMAIL: found.email_key,
        CustomerOrder.ID: None,
        CustomerOrder.SEARCH: found.search_key,
    }
    return encode_cursor(order.value, keys[order] or "", found.id)


def _position(wanted: CustomerFilter, cursor: str) -> CustomerPosition:
    order, key, customer_id = decode_cursor(cursor, 3)
    if order != wanted.order.value:
        raise AccessError(AccessCode.BAD_REQUEST, "The cursor belongs to another filter: begin without a cursor.")
    return CustomerPosition(key, customer_id)
