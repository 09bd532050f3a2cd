"""Accounts whose address was never proved: they keep it from nobody who proves it."""

from __future__ import annotations

from app.domain.audit import AuditAction
from app.domain.topics import Topic
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork


async def make_way(uow: UnitOfWork, email_key: str, customer_id: str) -> bool:
    """Have another account than this customer's give the address up if it never proved it; False when there is none.

    That account stays, without an address to sign in with.
    """
    without = await uow.credentials.give_up_unproven_email(email_key, customer_id, uow.now)
    if without is None:
        return False
    await uow.customers.note_login_address(without.customer_id, None)
    await emit(uow, Topic.CUSTOMER_EMAIL_CHANGED, without.customer_id)
    await record(uow, AuditAction.EMAIL_CHANGED, without.customer_id, reason="unproven")
    return True


async def make_way_for_staff(uow: UnitOfWork, email_key: str, customer_id: str, *, is_proved: bool) -> bool:
    """Do as `make_way` for a customer whom staff make; False when the address stays where it is.

    If the address is not proved by that either, only who has done nothing but sign up gives it up.
    """
    if not is_proved and await uow.credentials.find_idle(email_key) is None:
        return False
    return await make_way(uow, email_key, customer_id)
