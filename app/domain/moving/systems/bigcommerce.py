"""BigCommerce's table of customers: addresses in numbered columns, or all in the one column `Addresses`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.moving import values
from app.domain.moving.drafts import Draft, Row, System, column_name

# How many numbered addresses are looked for.
_MOST = 20
_ENTRY = re.compile(r"\s*([A-Za-z0-9 /_-]+?)\s*:\s*(.*)", re.DOTALL)


def _convert(draft: Draft, row: Row) -> None:
    draft.text(email=row.first("email", "email_address"), company=row.first("company", "company_name"))
    draft.name(row["first_name"], row["last_name"], row.first("customer_name", "name"))
    draft.reference(row.first("customer_id", "id"), short=True)
    draft.phone(row.first("phone", "phone_number"))
    draft.made(row.first("date_joined", "date_created", "join_date"))
    draft.orders(row.first("total_orders", "orders", "number_of_orders", "order_count"))
    draft.groups([values.text(row.first("customer_group", "customer_group_name"))])
    for index, address in enumerate(_addresses(row)):
        _address(draft, address, is_default=index == 0)
    draft.keep("note", row.first("notes", "customer_notes"))
    draft.keep("storeCredit", values.text(row["store_credit"]))
    draft.keep("taxExemptCategory", values.text(row["tax_exempt_category"]))
    draft.consent("email", row.first("receive_marketing_emails", "accepts_marketing", "newsletter"))
    reviews = ("receive_review_abandoned_cart_emails", "receive_acs_review_emails", "receive_acs_reviews_emails")
    draft.consent("reviews", row.first(*reviews))


def _addresses(row: Row) -> Iterator[Mapping[str, Any]]:
    yield from _joined(row["addresses"])
    if row.first("address_line_1", "street_address", "address_1") is not None:
        yield {name: row[name] for name in _NAMES}
    for number in range(1, _MOST + 1):
        found = {}
        for name in _NAMES:
            bare = name.removeprefix("address_")
            value = row.first(f"{name}_{number}", f"address_{number}_{bare}", f"address_{number}_{name}")
            if value is not None:
                found[name] = value
        if found:
            yield found
        elif number > 1:
            break


def _joined(cell: Any) -> Iterator[Mapping[str, Any]]:
    """Read `Address ID: 1, Address First Name: Ada, …| Address ID: 2, …`, or a JSON array."""
    if found := values.entries(cell):
        yield from ({column_name(name): value for name, value in each.items()} for each in found)
        return
    for part in str(cell or "").split("|"):
        read: dict[str, str] = {}
        last: str | None = None
        for piece in re.split(r"[,\n]", part):
            entry = _ENTRY.fullmatch(piece)
            if entry is not None:
                last = column_name(entry[1])
                read[last] = entry[2].strip()
            elif last is not None and piece.strip():
                # A comma in a value.
                read[last] = f"{read[last]}, {piece.strip()}"
        if read:
            yield read


_PARTS: Mapping[str, tuple[str, ...]] = {
    "first": ("address_first_name", "first_name"),
    "last": ("address_last_name", "last_name"),
    "company": ("address_company", "company_name", "company"),
    "line_1": ("address_line_1", "street_address", "address_1", "address1"),
    "line_2": ("address_line_2", "street_address_line_2", "address_2", "address2"),
    "city": ("address_city", "city", "suburb_city", "city_suburb"),
    "state": ("address_state", "state_province", "address_state_province", "state", "state_or_province"),
    "zip": ("address_zip", "zip", "zip_postcode", "address_zip_postcode", "postal_code", "zip_postal_code"),
    "country": ("country_code", "address_country", "country"),
    "phone": ("address_phone", "phone", "phone_number"),
}
_NAMES = tuple(name for names in _PARTS.values() for name in names)


def _address(draft: Draft, address: Mapping[str, Any], *, is_default: bool) -> None:
    def part(name: str) -> Any:
        return next((address[each] for each in _PARTS[name] if address.get(each) not in (None, "")), None)

    draft.address(
        name=(part("first"), part("last")),
        companyName=part("company"),
        lines=(part("line_1"), part("line_2")),
        zipCode=part("zip"),
        city=part("city"),
        state=part("state"),
        country=part("country"),
        phone=part("phone"),
        is_default=is_default,
    )


BIGCOMMERCE = System("bigcommerce", _convert, ("item", "data.item"), is_table=True)
