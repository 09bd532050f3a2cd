"""Whether the path of a user error leads to a field of the operation's input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    OperationDefinitionNode,
    parse,
)

from tests.harness.access import served_schema


def lost_paths(document: str, data: Mapping[str, Any] | None) -> list[str]:
    """Return the paths, such as `updateAddress addressId`, in an answer's user errors that lead to no input field."""
    told = {key: payload["userErrors"] for key, payload in (data or {}).items() if _has_user_errors(payload)}
    if not told:
        return []
    return [
        f"{name} {'.'.join(error['field'])}"
        for key, name in _root_fields(document)
        for error in told.get(key, ())
        if error.get("field") and not leads_to_input(name, error["field"])
    ]


def leads_to_input(mutation: str, path: Sequence[str]) -> bool:
    """Tell whether the path leads to a field of the mutation's `input`; items of a list are counted from `0`."""
    root = served_schema().mutation_type
    assert isinstance(root, GraphQLObjectType)
    return _leads(root.fields[mutation].args["input"].type, path)


def _leads(type_: GraphQLInputType, path: Sequence[str]) -> bool:
    if isinstance(type_, GraphQLNonNull):
        return _leads(type_.of_type, path)
    if not path:
        return True
    if isinstance(type_, GraphQLList):
        return path[0].isdecimal() and _leads(type_.of_type, path[1:])
    if not isinstance(type_, GraphQLInputObjectType):
        # What is in a JSON value is the shop's to say.
        return type_.name == "JSON"
    below = type_.fields.get(path[0])
    return below is not None and _leads(below.type, path[1:])


def _has_user_errors(payload: Any) -> bool:
    return isinstance(payload, dict) and bool(payload.get("userErrors"))


def _root_fields(document: str) -> Iterator[tuple[str, str]]:
    """Yield the key in the answer and the name of each root field that an operation asks for itself."""
    for operation in parse(document).definitions:
        if isinstance(operation, OperationDefinitionNode):
            for field in operation.selection_set.selections:
                if isinstance(field, FieldNode):
                    yield (field.alias or field.name).value, field.name.value
