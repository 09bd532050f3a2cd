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
    SEARCH = "search"


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """The conditions for customers; None is no condition. Texts are normalized in the same way as the stored ones.

    `search` has the words that have to begin some word each; without any word it finds nobody.
    """

    email_key: str | None = None
    email_prefix: str | None = None
    name_prefix: str | None = None
    customer_number: str | None = None
    status: str | None = None
    group_id: str | None = None
    active: bool | None = None
    on_hold: bool | None = None
    search: tuple[str, ...] | None = None

    @property
    def order(self) -> CustomerOrder:
        """The order: by last and first name if there is a search, by name or by address if the filter has one of these.

        Else by time of creation.
        """
        if self.search is not None:
            return CustomerOrder.SEARCH
        if self.name_prefix:
            return CustomerOrder.NAME
        if self.email_prefix:
            return CustomerOrder.EMAIL
        return CustomerOrder.ID


@dataclass(frozen=True, slots=True)
class CustomerPosition:
    """The place of a customer in a list; the next page begins after it. `key` is the name, the address or order key."""

    key: str
    id: str
