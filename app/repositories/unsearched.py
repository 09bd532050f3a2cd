"""Customers of all tenants who have no words for the staff's search yet, as the worker sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, bindparam, delete, select, text, tuple_, update
from sqlalchemy.dialects import postgresql

from app.domain.ports import Connection
from app.domain.rows import Reading
from app.domain.search_words import FOLDING
from app.domain.searchable import Searchable
from app.models.addresses import Address
from app.models.base import TenantRow
from app.models.credentials import Credential
from app.models.customer_words import CustomerWord
from app.models.customers import UNSEARCHED, Customer, searched_name
from app.repositories.base import Model
from app.repositories.customer_words import row_values

_KEY = (Customer.__table__.c.tenant_id, Customer.__table__.c.id)
_UNSEARCHED = select(*_KEY).where(text(UNSEARCHED))
_FILL = (
    update(Customer.__table__)
    .where(_KEY[0] == bindparam("its_tenant_id"), _KEY[1] == bindparam("its_id"))
    .values({name: bindparam(name) for name in ("search_name", "search_key", "search_text", "search_folding")})
    .values(search_of=Customer.__table__.c.version)
)
_Key = tuple[str, str]


class _Unsearched:
    tenant_id: str
    id: str


class UnsearchedQueue:
    """Gives words to those who have none, or old ones: who was written by the last release, or by another folding."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fill(self, limit: int) -> int:
        """Write the words of up to `limit` customers, and return how many those were.

        If there is none, it takes no write lock. Who is being changed at the moment is left for later.
        """
        if not await self._connection.read_anew(Reading(_Unsearched, _UNSEARCHED.limit(1))):
            return 0
        await self._connection.begin()
        mine = select(Customer.__table__).where(text(UNSEARCHED)).limit(limit).with_for_update(skip_locked=True)
        customers = await self._connection.read_anew(Reading(Customer, mine))
        if not customers:
            return 0
        keys = [(each.tenant_id, each.id) for each in customers]
        credentials = await self._connection.read_anew(_rows_of(Credential, keys))
        emails = {(each.tenant_id, each.customer_id): each.email for each in credentials}
        addresses: defaultdict[_Key, list[Address]] = defaultdict(list)
        for address in await self._connection.read_anew(_rows_of(Address, keys)):
            addresses[address.tenant_id, address.customer_id].append(address)
        searchables = {
            key: Searchable().with_profile(customer).with_login(emails.get(key)).with_addresses(addresses[key])
            for key, customer in zip(keys, customers, strict=True)
        }
        await self._store(customers, searchables)
        return len(customers)

    async def _store(self, customers: Iterable[Customer], searchables: dict[_Key, Searchable]) -> None:
        await self._connection.write_anew(delete(CustomerWord.__table__).where(_whose(CustomerWord, list(searchables))))
        rows = []
        for customer in customers:
            searchable = searchables[customer.tenant_id, customer.id]
            await self._connection.write(
                _FILL,
                {
                    "its_tenant_id": customer.tenant_id,
                    "its_id": customer.id,
                    "search_name": searched_name(customer),
                    "search_key": searchable.key,
                    "search_text": searchable.text,
                    "search_folding": FOLDING,
                },
            )
            rows += [row_values(customer.tenant_id, customer.id, row) for row in searchable.rows]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            await self._connection.write_anew(
                postgresql.insert(CustomerWord.__table__).values(some).on_conflict_do_nothing()
            )


# Neither database takes more than 32,766 parameters.
_ROWS_AT_ONCE = 5_000


def _rows_of(model: type[Model], keys: Sequence[_Key]) -> Reading[Model]:
    return Reading(model, select(model.__table__).where(_whose(model, keys)))


def _whose(model: type[TenantRow], keys: Sequence[_Key]) -> ColumnElement[bool]:
    columns = model.__table__.c
    return tuple_(columns.tenant_id, columns.customer_id).in_(keys)
