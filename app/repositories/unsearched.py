"""Customers of all tenants who have no words for the staff's search yet, as the worker sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from sqlalchemy import ColumnElement, and_, bindparam, delete, select, text, tuple_, update
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
_UNSEARCHED = select(*_KEY).where(text(f"({UNSEARCHED})")).order_by(*_KEY)
_FILL = (
    update(Customer.__table__)
    .where(_KEY[0] == bindparam("its_tenant_id"), _KEY[1] == bindparam("its_id"))
    .values({name: bindparam(name) for name in ("search_name", "search_key", "search_text", "search_folding")})
    .values(search_of=Customer.__table__.c.version)
)


class _Unsearched:
    tenant_id: str
    id: str


class UnsearchedQueue:
    """Gives words to those who have none, or old ones: who was written by the last release, or by another folding.

    Who that is, is read over all tenants and without locks; then each tenant's customers are locked and written.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fill(self, limit: int) -> int:
        """Write the words of up to `limit` customers, and return how many those were.

        If there is none, it takes no write lock. Who is being changed at the moment is left for later.
        """
        after: Sequence[_Unsearched] = ()
        while found := await self._list_keys(after, limit):
            await self._connection.begin()
            filled = 0
            for tenant_id, keys in groupby(found, key=lambda each: each.tenant_id):
                filled += await self._fill(tenant_id, [each.id for each in keys])
            if filled:
                return filled
            after = found[-1:]
        return 0

    async def _list_keys(self, after: Sequence[_Unsearched], limit: int) -> Sequence[_Unsearched]:
        """Return who is next, behind one who was looked at, in the order of their keys."""
        behind = [tuple_(*_KEY) > tuple_(each.tenant_id, each.id) for each in after]
        return await self._connection.read_anew(Reading(_Unsearched, _UNSEARCHED.where(*behind).limit(limit)))

    async def _fill(self, tenant_id: str, ids: Sequence[str]) -> int:
        """Write the words of those of a tenant's customers who are not being changed; return how many those were."""
        free = select(Customer.__table__).where(_KEY[0] == tenant_id, _KEY[1].in_(ids), text(f"({UNSEARCHED})"))
        customers = await self._connection.read_anew(Reading(Customer, free.with_for_update(skip_locked=True)))
        if not customers:
            return 0
        ids = [each.id for each in customers]
        credentials = await self._connection.read_anew(_rows_of(Credential, tenant_id, ids))
        emails = {each.customer_id: each.email for each in credentials}
        addresses: defaultdict[str, list[Address]] = defaultdict(list)
        for address in await self._connection.read_anew(_rows_of(Address, tenant_id, ids)):
            addresses[address.customer_id].append(address)
        searchables = {
            each.id: Searchable().with_profile(each).with_login(emails.get(each.id)).with_addresses(addresses[each.id])
            for each in customers
        }
        await self._store(tenant_id, customers, searchables)
        return len(customers)

    async def _store(
        self, tenant_id: str, customers: Iterable[Customer], searchables: Mapping[str, Searchable]
    ) -> None:
        theirs = _whose(CustomerWord, tenant_id, list(searchables))
        await self._connection.write_anew(delete(CustomerWord.__table__).where(theirs))
        rows = []
        for customer in customers:
            searchable = searchables[customer.id]
            await self._connection.write(
                _FILL,
                {
                    "its_tenant_id": tenant_id,
                    "its_id": customer.id,
                    "search_name": searched_name(customer),
                    "search_key": searchable.key,
                    "search_text": searchable.text,
                    "search_folding": FOLDING,
                },
            )
            rows += [row_values(tenant_id, customer.id, row) for row in searchable.rows]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            await self._connection.write_anew(
                postgresql.insert(CustomerWord.__table__).values(some).on_conflict_do_nothing()
            )


# Neither database takes more than 32,766 parameters.
_ROWS_AT_ONCE = 5_000


def _rows_of(model: type[Model], tenant_id: str, customer_ids: Sequence[str]) -> Reading[Model]:
    return Reading(model, select(model.__table__).where(_whose(model, tenant_id, customer_ids)))


def _whose(model: type[TenantRow], tenant_id: str, customer_ids: Sequence[str]) -> ColumnElement[bool]:
    columns = model.__table__.c
    return and_(columns.tenant_id == tenant_id, columns.customer_id.in_(customer_ids))
