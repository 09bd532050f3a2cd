"""The companies that a customer buys for."""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, origin_field


class LegalEntityAssignment(TenantRow, table=True):
    """A customer's place in a legal entity. If the customer has named it, it is unconfirmed until staff confirm it."""

    __tablename__ = "legal_entity_assignment"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"]),
        UniqueConstraint("tenant_id", "customer_id", "legal_entity_id", name="uq_legal_entity_assignment"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_id: str = Field(max_length=ID_LENGTH)
    legal_entity_id: str = Field(max_length=100)
    name: str = Field(max_length=200)
    # The number of the customer's place in another system. Without one, the id of the row is shown.
    contact_assignment_id: str | None = Field(default=None, max_length=100)
    confirmed: bool = False
    origin: str | None = origin_field()
