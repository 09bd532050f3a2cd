"""Customers by the beginnings of their words, page by page in the order of their names.

A word that few have is looked up in the index of words, and those few are sorted. If all the words are many people's,
the customers are read in their order instead, and soon there are enough who have them. The last name needs no index of
its own: the customers whose order key begins with a word stand together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, tuple_, union_all
from sqlmodel import col

from app.domain.customer_filters import CustomerFilter, CustomerPosition
from app.domain.rows import Reading
from app.domain.searchable import MOST_SHARED
from app.models.credentials import Credential
from app.models.customer_words import CustomerWord
from app.models.customers import Customer, CustomerFound
from app.models.groups import GroupMembership
from app.repositories.base import Repository
from app.repositories.customer_search import LAST, conditions_of, range_of
from app.repositories.customers import PROFILE_COLUMNS

# A word with more rows than this is many people's: the customers are read in their order instead. Where there is
# another word to look for, that would take longer, and more rows are read before.
MANY = 5_000
MANY_OF_SEVERAL = 50_000
# Only the longest words can be what the search begins with; the others are looked for in who is found so.
_MOST_COUNTED = 4
# How many customers are read in their order at a time, at first; then four times as many.
STRIDE = 1_000
_GROWTH = 4

_KEYS: tuple[Any, Any] = (col(Customer.search_key), col(Customer.id))


class _Hit:
    """Where a customer who is found stands."""

    search_key: str
    id: str


@dataclass(frozen=True, slots=True)
class _Frequency:
    """How many rows of the index begin with a word, and how many order keys; counted as far as it matters."""

    word: str
    rows: int
    keys: int


class CustomerWordSearch(Repository):
    """Searches the customers of one tenant by words."""

    async def page(self, wanted: CustomerFilter, after: CustomerPosition | None, limit: int) -> Sequence[CustomerFound]:
        """Return up to `limit` customers in the order of their names, beginning behind `after`."""
        if not wanted.search:
            return []
        several = len(wanted.search) > 1
        most = MANY_OF_SEVERAL if several else MANY
        frequencies = await self._count(wanted.search, most)
        rare = min(frequencies, key=lambda each: each.rows + each.keys if each.rows <= most else math.inf)
        if rare.rows > most:
            hits = await self._walk(wanted, wanted.search, None, after, limit)
        else:
            hits = await self._look_up(wanted, rare, after, limit)
        return await self._show(hits)

    async def _count(self, words: Sequence[str], most: int) -> list[_Frequency]:
        counted = sorted(words, key=len, reverse=True)[:_MOST_COUNTED]
        counts = [
            select(
                literal(word).label("word"),
                _count_of(select(literal(1)).where(self._rows_of(word)), most).label("rows"),
                _count_of(select(literal(1)).where(self._mine(Customer, *_behind(None, word))), most).label("keys"),
            )
            for word in counted
        ]
        return list(await self._connection.read_anew(Reading(_Frequency, union_all(*counts))))

    def _rows_of(self, word: str) -> ColumnElement[bool]:
        """Return the rows of the index of those who are found by this word, but not by their order key."""
        column = col(CustomerWord.word)
        shared = range(min(len(word), MOST_SHARED + 1))
        return self._mine(CustomerWord, col(CustomerWord.shared).in_(shared), column >= word, column < word + LAST)

    async def _look_up(
        self, wanted: CustomerFilter, rare: _Frequency, after: CustomerPosition | None, limit: int
    ) -> Sequence[_Hit]:
        """Find those who have the rare word by the index and by their order key, and then the other words too."""
        others = [word for word in wanted.search or () if word != rare.word]
        hits: list[_Hit] = []
        if rare.rows:
            hits += await self._of_index(wanted, rare, others, after, limit)
        if rare.keys:
            hits += await self._walk(wanted, others, rare.word, after, limit)
        # Nobody is twice in it, but for one whose word has more letters in common with the order key than are counted.
        by_id = {hit.id: hit for hit in hits}
        return sorted(by_id.values(), key=lambda hit: (hit.search_key, hit.id))[:limit]

    async def _of_index(
        self,
        wanted: CustomerFilter,
        rare: _Frequency,
        others: Sequence[str],
        after: CustomerPosition | None,
        limit: int,
    ) -> Sequence[_Hit]:
        """Sort the rows of the index, and look at the customers in that order until there are enough."""
        place = (col(CustomerWord.search_key), col(CustomerWord.customer_id))
        behind = [] if after is None else [tuple_(*place) > tuple_(after.key, after.id)]
        # The limit tells PostgreSQL's planner how few there are.
        few = select(*place).where(self._rows_of(rare.word), *behind).distinct().order_by(*place)
        rows = few.limit(rare.rows + MANY).subquery()
        found = self._narrowed(wanted, others, [rows.c.search_key, rows.c.customer_id.label("id")], rows)
        in_order = found.order_by(rows.c.search_key, rows.c.customer_id)
        return await self._connection.read_anew(Reading(_Hit, in_order.limit(limit)))

    async def _walk(
        self,
        wanted: CustomerFilter,
        words: Sequence[str],
        begin: str | None,
        after: CustomerPosition | None,
        limit: int,
    ) -> Sequence[_Hit]:
        """Read customers in their order, where the order key begins so, until enough have these words."""
        hits: list[_Hit] = []
        stride = STRIDE
        while True:
            # The end bounds what PostgreSQL may want to read and sort instead.
            end = await self._find_end(begin, after, stride)
            upto = [] if end is None else [tuple_(*_KEYS) <= tuple_(end.search_key, end.id)]
            some = self._narrowed(wanted, words, _KEYS).where(*_behind(after, begin), *upto).order_by(*_KEYS)
            hits += await self._connection.read_anew(Reading(_Hit, some.limit(limit - len(hits))))
            if end is None or len(hits) == limit:
                return hits
            after, stride = CustomerPosition(end.search_key, end.id), stride * _GROWTH

    async def _find_end(self, begin: str | None, after: CustomerPosition | None, stride: int) -> _Hit | None:
        behind = select(*_KEYS).where(self._mine(Customer, *_behind(after, begin))).order_by(*_KEYS)
        ends = await self._connection.read_anew(Reading(_Hit, behind.offset(stride - 1).limit(1)))
        return ends[0] if ends else None

    def _narrowed(
        self, wanted: CustomerFilter, words: Sequence[str], columns: Sequence[Any], rows: Any = None
    ) -> Select[Any]:
        """Return the places of those who have the words and whom the filter describes, without their order.

        With `rows`, only of those whose id is in these.
        """
        of_customer: Any = Customer.__table__
        if rows is not None:
            of_customer = of_customer.join(rows, rows.c.customer_id == col(Customer.id))
        if wanted.email_key is not None or wanted.email_prefix is not None:
            theirs = self._mine(Credential, col(Credential.customer_id) == col(Customer.id))
            of_customer = of_customer.join(Credential.__table__, theirs)
        if wanted.group_id is not None:
            membership = self._mine(
                GroupMembership,
                col(GroupMembership.group_id) == wanted.group_id,
                col(GroupMembership.customer_id) == col(Customer.id),
            )
            of_customer = of_customer.join(GroupMembership.__table__, membership)
        # A word has no sign that means something to LIKE.
        texts = [col(Customer.search_text).contains(f" {word}") for word in words]
        conditions = [*range_of(wanted, [], None), *conditions_of(wanted), *texts]
        return select(*columns).select_from(of_customer).where(self._mine(Customer, *conditions))

    async def _show(self, hits: Sequence[_Hit]) -> Sequence[CustomerFound]:
        """Return the profiles of those who are found, in the same order."""
        if not hits:
            return []
        of_customer = Customer.__table__.outerjoin(
            Credential.__table__, and_(self._mine(Credential), col(Credential.customer_id) == col(Customer.id))
        )
        those = self._mine(Customer, col(Customer.id).in_([hit.id for hit in hits]))
        profiles = select(*PROFILE_COLUMNS, col(Credential.email_key)).select_from(of_customer).where(those)
        found = {each.id: each for each in await self._connection.read_anew(Reading(CustomerFound, profiles))}
        return [found[hit.id] for hit in hits if hit.id in found]


def _count_of(some: Select[Any], most: int) -> Any:
    """Return the number of rows, counted to one more than the most."""
    return select(func.count()).select_from(some.limit(most + 1).subquery()).scalar_subquery()


def _behind(after: CustomerPosition | None, begin: str | None) -> list[Any]:
    """Return the part of the order in which the keys begin so, behind a place.

    Never give both starts: SQLite would begin at the word and read all earlier pages.
    """
    start = [] if after is None else [tuple_(*_KEYS) > tuple_(after.key, after.id)]
    if begin is None:
        return start
    key = col(Customer.search_key)
    if after is None or after.key < begin:
        start = [key >= begin]
    return [*start, key < begin + LAST]
