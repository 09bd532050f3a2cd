"""Medusa: an array of customers or `{customers}`, of its first version (`shipping_addresses`) and its second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.moving import values
from app.domain.moving.drafts import Draft, Row, System, purposes


def _convert(draft: Draft, row: Row) -> None:
    draft.text(email=row["email"], company=row["company_name"])
    draft.name(row["first_name"], row["last_name"])
    draft.reference(row["id"])
    draft.phone(row["phone"])
    draft.made(row["created_at"])
    draft.groups(values.text(each.get("name") or each.get("id")) for each in values.entries(row["groups"]))
    orders = row["orders"]
    draft.orders(len(orders) if isinstance(orders, list) else row.first("order_count", "orders_count"))
    if row["deleted_at"] is not None:
        draft.said["active"] = False
    draft.text(passwordHash=row["password_hash"] or _provider_password(row))
    billing = values.text(row.first("default_billing_address_id", "billing_address_id"))
    shipping = values.text(row["default_shipping_address_id"])
    for address in _addresses(row):
        _address(draft, address, billing, shipping)
    draft.keep("metadata", values.members(row["metadata"]))
    draft.keep("hasAccount", values.flag(row["has_account"]))


def _provider_password(row: Row) -> str | None:
    """Return the hash of the second version, which stands with the ways of signing in."""
    found = values.entries(row.first("provider_identities", "identities"))
    found += values.entries(values.members(row["auth_identity"]).get("provider_identities"))
    for each in found:
        if each.get("provider") in {None, "emailpass"}:
            told = values.members(each.get("provider_metadata")).get("password")
            if isinstance(told, str):
                return told
    return None


def _addresses(row: Row) -> list[Mapping[str, Any]]:
    found = [*values.entries(row["addresses"]), *values.entries(row["shipping_addresses"])]
    billing = values.members(row["billing_address"])
    return [*found, {**billing, "is_default_billing": True}] if billing else found


def _address(draft: Draft, address: Mapping[str, Any], billing: str | None, shipping: str | None) -> None:
    known_as = values.text(address.get("id"))
    default_for = purposes(
        billing=address.get("is_default_billing") or (known_as is not None and known_as == billing),
        shipping=address.get("is_default_shipping") or (known_as is not None and known_as == shipping),
    )
    draft.address(
        name=(address.get("first_name"), address.get("last_name")),
        companyName=address.get("company"),
        lines=(address.get("address_1"), address.get("address_2")),
        zipCode=address.get("postal_code"),
        city=address.get("city"),
        state=address.get("province"),
        country=(values.text(address.get("country_code")) or "").upper(),
        phone=address.get("phone"),
        tags=default_for,
        default_for=default_for,
    )


MEDUSA = System("medusa", _convert, ("item", "customers.item"))
