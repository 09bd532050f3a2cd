"""Customers by the beginnings of their words, page by page in the order of their names.

A word that few have is looked up in the index of words, and those few are sorted. If all the words are many people's,
the customers are read in their order instead, and soon there are enough who have them. The last name needs no index of
its own: the customers whose order key begins with a word stand together.
"""

from __future__ import annotations

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

# A word with more rows than this is many people's. So many rows are read and sorted in a few milliseconds.
MANY = 2_000
# Only the longest words can be what the search begins with; the others are looked for in who is found so.
_MOST_COUNTED = 4
# How many customers are read in their order at a time, at first; then ten times as many.
STRIDE = 2_000
_GROWTH = 10

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
        frequencies = await self._count(wanted.search)
        rare = [each for each in frequencies if each.rows <= MANY]
        if rare:
            hits = await self._look_up(wanted, min(rare, key=lambda each: each.rows + each.keys), after, limit)
        else:
            hits = await self._walk(wanted, after, limit)
        return await self._show(hits)

    async def _count(self, words: Sequence[str]) -> list[_Frequency]:
        counted = sorted(words, key=len, reverse=True)[:_MOST_COUNTED]
        counts = [
            select(
                literal(word).label("word"),
                _count_of(select(literal(1)).where(self._rows_of(word))).label("rows"),
                _count_of(select(literal(1)).where(self._mine(Customer, *_begins(word, None)))).label("keys"),
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
        ways: list[Select[Any]] = []
        if rare.rows:
            # The limit tells PostgreSQL's planner how few there are.
            few = select(col(CustomerWord.customer_id)).where(self._rows_of(rare.word)).distinct().limit(2 * MANY)
            ids = few.subquery()
            found = self._narrowed(wanted).join(ids, ids.c.customer_id == col(Customer.id))
            ways.append(found.where(*_behind(after)))
        if rare.keys:
            ways.append(self._narrowed(wanted).where(*_begins(rare.word, after)))
        hits: list[_Hit] = []
        for way in ways:
            hits += await self._connection.read_anew(Reading(_Hit, way.order_by(*_KEYS).limit(limit)))
        # Nobody is twice in it, but for one whose word has more letters in common with the order key than are counted.
        by_id = {hit.id: hit for hit in hits}
        return sorted(by_id.values(), key=lambda hit: (hit.search_key, hit.id))[:limit]

    async def _walk(self, wanted: CustomerFilter, after: CustomerPosition | None, limit: int) -> Sequence[_Hit]:
        """Read customers in their order until there are enough."""
        hits: list[_Hit] = []
        stride = STRIDE
        while True:
            end = await self._find_end(after, stride)
            upto = [] if end is None else [tuple_(*_KEYS) <= tuple_(end.search_key, end.id)]
            some = self._narrowed(wanted).where(*_behind(after), *upto).order_by(*_KEYS).limit(limit - len(hits))
            hits += await self._connection.read_anew(Reading(_Hit, some))
            if end is None or len(hits) == limit:
                return hits
            after, stride = CustomerPosition(end.search_key, end.id), stride * _GROWTH

    async def _find_end(self, after: CustomerPosition | None, stride: int) -> _Hit | None:
        behind = select(*_KEYS).where(self._mine(Customer, *_behind(after))).order_by(*_KEYS)
        ends = await self._connection.read_anew(Reading(_Hit, behind.offset(stride - 1).limit(1)))
        return ends[0] if ends else None

    def _narrowed(self, wanted: CustomerFilter) -> Select[Any]:
        """Return the places of those whom the filter describes, without their order."""
        of_customer: Any = Customer.__table__
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
        texts = [col(Customer.search_text).contains(f" {word}") for word in wanted.search or ()]
        conditions = [*range_of(wanted, [], None), *conditions_of(wanted), *texts]
        return select(*_KEYS).select_from(of_customer).where(self._mine(Customer, *conditions))

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


def _count_of(some: Select[Any]) -> Any:
    """Return the number of rows, counted to one more than many."""
    return select(func.count()).select_from(some.limit(MANY + 1).subquery()).scalar_subquery()


def _behind(after: CustomerPosition | None) -> list[Any]:
    return [] if after is None else [tuple_(*_KEYS) > tuple_(after.key, after.id)]


def _begins(word: str, after: CustomerPosition | None) -> list[Any]:
    """Return the part of the order in which the keys begin with the word, and behind a place.

    Never give both starts: SQLite would begin at the word and read all earlier pages.
    """
    key = col(Customer.search_key)
    starts = _behind(after) if after is not None and after.key >= word else [key >= word]
    return [*starts, key < word + LAST]
