"""Saleor: Django's `dumpdata`, where users and addresses are rows of their own, or nodes of its API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from app.domain.moving import values
from app.domain.moving.drafts import Draft, Read, Row, System, purposes
from app.domain.moving.records import Record

_LINK = "account.user_addresses"


def _gather(read: Read) -> Iterator[Record]:
    """Put the addresses of a `dumpdata` into their users; they are kept packed until all users were read."""
    addresses: dict[str, bytes] = {}
    of_user: dict[str, list[str]] = {}
    groups: dict[str, str] = {}
    for record in read():
        model, fields = _model(record.content)
        if model == "account.address":
            addresses[str((record.content or {}).get("pk"))] = orjson.dumps(fields)
        elif model == _LINK:
            of_user.setdefault(str(fields.get("user")), []).append(str(fields.get("address")))
        elif model in {"account.group", "auth.group"}:
            groups[str((record.content or {}).get("pk"))] = str(fields.get("name"))
    for record in read():
        model, fields = _model(record.content)
        if record.content is None:
            yield record
        elif not model:
            yield replace(record, content=_node(record.content))
        elif model == "account.user":
            pk = str(record.content.get("pk"))
            ids = [str(each) for each in fields.get("addresses") or of_user.get(pk) or ()]
            own = [{"id": each, **orjson.loads(addresses[each])} for each in ids if each in addresses]
            names = [groups.get(str(each)) for each in fields.get("groups") or ()]
            yield replace(record, content={**fields, "pk": pk, "addresses": own, "group_names": names})


def _model(content: Mapping[str, Any] | None) -> tuple[str, Mapping[str, Any]]:
    if content is None or not isinstance(content.get("fields"), dict):
        return "", {}
    return str(content.get("model") or "").casefold(), content["fields"]


def _node(content: dict[str, Any]) -> dict[str, Any]:
    inner = content.get("node")
    return inner if isinstance(inner, dict) else content


def _convert(draft: Draft, row: Row) -> None:
    draft.text(email=row["email"])
    draft.name(row.first("first_name", "firstName"), row.first("last_name", "lastName"))
    draft.reference(row["pk"], short=True)
    draft.reference(row.first("externalReference", "external_reference", "id"))
    draft.text(passwordHash=_usable(row["password"]), preferredLanguage=row.first("language_code", "languageCode"))
    draft.flag("active", row.first("is_active", "isActive"))
    draft.flag("emailVerified", row.first("is_confirmed", "isConfirmed"))
    draft.made(row.first("date_joined", "dateJoined"))
    draft.orders(row.first("number_of_orders", "numberOfOrders"))
    draft.orders(values.members(row["orders"]).get("totalCount"))
    draft.groups(row["group_names"] or ())
    draft.groups(values.text(each.get("name")) for each in values.entries(row["permissionGroups"]))
    shipping, billing = (_default(row, kind) for kind in ("shipping", "billing"))
    for address in values.entries(row["addresses"]):
        _address(draft, address, shipping, billing)
    for kind in ("Shipping", "Billing"):
        alone = values.members(row[f"default{kind}Address"])
        if alone.keys() - {"id"} and not values.entries(row["addresses"]):
            _address(draft, {**alone, f"isDefault{kind}Address": True}, shipping, billing)
    draft.keep("note", row["note"])
    draft.keep("metadata", _metadata(row["metadata"]))
    draft.keep("privateMetadata", _metadata(row.first("private_metadata", "privateMetadata")))


def _usable(password: Any) -> str | None:
    """Return a hash, but for Django's mark of an account that has no password."""
    written = values.text(password)
    return None if written is None or written.startswith("!") else written


def _default(row: Row, kind: str) -> str | None:
    told = row.first(f"default_{kind}_address", f"default{kind.capitalize()}Address")
    return values.text(told.get("id") if isinstance(told, dict) else told)


def _metadata(told: Any) -> Any:
    pairs = values.entries(told)
    return {str(each["key"]): each.get("value") for each in pairs if "key" in each} if pairs else values.members(told)


def _address(draft: Draft, address: Mapping[str, Any], shipping: str | None, billing: str | None) -> None:
    def part(*names: str) -> Any:
        return next((address[name] for name in names if address.get(name) not in (None, "")), None)

    told, known_as = part("country"), values.text(address.get("id"))
    is_shipping = part("isDefaultShippingAddress") is True or (known_as is not None and known_as == shipping)
    is_billing = part("isDefaultBillingAddress") is True or (known_as is not None and known_as == billing)
    default_for = purposes(billing=is_billing, shipping=is_shipping)
    draft.address(
        name=(part("first_name", "firstName"), part("last_name", "lastName")),
        companyName=part("company_name", "companyName"),
        lines=(
            part("street_address_1", "streetAddress1"),
            part("street_address_2", "streetAddress2"),
            part("city_area", "cityArea"),
        ),
        zipCode=part("postal_code", "postalCode"),
        city=part("city"),
        state=part("country_area", "countryArea"),
        country=told.get("code") if isinstance(told, dict) else told,
        phone=part("phone"),
        tags=default_for,
        default_for=default_for,
    )
    if "contactPhone" not in draft.said and (is_shipping or is_billing):
        draft.phone(part("phone"))


SALEOR = System(
    "saleor",
    _convert,
    ("item", "data.customers.edges.item", "customers.edges.item", "edges.item", "data.customers.nodes.item"),
    gather=_gather,
)
