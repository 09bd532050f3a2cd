"""What was in an account before somebody else proved that its address is theirs: kept for them, who may discard it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from app.domain.audit import AuditAction
from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import UserErrorCode, refuse
from app.domain.mixins import check_mixins
from app.domain.origins import ALL, fields_of, pointers_of, without
from app.domain.topics import Topic
from app.models.audit import AuditEvent
from app.models.customers import BusinessModel, Customer, CustomerProfile
from app.models.product_lists import ProductList, ProductListType
from app.services.accounts.customers import get_profile
from app.services.accounts.own_account import lock_own_account
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork

# How long after the proof the owner may discard what was there before it.
DISCARDABLE = timedelta(days=30)

# What a list is called whose name was somebody else's.
_LIST_NAMES = {
    ProductListType.WISH_LIST: "Wish list",
    ProductListType.GIFT_REGISTRY: "Gift registry",
    ProductListType.SHOPPING_LIST: "Shopping list",
    ProductListType.CUSTOM: "List",
}


class _MayDiscard(Protocol):
    @property
    def unproven_until(self) -> Any: ...


async def keep_unproven_data(uow: UnitOfWork, customer_id: str, owner: EmailAddress) -> bool:
    """Mark what is in the account as nobody's proven own, and tell whether there is anything.

    Mostly it is the owner's all the same, so it stays; but nothing is a default or public any more, and nobody is
    written to or called whom the owner has not named. What staff or an import made is the shop's word, and stays for
    good. The customer is locked.
    """
    customer = await uow.customers.lock_even_if_closed(customer_id)
    if customer is None:
        return False
    creation = await _creation_by_shop(uow, customer_id)
    if creation is not None:
        await uow.addresses.mark_shops(customer_id, creation.occurred_at)
    marked = [
        await uow.addresses.mark_unproven(customer_id, uow.now),
        await uow.payment_instruments.mark_unproven(customer_id, uow.now),
        await uow.product_lists.mark_unproven(customer_id),
        await uow.legal_entities.mark_unproven(customer_id),
    ]
    contacts = _contacts(customer, owner)
    fields = _unproven_fields(uow, customer, contacts, is_shops=creation is not None)
    is_kept = any(marked) or bool(fields) or customer.unproven_until is not None
    await uow.customers.change(
        customer_id,
        uow.now,
        **contacts,
        unproven_fields=fields or None,
        unproven_until=uow.now + DISCARDABLE if is_kept else None,
    )
    return is_kept


async def _creation_by_shop(uow: UnitOfWork, customer_id: str) -> AuditEvent | None:
    """Return when staff or an import made the customer, unless it was a social login that did."""
    creation = await uow.audit.find_creation(customer_id)
    return creation if creation is not None and "provider" not in creation.detail else None


def _contacts(customer: Customer, owner: EmailAddress) -> dict[str, Any]:
    """Return the contacts as the owner's: the address that was proved, if it is that one, and no number."""
    is_owners = customer.contact_email is not None and parse_email(customer.contact_email).key == owner.key
    return {"contact_email": customer.contact_email if is_owners else None, "contact_phone": None}


def _unproven_fields(uow: UnitOfWork, customer: Customer, contacts: dict[str, Any], *, is_shops: bool) -> list[str]:
    """Return the fields that somebody may have written who was not the owner, nor the shop."""
    shops = set(customer.shop_fields or ())
    if is_shops and ALL not in shops:
        # Made before it was written down which fields the shop wrote.
        return []
    told = pointers_of({**fields_of(customer), **contacts})
    ours = {
        "/preferred_language": uow.tenant.default_site.language,
        "/business_model": BusinessModel.B2C.value,
        "/contact_email": contacts["contact_email"],
    }
    return sorted(pointer for pointer, value in told.items() if pointer not in shops and ours.get(pointer) != value)


def holds_unproven_data(uow: UnitOfWork, customer: _MayDiscard) -> bool:
    """Tell whether there is in the account what its owner may still discard."""
    return customer.unproven_until is not None and customer.unproven_until > uow.now


async def discard_unproven_data(uow: UnitOfWork) -> CustomerProfile:
    """Remove from the caller's own account what was in it before the proof, and return the profile.

    What the customer has changed since is the customer's, and stays. Where nothing was kept, or it was discarded
    already, nothing happens; NOT_FOUND when the time for it is over.
    """
    customer = await lock_own_account(uow)
    if customer.unproven_until is None:
        return await get_profile(uow, customer.id)
    if not holds_unproven_data(uow, customer):
        raise refuse(
            UserErrorCode.NOT_FOUND,
            f"What was there before could be discarded for {DISCARDABLE.days} days: delete what you do not want.",
        )
    await uow.addresses.delete_unproven(customer.id)
    await uow.customers.note_addresses(customer.id, await uow.addresses.list(customer.id))
    await uow.payment_instruments.delete_unproven(customer.id)
    await uow.legal_entities.delete_unproven(customer.id)
    await _discard_lists(uow, customer.id)
    await _discard_traces(uow, customer.id)
    columns = _discarded(uow, customer)
    await uow.customers.change(customer.id, uow.now, **columns, unproven_fields=None, unproven_until=None)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer.id, fields=["unprovenData"])
    await record(uow, AuditAction.UNPROVEN_DATA_DISCARDED, customer.id)
    return await get_profile(uow, customer.id)


def _discarded(uow: UnitOfWork, customer: Customer) -> dict[str, Any]:
    """Return the profile without the unproven fields; a mixin that the shop would refuse after that goes whole."""
    left = without(fields_of(customer), customer.unproven_fields or ())
    mixins = left["mixins"] or {}
    if mixins != customer.mixins:
        broken = {fault.field[0] for fault in check_mixins(mixins, uow.tenant.mixin_schemas) if fault.field}
        mixins = {name: mixin for name, mixin in mixins.items() if name not in broken}
    return {
        **left,
        "mixins": mixins,
        "preferred_language": left["preferred_language"] or uow.tenant.default_site.language,
        "business_model": left["business_model"] or BusinessModel.B2C.value,
    }


async def _discard_lists(uow: UnitOfWork, customer_id: str) -> None:
    """Remove the items, and the lists on which the owner has put nothing since; of the others only what they say."""
    await uow.product_lists.delete_unproven_items(customer_id)
    for each in await uow.product_lists.list_unproven(customer_id):
        if await uow.product_lists.count_items(each.id):
            await uow.product_lists.change(customer_id, each.id, uow.now, **_nothing_said(each))
        else:
            await uow.product_lists.delete(customer_id, each.id)


def _nothing_said(product_list: ProductList) -> dict[str, Any]:
    name = _LIST_NAMES[ProductListType(product_list.type)]
    return {"name": name, "description": None, "event_date": None, "origin": None}


async def _discard_traces(uow: UnitOfWork, customer_id: str) -> None:
    """Forget the addresses that were asked for, and the devices that were used."""
    credential = await uow.credentials.find(customer_id)
    if credential is not None and credential.email_key is not None:
        await uow.one_time_tokens.forget_others(customer_id, credential.email_key, uow.now)
    await uow.sessions.forget_devices(customer_id)
