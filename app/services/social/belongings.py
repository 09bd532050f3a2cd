"""What moves from one account to another when both are joined, counted beforehand and moved at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import UserErrorCode
from app.domain.problems import Problems
from app.domain.topics import Topic
from app.models.addresses import PURPOSES, Address
from app.models.groups import GroupOfMember
from app.models.legal_entities import LegalEntityAssignment
from app.models.payment_instruments import PaymentInstrument
from app.models.product_lists import ProductList
from app.models.social import SocialIdentity
from app.services.accounts.defaults import MayBeDefault, WithDefault
from app.services.accounts.legal_entities import MOST as MOST_LEGAL_ENTITIES
from app.services.outgoing.events import emit
from app.services.social.accounts import MOST_ACCOUNTS
from app.services.social.other_account import FIELD
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Belongings:
    """What an account has that can move."""

    customer_id: str
    identities: Sequence[SocialIdentity]
    addresses: Sequence[Address]
    payment_instruments: Sequence[PaymentInstrument]
    product_lists: Sequence[ProductList]
    groups: Sequence[GroupOfMember]
    legal_entities: Sequence[LegalEntityAssignment]

    @property
    def group_ids(self) -> set[str]:
        """The ids of the groups."""
        return {group.id for group in self.groups}

    def place_in(self, legal_entity_id: str) -> LegalEntityAssignment | None:
        """Return the place in a legal entity, if there is one."""
        return next((each for each in self.legal_entities if each.legal_entity_id == legal_entity_id), None)


async def list_belongings(uow: UnitOfWork, customer_id: str) -> Belongings:
    """Return what an account has."""
    return Belongings(
        customer_id,
        await uow.social_identities.list(customer_id),
        await uow.addresses.list(customer_id),
        await uow.payment_instruments.list(customer_id),
        await uow.product_lists.list(customer_id),
        (await uow.groups.list_of(customer_id))[customer_id],
        await uow.legal_entities.list(customer_id),
    )


def new_groups(own: Belongings, other: Belongings) -> list[str]:
    """Return the groups that only the other account is in."""
    return sorted(other.group_ids - own.group_ids)


def new_legal_entities(own: Belongings, other: Belongings) -> list[LegalEntityAssignment]:
    """Return the places that move: where the account has none of its own, or only the other's is confirmed."""

    def moves(each: LegalEntityAssignment) -> bool:
        known = own.place_in(each.legal_entity_id)
        return known is None or (each.confirmed and not known.confirmed)

    return [each for each in other.legal_entities if moves(each)]


def check_room(uow: UnitOfWork, problems: Problems, own: Belongings, other: Belongings) -> None:
    """Note LIMIT_REACHED for each kind of which both accounts together have too many."""
    limits = uow.tenant.limits
    entities = {each.legal_entity_id for each in (*own.legal_entities, *other.legal_entities)}
    kinds = (
        ("addresses", len(own.addresses) + len(other.addresses), limits.addresses_per_customer),
        (
            "payment instruments",
            len(own.payment_instruments) + len(other.payment_instruments),
            limits.payment_instruments_per_customer,
        ),
        ("lists", len(own.product_lists) + len(other.product_lists), limits.product_lists_per_customer),
        ("social accounts", len(own.identities) + len(other.identities), MOST_ACCOUNTS),
        ("legal entities", len(entities), MOST_LEGAL_ENTITIES),
    )
    for noun, together, most in kinds:
        if together > most:
            message = f"Both accounts have {together} {noun} together, and there may be {most}: delete some first."
            problems.add(UserErrorCode.LIMIT_REACHED, message, FIELD)


async def move_belongings(uow: UnitOfWork, own: Belongings, other: Belongings) -> None:
    """Give all that the other account has to the own one; both are locked, and there is room for it.

    What is a default stays one only where the own account has none.
    """
    await _move_rows(uow, own, other)
    await _move_groups(uow, own, other)
    await _move_legal_entities(uow, own, other)


async def _move_rows(uow: UnitOfWork, own: Belongings, other: Belongings) -> None:
    to, from_ = own.customer_id, other.customer_id
    await uow.social_identities.move(from_, to, uow.now)
    await _give_default_up(uow, uow.addresses, own.addresses, from_)
    for purpose, column in PURPOSES.items():
        if any(getattr(each, column) for each in own.addresses):
            await uow.addresses.clear_default_for(from_, purpose, uow.now)
    await uow.addresses.move(from_, to)
    await _give_default_up(uow, uow.payment_instruments, own.payment_instruments, from_)
    await uow.payment_instruments.move(from_, to)
    await uow.product_lists.move(from_, to)
    await uow.orders.move(from_, to)


async def _give_default_up(uow: UnitOfWork, rows: WithDefault, own: Sequence[MayBeDefault], other_id: str) -> None:
    if any(each.is_default for each in own):
        await rows.clear_default(other_id, uow.now)


async def _move_groups(uow: UnitOfWork, own: Belongings, other: Belongings) -> None:
    """Join the groups that are still there, and leave them with the other account."""
    held = await uow.groups.hold(sorted(other.group_ids)) if other.groups else set()
    added = [group_id for group_id in new_groups(own, other) if group_id in held]
    for group_id in added:
        await uow.groups.add_member(group_id, own.customer_id)
    for group_id in sorted(held):
        await uow.groups.remove_member(group_id, other.customer_id)
    if added:
        await emit(uow, Topic.CUSTOMER_GROUP_CHANGED, own.customer_id, added=added, removed=[])
    if held:
        await emit(uow, Topic.CUSTOMER_GROUP_CHANGED, other.customer_id, added=[], removed=sorted(held))


async def _move_legal_entities(uow: UnitOfWork, own: Belongings, other: Belongings) -> None:
    """Move the places; of two in one legal entity the confirmed one stays, or else the own one."""
    moving = {each.id for each in new_legal_entities(own, other)}
    for each in other.legal_entities:
        if each.id not in moving:
            await uow.legal_entities.delete(other.customer_id, each.id)
            continue
        known = own.place_in(each.legal_entity_id)
        if known is not None:
            await uow.legal_entities.delete(own.customer_id, known.id)
        await uow.legal_entities.move(other.customer_id, each.id, own.customer_id)
