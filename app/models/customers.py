"""A customer of one shop: the profile, and what staff decide about the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum, unique
from typing import Any

from sqlalchemy import Index, SmallInteger, UniqueConstraint, false, text
from sqlmodel import Field

from app.domain.names import MAXIMUM_LENGTH, search_name
from app.domain.search_words import FOLDING, ORDER_KEY_LENGTH
from app.domain.searchable import SearchedProfile
from app.models.base import ID_LENGTH, JsonOrNull, TenantRow, json_field, searched_text


@unique
class CustomerStatus(StrEnum):
    """How often the customer has ordered."""

    PROSPECT = "PROSPECT"
    ACQUIRED = "ACQUIRED"
    REPEAT = "REPEAT"

    @property
    def after_an_order(self) -> CustomerStatus:
        """The status after one more order."""
        return CustomerStatus.ACQUIRED if self is CustomerStatus.PROSPECT else CustomerStatus.REPEAT


@unique
class BusinessModel(StrEnum):
    """Whether the customer buys as a person or for a company."""

    B2C = "B2C"
    B2B = "B2B"


class CustomerColumns(TenantRow):
    """The columns of a customer; `version` counts the changes of the profile.

    `anonymization_status` is that of the latest request, null for none: see `is_closed` for what it means.
    `shop_fields` and `unproven_fields` say which fields of the profile the shop wrote, and which somebody who never
    proved that the address was theirs: see `origins`. Until `unproven_until` the customer may discard the latter.
    `merged_into` is the customer whom this account was joined with: it is closed, and only tells where all of it went.
    `second_factor_required`: staff want a second factor at each login, where the shop leaves that to them.
    """

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_number: str = Field(max_length=32)
    shopper_reference: str = Field(max_length=128)
    title: str | None = Field(default=None, max_length=50)
    first_name: str | None = Field(default=None, max_length=100)
    middle_name: str | None = Field(default=None, max_length=100)
    last_name: str | None = Field(default=None, max_length=100)
    contact_email: str | None = Field(default=None, max_length=254)
    contact_phone: str | None = Field(default=None, max_length=32)
    company: str | None = Field(default=None, max_length=200)
    preferred_language: str | None = Field(default=None, max_length=35)
    preferred_currency: str | None = Field(default=None, max_length=3)
    preferred_site: str | None = Field(default=None, max_length=64)
    business_model: str = Field(default=BusinessModel.B2C.value, max_length=3)
    company_registration_id: str | None = Field(default=None, max_length=100)
    active: bool = True
    on_hold: bool = False
    status: str = Field(default=CustomerStatus.PROSPECT.value, max_length=8)
    order_count: int = 0
    mixins: dict[str, Any] = json_field(dict)
    anonymization_status: str | None = Field(default=None, max_length=16)
    version: int = 1
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None = None
    shop_fields: list[str] | None = Field(default=None, sa_type=JsonOrNull)
    unproven_fields: list[str] | None = Field(default=None, sa_type=JsonOrNull)
    unproven_until: datetime | None = None
    second_factor_required: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    merged_into: str | None = Field(default=None, max_length=ID_LENGTH)


UNSEARCHED = (
    f"search_folding <> {FOLDING} OR search_of <> version OR (anonymization_status = 'DONE' AND search_text <> '')"
)


class Customer(CustomerColumns, table=True):
    """The table of customers.

    `search_name` is the name in the form that staff search; the repository updates it with the names. `search_key` and
    `search_text` are what a search in all words needs (`Searchable`), beside the rows of `customer_word`;
    `search_folding` says how they were folded, `search_of` of which version of the profile they are. `UNSEARCHED` is
    true of rows whose words are to be made anew by the worker: those that the last release wrote.

    Each index ends with the id, so that lists can be ordered. Few customers are on hold or inactive, and soon none has
    no words, so these three indexes have few rows.
    """

    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("tenant_id", "customer_number", name="uq_customer_number"),
        UniqueConstraint("tenant_id", "shopper_reference", name="uq_customer_shopper_reference"),
        Index("ix_customer_search_name", "tenant_id", "search_name", "id"),
        Index("ix_customer_status", "tenant_id", "status", "id"),
        Index(
            "ix_customer_on_hold",
            "tenant_id",
            "id",
            sqlite_where=text("on_hold = 1"),
            postgresql_where=text("on_hold"),
        ),
        Index(
            "ix_customer_inactive",
            "tenant_id",
            "id",
            sqlite_where=text("active = 0"),
            postgresql_where=text("NOT active"),
        ),
        Index("ix_customer_search_key", "tenant_id", "search_key", "id"),
        Index(
            "ix_customer_unsearched",
            "tenant_id",
            "id",
            sqlite_where=text(UNSEARCHED),
            postgresql_where=text(UNSEARCHED),
        ),
        Index(
            "ix_customer_merged_into",
            "tenant_id",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
    )

    search_name: str = Field(default="", sa_type=searched_text(MAXIMUM_LENGTH), nullable=False)
    search_key: str = Field(
        default="", sa_type=searched_text(ORDER_KEY_LENGTH), nullable=False, sa_column_kwargs={"server_default": ""}
    )
    search_text: str = Field(
        default="", sa_type=searched_text(), nullable=False, sa_column_kwargs={"server_default": ""}
    )
    search_folding: int = Field(default=FOLDING, sa_type=SmallInteger, sa_column_kwargs={"server_default": "0"})
    search_of: int = Field(default=1, sa_column_kwargs={"server_default": "0"})


# A profile is read without them.
ONLY_FOR_SEARCH = frozenset({"search_text", "search_folding", "search_of"})


def has_words(customer: Customer) -> bool:
    """Tell whether what is stored for the search is of this version of the profile, and of this folding."""
    return customer.search_folding == FOLDING and customer.search_of == customer.version


@dataclass(slots=True)
class SearchedColumns:
    """What of a customer's row is searched."""

    first_name: str | None
    middle_name: str | None
    last_name: str | None
    company: str | None
    contact_email: str | None
    contact_phone: str | None

    @classmethod
    def after(cls, customer: CustomerColumns, changes: Mapping[str, Any]) -> SearchedColumns:
        """Return the columns of a customer as they are after these changes."""
        return cls(**{name: changes.get(name, getattr(customer, name)) for name in SEARCHED_COLUMNS})


SEARCHED_COLUMNS = frozenset(each.name for each in fields(SearchedColumns))


def searched_name(customer: SearchedProfile) -> str:
    """Return the value of `search_name`: the last name first, or the company if there is no name."""
    return search_name(customer.last_name, customer.first_name, customer.middle_name) or search_name(customer.company)


class CustomerProfile(CustomerColumns):
    """A customer as read from the database: with the login address of the credential."""

    email: str | None
    email_verified_at: datetime | None
    initial_password: bool
    must_confirm: bool
    email_bounced_at: datetime | None
    credential_version: int
    has_password: bool
    verified_phone: str | None


class CustomerFound(CustomerProfile):
    """A customer as a search returns it: with the values for its cursor."""

    search_name: str
    search_key: str
    email_key: str | None
