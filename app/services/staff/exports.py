"""The export of a shop's customers, in the form that the import takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from app.domain.customer_lines import MADE, AddressLine, IdentityLine, LegalEntityLine, ProfileLine
from app.domain.moving.own import NAMES
from app.domain.requests import RequestFacts
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.models.addresses import Address
from app.models.customers import CustomerProfile
from app.models.legal_entities import LegalEntityAssignment
from app.models.social import SocialIdentity
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork

# What an address may be the default for, and the column that says so.
_PURPOSES = {"BILLING": "is_billing_default", "SHIPPING": "is_shipping_default"}
# Customers that are read at once.
_PAGE = 200


class _OfCustomer(Protocol):
    customer_id: str


Owned = TypeVar("Owned", bound=_OfCustomer)


async def export_customers(tools: Tools, tenant: Tenant, *, with_hashes: bool) -> AsyncIterator[dict[str, Any]]:
    """Yield each customer as the import takes them, in the order of their ids, a page at a time.

    Closed accounts are left out: after a request to anonymize nothing of them goes anywhere.
    """
    after = ""
    while True:
        async with UnitOfWork(tools, Caller(RequestFacts(request_id="export", ip=""))) as uow:
            uow.enter(tenant)
            async with uow.reader() as reader:
                page = await reader.customers.list_open(after, _PAGE)
                customers = await _read(reader, page, with_hashes=with_hashes)
        for customer in customers:
            yield customer
        if len(page) < _PAGE:
            return
        after = page[-1].id


async def _read(uow: UnitOfWork, page: Sequence[CustomerProfile], *, with_hashes: bool) -> list[dict[str, Any]]:
    ids = [row.id for row in page]
    if not ids:
        return []
    groups = await uow.groups.list_of(*ids)
    addresses = _by_customer(await uow.addresses.list_of(ids))
    companies = _by_customer(await uow.legal_entities.list_of(ids))
    identities = _by_customer(await uow.social_identities.list_of(ids))
    credentials = await uow.credentials.list_of(ids) if with_hashes else ()
    hashes = {row.customer_id: row.password_hash for row in credentials}
    return [
        _in_order(
            {
                **_account(row),
                **{_told(ProfileLine, name): getattr(row, name) for name in ProfileLine.model_fields},
                "passwordHash": hashes.get(row.id),
                "groups": [group.code for group in groups[row.id]],
                "legalEntities": [_company(each) for each in companies.get(row.id, ())],
                "addresses": [_address(each) for each in addresses.get(row.id, ())],
                "socialIdentities": [_identity(each) for each in identities.get(row.id, ())],
            }
        )
        for row in page
    ]


def _by_customer(rows: Iterable[Owned]) -> Mapping[str, Sequence[Owned]]:
    # The order within each customer stays.
    return {key: list(each) for key, each in groupby(sorted(rows, key=_customer), key=_customer)}


_customer = attrgetter("customer_id")


def _account(row: CustomerProfile) -> dict[str, Any]:
    return {
        "email": row.email,
        "emailVerified": row.email_verified_at is not None,
        "shopperReference": row.shopper_reference,
        "customerNumber": row.customer_number,
        "active": row.active,
        "onHold": row.on_hold,
        "status": row.status,
        "orderCount": row.order_count,
        "createdAt": row.created_at.isoformat(),
    }


def _company(row: LegalEntityAssignment) -> dict[str, Any]:
    return _fields(LegalEntityLine, row, id=row.legal_entity_id)


def _address(row: Address) -> dict[str, Any]:
    purposes = [purpose for purpose, column in _PURPOSES.items() if getattr(row, column, False)]
    return _fields(AddressLine, row, default_for=purposes)


def _identity(row: SocialIdentity) -> dict[str, Any]:
    return _fields(IdentityLine, row)


def _fields(line: type[AddressLine | LegalEntityLine | IdentityLine], row: object, **other: Any) -> dict[str, Any]:
    told = {name: other[name] if name in other else getattr(row, name) for name in line.model_fields}
    return _without_empty({_told(line, name): value for name, value in told.items()})


def _told(line: type[ProfileLine | AddressLine | LegalEntityLine | IdentityLine], name: str) -> str:
    return line.model_fields[name].alias or name


def _in_order(customer: Mapping[str, Any]) -> dict[str, Any]:
    told = _without_empty(customer)
    return {name: told.get(name) for name in NAMES if name in told or name in MADE}


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != [] and value != {}}
