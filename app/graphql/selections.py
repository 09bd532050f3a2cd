"""What is selected below a root field, known before it runs: who may not see the answer shall write nothing."""

from __future__ import annotations

from collections.abc import Iterable

from strawberry.types.nodes import SelectedField, Selection

from app.graphql.context import Info


def selects(info: Info, name: str) -> bool:
    """Tell whether a field of this name is asked for anywhere below the root field that is about to run."""
    return any(_selects(selected.selections, name) for selected in info.selected_fields)


def mentions(info: Info, name: str) -> bool:
    """Tell whether the text of the document has the word, which is quickly found out before `selects` looks closer."""
    place = info._raw_info.field_nodes[0].loc  # noqa: SLF001 - Strawberry shows no text of the document
    return place is None or name in place.source.body


def _selects(selections: Iterable[Selection], name: str) -> bool:
    return any(
        (isinstance(each, SelectedField) and each.name == name) or _selects(each.selections, name)
        for each in selections
        if _is_included(each)
    )


def _is_included(selection: Selection) -> bool:
    """Tell whether `@skip` and `@include` leave it in (GraphQL section 3.13)."""
    given = selection.directives
    return not given.get("skip", {}).get("if", False) and bool(given.get("include", {}).get("if", True))
