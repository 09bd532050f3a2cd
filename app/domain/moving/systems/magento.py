"""Magento's and Adobe Commerce's `customer_composite`: a row without an e-mail address is one more address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from app.domain.moving import values
from app.domain.moving.drafts import Draft, Read, Row, System, purposes
from app.domain.moving.records import Record

# The groups that every shop has, by number or name: those who belong to none.
_NO_GROUP = frozenset({"0", "1", "NOT LOGGED IN", "General"})
_GROUPS = {"2": "Wholesale", "3": "Retailer"}
_GENDERS = {"1": "male", "2": "female"}
_MORE = "rows below"


def _gather(read: Read) -> Iterator[Record]:
    """Join the rows of one customer."""
    so_far: Record | None = None
    for record in read():
        content = record.content
        if so_far is not None and content is not None and _is_below(content):
            rest = {**(so_far.content or {})}
            rest[_MORE] = [*rest.get(_MORE, ()), content]
            so_far = replace(so_far, content=rest, remarks=so_far.remarks + record.remarks)
            continue
        if so_far is not None:
            yield so_far
        so_far = record if content is not None else None
        if content is None:
            yield record
    if so_far is not None:
        yield so_far


def _is_below(content: Mapping[str, Any]) -> bool:
    return content.get("email") is None and any(name.startswith("address_") for name in content)


def _convert(draft: Draft, row: Row) -> None:
    draft.text(email=row["email"])
    draft.text(title=row["prefix"], middleName=row["middlename"])
    draft.name(row["firstname"], row["lastname"], row["name"])
    draft.reference(row.first("entity_id", "id", "customer_id"), short=True)
    draft.made(row.first("created_at", "customer_since"))
    draft.number(row["increment_id"])
    draft.text(passwordHash=row["password_hash"])
    draft.phone(row.first("address_telephone", "phone"))
    group = values.text(row.first("group_id", "group", "customer_group_code"))
    if group is not None and group not in _NO_GROUP:
        draft.groups([_GROUPS.get(group, group)])
    if values.flag(row["is_active"]) is False:
        draft.said["active"] = False
    _address(draft, row)
    for below in row[_MORE] or ():
        _address(draft, Row(below, set()))
    gender = values.text(row["gender"]) or ""
    draft.keep("gender", _GENDERS.get(gender, gender.casefold()))
    draft.keep("dateOfBirth", values.text(row["dob"]))
    draft.keep("taxVat", values.text(row["taxvat"]))
    draft.keep("website", values.text(row.first("website", "website_id", "web_site")))
    draft.keep("store", values.text(row.first("store", "store_id")))
    draft.keep("suffix", values.text(row["suffix"]))
    draft.consent("email", row.first("is_subscribed", "newsletter"))


def _address(draft: Draft, row: Row) -> None:
    is_billing, is_shipping = (
        values.flag(row.first(f"address_default_{kind}", f"default_{kind}_address")) for kind in ("billing", "shipping")
    )
    default_for = purposes(billing=is_billing, shipping=is_shipping)
    draft.address(
        name=(row["address_firstname"], row["address_middlename"], row["address_lastname"]),
        companyName=row["address_company"],
        lines=(row["address_street"],),
        zipCode=row["address_postcode"],
        city=row["address_city"],
        state=row["address_region"],
        country=row["address_country_id"],
        phone=row["address_telephone"],
        tags=default_for,
        default_for=default_for,
    )


MAGENTO = System("magento", _convert, ("item", "items.item"), is_table=True, gather=_gather)
