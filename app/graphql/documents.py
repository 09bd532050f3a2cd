"""Parses, limits and validates each document text once, and executes it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    ValuesOfCorrectTypeRule,
    Visitor,
    execute,
    parse,
    specified_rules,
    validate,
    visit,
)
from graphql.language import BREAK, VisitorAction
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.utils.await_maybe import await_maybe

from app.domain.errors import AccessCode
from app.domain.operation_lists import hash_operation
from app.graphql.coercion import ValuesOfCorrectTypeQuietlyRule, blame_arguments, explain_variables
from app.graphql.execution import Coroutines, PlannedExecutor, Plans
from app.graphql.limits import Limits, TooComplexError, check_limits, root_fields

MAX_DOCUMENTS = 512
MAX_CACHED_CHARACTERS = 128 * 1024
MAX_CACHED_TEXT = 8 * 1024
MAX_VALIDATION_ERRORS = 20


class BadDocumentError(Exception):
    """The document, or the choice of its operation, is not one that we execute; `errors` say why."""

    def __init__(self, code: AccessCode, *errors: GraphQLError) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document; `fields` are the names of the root fields that it runs."""

    name: str | None
    is_query: bool
    fields: tuple[str, ...]
    node: OperationDefinitionNode


@dataclass(frozen=True, slots=True)
class Document:
    """A document that may be executed; `hash` identifies it in lists.

    It has `plans` only if it has no directive, because a directive could change what is selected.
    """

    text: str
    hash: str
    tree: DocumentNode
    operations: Mapping[str | None, Operation]
    plans: Plans | None

    def choose(self, name: str | None) -> Operation:
        """Return the operation to run; without a name, the only one (GraphQL specification, `GetOperation`)."""
        if name is None:
            if len(self.operations) == 1:
                return next(iter(self.operations.values()))
            reason = "Give an operationName: the document holds several operations."
        else:
            operation = self.operations.get(name)
            if operation is not None:
                return operation
            reason = "The document holds no operation of that operationName."
        raise BadDocumentError(AccessCode.BAD_REQUEST, GraphQLError(reason))


class Documents:
    """The documents of one schema; recent ones are cached.

    With `production` there is no introspection, and errors suggest no names.
    """

    def __init__(self, schema: strawberry.Schema, limits: Limits, *, production: bool) -> None:
        self._schema = schema
        self._limits = limits
        self._hide_suggestions = production
        self._rules = (
            *(ValuesOfCorrectTypeQuietlyRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules),
            MaybeNullValidationRule,
            OneOfInputValidationRule,
            *((NoSchemaIntrospectionCustomRule,) if production else ()),
        )
        self._ready: OrderedDict[str, Document] = OrderedDict()
        self._ready_characters = 0
        self._bad: OrderedDict[str, BadDocumentError] = OrderedDict()

    def get(self, text: str) -> Document:
        """Return the document of this text; raises `BadDocumentError` with every reason."""
        document = self._ready.get(text)
        if document is not None:
            self._ready.move_to_end(text)
            return document
        refused = self._bad.get(text)
        if refused is not None:
            raise BadDocumentError(refused.code, *refused.errors)
        try:
            document = self._prepare(text)
        except BadDocumentError as error:
            self._keep_bad(text, error)
            raise
        self._keep_ready(document)
        return document

    async def execute(
        self, document: Document, operation: Operation, variables: Mapping[str, Any], context: object
    ) -> ExecutionResult:
        """Run the operation; an answer without data and without error paths is one whose variables do not fit."""
        coroutines = Coroutines()
        try:
            result = await await_maybe(
                execute(
                    self._schema._schema,  # noqa: SLF001 — Strawberry has no public name for graphql-core's schema
                    document.tree,
                    variable_values=dict(variables),
                    context_value=context,
                    operation_name=operation.name,
                    executor_class=PlannedExecutor,
                    is_awaitable=coroutines.is_awaitable,
                    plans=document.plans,
                )
            )
        finally:
            coroutines.close()
        if result.data is None and result.errors and all(_is_about_variables(error) for error in result.errors):
            result.errors = explain_variables(
                self._schema._schema,  # noqa: SLF001 — as above
                operation.node,
                variables,
                hide_suggestions=self._hide_suggestions,
            )
        elif result.errors:
            result.errors = [blame_arguments(error) for error in result.errors]
        return result

    def _prepare(self, text: str) -> Document:
        tree = self._parse(text)
        try:
            check_limits(tree, self._limits)
        except TooComplexError as error:
            raise BadDocumentError(AccessCode.QUERY_TOO_COMPLEX, GraphQLError(str(error))) from None
        errors = validate(
            self._schema._schema,  # noqa: SLF001 — as above
            tree,
            self._rules,
            MAX_VALIDATION_ERRORS,
            self._hide_suggestions,
        )
        if errors:
            raise BadDocumentError(AccessCode.BAD_REQUEST, *errors)
        return Document(text, hash_operation(text), tree, _operations_of(tree), Plans() if "@" not in text else None)

    def _parse(self, text: str) -> DocumentNode:
        if "\0" in text:
            raise BadDocumentError(AccessCode.BAD_REQUEST, GraphQLError("The document holds a NUL character."))
        try:
            tree = parse(text, max_tokens=self._limits.tokens)
        except GraphQLError as error:
            # graphql-core has no error class for this; only its message differs from that of a syntax error.
            too_long = f"more than {self._limits.tokens} tokens" in error.message
            code = AccessCode.QUERY_TOO_COMPLEX if too_long else AccessCode.BAD_REQUEST
            raise BadDocumentError(code, error) from None
        if "\\u" in text:
            finder = _NulFinder()
            visit(tree, finder)
            if finder.found:
                reason = GraphQLError("The document holds a NUL character.")
                raise BadDocumentError(AccessCode.BAD_REQUEST, reason)
        return tree

    def _keep_ready(self, document: Document) -> None:
        # A syntax tree takes about a hundred times the memory of its text, so the size of the text is the limit.
        if len(document.text) > MAX_CACHED_TEXT:
            return
        self._ready[document.text] = document
        self._ready_characters += len(document.text)
        while len(self._ready) > MAX_DOCUMENTS or self._ready_characters > MAX_CACHED_CHARACTERS:
            oldest, _ = self._ready.popitem(last=False)
            self._ready_characters -= len(oldest)

    def _keep_bad(self, text: str, error: BadDocumentError) -> None:
        # Apart from the good ones, so that a flood of nonsense pushes none of them out.
        if len(text) > MAX_CACHED_TEXT:
            return
        self._bad[text] = BadDocumentError(error.code, *(_without_tree(each) for each in error.errors))
        if len(self._bad) > MAX_DOCUMENTS:
            self._bad.popitem(last=False)


class _NulFinder(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def enter_string_value(self, node: StringValueNode, *_args: Any) -> VisitorAction:
        self.found = "\0" in node.value
        return BREAK if self.found else None


def _operations_of(tree: DocumentNode) -> dict[str | None, Operation]:
    fragments = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}
    return {
        node.name.value if node.name else None: Operation(
            name=node.name.value if node.name else None,
            is_query=node.operation is OperationType.QUERY,
            fields=tuple(field.name.value for field in root_fields(node, fragments).values()),
            node=node,
        )
        for node in tree.definitions
        if isinstance(node, OperationDefinitionNode)
    }


def _is_about_variables(error: GraphQLError) -> bool:
    return error.path is None and (error.original_error is None or isinstance(error.original_error, GraphQLError))


def _without_tree(error: GraphQLError) -> GraphQLError:
    """Return the same error without its syntax tree, to free the memory."""
    light = GraphQLError(error.message, extensions=error.extensions)
    light.locations = error.locations
    return light
