"""Which customers staff look for, and in which order they come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class CustomerOrder(StrEnum):
    """By what a list of customers is ordered; each order has an index, so that every page costs the same."""

    ID = "id"
    NAME = "name"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """What customers must have in common; None for whatever does not matter. Texts are normalized as they are kept."""

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
        """By the name when that is searched, else by the address when that is, else by the time of creation."""
        if self.name_prefix:
            return CustomerOrder.NAME
        if self.email_prefix:
            return CustomerOrder.EMAIL
        return CustomerOrder.ID


@dataclass(frozen=True, slots=True)
class CustomerPosition:
    """The place of a customer in a list: after it the next page begins. `key` is the name or the address."""

    key: str
    id: str
