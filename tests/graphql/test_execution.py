"""The planned execution answers what graphql-core answers, byte for byte, whatever the document and the values."""

from __future__ import annotations

import asyncio
import gc
import warnings
import weakref
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from typing import Any, cast

import orjson
import pytest
import strawberry
from graphql import ExecutionResult, execute
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from strawberry.scalars import JSON
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.utils.await_maybe import await_maybe

from app.graphql.documents import BadDocumentError, Documents
from app.graphql.limits import Limits

pytestmark = pytest.mark.anyio


@strawberry.enum
class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Leaf(Named):
    number: int
    ratio: float | None
    colour: Colour
    day: datetime | None
    tags: list[str]
    maybe_tags: list[str | None] | None
    free: JSON | None

    @strawberry.field
    def shout(self, times: int = 1) -> str:
        return f"{self.name}!" * times

    @strawberry.field
    def loud(self) -> str:
        if self.name == "broken":
            raise ValueError("loud")
        return self.name.upper()

    @strawberry.field
    @staticmethod
    def first_tag(leaf: strawberry.Parent[Any]) -> str | None:
        return leaf.tags[0] if leaf.tags else None

    @strawberry.field
    async def later(self) -> str | None:
        if self.name == "broken":
            raise ValueError("later")
        return self.name


@strawberry.type
class Node(Named):
    id: strawberry.ID
    leaf: Leaf
    maybe_leaf: Leaf | None
    leaves: list[Leaf]
    maybe_leaves: list[Leaf | None] | None
    named: Named | None

    @strawberry.field
    async def node(self, depth: int = 0) -> Node | None:
        return self if depth < 3 else None


@strawberry.type
class Query:
    @strawberry.field
    def node(self, info: strawberry.Info) -> Node:
        return cast("Node", info.context)

    @strawberry.field
    async def maybe_node(self, info: strawberry.Info, missing: bool = False) -> Node | None:
        return None if missing else cast("Node", info.context)


@strawberry.type
class Payload:
    node: Node | None
    done: int


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def change(self, info: strawberry.Info, by: int = 1) -> Payload:
        info.context.changes.append(by)
        return Payload(node=cast("Node", info.context), done=sum(info.context.changes))


SCHEMA = strawberry.Schema(Query, Mutation, types=[Leaf, Node])
CORE = SCHEMA._schema
DOCUMENTS = Documents(
    SCHEMA, Limits(tokens=5_000, depth=50, aliases=500, root_fields=50, mutations=50), production=False
)

# Arguments, and the type below a field that has one.
FIELDS: dict[str, dict[str, tuple[str, str | None]]] = {
    "Query": {"node": ("", "Node"), "maybeNode": ("(missing: $missing)", "Node")},
    "Mutation": {"change": ("(by: 2)", "Payload")},
    "Payload": {"node": ("", "Node"), "done": ("", None)},
    "Node": {
        "id": ("", None),
        "name": ("", None),
        "leaf": ("", "Leaf"),
        "maybeLeaf": ("", "Leaf"),
        "leaves": ("", "Leaf"),
        "maybeLeaves": ("", "Leaf"),
        "named": ("", "Named"),
        "node": ("(depth: $depth)", "Node"),
    },
    "Named": {"name": ("", None)},
    "Leaf": {
        **dict.fromkeys(("name", "number", "ratio", "colour", "day", "tags", "maybeTags", "free"), ("", None)),
        **dict.fromkeys(("loud", "firstTag"), ("", None)),
        "shout": ("(times: $depth)", None),
        "later": ("", None),
    },
}
DIRECTIVES = (
    "",
    "",
    "",
    "",
    " @include(if: $missing)",
    " @skip(if: $missing)",
    " @skip(if: true)",
    " @include(if: true)",
)


@st.composite
def selections(draw: st.DrawFn, type_name: str, depth: int = 0, *, directives: bool) -> str:
    """Return a selection set of the type, with aliases, fragments and directives."""
    parts = []
    for _ in range(draw(st.integers(1, 5))):
        directive = draw(st.sampled_from(DIRECTIVES)) if directives else ""
        kinds = ["field"] * 6 + ["typename", "inline", "spread"]
        kind = draw(st.sampled_from(kinds if depth < 5 else ["leaf"]))
        if kind == "typename" or (kind == "leaf" and type_name in ("Query", "Mutation", "Payload")):
            parts.append(f"{draw(st.sampled_from(('', 'kind: ')))}__typename{directive}")
        elif kind == "inline":
            below = draw(st.sampled_from(("Leaf", "Node"))) if type_name == "Named" else type_name
            inner = draw(selections(below, depth + 1, directives=directives))
            parts.append(f"... on {below}{directive} {inner}")
        elif kind == "spread" and type_name in ("Leaf", "Node", "Named"):
            parts.append(f"...{type_name}Parts{directive}")
        else:
            names = [name for name, (_, below) in FIELDS[type_name].items() if below is None or depth < 5]
            name = draw(st.sampled_from(names))
            arguments, below_or_none = FIELDS[type_name][name]
            alias = draw(st.sampled_from(("", "", "", f"other{name}: ")))
            inner = draw(selections(below_or_none, depth + 1, directives=directives)) if below_or_none else ""
            parts.append(f"{alias}{name}{arguments}{directive} {inner}")
    return "{ " + " ".join(parts) + " }"


FRAGMENTS = """
fragment LeafParts on Leaf { name colour again: tags shout(times: $depth) }
fragment NodeParts on Node { id leaf { ...LeafParts } leaves { number } __typename }
fragment NamedParts on Named { name ... on Leaf { number } ... on Node { id } }
"""


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Return a document that is valid."""
    operation, root = draw(st.sampled_from((("query", "Query"), ("query", "Query"), ("mutation", "Mutation"))))
    body = draw(selections(root, directives=draw(st.booleans())))
    head = f"{operation} ($missing: Boolean! = false, $depth: Int! = 1) "
    # Each fragment and variable must be used, which the last field of the root sees to.
    every = "node" if root == "Query" else "change(by: 1) { node"
    use = f"every: {every} {{ ...NodeParts named {{ ...NamedParts }} deeper: node(depth: $depth) {{ id }} }}"
    seen = f"{use}{' }' if root == 'Mutation' else ''} seen: __typename @skip(if: $missing)"
    with_directives = draw(st.booleans())
    if not with_directives:
        seen = use + (" }" if root == "Mutation" else "")
        head = head.replace("$missing: Boolean! = false, ", "") if "$missing" not in body else head
    return f"{head}{body[:-1]} {seen} }}{FRAGMENTS}"


class Later:
    """A value that has to be awaited first, as often as one likes."""

    def __await__(self) -> Generator[Any, None, str]:
        yield from ()
        return "later"


class Strange:
    """A value that fits no type, but can be turned into text."""

    def __str__(self) -> str:
        return "strange"


STRINGS: tuple[Any, ...] = (
    "Ada",
    "",
    "broken",
    None,
    7,
    True,
    1.5,
    Strange(),
    ValueError("name"),
    Colour.RED,
    ["x"],
    Later(),
)
VALUES: dict[str, tuple[Any, ...]] = {
    "name": STRINGS,
    "number": (1, 0, -5, 2**31, True, 1.0, 1.5, "1", "x", None),
    "ratio": (1.5, 2, None, float("nan"), "0.5", True),
    "colour": (Colour.RED, Colour.BLUE, "red", "RED", "green", None, []),
    "day": (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026", None, 5),
    "tags": (["a", "b"], [], ("t",), ["a", None], None, "text", [Strange()], {"k": 1}, Later()),
    "maybe_tags": (["a", None], None, (), [ValueError("tag")], 5),
    "free": ({"a": [1]}, [], None, "x", 1, ValueError("free"), Later()),
}


PLAIN: dict[str, Any] = {
    "name": "Ada",
    "number": 3,
    "ratio": 0.5,
    "colour": Colour.BLUE,
    "day": None,
    "tags": ["t"],
    "maybe_tags": None,
    "free": {},
}


@st.composite
def leaves(draw: st.DrawFn) -> Any:
    """Return what stands for a leaf: rarely whole, sometimes with an attribute missing."""
    strange = draw(st.booleans())
    plain = {**PLAIN}
    if strange:
        for name in draw(st.sets(st.sampled_from(sorted(VALUES)), max_size=3)):
            plain[name] = draw(st.sampled_from(VALUES[name]))
        for name in draw(st.sets(st.sampled_from(sorted(VALUES)), max_size=1)):
            del plain[name]
    return Leaf.__new__(Leaf) if draw(st.integers(0, 20)) == 0 else _with(Leaf.__new__(Leaf), plain)


def _with(value: Any, attributes: dict[str, Any]) -> Any:
    for name, each in attributes.items():
        setattr(value, name, each)
    return value


@st.composite
def sources(draw: st.DrawFn) -> Any:
    """Return what stands for a node."""
    leaf = leaves()
    some = st.lists(st.one_of(leaf, leaf, st.none()), max_size=3)
    attributes = {
        "id": draw(st.sampled_from(("1", 1, "x", None, Strange()))),
        "name": draw(st.sampled_from(STRINGS)),
        "leaf": draw(leaf),
        "maybe_leaf": draw(st.one_of(st.none(), leaf)),
        "leaves": draw(st.one_of(st.lists(leaf, max_size=3), some, st.none())),
        "maybe_leaves": draw(st.one_of(some, st.none())),
        "named": draw(st.one_of(st.none(), leaf)),
        "changes": [],
    }
    return _with(Node.__new__(Node), attributes)


def _bytes(result: ExecutionResult) -> bytes:
    errors = [error.formatted for error in result.errors or ()]
    return orjson.dumps({"data": result.data, "errors": errors}, default=str)


async def _by_core(text: str, source: Any, variables: dict[str, Any]) -> bytes:
    result = execute(
        CORE,
        DOCUMENTS.get(text).tree,
        context_value=source,
        variable_values=variables,
        executor_class=StrawberryGraphQLCoreExecutionContext,
    )
    return _bytes(await await_maybe(result))


VARIABLES = st.fixed_dictionaries({}, optional={"missing": st.booleans(), "depth": st.integers(0, 4)})


# When a field fails, graphql-core by itself leaves coroutines that nobody has begun to await; ours: see TestEarlyEnd.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited", "ignore::pytest.PytestUnraisableExceptionWarning")
class TestPlannedExecutor:
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(documents(), sources(), VARIABLES)
    async def test_answers_as_graphql_core_does(self, text: str, source: Any, variables: dict[str, Any]) -> None:
        try:
            document = DOCUMENTS.get(text)
        except BadDocumentError:
            reject()
        variables = {name: value for name, value in variables.items() if f"${name}" in text}
        expected = await _by_core(text, source, variables)
        source.changes.clear()
        for _ in range(2):  # the second time by plans that are there already
            result = await DOCUMENTS.execute(document, document.choose(None), variables, source)
            assert _bytes(result) == expected
            source.changes.clear()

    @pytest.mark.parametrize(("attribute", "value"), [(name, value) for name in VALUES for value in VALUES[name]])
    async def test_answers_so_for_each_value(self, attribute: str, value: Any) -> None:
        field = {"maybe_tags": "maybeTags", "name": "name loud", "tags": "tags firstTag"}.get(attribute, attribute)
        text = f"{{ maybeNode {{ maybeLeaf {{ {field} }} }} }}"
        leaf = _with(Leaf.__new__(Leaf), {**PLAIN, attribute: value})
        source = _with(Node.__new__(Node), {"maybe_leaf": leaf})
        document = DOCUMENTS.get(text)
        result = await DOCUMENTS.execute(document, document.choose(None), {}, source)
        assert _bytes(result) == await _by_core(text, source, {})


class TestEarlyEnd:
    """Whatever ends an execution, it leaves no coroutine behind that was never awaited."""

    @pytest.fixture
    def source(self) -> Node:
        leaf = _with(Leaf.__new__(Leaf), {"name": "leaf"})
        node = {"id": "1", "leaf": leaf, "leaves": [leaf] * 3, "changes": []}
        return cast("Node", _with(Node.__new__(Node), node))

    @pytest.mark.parametrize(
        "text",
        [
            "{ maybeNode { node { node { leaf { later } leaves { later } } leaf { later } } } b: maybeNode { id } }",
            "{ node { node { node { leaves { later again: later } } leaf { later } } leaf { later } } }",
            "mutation { change { node { node { id } leaf { later } } } b: change { node { leaf { later } } } }",
        ],
    )
    async def test_by_cancellation_at_any_moment(self, source: Node, text: str) -> None:
        document = DOCUMENTS.get(text)
        turns = 0
        with collected_warnings() as warned:
            while not await _ends_within(turns, DOCUMENTS.execute(document, document.choose(None), {}, source)):
                turns += 1
        assert turns > 3
        assert warned == []

    @pytest.mark.parametrize(
        "text",
        [
            "{ maybeNode { node { leaf { later } } leaf { colour } } b: maybeNode { node { leaf { later } } } }",
            "{ node { node { leaf { later } } leaf { later colour } } }",
            "{ node { leaves { later colour } } }",
            "mutation { change { node { node { id } leaf { later colour } } } }",
        ],
    )
    async def test_by_a_field_that_fails(self, source: Node, text: str) -> None:
        document = DOCUMENTS.get(text)
        with collected_warnings() as warned:
            result = await DOCUMENTS.execute(document, document.choose(None), {}, source)
            assert [str(error.original_error) for error in result.errors or ()] != []
            del result
        assert warned == []


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect the messages of all warnings, those of the garbage collector too."""
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield messages
        gc.collect()
    messages += [str(warning.message) for warning in caught]


async def _ends_within(turns: int, work: Coroutine[Any, Any, Any]) -> bool:
    """Tell whether it ends within so many turns of the event loop; if not, it is cancelled."""
    task = asyncio.create_task(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    if task.done():
        return True
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return False


class TestGarbage:
    @pytest.mark.parametrize("text", ["{ node { id } }", "{ maybeNode { id node { id leaves { name } } } }"])
    async def test_keeps_nothing_of_a_request_that_was_answered(self, text: str) -> None:
        document = DOCUMENTS.get(text)
        source = _with(Node.__new__(Node), {"id": "1", "leaves": []})
        caller = weakref.ref(source)
        gc.disable()
        try:
            assert (await DOCUMENTS.execute(document, document.choose(None), {}, source)).errors is None
            del source
            assert caller() is None
        finally:
            gc.enable()
