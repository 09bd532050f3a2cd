"""The words by which staff find customers: the text in the customer's row, and the rows of the index."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, tuple_
from sqlalchemy.dialects import postgresql
from sqlmodel import col

from app.domain.searchable import Searchable, WordRow
from app.models.customer_words import CustomerWord
from app.models.customers import Customer, has_words, searched_name
from app.repositories.base import Repository, Rows

_CUSTOMER = Rows(Customer, "id")


class CustomerWordRepository(Repository):
    """The words of one tenant's customers, whose rows are locked."""

    async def store(self, customer: Customer, after: Searchable) -> None:
        """Write what a search finds of a customer from now on.

        Of one that has no words yet, only the name: the worker writes all the words.
        """
        so_far, name = Searchable.of_text(customer.search_key, customer.search_text), searched_name(customer)
        if not has_words(customer):
            await self._change(_CUSTOMER, {"id": customer.id}, search_name=name)
        elif after != so_far or name != customer.search_name:
            await self._change(
                _CUSTOMER, {"id": customer.id}, search_name=name, search_key=after.key, search_text=after.text
            )
            await self.replace(customer.id, so_far.rows, after.rows)

    async def replace(self, customer_id: str, before: Collection[WordRow], after: Collection[WordRow]) -> None:
        """Remove the rows of before that are not there after, and add the others."""
        gone = [(row.shared, row.word, row.key) for row in before if row not in after]
        if gone:
            row = tuple_(col(CustomerWord.shared), col(CustomerWord.word), col(CustomerWord.search_key))
            theirs = self._mine(CustomerWord, col(CustomerWord.customer_id) == customer_id, row.in_(gone))
            await self._connection.write_anew(delete(CustomerWord.__table__).where(theirs))
        added = [row_values(self._tenant_id, customer_id, row) for row in after if row not in before]
        if added:
            new = postgresql.insert(CustomerWord.__table__).values(added).on_conflict_do_nothing()
            await self._connection.write_anew(new)


def row_values(tenant_id: str, customer_id: str, row: WordRow) -> dict[str, Any]:
    """Return the columns of a row of the index."""
    return {
        "tenant_id": tenant_id,
        "customer_id": customer_id,
        "shared": row.shared,
        "word": row.word,
        "search_key": row.key,
    }
