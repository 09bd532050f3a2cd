"""Selections of everything that a type of the schema has, so that a new field is asked for without a word here."""

from __future__ import annotations

from functools import cache

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_ast_schema,
    get_named_type,
    is_required_argument,
    parse,
    print_ast,
)

from app.graphql.schema import build_schema

# Deep enough for `nodes` of a connection and what they consist of; well within the limits of a document.
_DEPTH = 4


@cache
def _schema() -> GraphQLSchema:
    return build_ast_schema(parse(build_schema().as_str()))


def everything(type_name: str) -> str:
    """Return `{ … }` with all fields of a type and of what hangs on it.

    But for those that need an argument, and those that no customer may ask for.
    """
    selected = _select(_schema().type_map[type_name], (), _DEPTH)
    assert selected, f"{type_name} has no fields."
    return selected


def _select(named: object, above: tuple[str, ...], depth: int) -> str:
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return ""
    fields = [_select_field(name, field, (*above, named.name), depth) for name, field in named.fields.items()]
    return "{ " + " ".join(field for field in fields if field) + " }"


def _select_field(name: str, field: GraphQLField, above: tuple[str, ...], depth: int) -> str:
    named = get_named_type(field.type)
    has_fields = isinstance(named, GraphQLObjectType | GraphQLInterfaceType)
    if any(is_required_argument(argument) for argument in field.args.values()) or _is_for_integrations(field):
        return ""
    if has_fields and (depth == 1 or named.name in above):
        return ""
    return f"{name} {_select(named, above, depth - 1)}".strip()


def _is_for_integrations(field: GraphQLField) -> bool:
    directives = field.ast_node.directives if field.ast_node is not None else None
    return any("kinds: [INTEGRATION]" in print_ast(directive) for directive in directives or ())
