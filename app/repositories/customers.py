"""Customers, read as profiles with the login address of their credential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from app.domain.anonymizations import AnonymizationStatus
from app.domain.rows import Reading
from app.domain.searchable import Searchable
from app.models.addresses import Address
from app.models.credentials import Credential
from app.models.customers import (
    ONLY_FOR_SEARCH,
    SEARCHED_COLUMNS,
    Customer,
    CustomerProfile,
    CustomerStatus,
    SearchedColumns,
    has_words,
    searched_name,
)
from app.repositories.base import Repository, Rows, mine
from app.repositories.customer_words import CustomerWordRepository

PROFILE_COLUMNS = [
    *(column for column in Customer.__table__.c if column.name not in ONLY_FOR_SEARCH),
    Credential.__table__.c.email,
    Credential.__table__.c.email_verified_at,
    Credential.__table__.c.initial_password,
    Credential.__table__.c.must_confirm,
    Credential.__table__.c.email_bounced_at,
    Credential.__table__.c.version.label("credential_version"),
    Credential.__table__.c.password_hash.is_not(None).label("has_password"),
    Credential.__table__.c.verified_phone,
]

_PROFILES = select(*PROFILE_COLUMNS).join_from(
    Customer.__table__,
    Credential.__table__,
    and_(col(Credential.tenant_id) == col(Customer.tenant_id), col(Credential.customer_id) == col(Customer.id)),
    isouter=True,
)
_BY_ID, _BY_NUMBER, _BY_REFERENCE = (
    Reading(CustomerProfile, _PROFILES.where(mine(Customer, Customer.__table__.c[key] == bindparam(key))))
    for key in ("id", "customer_number", "shopper_reference")
)
_CUSTOMER = Rows(Customer, "id")
# With the version: of which version of the profile the words are.
_COUNTED = "version search_of"
# The opposite of `is_closed`, in SQL; an account that was joined with another one is closed too.
_OPEN = and_(
    or_(
        col(Customer.anonymization_status).is_(None),
        col(Customer.anonymization_status) == AnonymizationStatus.CANCELED.value,
    ),
    col(Customer.merged_into).is_(None),
)
_OPEN_CUSTOMER = Rows(Customer, "id", _OPEN)
_MAY_LOG_IN = Rows(Customer, "id", col(Customer.active).is_(True), col(Customer.on_hold).is_(False), _OPEN)

_NOT_BUSY = Reading(Customer, select(Customer.__table__).where(_CUSTOMER.where).with_for_update(skip_locked=True))
_MERGED = Rows(Customer, "merged_into", order_by=(col(Customer.id),))
_UNUSED = Rows(Customer, "id", col(Customer.last_login_at).is_(None), col(Customer.order_count) == 0)


class CustomerRepository(Repository):
    """The customers of one tenant."""

    @property
    def _words(self) -> CustomerWordRepository:
        return CustomerWordRepository(self._connection, self._tenant_id)

    async def find(self, customer_id: str) -> CustomerProfile | None:
        """Return a customer's profile."""
        return await self._find(_BY_ID, id=customer_id)

    async def list_by_id(self, customer_ids: Sequence[str]) -> Sequence[CustomerProfile]:
        """Return the profiles of those of these customers that exist, in any order."""
        those = _PROFILES.where(self._mine(Customer, col(Customer.id).in_(customer_ids)))
        return await self._connection.read_anew(Reading(CustomerProfile, those))

    async def list_open(self, after: str, most: int) -> Sequence[CustomerProfile]:
        """Return the profiles of up to `most` accounts that are not closed, by their ids, those `after` this one."""
        those = self._mine(Customer, _OPEN, col(Customer.id) > after)
        page = _PROFILES.where(those).order_by(col(Customer.id)).limit(most)
        return await self._connection.read_anew(Reading(CustomerProfile, page))

    async def find_by_number(self, customer_number: str) -> CustomerProfile | None:
        """Return the profile of the customer with this number."""
        return await self._find(_BY_NUMBER, customer_number=customer_number)

    async def find_by_shopper_reference(self, reference: str) -> CustomerProfile | None:
        """Return the profile of the customer with this shopper reference."""
        return await self._find(_BY_REFERENCE, shopper_reference=reference)

    async def find_ids_by_shopper_reference(self, references: Sequence[str]) -> Mapping[str, str]:
        """Return the customer's id for each of these shopper references that is in use."""
        those = self._mine(Customer, col(Customer.shopper_reference).in_(references))
        rows = await self._connection.read_anew(Reading(Customer, select(Customer.__table__).where(those)))
        return {row.shopper_reference: row.id for row in rows}

    async def lock(self, customer_id: str) -> Customer | None:
        """Return the customer, locked until the transaction ends.

        None also for a closed account: after a request to anonymize, or once it was joined with another one, nothing
        about the customer is written.
        """
        return await self._lock(_OPEN_CUSTOMER, id=customer_id)

    async def lock_even_if_closed(self, customer_id: str) -> Customer | None:
        """Lock like `lock`, but closed accounts as well."""
        return await self._lock(_CUSTOMER, id=customer_id)

    async def set_anonymization_status(self, customer_id: str, status: AnonymizationStatus) -> None:
        """Set the anonymization status of a customer whose row is locked."""
        await self._change(_CUSTOMER, {"id": customer_id}, anonymization_status=status.value)

    async def add_unless_taken(
        self, customer: Customer, email: str | None = None, addresses: Sequence[Address] = ()
    ) -> bool:
        """Write a new customer; False if another customer has the customer number or the shopper reference.

        The login address and the addresses, which are written elsewhere, are what the customer is found by too.
        """
        searchable = Searchable().with_profile(customer).with_login(email).with_addresses(addresses)
        customer.search_name = searched_name(customer)
        customer.search_key, customer.search_text = searchable.key, searchable.text
        added = await self._add_unless(customer)
        if added:
            await self._words.replace(customer.id, (), searchable.rows)
        return added

    async def change(self, customer_id: str, now: datetime, **values: Any) -> None:
        """Set columns of a customer and count one version up."""
        if SEARCHED_COLUMNS.isdisjoint(values):
            await self._count_up(customer_id, now, values)
            return
        given = {"id": customer_id}
        changed = await self._change_one(_CUSTOMER, given, counted=_COUNTED, updated_at=now, **values)
        if changed is not None:
            so_far = Searchable.of_text(changed.search_key, changed.search_text)
            await self._words.store(changed, so_far.with_profile(changed))

    async def change_locked(self, locked: Customer, now: datetime, **values: Any) -> None:
        """Do what `change` does, in one update where that takes two: for whoever has locked the row, and read it so."""
        if SEARCHED_COLUMNS.isdisjoint(values) or not has_words(locked):
            await self.change(locked.id, now, **values)
            return
        columns = SearchedColumns.after(locked, values)
        so_far = Searchable.of_text(locked.search_key, locked.search_text)
        after = so_far.with_profile(columns)
        found_by = {"search_name": searched_name(columns), "search_key": after.key, "search_text": after.text}
        await self._count_up(locked.id, now, {**values, **found_by})
        if after != so_far:
            await self._words.replace(locked.id, so_far.rows, after.rows)

    async def _count_up(self, customer_id: str, now: datetime, values: Mapping[str, Any]) -> None:
        await self._change_soon(_CUSTOMER, {"id": customer_id}, counted=_COUNTED, updated_at=now, **values)

    async def note_login_address(self, customer_id: str, email: str | None) -> None:
        """Let staff find a customer by the login address that was just written, and no longer by another.

        It waits for nobody, for the account of another may be busy, and its owner wait for this one.
        """
        await self._connection.begin()
        customer = await self._find(_NOT_BUSY, id=customer_id)
        if customer is not None and has_words(customer):
            so_far = Searchable.of_text(customer.search_key, customer.search_text)
            await self._words.store(customer, so_far.with_login(email))

    async def note_addresses(self, customer_id: str, addresses: Sequence[Address]) -> None:
        """Let staff find a customer, whose row is locked, by these addresses, and no longer by others."""
        customer = await self._find(_CUSTOMER, id=customer_id)
        if customer is not None and has_words(customer):
            so_far = Searchable.of_text(customer.search_key, customer.search_text)
            await self._words.store(customer, so_far.with_addresses(addresses))

    async def change_shopper_reference(self, customer_id: str, reference: str) -> bool:
        """Set another shopper reference. If it is taken, returns False, and the transaction can only be rolled back."""
        try:
            await self._change(_CUSTOMER, {"id": customer_id}, shopper_reference=reference)
        except IntegrityError:
            return False
        return True

    async def count_order(self, customer_id: str, status: CustomerStatus) -> None:
        """Set the status of a customer whose row is locked, after one more order.

        The version of the profile stays the same.
        """
        await self._change(_CUSTOMER, {"id": customer_id}, counted="order_count", status=status.value)

    async def set_orders(self, customer_id: str, order_count: int, status: CustomerStatus) -> None:
        """Set how often a customer whose row is locked has ordered; the version of the profile stays the same."""
        await self._change(_CUSTOMER, {"id": customer_id}, order_count=order_count, status=status.value)

    async def list_merged_into(self, customer_id: str) -> Sequence[Customer]:
        """Return the closed accounts that were joined with this customer's."""
        return await self._list(_MERGED, merged_into=customer_id)

    async def delete_unused(self, customer_id: str) -> bool:
        """Remove a customer who has never logged in and has no order; False for anybody else, however close in time."""
        return await self._delete(_UNUSED, id=customer_id) == 1

    async def note_login(self, customer_id: str, now: datetime) -> bool:
        """Record a login; False if the customer may no longer log in."""
        return await self._change(_MAY_LOG_IN, {"id": customer_id}, last_login_at=now) == 1
