"""WooCommerce: what its export plugins, its own report and WordPress write, by the names of WordPress's own fields."""

from __future__ import annotations

from typing import Any

from app.domain.moving import values
from app.domain.moving.drafts import Draft, Row, System

# Everybody who shops has one of these; others may be groups.
_USUAL_ROLES = frozenset({"customer", "subscriber"})


def _convert(draft: Draft, row: Row) -> None:
    draft.text(email=row.first("email", "user_email", "customer_email", "billing_email", "e_mail"))
    whole = row.first("display_name", "name", "billing_full_name")
    draft.name(
        row.first("first_name", "customer_first_name", "billing_first_name"),
        row.first("last_name", "customer_last_name", "billing_last_name"),
        whole,
    )
    draft.text(company=row["billing_company"])
    draft.reference(row.first("customer_id", "user_id", "id"), short=True)
    draft.phone(row.first("billing_phone", "phone"))
    draft.made(
        row.first("date_registered", "user_registered", "registered", "date_created_gmt", "date_created", "sign_up")
    )
    draft.orders(row.first("order_count", "orders_count", "orders", "wc_order_count"))
    draft.text(preferredLanguage=_language(row["locale"]))
    draft.text(passwordHash=row.first("user_pass", "password_hash", "password"))
    if values.count(row["user_status"]):
        draft.said["active"] = False
    roles = values.words(row.first("roles", "role", "user_role", "wp_capabilities"))
    draft.groups(role for role in roles if role not in _USUAL_ROLES and ":" not in role)
    _address(draft, row, "billing")
    _address(draft, row, "shipping")
    _own_report(draft, row)
    draft.keep("note", row.first("customer_note", "description"))
    draft.keep("username", row.first("username", "user_login"))
    draft.keep("totalSpent", values.text(row.first("total_spent", "total_spend", "wc_money_spent", "money_spent")))
    draft.consent("email", row.first("accepts_marketing", "newsletter", "marketing_opt_in"))


def _language(locale: Any) -> str | None:
    """Return the language of a locale of WordPress's, such as `de_DE_formal`."""
    written = values.text(locale)
    return None if written is None else "_".join(written.split("_")[:2])


def _address(draft: Draft, row: Row, kind: str) -> None:
    def part(*names: str) -> Any:
        return row.first(*(f"{kind}_{name}" for name in names))

    draft.address(
        name=(part("first_name"), part("last_name")) if part("first_name", "last_name") else (part("full_name"),),
        companyName=part("company"),
        lines=(part("address_1"), part("address_2")),
        zipCode=part("postcode", "zip"),
        city=part("city"),
        state=part("state"),
        country=part("country"),
        phone=part("phone"),
        tags=(kind.upper(),),
        default_for=(kind.upper(),),
    )


def _own_report(draft: Draft, row: Row) -> None:
    """Read what the shop's own report of customers has: no street, so no address."""
    draft.keep("city", row["city"])
    draft.keep("country", row.first("country_region", "country"))
    draft.keep("postcode", row.first("postal_code", "postcode"))


WOOCOMMERCE = System("woocommerce", _convert, ("item", "customers.item"), is_table=True)
