"""A customer's payment instruments: tokens of the payment provider, and never a card number."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from app.domain.card_numbers import holds_card_number
from app.domain.errors import DomainError, Refused, UserErrorCode, refuse
from app.domain.numbers import whole_number
from app.domain.patches import Patch, input_name
from app.domain.problems import Problems
from app.domain.texts import optional_line, required_line
from app.domain.topics import Topic
from app.models.payment_instruments import PaymentInstrument
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


_TEXTS: dict[str, Callable[[str | None], str | None]] = {
    "token": required_line(255),
    "brand": required_line(50),
    "last4": _last_four,
    "holder_name": optional_line(200),
}
_NUMBERS: dict[str, Callable[[int | None], int]] = {
    "expiry_month": whole_number(1, 12),
    "expiry_year": whole_number(2000, 2099),
}


def _check(problems: Problems, patch: Patch, so_far: PaymentInstrument | None) -> dict[str, Any]:
    """Return the columns that the patch sets, checked and normalized."""
    columns: dict[str, Any] = {}
    for name, text_rule in _TEXTS.items():
        if name in patch:
            columns[name] = problems.check(_without_card_number(text_rule), patch[name], input_name(name))
    for name, number_rule in _NUMBERS.items():
        if name in patch:
            number = patch[name]
            columns[name] = None if number is None else problems.check(number_rule, number, input_name(name))
    given = [patch[name] if name in patch else getattr(so_far, name, None) for name in _NUMBERS]
    if given.count(None) == 1:
        missing = input_name(tuple(_NUMBERS)[given.index(None)])
        problems.add(UserErrorCode.REQUIRED, "Please give both the month and the year of expiry, or neither.", missing)
    return columns


def _without_card_number(rule: Callable[[str | None], str | None]) -> Callable[[str | None], str | None]:
    def check(text: str | None) -> str | None:
        if text and holds_card_number(text[:_JUDGED_LENGTH]):
            raise Refused(
                UserErrorCode.INVALID,
                "This looks like a card number, which we never accept: send the token of the payment provider.",
            )
        return rule(text)

    return check


async def payment_instruments(uow: UnitOfWork, customer_id: str) -> Sequence[PaymentInstrument]:
    """Return a customer's payment instruments, the default first."""
    return await uow.payment_instruments.list(customer_id)


async def add_payment_instrument(uow: UnitOfWork, patch: Patch) -> PaymentInstrument:
    """Add an instrument to the caller's own; the first becomes the default. LIMIT_REACHED when there are too many."""
    customer_id = uow.caller.require_customer().id
    problems = Problems()
    columns = _check(problems, patch, None)
    problems.raise_if_any()
    await lock_own_account(uow)
    so_far = await uow.payment_instruments.list(customer_id)
    most = uow.tenant.limits.payment_instruments_per_customer
    if len(so_far) >= most:
        raise refuse(UserErrorCode.LIMIT_REACHED, f"You have {most} payment instruments already: delete one first.")
    is_default = bool(patch.get("is_default")) or not so_far
    if is_default:
        await uow.payment_instruments.clear_default(customer_id, uow.now)
    added = PaymentInstrument(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        customer_id=customer_id,
        **columns,
        is_default=is_default,
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
    columns = _check(problems, patch, so_far)
    if patch.get("is_default") is False and so_far.is_default:
        problems.add(UserErrorCode.INVALID, "Make another payment instrument the default instead.", "isDefault")
    problems.raise_if_any()
    if patch.get("is_default") and not so_far.is_default:
        await uow.payment_instruments.clear_default(customer_id, uow.now)
        columns["is_default"] = True
    await uow.payment_instruments.change(customer_id, instrument_id, uow.now, **columns)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["paymentInstruments"])
    return await _get(uow, customer_id, instrument_id)


async def delete_payment_instrument(uow: UnitOfWork, instrument_id: str) -> str:
    """Delete one of the caller's own instruments and return its id; the oldest left becomes the default if need be."""
    customer_id = uow.caller.require_customer().id
    await lock_own_account(uow)
    gone = await _get(uow, customer_id, instrument_id)
    await uow.payment_instruments.delete(customer_id, instrument_id)
    if gone.is_default:
        remaining = await uow.payment_instruments.list(customer_id)
        if remaining:
            await uow.payment_instruments.change(customer_id, remaining[0].id, uow.now, is_default=True)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["paymentInstruments"])
    return instrument_id


async def _get(uow: UnitOfWork, customer_id: str, instrument_id: str) -> PaymentInstrument:
    found = await uow.payment_instruments.find(customer_id, instrument_id)
    if found is None:
        raise _not_found()
    return found


def _not_found() -> DomainError:
    return refuse(UserErrorCode.NOT_FOUND, "You have no payment instrument with this id.", "id")
