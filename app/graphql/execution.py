"""Executes documents as graphql-core does, but reads plain leaves by a plan made once per document.

A leaf is plain if its value is an attribute, or what a function makes of the object alone: its field has no argument,
no extension, and no resolver that waits or asks for anything else. graphql-core executes everything else, also a plain
leaf whose value does not fit its type, with the errors.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from inspect import CORO_CREATED, getcoroutinestate
from operator import attrgetter
from types import CoroutineType
from typing import Any, NamedTuple, TypeGuard
from weakref import proxy

from graphql import (
    ExecutionResult,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLResolveInfoHelpers,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    OperationType,
    TypeNameMetaFieldDef,
    Undefined,
    get_nullable_type,
)
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.pyutils import Path
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField
from strawberry.utils.await_maybe import await_maybe

Data = dict[str, Any]
Fields = dict[str, list[FieldDetails]]
Complete = Callable[[Any], Any]

# Values of these types are never errors or awaitable; nor are members of an Enum.
_PLAIN_TYPES = frozenset({str, int, bool, float, dict, list, datetime})
# These scalars return a value of exactly this type unchanged.
_UNCHANGED: dict[object, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}


class _NotPlainError(Exception):
    """A plan cannot complete this value."""


class Leaf(NamedTuple):
    """A plain field: what reads its value off the object, and what completes a value unless it is of that type."""

    name: str
    read: Callable[[object], Any]
    complete: Complete
    unchanged: type | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The fields of one selection set on one type: the leaves, and the rest for graphql-core.

    `blank` has all names in the order of the answer, and the type's name for `__typename`.
    """

    fields: Fields
    blank: Data
    leaves: tuple[Leaf, ...]
    rest: Fields

    def read(self, source: object) -> tuple[Data, Fields]:
        """Return the answer so far, and the fields that graphql-core must execute."""
        data = self.blank.copy()
        failed: set[str] | None = None
        for name, read, complete, unchanged in self.leaves:
            try:
                value = read(source)
                data[name] = value if type(value) is unchanged else complete(value)
            except Exception:
                failed = (failed or set()) | {name}
        if failed is None:
            return data, self.rest
        return data, {name: each for name, each in self.fields.items() if name in self.rest or name in failed}

    def read_all(self, sources: Iterable[object]) -> list[Data] | None:
        """Return the whole answer for each of them, or None if graphql-core must execute any part."""
        if self.rest:
            return None
        answers = []
        try:
            for source in sources:
                data = self.blank.copy()
                for name, read, complete, unchanged in self.leaves:
                    value = read(source)
                    data[name] = value if type(value) is unchanged else complete(value)
                answers.append(data)
        except Exception:
            return None
        return answers


class Plans:
    """The plans of one document without directives, so that the fields of an object never change."""

    def __init__(self) -> None:
        self._roots: dict[int, tuple[GraphQLObjectType, Fields]] = {}
        self._plans: dict[tuple[GraphQLObjectType, tuple[int, ...]], Plan] = {}

    def get_root(self, executor: PlannedExecutor) -> tuple[GraphQLObjectType, Fields]:
        """Return the root type of the executor's operation, and what is selected of it."""
        key = id(executor.operation)
        root = self._roots.get(key)
        if root is None:
            root = self._roots[key] = executor.collect_root_fields()
        return root

    def get(self, executor: PlannedExecutor, type_: GraphQLObjectType, parents: Sequence[FieldDetails]) -> Plan:
        """Return the plan of what is selected below these fields."""
        key = (type_, tuple([id(parent.node) for parent in parents]))
        plan = self._plans.get(key)
        if plan is None:
            fields: Fields = dict(executor.collect_subfields(type_, list(parents)).grouped_field_set)
            plan = self._plans[key] = _make_plan(executor.schema, type_, fields)
        return plan


class Coroutines:
    """The coroutines of one execution.

    An execution that ends early (its time is up, the caller has gone, a field failed) leaves some that nobody has begun
    to await. They hold the caller and the token, and Python warns of each when the garbage collector finds it.
    """

    def __init__(self) -> None:
        self._made: list[CoroutineType[Any, Any, Any]] = []

    def is_awaitable(self, value: object) -> TypeGuard[Awaitable[Any]]:
        """Tell whether a value must be awaited; graphql-core asks it of all that fields return and that it makes."""
        if type(value) is CoroutineType:
            self._made.append(value)
            return True
        return optimized_is_awaitable(value)

    def close(self) -> None:
        """Close those that were never begun; to be called when nothing runs any more."""
        for coroutine in self._made:
            if getcoroutinestate(coroutine) == CORO_CREATED:
                coroutine.close()


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor. With the `plans` of the document, it reads plain leaves by them."""

    def __init__(self, *args: Any, plans: Plans | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans = plans
        # graphql-core's helpers are methods of the executor, so it would keep itself, the caller and the token alive
        # until the garbage collector runs, which stops all requests.
        executor = proxy(self)
        self.async_helpers = GraphQLResolveInfoHelpers(
            gather=lambda values: executor.gather_async_work(values),
            track=lambda values: executor.track_async_work(values),
        )

    async def answer(self) -> ExecutionResult:
        """Execute the operation: as `execute_operation` does, without its provisions for answers in several parts."""
        if self._plans is None:
            executing: Any = self.execute_operation()
            result: ExecutionResult = await await_maybe(executing)
            return result
        data: Data | None
        try:
            root_type, fields = self._plans.get_root(self)
            is_mutation = self.operation.operation is OperationType.MUTATION
            answers: Any = self.execute_root_grouped_field_set(root_type, self.root_value, fields, is_mutation, None)
            data = await answers if self.is_awaitable(answers) else answers
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            data = None
        return ExecutionResult(data, self.collected_errors.errors or None)

    def collect_root_fields(self) -> tuple[GraphQLObjectType, Fields]:
        """Return the root type of the operation, and what is selected of it."""
        root_type = self.schema.get_root_type(self.operation.operation)
        if root_type is None:
            raise GraphQLError("The schema has no such operations.", self.operation)
        found = collect_fields(self.schema, self.fragments, self.variable_values, root_type, self.operation)
        return root_type, dict(found.grouped_field_set)

    def collect_and_execute_subfields(
        self,
        return_type: GraphQLObjectType,
        field_details_list: list[FieldDetails],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Return the selected fields of the object, or an awaitable of them."""
        if self._plans is None:
            return super().collect_and_execute_subfields(
                return_type, field_details_list, path, result, position_context
            )
        data, rest = self._plans.get(self, return_type, field_details_list).read(result)
        if not rest:
            return data
        others: Any = self.execute_fields(return_type, result, path, rest, position_context)
        return _merge(data, others) if self.is_awaitable(others) else data | others

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: list[FieldDetails],
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        """Return the list of what is selected of each item, or an awaitable of it."""
        if self._plans is not None and type(items) is list:
            each = _object_that_is_there(item_type)
            answers = self._plans.get(self, each, field_details_list).read_all(items) if each is not None else None
            if answers is not None:
                return answers
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def complete_list_item_value(self, item: Any, complete_results: list[Any], *args: Any, **kwargs: Any) -> bool:
        """Complete one item; what graphql-core makes of an awaitable one it does not ask `is_awaitable` about."""
        is_awaited = super().complete_list_item_value(item, complete_results, *args, **kwargs)
        return is_awaited and self.is_awaitable(complete_results[-1])

    def settle_in_background(self, awaitables: list[Awaitable[Any]]) -> None:
        """Let what a failed field leaves of its siblings run on, but for coroutines: `Coroutines` closes them."""
        begun = [each for each in awaitables if type(each) is not CoroutineType]
        if begun:
            super().settle_in_background(begun)


async def _merge(data: Data, others: Awaitable[Data]) -> Data:
    return data | await others


def _object_that_is_there(type_: GraphQLOutputType) -> GraphQLObjectType | None:
    """Return the object type of items that are never null and need no resolution before they are read."""
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else None
    return inner if isinstance(inner, GraphQLObjectType) and inner.is_type_of is None else None


def _make_plan(schema: GraphQLSchema, type_: GraphQLObjectType, fields: Fields) -> Plan:
    blank: Data = {}
    leaves: list[Leaf] = []
    rest: Fields = {}
    for name, details in fields.items():
        field = schema.get_field(type_, details[0].node.name.value)
        blank[name] = type_.name if field is TypeNameMetaFieldDef else None
        leaf = _read_leaf(name, field)
        if leaf is not None:
            leaves.append(leaf)
        elif field is not TypeNameMetaFieldDef:
            rest[name] = details
    return Plan(fields, blank, tuple(leaves), rest)


def _read_leaf(name: str, field: GraphQLField | None) -> Leaf | None:
    definition = field.extensions.get("strawberry-definition") if field else None
    if field is None or field.args or not isinstance(definition, StrawberryField):
        return None
    read, complete = _reader(definition), _completion(field.type)
    return Leaf(name, read, complete, _UNCHANGED.get(get_nullable_type(field.type))) if read and complete else None


def _reader(definition: StrawberryField) -> Callable[[object], Any] | None:
    """Return what reads the field off the object alone; None if it takes more than that."""
    if definition.is_basic_field:
        return attrgetter(definition.python_name) if definition.default_resolver is getattr else None
    resolver = definition.base_resolver
    if resolver is None or resolver.is_async or definition.extensions or len(resolver.signature.parameters) != 1:
        return None
    takes_object = resolver.self_parameter or resolver.root_parameter or resolver.parent_parameter
    function: Any = resolver.wrapped_func
    return function if takes_object else None


def _completion(type_: GraphQLOutputType) -> Complete | None:
    """Return what completes a value of the type, or raises if it does not fit; None if the type is not plain."""
    inner = _completion_unless_null(type_.of_type if isinstance(type_, GraphQLNonNull) else type_)
    if inner is None or isinstance(type_, GraphQLNonNull):
        return inner

    def complete(value: Any) -> Any:
        return None if value is None else inner(value)

    return complete


def _completion_unless_null(type_: GraphQLOutputType) -> Complete | None:
    if isinstance(type_, GraphQLList):
        item = _completion(type_.of_type)
        return _list_completion(item) if item else None
    if isinstance(type_, GraphQLScalarType | GraphQLEnumType):
        return _leaf_completion(type_.coerce_output_value, _UNCHANGED.get(type_))
    return None


def _list_completion(complete_item: Complete) -> Complete:
    def complete(values: Any) -> Any:
        if type(values) is not list:
            raise _NotPlainError
        return [complete_item(value) for value in values]

    return complete


def _leaf_completion(coerce: Complete, unchanged: type | None) -> Complete:
    def complete(value: Any) -> Any:
        if type(value) is unchanged:
            return value
        if type(value) not in _PLAIN_TYPES and not isinstance(value, Enum):
            raise _NotPlainError
        completed = coerce(value)
        if completed is None or completed is Undefined:
            raise _NotPlainError
        return completed

    return complete
