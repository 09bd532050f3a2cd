"""The words by which staff find customers: the text in the customer's row, and the rows of the index."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

from sqlalchemy import Delete, Insert, and_, bindparam, delete, or_
from sqlalchemy.dialects import postgresql
from sqlmodel import col

from app.domain.searchable import Searchable, WordRow
from app.models.customer_words import CustomerWord
from app.models.customers import Customer, has_words, searched_name
from app.repositories.base import Repository, Rows

_CUSTOMER = Rows(Customer, "id")
_OF_KEY = Rows(CustomerWord, "customer_id", "search_key")
_AT_ONCE = 64


class CustomerWordRepository(Repository):
    """The words of one tenant's customers, whose rows are locked."""

    async def store(self, customer: Customer, after: Searchable) -> None:
        """Write what a search finds of a customer from now on.

        Of one that has no words yet, only the name: the worker writes all the words.
        """
        so_far, name = Searchable.of_text(customer.search_key, customer.search_text), searched_name(customer)
        if not has_words(customer):
            await self._change_soon(_CUSTOMER, {"id": customer.id}, search_name=name)
        elif after != so_far or name != customer.search_name:
            await self._change_soon(
                _CUSTOMER, {"id": customer.id}, search_name=name, search_key=after.key, search_text=after.text
            )
            await self.replace(customer.id, so_far.rows, after.rows)

    async def replace(self, customer_id: str, before: Collection[WordRow], after: Collection[WordRow]) -> None:
        """Remove the rows of before that are not there after, and add the others.

        With another name all rows have another key; most are else as they were, and are moved by one statement.
        """
        stays = {(row.shared, row.word) for row in before} & {(row.shared, row.word) for row in after}
        gone = [row for row in before if row not in after and (row.shared, row.word) not in stays]
        if gone:
            await self._write(_removing, customer_id, gone)
        keys = {row.key for row in before}, {row.key for row in after}
        if stays and keys[0] != keys[1]:
            ((old,), (new,)) = keys
            await self._change_soon(_OF_KEY, {"customer_id": customer_id, "search_key": old}, search_key=new)
        added = [row for row in after if row not in before and (row.shared, row.word) not in stays]
        if added:
            await self._write(_adding, customer_id, added)

    async def _write(self, statement: Callable[[int], Delete | Insert], customer_id: str, rows: list[WordRow]) -> None:
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            # The last row some times more, so that there are few statements, each compiled once: it takes milliseconds.
            some += some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))
            given: dict[str, Any] = {"tenant_id": self._tenant_id, "customer_id": customer_id}
            for number, row in enumerate(some):
                given |= {f"shared_{number}": row.shared, f"word_{number}": row.word, f"key_{number}": row.key}
            await self._connection.write_soon(statement(len(some)), given)


@cache
def _removing(count: int) -> Delete:
    each = [
        and_(
            col(CustomerWord.shared) == bindparam(f"shared_{number}"),
            col(CustomerWord.word) == bindparam(f"word_{number}"),
            col(CustomerWord.search_key) == bindparam(f"key_{number}"),
        )
        for number in range(count)
    ]
    return delete(CustomerWord.__table__).where(
        col(CustomerWord.tenant_id) == bindparam("tenant_id"),
        col(CustomerWord.customer_id) == bindparam("customer_id"),
        or_(*each),
    )


@cache
def _adding(count: int) -> Insert:
    each: list[dict[str, Any]] = [
        {
            "tenant_id": bindparam("tenant_id"),
            "customer_id": bindparam("customer_id"),
            "shared": bindparam(f"shared_{number}"),
            "word": bindparam(f"word_{number}"),
            "search_key": bindparam(f"key_{number}"),
        }
        for number in range(count)
    ]
    return postgresql.insert(CustomerWord.__table__).values(each).on_conflict_do_nothing()


def row_values(tenant_id: str, customer_id: str, row: WordRow) -> dict[str, Any]:
    """Return the columns of a row of the index."""
    return {
        "tenant_id": tenant_id,
        "customer_id": customer_id,
        "shared": row.shared,
        "word": row.word,
        "search_key": row.key,
    }
