"""A line of an import: one customer as JSON. Only its form is checked here; the services check the values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, ValidationError
from pydantic.alias_generators import to_camel

from app.domain.errors import FieldError, UserErrorCode
from app.domain.texts import is_well_formed

MAXIMUM_BYTES = 200_000
_MOST_ORDERS = 1_000_000


def _well_formed(text: str) -> str:
    if not is_well_formed(text):
        raise ValueError("holds a NUL or an incomplete character")
    return text


Text = Annotated[str, Field(strict=True), AfterValidator(_well_formed)]


class _Part(BaseModel):
    """A JSON object with these members, in camelCase, and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class AddressLine(_Part):
    """An address, as `AddressInput` has it."""

    contact_name: Text
    street: Text
    country: Text
    city: Text | None = None
    company_name: Text | None = None
    street_number: Text | None = None
    street_appendix: Text | None = None
    extra_line1: Text | None = Field(default=None, alias="extraLine1")
    extra_line2: Text | None = Field(default=None, alias="extraLine2")
    extra_line3: Text | None = Field(default=None, alias="extraLine3")
    extra_line4: Text | None = Field(default=None, alias="extraLine4")
    zip_code: Text | None = None
    state: Text | None = None
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
    """One customer; `groups` are codes, `password_hash` is as another system wrote it."""

    email: Text
    email_verified: StrictBool = False
    shopper_reference: Text | None = None
    customer_number: Text | None = None
    password_hash: Text | None = None
    active: StrictBool = True
    on_hold: StrictBool = False
    status: Literal["PROSPECT", "ACQUIRED", "REPEAT"] = "PROSPECT"
    order_count: Annotated[int, Field(strict=True, ge=0, le=_MOST_ORDERS)] = 0
    created_at: AwareDatetime | None = None
    groups: tuple[Text, ...] = ()
    legal_entities: tuple[LegalEntityLine, ...] = ()
    addresses: tuple[AddressLine, ...] = ()

    @property
    def said(self) -> dict[str, Any]:
        """What the line says of the customer; the groups and the password are kept elsewhere."""
        return self.model_dump(exclude={"groups", "password_hash"}, exclude_unset=True)


def read_line(line: bytes) -> CustomerLine | tuple[FieldError, ...]:
    """Return the customer of a line (JSON in UTF-8), or everything that is wrong with its form."""
    if len(line) > MAXIMUM_BYTES:
        return (FieldError(UserErrorCode.TOO_LONG, (), f"A line may have at most {MAXIMUM_BYTES} bytes."),)
    try:
        return CustomerLine.model_validate_json(line)
    except ValidationError as error:
        # The messages of pydantic name types and bounds. The values are left out, because they are personal.
        return tuple(
            FieldError(UserErrorCode.INVALID, tuple(map(str, each["loc"])), each["msg"])
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        )
