"""Arguments for any root field, made from the schema: the least that it takes, with ids where a test wants them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import uuid4

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    get_named_type,
    is_leaf_type,
)

from tests.factories import PASSWORD

UNKNOWN_ID = "00000000-0000-7000-8000-000000000000"
REDIRECT_URI = "https://shop.example/callback"

Path = tuple[str, ...]

# What the rules want of a text, by the name that it has wherever it stands; any other text will do.
_TEXTS: Mapping[str, Any] = {
    "brand": "visa",
    "city": "Berlin",
    "codeChallenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWxIyW0xW0xW0",
    "codeVerifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXkaaaa",
    "country": "DE",
    "newPassword": "amber-lantern-77",
    "password": PASSWORD,
    "redirectUri": REDIRECT_URI,
}
_NEW: Mapping[str, str] = {"email": "{}@example.com", "newEmail": "{}@example.com", "code": "c-{}"}
_SCALARS: Mapping[str, Any] = {
    "ID": UNKNOWN_ID,
    "String": "something",
    "Int": 1,
    "Boolean": True,
    "JSON": {},
    "Date": "2030-01-01",
    "DateTime": "2020-01-01T00:00:00Z",
    "_Any": {"__typename": "Customer", "id": UNKNOWN_ID},
}


def least_arguments(field: GraphQLField) -> dict[str, Any]:
    """Return what the field cannot do without; addresses and the like are new each time."""
    return {name: _value(name, argument.type) for name, argument in field.args.items() if _is_needed(argument)}


def _is_needed(given: GraphQLArgument | GraphQLInputField) -> bool:
    return isinstance(given.type, GraphQLNonNull) and given.default_value is Undefined


def _value(name: str, type_: GraphQLInputType) -> Any:
    if isinstance(type_, GraphQLNonNull):
        return _value(name, type_.of_type)
    if isinstance(type_, GraphQLList):
        return [_value(name, type_.of_type)]
    if isinstance(type_, GraphQLInputObjectType):
        return {each: _value(each, field.type) for each, field in type_.fields.items() if _is_needed(field)}
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if name in _NEW:
        return _NEW[name].format(uuid4().hex)
    return _TEXTS.get(name, _SCALARS[type_.name])


def id_paths(field: GraphQLField) -> Iterator[Path]:
    """Yield where an id may stand in the arguments, needed or not: `("input", "groupIds", "0")`."""
    for name, argument in field.args.items():
        yield from _id_paths(argument.type, (name,))


def _id_paths(type_: GraphQLInputType, path: Path) -> Iterator[Path]:
    if isinstance(type_, GraphQLNonNull):
        yield from _id_paths(type_.of_type, path)
    elif isinstance(type_, GraphQLList):
        yield from _id_paths(type_.of_type, (*path, "0"))
    elif isinstance(type_, GraphQLInputObjectType):
        for name, field in type_.fields.items():
            yield from _id_paths(field.type, (*path, name))
    elif type_.name in {"ID", "_Any"}:
        yield path


def with_id(field: GraphQLField, path: Path, id_: str, *, other_ids: str) -> dict[str, Any]:
    """Return the least arguments of the field with this id at one place, and another one wherever an id is needed."""
    arguments: dict[str, Any] = json.loads(json.dumps(least_arguments(field)).replace(UNKNOWN_ID, other_ids))
    for name, argument in field.args.items():
        if name == path[0]:
            arguments[name] = _put(arguments.get(name), name, argument.type, path[1:], id_)
    return arguments


def _put(so_far: Any, name: str, type_: GraphQLInputType, path: Path, id_: str) -> Any:
    if isinstance(type_, GraphQLNonNull):
        return _put(so_far, name, type_.of_type, path, id_)
    if isinstance(type_, GraphQLList):
        return [_put(so_far[0] if so_far else None, name, type_.of_type, path[1:], id_)]
    if isinstance(type_, GraphQLInputObjectType):
        inner = so_far if so_far is not None else _value(name, type_)
        below = type_.fields[path[0]].type
        return {**inner, path[0]: _put(inner.get(path[0]), path[0], below, path[1:], id_)}
    return {**_SCALARS["_Any"], "id": id_} if type_.name == "_Any" else id_


def document(root: str, name: str, field: GraphQLField, arguments: Collection[str]) -> str:
    """Return the operation that calls the field with these arguments as variables, and asks for what came of it."""
    declared = ", ".join(f"${each}: {field.args[each].type}" for each in arguments)
    given = ", ".join(f"{each}: ${each}" for each in arguments)
    variables, call = (f"({declared})", f"{name}({given})") if arguments else ("", name)
    return f"{root.lower()} {variables} {{ {call} {_outcome(field)} }}"


def _outcome(field: GraphQLField) -> str:
    """Select the user errors, and whether each result is there; the nodes of a connection by their id."""
    named = get_named_type(field.type)
    if is_leaf_type(named):
        return ""
    selected = ["__typename"]
    for name, result in named.fields.items() if isinstance(named, GraphQLObjectType) else ():
        if name == "userErrors":
            selected.append("userErrors { code field }")
        elif name == "nodes":
            selected.append("nodes { id }")
        elif named.name.endswith("Payload") and not is_leaf_type(get_named_type(result.type)):
            selected.append(f"{name} {{ __typename }}")
    return "{ " + " ".join(selected) + " }"
