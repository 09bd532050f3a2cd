"""Lists of customers, page by page along an index: every page costs the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, select, true, tuple_
from sqlmodel import col

from app.domain.customer_filters import CustomerFilter, CustomerOrder, CustomerPosition
from app.domain.rows import Reading
from app.models.credentials import Credential
from app.models.customers import Customer, CustomerFound
from app.models.groups import GroupMembership
from app.repositories.base import Repository
from app.repositories.customers import PROFILE_COLUMNS

# Every text with the prefix sorts before the prefix followed by the last of all code points.
LAST = "\U0010ffff"


class CustomerSearch(Repository):
    """Searches the customers of one tenant."""

    async def page(self, wanted: CustomerFilter, after: CustomerPosition | None, limit: int) -> Sequence[CustomerFound]:
        """Return up to `limit` customers in the order of the filter, beginning behind `after`."""
        keys = self._keys(wanted)
        statement = self._joined(wanted, after).where(*range_of(wanted, keys, after), *conditions_of(wanted))
        return await self._connection.read_anew(Reading(CustomerFound, statement.order_by(*keys).limit(limit)))

    @staticmethod
    def _keys(wanted: CustomerFilter) -> list[Any]:
        """Return the columns to order by.

        For each order there is an index with the tenant first and then these columns.
        """
        if wanted.order is CustomerOrder.NAME:
            return [col(Customer.search_name), col(Customer.id)]
        if wanted.order is CustomerOrder.EMAIL:
            return [col(Credential.email_key)]
        return [col(GroupMembership.customer_id) if wanted.group_id is not None else col(Customer.id)]

    def _joined(self, wanted: CustomerFilter, after: CustomerPosition | None) -> Select[Any]:
        by_email = wanted.email_key is not None or wanted.email_prefix is not None
        # The condition is repeated for each joined table, although it follows from the join. PostgreSQL may use a merge
        # join, and would read a table without the condition from its start.
        follows = after if wanted.order is CustomerOrder.ID else None
        joined = Customer.__table__.join(
            Credential.__table__,
            and_(
                self._mine(Credential),
                col(Credential.customer_id) == col(Customer.id),
                true() if follows is None else col(Credential.customer_id) > follows.id,
            ),
            isouter=not by_email,
        )
        if wanted.group_id is not None:
            joined = joined.join(
                GroupMembership.__table__,
                self._mine(
                    GroupMembership,
                    col(GroupMembership.group_id) == wanted.group_id,
                    col(GroupMembership.customer_id) == col(Customer.id),
                ),
            )
        return (
            select(*PROFILE_COLUMNS, col(Credential.email_key))
            .select_from(joined)
            .where(self._mine(Customer, true() if follows is None else col(Customer.id) > follows.id))
        )


def range_of(wanted: CustomerFilter, keys: list[Any], after: CustomerPosition | None) -> list[ColumnElement[bool]]:
    """Return the part of the index to read: from a customer or the start of the prefix, to the end of the prefix.

    Never give both starts: SQLite would begin at the prefix and read all earlier pages.
    """
    prefixes = {
        CustomerOrder.NAME: (col(Customer.search_name), wanted.name_prefix),
        CustomerOrder.EMAIL: (col(Credential.email_key), wanted.email_prefix),
    }
    bounds: list[ColumnElement[bool]] = []
    for order, (column, prefix) in prefixes.items():
        if prefix is not None:
            bounds.append(column < prefix + LAST)
            if after is None or order is not wanted.order or after.key < prefix:
                bounds.append(column >= prefix)
    if after is None:
        return bounds
    if wanted.order is CustomerOrder.NAME:
        return [*bounds, tuple_(*keys) > tuple_(after.key, after.id)]
    return [*bounds, keys[0] > (after.key if wanted.order is CustomerOrder.EMAIL else after.id)]


def conditions_of(wanted: CustomerFilter) -> list[ColumnElement[bool]]:
    """Return the conditions that are no part of an order."""
    equal = {
        col(Credential.email_key): wanted.email_key,
        col(Customer.customer_number): wanted.customer_number,
        col(Customer.status): wanted.status,
    }
    flags = {col(Customer.active): wanted.active, col(Customer.on_hold): wanted.on_hold}
    return [
        *(column == value for column, value in equal.items() if value is not None),
        # Literals, not parameters: otherwise the databases do not see that the partial indexes have all matching
        # rows.
        *(column == (true() if flag else false()) for column, flag in flags.items() if flag is not None),
    ]
