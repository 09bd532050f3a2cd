"""Takes the strings of a valid document out into variables, for documents that differ only in them.

Scripts, curl and GraphiQL write values into the document: each text is new, but what must be checked is not. A text
that is a template filled in needs no parsing and no validation, and meets the plans that are there already.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from graphql import (
    SKIP,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLID,
    GraphQLInputType,
    GraphQLSchema,
    GraphQLString,
    NameNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SourceLocation,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    VisitorAction,
    get_named_type,
    is_input_object_type,
    is_leaf_type,
    parse_type,
    visit,
)
from graphql.utilities import validate_input_literal

# A string in which every character stands for itself. Others stay where they are.
_STRING = re.compile(r'("[^"\\\x00-\x1f\ud800-\udfff]*")')

Frame = tuple[str, ...]


def take_apart(text: str) -> tuple[Frame, list[str]] | None:
    """Return what stands around the strings of a document, and the strings; None if it has none that can be taken out.

    If these are whole tokens in one text, they are in each text with the same frame, and the other tokens are the same.
    """
    if '"' not in text or '"""' in text:
        return None
    pieces = _STRING.split(text)
    return tuple(pieces[::2]), [string[1:-1] for string in pieces[1::2]]


@dataclass(frozen=True, slots=True)
class _Blank:
    """Where a string stood. `type` says what fits; None if every string does."""

    location: SourceLocation
    length: int
    type: GraphQLInputType | None


@dataclass(frozen=True, slots=True)
class Template:
    """A valid document with variables `$0`, `$1` … (names that no document can have) where its strings were."""

    tree: DocumentNode
    blanks: tuple[_Blank, ...]

    def fill(self, strings: Sequence[str]) -> Mapping[str, str] | None:
        """Return the values of the variables, or None if one of the strings does not fit its type."""
        for blank, string in zip(self.blanks, strings, strict=True):
            if blank.type is not None and not _fits(string, blank.type):
                return None
        return {str(number): string for number, string in enumerate(strings)}

    def relocate(self, error: GraphQLError, strings: Mapping[str, str]) -> None:
        """Correct the places of an error: they are those of the text that the template was made of."""
        if error.locations:
            error.locations = [self._relocate(location, strings) for location in error.locations]

    def _relocate(self, location: SourceLocation, strings: Mapping[str, str]) -> SourceLocation:
        shift = sum(
            len(strings[str(number)]) - blank.length
            for number, blank in enumerate(self.blanks)
            if blank.location.line == location.line and blank.location.column < location.column
        )
        return SourceLocation(location.line, location.column + shift)


def make_template(tree: DocumentNode, frame: Frame, strings: Sequence[str], schema: GraphQLSchema) -> Template | None:
    """Return the template of a valid document, or None if its strings may decide whether such a document is valid."""
    operations = [node for node in tree.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) != 1:
        return None
    type_info = TypeInfo(schema)
    taker = _StringTaker(type_info, _starts(frame, strings))
    taken: DocumentNode = visit(tree, TypeInfoVisitor(type_info, taker))
    if len(taker.blanks) != len(strings) or taker.has_rivals():
        return None
    definitions = tuple(
        replace(node, variable_definitions=(*(node.variable_definitions or ()), *taker.variables))
        if isinstance(node, OperationDefinitionNode)
        else node
        for node in taken.definitions
    )
    return Template(replace(taken, definitions=definitions), tuple(taker.blanks))


def _starts(frame: Frame, strings: Sequence[str]) -> list[int]:
    """Return where each string begins in the text."""
    lengths = (len(before) + len(string) + 2 for before, string in zip(frame, strings, strict=False))
    ends = accumulate(lengths, initial=0)
    return [end + len(before) for end, before in zip(ends, frame[:-1], strict=False)]


class _StringTaker(Visitor):
    """Puts variables in the place of the strings that begin where it is told, in the order of the text."""

    def __init__(self, type_info: TypeInfo, starts: Sequence[int]) -> None:
        super().__init__()
        self.blanks: list[_Blank] = []
        self.variables: list[VariableDefinitionNode] = []
        self._type_info = type_info
        self._starts = starts
        self._names: Counter[str] = Counter()
        self._with_arguments: set[str] = set()

    def has_rivals(self) -> bool:
        """Tell whether fields share a name and have arguments: then equal values may be what makes them valid."""
        return any(self._names[name] > 1 for name in self._with_arguments)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        name = (node.alias or node.name).value
        self._names[name] += 1
        if node.arguments:
            self._with_arguments.add(name)

    def enter_directive(self, *_: Any) -> VisitorAction:
        return SKIP

    def enter_variable_definition(self, *_: Any) -> VisitorAction:
        return SKIP

    def enter_object_value(self, _node: ObjectValueNode, *_: Any) -> VisitorAction:
        # A scalar may take an object, and then it alone knows what fits inside.
        return None if is_input_object_type(get_named_type(self._type_info.get_input_type())) else SKIP

    def enter_string_value(self, node: StringValueNode, *_: Any) -> Node | None:
        type_ = self._type_info.get_input_type()
        number = len(self.blanks)
        is_expected = node.loc is not None and number < len(self._starts) and node.loc.start == self._starts[number]
        if node.loc is None or not is_expected or type_ is None or not is_leaf_type(get_named_type(type_)):
            return None
        takes_all = get_named_type(type_) in (GraphQLString, GraphQLID)
        location = node.loc.source.get_location(node.loc.start)
        self.blanks.append(_Blank(location, len(node.value), None if takes_all else type_))
        # With its place, because errors about it are told with the place of the string.
        variable = VariableNode(name=NameNode(value=str(number)), loc=node.loc)
        self.variables.append(VariableDefinitionNode(variable=variable, type=parse_type(str(type_)), directives=()))
        return variable


def _fits(string: str, type_: GraphQLInputType) -> bool:
    problems: list[GraphQLError] = []
    validate_input_literal(StringValueNode(value=string), type_, lambda error, _: problems.append(error))
    return not problems
