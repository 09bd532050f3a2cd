"""Accounts that were joined with another one: closed for good, and pointing to where all of theirs went."""

from __future__ import annotations

from app.domain.emails import EmailAddress
from app.domain.errors import DomainError, UserErrorCode, refuse
from app.models.customers import Customer, CustomerProfile
from app.services.limits import may_mail
from app.services.outgoing.mails import send_mail
from app.services.unit_of_work import UnitOfWork


async def find_survivor(uow: UnitOfWork, merged_into: str) -> str:
    """Return the id of the account that everything is in today: the one joined with may have been joined since."""
    seen: set[str] = set()
    survivor = merged_into
    while survivor not in seen:
        seen.add(survivor)
        customer = await uow.customers.find(survivor)
        survivor = customer.merged_into if customer is not None and customer.merged_into else survivor
    return survivor


async def merged_into(uow: UnitOfWork, customer: CustomerProfile) -> str | None:
    """Return the id of the customer whom a closed account was joined with; None for every other account."""
    return await find_survivor(uow, customer.merged_into) if customer.merged_into is not None else None


async def list_merged(uow: UnitOfWork, customer_id: str) -> list[Customer]:
    """Return all accounts that were joined with this customer's, and with those before."""
    every: list[Customer] = []
    waiting = [customer_id]
    while waiting:
        found = await uow.customers.list_merged_into(waiting.pop())
        every += found
        waiting += [each.id for each in found]
    return every


async def already_merged(uow: UnitOfWork, merged_into: str, *field: str) -> DomainError:
    """Return the error for an account that was joined with another one; its message names that for staff."""
    survivor = await find_survivor(uow, merged_into)
    return refuse(
        UserErrorCode.ACCOUNT_MERGED,
        f"This account was joined with another one: go on with customer {survivor}.",
        *field,
    )


async def tell_of_merge(uow: UnitOfWork, email: EmailAddress) -> bool:
    """Remind whoever asks for an account at an address that it was joined with another one; False where none was.

    The address is free, so that a sign-up makes a new account: not without a word that there is one already.
    """
    former = await uow.credentials.find_by_former_email(email.key)
    closed = await uow.customers.find(former.customer_id) if former is not None else None
    if closed is None or closed.merged_into is None:
        return False
    survivor = await uow.customers.find(await find_survivor(uow, closed.merged_into))
    if survivor is None or survivor.merged_into is not None:
        return False
    if await may_mail(uow, email.address, signup=True):
        language = survivor.preferred_language or closed.preferred_language
        await send_mail(uow, "account_merged_before", closed.id, email.address, language=language)
    return True
