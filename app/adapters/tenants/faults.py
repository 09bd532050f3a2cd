"""Says what is wrong in a tenants file: the path of the key, as in the file, and a plain sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.domain.tenants import Tenant

Path = tuple[str | int, ...]

# Keys that have another name in the file than in the domain.
FILE_KEYS = {
    "secret": "secret_env",
    "previous_secret": "previous_secret_env",
    "client_secret": "client_secret_env",
    "private_key": "private_key_env",
    "jwks": "jwks_file",
    "json_schema": "schema_file",
    "operation_list": "operations_file",
    "own_texts": "templates_dir",
}
_NAMED_BY_TABLE = {("sites", "id"), ("mixins", "name")}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PYDANTIC_SUBJECT = re.compile(r"^(Input|String|Tuple|Set|Frozenset|Value) should ")


def dotted(*path: str | int) -> str:
    """Return a path as TOML writes it, with positions in lists (from 0) in brackets."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += ("." if text else "") + (key if _BARE_KEY.fullmatch(key) else f'"{key}"')
    return text


def describe(error: ValidationError, tenant_id: str, place: Callable[..., Path]) -> list[str]:
    """Return a line for each error of the model; `place` says where it is in the file."""
    return [_line(details, tenant_id, place) for details in error.errors(include_url=False)]


def _line(details: ErrorDetails, tenant_id: str, place: Callable[..., Path]) -> str:
    # What is wrong with a key of a free table is said at that key.
    location = tuple(each for each in details["loc"] if each != "[key]")
    where = place(*(FILE_KEYS.get(key, key) if isinstance(key, str) else key for key in location))
    if location == ("id",) or (len(location) > 1 and (location[0], location[-1]) in _NAMED_BY_TABLE):
        where = where[:-1]
    return f"{dotted('tenants', tenant_id, *where)} {_sentence(details)}"


def _sentence(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "missing":
            return "is missing: add it"
        case "extra_forbidden":
            return f"is not known: {_suggestion(details['loc'])}"
        case "value_error":
            return str(context["error"])
        case "enum":
            return f"must be {context['expected']}, not '{details['input']}'"
        case "model_type" | "model_attributes_type":
            return "must be a table"
        case "tuple_type" if details["loc"] in {(noun,) for noun, _ in _NAMED_BY_TABLE}:
            return "must be tables, each with a name, such as [tenants.….sites.main]"
        case "tuple_type" | "frozen_set_type":
            return "must be a list: write […]"
    return _PYDANTIC_SUBJECT.sub("must ", details["msg"])


def _suggestion(location: Path) -> str:
    keys = [FILE_KEYS.get(field, field) for field in _model_at(location[:-1]).model_fields]
    close = get_close_matches(str(location[-1]), keys, n=1)
    return f"did you mean '{close[0]}'?" if close else "leave it out"


def _model_at(location: Path) -> type[BaseModel]:
    """Return the model of the table at this place."""
    model: type[BaseModel] = Tenant
    for name in (each for each in location if isinstance(each, str)):
        model = _model_in(model.model_fields[name].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model in an annotation such as `tuple[Client, ...]`, or None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for each in get_args(annotation) if (model := _model_in(each)) is not None), None)
