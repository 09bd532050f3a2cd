"""Whether an address fits its country: the fields that are needed, the form of the postal code, and the state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.domain.address_rules import AddressRules, address_rules
from app.domain.errors import FieldError, UserErrorCode

# The fields of the input that are checked by the country, and their columns.
COLUMNS = {"city": "city", "state": "state", "zipCode": "zip_code"}
CHECKED = ("country", *COLUMNS.values())


def faults_of(address: Mapping[str, str | None]) -> Iterator[FieldError]:
    """Yield what does not fit; `address` has the columns `CHECKED`, and is not looked at without a country."""
    country = address["country"]
    if country is None:
        return
    rules = address_rules(country)
    for name, column in COLUMNS.items():
        value = address[column]
        if value is not None:
            yield from _misfits(rules, name, value)
        elif name in rules.required_fields:
            yield FieldError(UserErrorCode.REQUIRED, (name,), "Please fill in this field.")


def _misfits(rules: AddressRules, name: str, value: str) -> Iterator[FieldError]:
    if name == "zipCode" and not rules.fits_zip_code(value):
        example = f", such as {rules.zip_code_examples[0]}" if rules.zip_code_examples else ""
        message = f"Please enter a postal code of this country{example}."
        yield FieldError(UserErrorCode.INVALID_ZIP_CODE, (name,), message)
    if name == "state" and rules.states and rules.find_state(value) is None:
        message = "Please choose a state, province or the like of this country."
        yield FieldError(UserErrorCode.INVALID_STATE, (name,), message)
