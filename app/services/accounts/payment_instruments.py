"""A customer's payment instruments: tokens of the payment provider, and never a card number."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from app.domain.card_numbers import holds_card_number
from app.domain.errors import DomainError, Refused, UserErrorCode, refuse
from app.domain.numbers import whole_number
from app.domain.patches import (
    Patch,
    Rule,
    Rules,
    any_value,
    by_value,
    check_patch,
    input_name,
    null_clears,
    null_keeps,
)
from app.domain.problems import Problems
from app.domain.texts import optional_line, required_line
from app.domain.topics import Topic
from app.models.payment_instruments import PaymentInstrument
from app.services.accounts.defaults import check_default_stays, keep_one_default, move_default, pass_default_on
from app.services.accounts.own_account import lock_own_account
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork

# What is longer than any of the fields is refused by its own rule.
_JUDGED_LENGTH = 300
_LAST_FOUR = re.compile(r"[0-9]{4}")


def _last_four(text: str | None) -> str | None:
    if not text:
        return None
    if _LAST_FOUR.fullmatch(text) is None:
        raise Refused(UserErrorCode.INVALID, "Please give the last four digits, such as 4242.")
    return text


def _without_card_number(rule: Callable[[str | None], str | None]) -> Rule:
    def check(text: str | None) -> str | None:
        if text and holds_card_number(text[:_JUDGED_LENGTH]):
            raise Refused(
                UserErrorCode.INVALID,
                "This looks like a card number, which we never accept: send the token of the payment provider.",
            )
        return rule(text)

    return by_value(check)


_EXPIRY: Rules = {
    "expiry_month": null_clears(by_value(whole_number(1, 12))),
    "expiry_year": null_clears(by_value(whole_number(2000, 2099))),
}
# Each is a column.
PAYMENT_INSTRUMENT: Rules = {
    "token": _without_card_number(required_line(255)),
    "brand": _without_card_number(required_line(50)),
    "last4": _without_card_number(_last_four),
    "holder_name": _without_card_number(optional_line(200)),
    **_EXPIRY,
    "is_default": null_keeps(any_value),
}


def _check(
    uow: UnitOfWork, problems: Problems, patch: Patch, so_far: PaymentInstrument | None = None
) -> dict[str, Any]:
    """Return the columns that the patch sets, checked and normalized."""
    columns = check_patch(problems, patch, PAYMENT_INSTRUMENT, uow.situation)
    given = [patch[name] if name in patch else getattr(so_far, name, None) for name in _EXPIRY]
    if given.count(None) == 1:
        missing = input_name(tuple(_EXPIRY)[given.index(None)])
        problems.add(UserErrorCode.REQUIRED, "Please give month and year of the expiry, or neither.", missing)
    return columns


async def payment_instruments(uow: UnitOfWork, customer_id: str) -> Sequence[PaymentInstrument]:
    """Return a customer's payment instruments, the default first."""
    return await uow.payment_instruments.list(customer_id)


async def add_payment_instrument(uow: UnitOfWork, patch: Patch) -> PaymentInstrument:
    """Add an instrument to the caller's own; the first becomes the default. LIMIT_REACHED when there are too many."""
    customer_id = uow.caller.require_customer().id
    problems = Problems()
    columns = _check(uow, problems, patch)
    problems.raise_if_any()
    await lock_own_account(uow)
    so_far = await uow.payment_instruments.list(customer_id)
    most = uow.tenant.limits.payment_instruments_per_customer
    if len(so_far) >= most:
        raise refuse(UserErrorCode.LIMIT_REACHED, f"There are {most} payment instruments already: delete one first.")
    await keep_one_default(uow.payment_instruments, customer_id, uow.now, columns, so_far)
    added = PaymentInstrument(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        customer_id=customer_id,
        **columns,
        created_at=uow.now,
        updated_at=uow.now,
    )
    await uow.payment_instruments.add(added)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["paymentInstruments"])
    return added


async def update_payment_instrument(uow: UnitOfWork, instrument_id: str, patch: Patch) -> PaymentInstrument:
    """Change one of the caller's own instruments; a field left out stays, null clears it. NOT_FOUND for any other."""
    customer_id = uow.caller.require_customer().id
    await lock_own_account(uow)
    so_far = await _get(uow, customer_id, instrument_id)
    problems = Problems()
    columns = _check(uow, problems, patch, so_far)
    check_default_stays(problems, columns, so_far, "payment instrument")
    problems.raise_if_any()
    await move_default(uow.payment_instruments, customer_id, uow.now, columns, so_far)
    await uow.payment_instruments.change(customer_id, instrument_id, uow.now, **columns, origin=None)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["paymentInstruments"])
    return await _get(uow, customer_id, instrument_id)


async def delete_payment_instrument(uow: UnitOfWork, instrument_id: str) -> str:
    """Remove one of the caller's own instruments and return its id; the oldest left becomes the default if need be.

    But for one that was there before the first proof: nobody knows whose that is.
    """
    customer_id = uow.caller.require_customer().id
    await lock_own_account(uow)
    gone = await _get(uow, customer_id, instrument_id)
    await uow.payment_instruments.delete(customer_id, instrument_id)
    await pass_default_on(uow.payment_instruments, customer_id, uow.now, gone)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["paymentInstruments"])
    return instrument_id


async def _get(uow: UnitOfWork, customer_id: str, instrument_id: str) -> PaymentInstrument:
    found = await uow.payment_instruments.find(customer_id, instrument_id)
    if found is None:
        raise _not_found()
    return found


def _not_found() -> DomainError:
    return refuse(UserErrorCode.NOT_FOUND, "You have no payment instrument with this id.", "id")
