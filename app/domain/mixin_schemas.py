"""What a shop demands of its mixins: JSON Schema 2020-12, formats included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from app.domain.errors import FieldError, UserErrorCode

_CODES = {"maxLength": UserErrorCode.TOO_LONG, "minLength": UserErrorCode.TOO_SHORT}
_MESSAGES = {
    "type": "This must be of the type {}.",
    "enum": "This must be one of {}.",
    "const": "This must be {}.",
    "format": "This must be written as {}.",
    "pattern": "This must match the pattern {}.",
    "maxLength": "Please use at most {} characters.",
    "minLength": "Please use at least {} characters.",
    "maximum": "This must be at most {}.",
    "minimum": "This must be at least {}.",
    "maxItems": "Please give at most {} entries.",
    "minItems": "Please give at least {} entries.",
    "additionalProperties": "Please leave this out: the shop does not use it.",
    "unevaluatedProperties": "Please leave this out: the shop does not use it.",
}


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise `ValueError` unless this is a JSON Schema (2020-12) and every `$ref` points into the schema itself.

    It must consist of plain dicts and lists, as JSON parsers return them.
    """
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"not a JSON Schema: {error.message}") from error
    resolver = Registry().with_resource("", DRAFT202012.create_resource(schema)).resolver()
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise ValueError(f"$ref {reference!r} must point into this schema")
        try:
            resolver.lookup(reference)
        except Unresolvable as error:
            raise ValueError(f"$ref {reference!r} points to nothing in this schema") from error


def judge_mixin(name: str, mixin: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yield all faults of one mixin by its schema, each with its path, which begins with the mixin's name."""
    # An empty registry, because the default one would fetch a remote $ref.
    validator = Draft202012Validator(schema, registry=Registry(), format_checker=Draft202012Validator.FORMAT_CHECKER)
    for error in validator.iter_errors(mixin):
        yield from _describe(error, name)


def _describe(error: ValidationError, name: str) -> Iterator[FieldError]:
    path = (name, *map(str, error.absolute_path))
    keyword = str(error.validator)
    expected: Any = error.validator_value
    instance: Any = error.instance
    if keyword == "required":
        for missing in (property_name for property_name in expected if property_name not in instance):
            yield FieldError(UserErrorCode.REQUIRED, (*path, missing), "Please fill in this field.")
        return
    text = ", ".join(map(str, expected)) if isinstance(expected, list) else str(expected)
    message = _MESSAGES.get(keyword, "This value does not fit the rules of the shop.").format(text)
    yield FieldError(_CODES.get(keyword, UserErrorCode.INVALID), path, message)


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for keyword, value in schema.items():
            if keyword in {"$ref", "$dynamicRef"} and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(schema, list | tuple):
        for entry in schema:
            yield from _references(entry)
