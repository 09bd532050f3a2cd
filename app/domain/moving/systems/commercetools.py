"""commercetools: its API's customers, an array or `{results}`, and drafts, which name addresses by their index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.moving import values
from app.domain.moving.drafts import Draft, Row, System, purposes


def _convert(draft: Draft, row: Row) -> None:
    draft.text(email=row["email"], company=row["companyName"], middleName=row["middleName"])
    draft.text(title=row.first("title", "salutation"))
    draft.name(row["firstName"], row["lastName"])
    draft.reference(row.first("id", "key", "externalId"))
    draft.number(row["customerNumber"])
    draft.text(preferredLanguage=row["locale"])
    draft.flag("emailVerified", row["isEmailVerified"])
    draft.made(row["createdAt"])
    draft.groups([_group(row["customerGroup"])])
    if isinstance(row["password"], str) and "$" in row["password"]:
        draft.text(passwordHash=row["password"])
    addresses = values.entries(row["addresses"])
    for index, address in enumerate(addresses):
        _address(draft, row, address, index, single=len(addresses) == 1)
    draft.keep("externalId", values.text(row["externalId"]))
    draft.keep("vatId", values.text(row["vatId"]))
    draft.keep("dateOfBirth", values.text(row["dateOfBirth"]))
    draft.keep("custom", values.members(values.members(row["custom"]).get("fields")))


def _group(reference: Any) -> str | None:
    group = values.members(reference)
    told = values.members(group.get("obj"))
    return values.text(told.get("name") or told.get("key") or group.get("key") or group.get("id"))


def _address(draft: Draft, row: Row, address: Mapping[str, Any], index: int, *, single: bool) -> None:
    known_as = {index, address.get("id"), address.get("key")} - {None, ""}
    billing, shipping = (
        known_as & {row[f"default{kind}AddressId"], row[f"default{kind}Address"]} for kind in ("Billing", "Shipping")
    )
    of_kind = {
        kind: known_as & {*(row[f"{kind}AddressIds"] or ()), *(row[f"{kind}Addresses"] or ())}
        for kind in ("billing", "shipping")
    }
    number = " ".join(filter(None, (values.text(address.get(name)) for name in ("building", "apartment"))))
    draft.address(
        name=(address.get("firstName"), address.get("lastName")),
        companyName=address.get("company"),
        street=address.get("streetName") or address.get("pOBox"),
        streetNumber=address.get("streetNumber"),
        streetAppendix=number,
        lines=(
            address.get("additionalStreetInfo"),
            address.get("additionalAddressInfo"),
            address.get("department"),
            address.get("pOBox") if address.get("streetName") else None,
        ),
        zipCode=address.get("postalCode"),
        city=address.get("city"),
        state=address.get("state") or address.get("region"),
        country=address.get("country"),
        phone=address.get("phone") or address.get("mobile"),
        tags=purposes(billing=billing or of_kind["billing"], shipping=shipping or of_kind["shipping"]),
        default_for=purposes(billing=billing, shipping=shipping),
        is_default=single,
    )
    if "contactPhone" not in draft.said and (shipping or single):
        draft.phone(address.get("phone") or address.get("mobile"))


COMMERCETOOLS = System("commercetools", _convert, ("item", "results.item"))
