"""Runs all validation rules as one visitor that knows which rule wants which kind of node.

graphql-core works that out anew for each document, for 30 rules and each kind in it: a third of what validation takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from graphql import ASTValidationRule, ValidationContext
from graphql.language import BREAK, SKIP, Node
from graphql.language.visitor import EnterLeaveVisitor

Handler = Callable[..., Any]
# The rules that want the kind, by their place in the list, and the names of their methods for it.
_Wishes = tuple[tuple[int, str | None, str | None], ...]


def merge_rules(rules: Iterable[type[ASTValidationRule]]) -> type[ASTValidationRule]:
    """Return one rule that reports what all of them report, in the same order."""
    return type("MergedRules", (_MergedRules,), {"rules": tuple(rules), "wishes": {}})


class _MergedRules(ASTValidationRule):
    """Does what graphql-core's `ParallelVisitor` does, for rules that only read: none of them changes the document."""

    rules: tuple[type[ASTValidationRule], ...]
    wishes: dict[str, _Wishes]

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._visitors = [rule(context) for rule in self.rules]
        # For each rule the node below which it wants to see nothing, or BREAK if it has seen enough.
        self._skipping: list[Any] = [None] * len(self._visitors)

    def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
        """Return what calls the rules that want nodes of this kind."""
        found = self.enter_leave_map.get(kind)
        if found is None:
            found = self.enter_leave_map[kind] = self._merge(self._wishes_for(kind))
        return found

    def _wishes_for(self, kind: str) -> _Wishes:
        wishes = self.wishes.get(kind)
        if wishes is None:
            wishes = self.wishes[kind] = tuple(
                (place, enter, leave)
                for place, visitor in enumerate(self._visitors)
                for enter, leave in [(_method(visitor, "enter", kind), _method(visitor, "leave", kind))]
                if enter or leave
            )
        return wishes

    def _merge(self, wishes: _Wishes) -> EnterLeaveVisitor:
        if not wishes:
            return EnterLeaveVisitor(None, None)
        visitors, skipping = self._visitors, self._skipping
        entering = [(place, getattr(visitors[place], enter)) for place, enter, _ in wishes if enter]
        leaving = [(place, getattr(visitors[place], leave) if leave else None) for place, _, leave in wishes]
        return EnterLeaveVisitor(_enter(entering, skipping), _leave(leaving, skipping))


def _method(visitor: ASTValidationRule, event: str, kind: str) -> str | None:
    return next((name for name in (f"{event}_{kind}", event) if getattr(visitor, name, None)), None)


def _enter(handlers: Sequence[tuple[int, Handler]], skipping: list[Any]) -> Handler:
    def enter(node: Node, *args: Any) -> None:
        for place, handle in handlers:
            if not skipping[place]:
                result = handle(node, *args)
                if result is SKIP or result is False:
                    skipping[place] = node
                elif result is BREAK or result is True:
                    skipping[place] = BREAK

    return enter


def _leave(handlers: Sequence[tuple[int, Handler | None]], skipping: list[Any]) -> Handler:
    def leave(node: Node, *args: Any) -> None:
        for place, handle in handlers:
            if skipping[place] is node:
                skipping[place] = None
            elif handle and not skipping[place]:
                result = handle(node, *args)
                if result is BREAK or result is True:
                    skipping[place] = BREAK

    return leave
