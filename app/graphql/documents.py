"""Parses, limits and validates each document text once, and executes it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

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
    parse,
    specified_rules,
    validate,
    visit,
)
from graphql.language import BREAK, VisitorAction
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from app.domain.errors import AccessCode
from app.domain.operation_lists import hash_operation
from app.graphql.coercion import ValuesOfCorrectTypeQuietlyRule, blame_arguments, explain_variables
from app.graphql.execution import Coroutines, PlannedExecutor, Plans
from app.graphql.limits import Limits, TooComplexError, check_limits, root_fields
from app.graphql.rules import merge_rules
from app.graphql.templates import Frame, Template, make_template, take_apart

MAX_DOCUMENTS = 512
MAX_CACHED_CHARACTERS = 128 * 1024
MAX_CACHED_TEXT = 8 * 1024
MAX_VALIDATION_ERRORS = 20

Key = TypeVar("Key", str, Frame)


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

    It has `plans` only if it has no directive, because a directive could change what is selected. If it is a `template`
    filled in, the rest is the template's, and `strings` are what was filled in.
    """

    text: str
    hash: str
    tree: DocumentNode
    operations: Mapping[str | None, Operation]
    plans: Plans | None
    template: Template | None = None
    strings: Mapping[str, str] = field(default_factory=dict)

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


class _Recent(Generic[Key]):
    """The documents that were asked for last, each known by its text, or by what its text has in common with others."""

    def __init__(self) -> None:
        self._documents: OrderedDict[Key, Document] = OrderedDict()
        self._characters = 0

    def get(self, key: Key) -> Document | None:
        document = self._documents.get(key)
        if document is not None:
            self._documents.move_to_end(key)
        return document

    def keep(self, key: Key, document: Document) -> None:
        # A syntax tree takes about a hundred times the memory of its text, so the size of the text is the limit.
        if len(document.text) > MAX_CACHED_TEXT:
            return
        self._documents[key] = document
        self._characters += len(document.text)
        while len(self._documents) > MAX_DOCUMENTS or self._characters > MAX_CACHED_CHARACTERS:
            _, oldest = self._documents.popitem(last=False)
            self._characters -= len(oldest.text)


class Documents:
    """The documents of one schema; recent ones are cached.

    With `production` there is no introspection, and errors suggest no names.
    """

    def __init__(self, schema: strawberry.Schema, limits: Limits, *, production: bool) -> None:
        self._schema = schema
        self._limits = limits
        self._hide_suggestions = production
        self._rule = merge_rules(
            [
                *(
                    ValuesOfCorrectTypeQuietlyRule if rule is ValuesOfCorrectTypeRule else rule
                    for rule in specified_rules
                ),
                MaybeNullValidationRule,
                OneOfInputValidationRule,
                *((NoSchemaIntrospectionCustomRule,) if production else ()),
            ]
        )
        self._ready: _Recent[str] = _Recent()
        self._templates: _Recent[Frame] = _Recent()
        self._bad: OrderedDict[str, BadDocumentError] = OrderedDict()

    def get(self, text: str) -> Document:
        """Return the document of this text; raises `BadDocumentError` with every reason."""
        document = self._ready.get(text)
        if document is not None:
            return document
        refused = self._bad.get(text)
        if refused is not None:
            raise BadDocumentError(refused.code, *refused.errors)
        apart = take_apart(text)
        document = self._fill(text, *apart) if apart else None
        if document is not None:
            return document
        try:
            document = self._prepare(text)
        except BadDocumentError as error:
            self._keep_bad(text, error)
            raise
        if apart and self._keep_template(document, *apart):
            return self._fill(text, *apart) or document
        self._ready.keep(text, document)
        return document

    async def execute(
        self, document: Document, operation: Operation, variables: Mapping[str, Any], context: object
    ) -> ExecutionResult:
        """Run the operation; an answer without data and without error paths is one whose variables do not fit."""
        coroutines = Coroutines()
        values = {**variables, **document.strings}
        try:
            executor: Any = PlannedExecutor.build(
                self._schema._schema,  # noqa: SLF001 — Strawberry has no public name for graphql-core's schema
                document.tree,
                context_value=context,
                raw_variable_values=values,
                operation_name=operation.name,
                is_awaitable=coroutines.is_awaitable,
                plans=document.plans,
            )
            result = ExecutionResult(None, executor) if isinstance(executor, list) else await executor.answer()
        finally:
            coroutines.close()
        if result.data is None and result.errors and all(_is_about_variables(error) for error in result.errors):
            result.errors = explain_variables(
                self._schema._schema,  # noqa: SLF001 — as above
                operation.node,
                values,
                hide_suggestions=self._hide_suggestions,
            )
        elif result.errors:
            result.errors = [blame_arguments(error) for error in result.errors]
        if result.errors and document.template is not None:
            for error in result.errors:
                document.template.relocate(error, document.strings)
        return result

    def _fill(self, text: str, frame: Frame, strings: Sequence[str]) -> Document | None:
        """Return the document if it is a template filled in; this is what makes an ever-new text cheap."""
        document = self._templates.get(frame)
        filled = document.template.fill(strings) if document is not None and document.template is not None else None
        if document is None or filled is None:
            return None
        return replace(document, text=text, hash=hash_operation(text), strings=filled)

    def _keep_template(self, document: Document, frame: Frame, strings: Sequence[str]) -> bool:
        template = make_template(document.tree, frame, strings, self._schema._schema)  # noqa: SLF001 — as above
        if template is None:
            return False
        tree, plans = template.tree, _plans_of("".join(frame))
        operations = _operations_of(tree)
        self._templates.keep(frame, replace(document, tree=tree, operations=operations, plans=plans, template=template))
        return True

    def _prepare(self, text: str) -> Document:
        tree = self._parse(text)
        try:
            check_limits(tree, self._limits)
        except TooComplexError as error:
            raise BadDocumentError(AccessCode.QUERY_TOO_COMPLEX, GraphQLError(str(error))) from None
        errors = validate(
            self._schema._schema,  # noqa: SLF001 — as above
            tree,
            [self._rule],
            MAX_VALIDATION_ERRORS,
            self._hide_suggestions,
        )
        if errors:
            raise BadDocumentError(AccessCode.BAD_REQUEST, *errors)
        return Document(text, hash_operation(text), tree, _operations_of(tree), _plans_of(text))

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


def _plans_of(text: str) -> Plans | None:
    return Plans() if "@" not in text else None


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
