"""What an import may say of a customer. Only the form is checked here; the services check the values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from app.domain.errors import FieldError, UserErrorCode
from app.domain.texts import is_well_formed

_MOST_ORDERS = 1_000_000
# Fields that are made where a line does not name them, and their columns: null says that the customer has none.
MADE = {"contactEmail": "contact_email", "preferredLanguage": "preferred_language"}


def _well_formed(text: str) -> str:
    if not is_well_formed(text):
        raise ValueError("holds a NUL or an incomplete character")
    return text


def _as_text(value: Any) -> Any:
    """Return a hash that is an object, as Keycloak and Auth0 write it, as the JSON that it was."""
    return json.dumps(value) if isinstance(value, dict) else value


def _no_bare_number(value: Any) -> Any:
    """Refuse a text of a few digits: a year, or a day without its dashes, is no count of seconds since 1970."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?(?:\d{1,8}|\d{1,8}[.,]\d*)\s*", value):
        raise ValueError("is no time such as 2020-01-31T12:00:00Z")
    return value


Text = Annotated[str, Field(strict=True), AfterValidator(_well_formed)]


class _Part(BaseModel):
    """A JSON object with these members, in camelCase, and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the members."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


class AddressLine(_Part):
    """An address, as `AddressInput` has it; the services say what it must have."""

    contact_name: Text | None = None
    company_name: Text | None = None
    street: Text | None = None
    street_number: Text | None = None
    street_appendix: Text | None = None
    extra_line1: Text | None = Field(default=None, alias="extraLine1")
    extra_line2: Text | None = Field(default=None, alias="extraLine2")
    extra_line3: Text | None = Field(default=None, alias="extraLine3")
    extra_line4: Text | None = Field(default=None, alias="extraLine4")
    zip_code: Text | None = None
    city: Text | None = None
    state: Text | None = None
    country: Text | None = None
    contact_phone: Text | None = None
    tags: tuple[Text, ...] = ()
    is_default: StrictBool = False
    default_for: tuple[Literal["BILLING", "SHIPPING"], ...] = ()


class LegalEntityLine(_Part):
    """A legal entity, as `LegalEntityAssignmentInput` has it."""

    name: Text
    id: Text | None = None
    contact_assignment_id: Text | None = None
    confirmed: StrictBool = True


class IdentityLine(_Part):
    """An account at a provider of social login: the shop's name for the provider, and who the customer is there."""

    provider: Text
    subject: Text
    issuer: Text | None = None
    email: Text | None = None


class ProfileLine(_Part):
    """The profile, as `CreateCustomerInput` has it."""

    title: Text | None = None
    first_name: Text | None = None
    middle_name: Text | None = None
    last_name: Text | None = None
    contact_email: Text | None = None
    contact_phone: Text | None = None
    company: Text | None = None
    preferred_language: Text | None = None
    preferred_currency: Text | None = None
    preferred_site: Text | None = None
    business_model: Literal["B2C", "B2B"] | None = None
    company_registration_id: Text | None = None
    mixins: Any = None


class CustomerLine(ProfileLine):
    """One customer; `groups` are codes or names, `password_hash` is as another system wrote it.

    Where the status is not said, the count of orders says it.
    """

    email: Text
    email_verified: StrictBool = False
    shopper_reference: Text | None = None
    customer_number: Text | None = None
    password_hash: Annotated[Text | None, BeforeValidator(_as_text)] = None
    active: StrictBool = True
    on_hold: StrictBool = False
    status: Literal["PROSPECT", "ACQUIRED", "REPEAT"] = "PROSPECT"
    order_count: Annotated[int, Field(strict=True, ge=0, le=_MOST_ORDERS)] = 0
    created_at: Annotated[AwareDatetime | None, BeforeValidator(_no_bare_number)] = None
    groups: tuple[Text, ...] = ()
    legal_entities: tuple[LegalEntityLine, ...] = ()
    addresses: tuple[AddressLine, ...] = ()
    social_identities: tuple[IdentityLine, ...] = ()

    @property
    def said(self) -> dict[str, Any]:
        """What is said of the customer; groups, password and identities are kept elsewhere."""
        elsewhere = {"groups", "password_hash", "social_identities", "addresses"}
        said = self.model_dump(exclude=elsewhere, exclude_unset=True)
        said["left_empty"] = {column for column in MADE.values() if column in said and said[column] is None}
        said.setdefault("status", ("PROSPECT", "ACQUIRED", "REPEAT")[min(self.order_count, 2)])
        if self.addresses:
            # What an address must have is said in any case, so that its rule finds it missing.
            said["addresses"] = [
                {"contact_name": None, "street": None, "city": None, "country": None}
                | address.model_dump(exclude_unset=True)
                for address in self.addresses
            ]
        return said


def read_customer(content: Mapping[str, Any]) -> CustomerLine | tuple[FieldError, ...]:
    """Return the customer that a JSON object is, or everything that is wrong with its form."""
    try:
        return CustomerLine.model_validate(content)
    except ValidationError as error:
        # The messages of pydantic name types and bounds. The values are left out, because they are personal.
        return tuple(
            FieldError(UserErrorCode.INVALID, tuple(map(str, each["loc"])), each["msg"])
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        )
