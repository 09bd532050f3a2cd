"""Which customers staff search for, and in which order they are listed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class CustomerOrder(StrEnum):
    """The order of a list of customers. Each order has an index, so that every page costs the same."""

    ID = "id"
    NAME = "name"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """The conditions for customers; None is no condition. Texts are normalized in the same way as the stored ones."""

    email_key: str | None = None
    email_prefix: str | None = None
    name_prefix: str | None = None
    customer_number: str | None = None
    status: str | None = None
    group_id: str | None = None
    active: bool | None = None
    on_hold: bool | None = None

    @property
    def order(self) -> CustomerOrder:
        """The order: by name if the filter has a name, else by address if it has one, else by time of creation."""
        if self.name_prefix:
            return CustomerOrder.NAME
        if self.email_prefix:
            return CustomerOrder.EMAIL
        return CustomerOrder.ID


@dataclass(frozen=True, slots=True)
class CustomerPosition:
    """The place of a customer in a list; the next page begins after it. `key` is the name or the address."""

    key: str
    id: str
