"""Customers, read as profiles with the login address of their credential."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, and_, select
from sqlmodel import col

from app.models.credentials import Credential
from app.models.customers import Customer, CustomerProfile
from app.repositories.base import Repository

PROFILE_COLUMNS = [
    *Customer.__table__.c,
    Credential.__table__.c.email,
    Credential.__table__.c.email_verified_at,
    Credential.__table__.c.initial_password,
    Credential.__table__.c.must_confirm,
    Credential.__table__.c.password_hash.is_not(None).label("has_password"),
]


class CustomerRepository(Repository):
    """The customers of one tenant."""

    def _profiles(self) -> Select[Any]:
        return (
            select(*PROFILE_COLUMNS)
            .join_from(
                Customer.__table__,
                Credential.__table__,
                and_(
                    col(Credential.tenant_id) == col(Customer.tenant_id),
                    col(Credential.customer_id) == col(Customer.id),
                ),
                isouter=True,
            )
            .where(self._mine(Customer))
        )

    async def find(self, customer_id: str) -> CustomerProfile | None:
        """Return a customer's profile."""
        rows = await self._connection.fetch(self._profiles().where(col(Customer.id) == customer_id))
        return cast("CustomerProfile", rows[0]) if rows else None

    async def lock(self, customer_id: str) -> Customer | None:
        """Return the customer, and keep others from changing it until the transaction ends."""
        statement = select(Customer.__table__).where(self._mine(Customer, col(Customer.id) == customer_id))
        return cast("Customer | None", await self._lock(statement))

    async def add_unless_number_taken(self, customer: Customer) -> bool:
        """Write a new customer; False when another one has the customer number already."""
        return await self._add_unless(customer, "tenant_id", "customer_number")

    async def change(self, customer_id: str, now: datetime, **values: Any) -> None:
        """Set columns of a customer, which makes it the next version."""
        await self._update(
            Customer, col(Customer.id) == customer_id, version=col(Customer.version) + 1, updated_at=now, **values
        )

    async def note_login(self, customer_id: str, now: datetime) -> bool:
        """Write down the login of a customer who may log in; False for one who may not any more."""
        noted = await self._update(
            Customer,
            col(Customer.id) == customer_id,
            col(Customer.active).is_(True),
            col(Customer.on_hold).is_(False),
            last_login_at=now,
        )
        return noted == 1
