"""Measures how much one document selects, including its fragments, and says what is too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

MAX_FRAGMENT_NESTING = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one document; `depth` counts fields from the root to the leaf."""

    tokens: int = 1_000
    depth: int = 10
    aliases: int = 15
    root_fields: int = 10
    mutations: int = 4
    credential_mutations: int = 1
    credential_fields: frozenset[str] = field(default_factory=frozenset)


class TooComplexError(Exception):
    """The document is over a limit; the message says which."""


def check_limits(tree: DocumentNode, limits: Limits) -> None:
    """Raise `TooComplexError` when any operation of the document is over a limit.

    Runs before validation, which costs more, so fragments may still be missing, unused or circular.
    """
    fragments = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}
    ruler = _Ruler(fragments, limits)
    for node in tree.definitions:
        if isinstance(node, OperationDefinitionNode):
            ruler.check(node)


def root_fields(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> dict[str, FieldNode]:
    """Return the root fields that the operation runs, by their names in the answer."""
    return {
        (node.alias or node.name).value: node for node in _fields_of(operation.selection_set, fragments, visited=set())
    }


def _fields_of(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], visited: set[str]
) -> Iterator[FieldNode]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _fields_of(node.selection_set, fragments, visited)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
            visited.add(node.name.value)
            fragment = fragments.get(node.name.value)
            if fragment is not None:
                yield from _fields_of(fragment.selection_set, fragments, visited)


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int = 0
    aliases: int = 0


class _Ruler:
    """Measures each fragment once, so that fragments that spread fragments cost no more than their text."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], limits: Limits) -> None:
        self._fragments = fragments
        self._limits = limits
        self._measured: dict[str, _Size] = {}

    def check(self, operation: OperationDefinitionNode) -> None:
        limits = self._limits
        size = self._measure(operation.selection_set, nesting=0)
        _check_at_most(limits.depth, size.depth, "levels of fields")
        _check_at_most(limits.aliases, size.aliases, "aliases")
        roots = root_fields(operation, self._fragments)
        _check_at_most(limits.root_fields, len(roots), "fields at the root")
        if operation.operation is OperationType.MUTATION:
            names = [node.name.value for node in roots.values()]
            _check_at_most(limits.mutations, len(names), "mutations in one operation")
            credentials = sum(name in limits.credential_fields for name in names)
            _check_at_most(limits.credential_mutations, credentials, "mutation of credentials in one operation")

    def _measure(self, selections: SelectionSetNode, nesting: int) -> _Size:
        _check_at_most(MAX_FRAGMENT_NESTING + self._limits.depth, nesting, "levels of nesting")
        depth = aliases = 0
        for node in selections.selections:
            size = self._measure_selection(node, nesting + 1)
            depth = max(depth, size.depth)
            aliases += size.aliases
        return _Size(depth, aliases)

    def _measure_selection(self, node: object, nesting: int) -> _Size:
        if isinstance(node, FieldNode):
            # graphql-core has its own depth rule for introspection; GraphiQL's query is deeper than our limit.
            below = node.selection_set if not node.name.value.startswith("__") else None
            size = self._measure(below, nesting) if below is not None else _Size()
            return _Size(size.depth + 1, size.aliases + (node.alias is not None))
        if isinstance(node, FragmentSpreadNode):
            return self._measure_fragment(node.name.value, nesting)
        if isinstance(node, InlineFragmentNode):
            return self._measure(node.selection_set, nesting)
        return _Size()

    def _measure_fragment(self, name: str, nesting: int) -> _Size:
        size = self._measured.get(name)
        if size is None:
            self._measured[name] = _Size()  # ends a circle, which validation refuses later
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._measured[name] = self._measure(fragment.selection_set, nesting)
            size = self._measured[name]
        return size


def _check_at_most(most: int, found: int, what: str) -> None:
    if found > most:
        raise TooComplexError(f"The operation is too complex: at most {most} {what}.")
