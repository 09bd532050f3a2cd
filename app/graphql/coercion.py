"""Says what is wrong with a variable or a literal without repeating its value, which may be a password."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VisitorAction,
    get_nullable_type,
    is_input_object_type,
    is_input_type,
    is_list_type,
    is_non_null_type,
    type_from_ast,
)
from graphql.language import SKIP
from graphql.utilities import validate_input_literal, validate_input_value
from strawberry.exceptions import StrawberryInputCoercionError

from app.domain.errors import AccessCode, AccessError

MAX_REPORTED = 20

# graphql-core puts the value last; the text before it has only types and fields.
_BEFORE_VALUE = re.compile(
    r"(Expected (?:a )?value of .*?)\.?(?:[,;] found|,? but encountered error| Found:|$)", re.DOTALL
)
_VALUE_FREE = "Within OneOf Input Object type "
_ARGUMENT = re.compile(r"Argument '(\w+)'")


def explain_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, values: Mapping[str, Any], *, hide_suggestions: bool
) -> list[GraphQLError]:
    """Return one error for each place where the variables do not fit the operation, at most twenty."""
    found: list[GraphQLError] = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        type_ = type_from_ast(schema, definition.type)
        value = values.get(name, Undefined)
        is_optional = definition.default_value is not None or not is_non_null_type(type_)
        if not is_input_type(type_) or (value is Undefined and is_optional):
            continue
        for error, path in _problems_of(value, type_, hide_suggestions=hide_suggestions):
            place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
            reason = describe(error, type_, path)
            found.append(
                GraphQLError(f"Variable '${name}' has an invalid value at '{name}{place}': {reason}", definition)
            )
    return found[:MAX_REPORTED] or [GraphQLError("The variables do not fit the operation.")]


def _problems_of(
    value: Any, type_: GraphQLInputType, *, hide_suggestions: bool
) -> list[tuple[GraphQLError, list[str | int]]]:
    problems: list[tuple[GraphQLError, list[str | int]]] = []
    validate_input_value(value, type_, lambda error, path: problems.append((error, path)), hide_suggestions)
    return problems


def describe(error: GraphQLError, type_: GraphQLInputType, path: Sequence[str | int]) -> str:
    """Return the reason of a failed coercion, without any part of the value."""
    if error.message.startswith(_VALUE_FREE):
        return error.message
    match = _BEFORE_VALUE.match(error.message)
    if match is not None and error.original_error is None:
        return f"{match[1]}."
    return f"Expected value of type '{_type_at(type_, path)}'."


def _type_at(type_: GraphQLInputType, path: Sequence[str | int]) -> GraphQLInputType | GraphQLNamedType:
    for step in path:
        bare = get_nullable_type(type_)
        while isinstance(step, str) and is_list_type(bare):  # one value stands for a list of one
            bare = get_nullable_type(bare.of_type)
        if isinstance(step, int) and is_list_type(bare):
            type_ = bare.of_type
        elif isinstance(step, str) and is_input_object_type(bare) and step in bare.fields:
            type_ = bare.fields[step].type
    return type_


class ValuesOfCorrectTypeQuietlyRule(ValuesOfCorrectTypeRule):
    """The specification's rule for literals, with reasons that do not repeat the literal."""

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Report each place where the literal does not fit its type."""
        if input_type is not None:

            def on_error(error: GraphQLError, path: list[str | int]) -> None:
                self.report_error(GraphQLError(describe(error, input_type, path), error.nodes))

            validate_input_literal(node, input_type, on_error, None, None, self.context.hide_suggestions)
        return SKIP


def blame_arguments(error: GraphQLError) -> GraphQLError:
    """Return an error of the execution unchanged, or as BAD_REQUEST if the arguments do not fit their types.

    Some arguments can only be checked when the field runs: null for an input that may be left out but not be null, and
    a literal with variables inside a custom scalar.
    """
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    argument = _ARGUMENT.match(cause.message) if isinstance(cause, GraphQLError) else None
    if argument is not None:
        message = f"Argument '{argument[1]}' has an invalid value."
    elif isinstance(cause, StrawberryInputCoercionError):
        message = "An argument has an invalid value."
    else:
        return error
    refusal = AccessError(AccessCode.BAD_REQUEST, message)
    return GraphQLError(message, error.nodes, path=error.path, original_error=refusal)
