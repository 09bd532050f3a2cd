"""Shopify's table of customers, with its old header (`Address1`) and its new one (`Default Address Address1`)."""

from __future__ import annotations

from app.domain.moving import values
from app.domain.moving.drafts import Draft, Row, System, purposes


def _convert(draft: Draft, row: Row) -> None:
    draft.text(email=row["email"], company=row["company"])
    draft.name(row["first_name"], row["last_name"])
    draft.reference(row.first("customer_id", "id"))
    draft.phone(row["phone"])
    draft.made(row["created_at"])
    draft.orders(row.first("total_orders", "orders_count"))
    draft.text(preferredLanguage=row.first("language", "locale"))
    state = (values.text(row["state"]) or "").casefold()
    if state == "disabled":
        draft.said["active"] = False
    _address(draft, row)
    draft.consent("email", row.first("accepts_email_marketing", "accepts_marketing", "email_marketing_status"))
    draft.consent("sms", row.first("accepts_sms_marketing", "sms_marketing_status"))
    draft.keep("tags", values.words(row["tags"]))
    draft.keep("note", row["note"])
    draft.keep("taxExempt", values.flag(row["tax_exempt"]))
    draft.keep("totalSpent", values.text(row["total_spent"]))


def _address(draft: Draft, row: Row) -> None:
    def part(*names: str) -> object:
        return row.first(*(f"{prefix}{name}" for name in names for prefix in ("default_address_", "address_", "")))

    draft.address(
        name=(row.first("address_first_name"), row.first("address_last_name")),
        companyName=part("company"),
        lines=(part("address1", "line_1"), part("address2", "line_2")),
        zipCode=part("zip"),
        city=part("city"),
        state=part("province_code", "province"),
        country=part("country_code", "country"),
        phone=row.first("default_address_phone", "address_phone", "phone"),
        # The one default address is what orders are sent to, and billed to.
        default_for=purposes(billing=True, shipping=True),
    )


SHOPIFY = System("shopify", _convert, ("item", "customers.item"), is_table=True)
