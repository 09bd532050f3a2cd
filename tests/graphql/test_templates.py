"""A document that differs from a valid one only in its strings is answered as if it were read from the start."""

from __future__ import annotations

import json
from datetime import date
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError, parse, specified_rules, validate
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.scalars import JSON

from app.graphql import documents as module
from app.graphql.documents import BadDocumentError, Documents
from app.graphql.limits import Limits
from app.graphql.rules import merge_rules
from app.graphql.schema import build_schema

pytestmark = pytest.mark.anyio


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.input
class Note:
    text: str
    on: date | None = None
    tags: list[str] = strawberry.field(default_factory=list)
    more: JSON | None = None


@strawberry.input(one_of=True)
class Which:
    id: strawberry.ID | None = strawberry.UNSET
    name: str | None = strawberry.UNSET


@strawberry.type
class Query:
    @strawberry.field
    def shout(self, text: str, times: int = 1) -> str:
        if text == "fail":
            raise GraphQLError("It failed.")
        return text.upper() * times

    @strawberry.field
    def weekday(self, of: date, colour: Colour = Colour.RED) -> int:
        return of.weekday()

    @strawberry.field
    def write(self, note: Note) -> str:
        return json.dumps([note.text, str(note.on), note.tags, note.more], sort_keys=True)

    @strawberry.field
    def find(self, which: Which) -> str:
        return str(which)

    @strawberry.field
    def query(self) -> Query:
        return Query()


SCHEMA = strawberry.Schema(Query)

TEXTS = [
    '{ shout(text: "%s") }',
    'query Q {\n  a: shout(text: "%s") b: shout(text: "%s")\n  c: query { shout(text: "%s") d: shout(text: "%s") } }',
    '{ shout(text: "%s") shout(text: "%s") }',
    '{ query { shout(text: "%s") } ...F } fragment F on Query { query { shout(text: "%s") } }',
    '{ weekday(of: "%s") }',
    '{ weekday(of: "%s", colour: "%s") }',
    '{ write(note: {text: "%s", on: "%s", tags: ["%s", "%s"]}) }',
    '{ write(note: {text: "%s", tags: "%s"}) }',
    '{ write(note: {text: "%s", more: {a: "%s", b: ["%s"]}}) }',
    '{ write(note: {text: "%s", more: "%s"}) }',
    '{ find(which: {id: "%s"}) }',
    '{ find(which: {id: "%s", name: "%s"}) }',
    'query ($t: String = "%s", $n: Int! = 1) { shout(text: $t, times: $n) b: shout(text: "%s", times: $n) }',
    'query ($t: String!) { shout(text: $t) b: shout(text: "%s") }',
    '{ shout(text: "%s") @include(if: true) }',
    '{ shout(text: "%s") @skip(if: "%s") }',
    '{ # say "%s"\n shout(text: "%s") }',
    '{ shout(text: """%s""") }',
    'query A { shout(text: "%s") } query B { shout(text: "%s") }',
    '{ shout(text: "%s", times: "%s") }',
    '{ shout(txt: "%s") }',
    '{ write(note: {text: "%s", tags: ["%s""%s"]}) }',
]
STRINGS = [
    "",
    "a",
    "fail",
    "2026-11-30",
    "RED",
    "true",
    "1",
    "日本 😀",
    'a\\"b',
    "\\u0000",
    "\\",
    '"',
    '""',
    "a\nb",
    "#",
    "}",
]


def read(documents: Documents, text: str) -> Any:
    try:
        return documents.get(text).choose("A" if "query A" in text else None).fields
    except BadDocumentError as refusal:
        return refusal.code, [error.formatted for error in refusal.errors]


async def answer(documents: Documents, text: str, variables: dict[str, Any]) -> Any:
    try:
        document = documents.get(text)
        operation = document.choose("A" if "query A" in text else None)
    except BadDocumentError as refusal:
        return refusal.code, [error.formatted for error in refusal.errors]
    result = await documents.execute(document, operation, variables, None)
    return result.data, [error.formatted for error in result.errors or ()]


def new_documents() -> Documents:
    return Documents(SCHEMA, Limits(), production=False)


@pytest.mark.parametrize("text", TEXTS)
class TestFilledIn:
    async def test_is_answered_as_if_it_were_read_from_the_start(self, text: str) -> None:
        documents = new_documents()
        blanks = text.count("%s")
        for shift in range(len(STRINGS)):
            # Each is learned from and then met by all the others, with neighbours of other lengths.
            filled = text % tuple(STRINGS[(shift * (n + 1) + n) % len(STRINGS)] for n in range(blanks))
            assert await answer(documents, filled, {}) == await answer(new_documents(), filled, {}), filled
            assert await answer(documents, filled, {"t": 5}) == await answer(new_documents(), filled, {"t": 5})

    @settings(max_examples=12, deadline=None)
    @given(strings=st.lists(st.text(max_size=6), min_size=8, max_size=8))
    def test_is_read_alike_whatever_it_is_filled_with(self, text: str, strings: list[str]) -> None:
        documents = new_documents()
        for half in (strings[:4], strings[4:]):
            filled = text % tuple(half[: text.count("%s")])
            assert read(documents, filled) == read(new_documents(), filled)


class TestTemplate:
    @pytest.mark.parametrize(
        "text",
        [
            '{ shout(text: "%s") }',
            '{ write(note: {text: "%s", on: "2026-11-1%s", tags: ["%s"]}) }',
            '{ find(which: {id: "%s"}) ...F } fragment F on Query { shout(text: "%s") }',
            'mutation { login(input: {email: "ada@%s.example", password: "%s"}) { userErrors { code } } }',
        ],
    )
    def test_is_checked_once(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        schema = build_schema() if "login" in text else SCHEMA
        documents = Documents(schema, Limits(), production=False)
        documents.get(text % (("0",) * text.count("%s")))
        monkeypatch.setattr(module, "parse", None)
        monkeypatch.setattr(module, "validate", None)
        filled = text % (("1",) * text.count("%s"))
        document = documents.get(filled)
        assert document.text == filled
        assert len(document.strings) == text.count("%s")
        assert document.plans is not None

    def test_is_forgotten_like_any_document(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_DOCUMENTS", 1)
        documents = new_documents()
        documents.get('{ shout(text: "a") }')
        documents.get('{ b: shout(text: "a") }')
        monkeypatch.setattr(module, "parse", None)
        assert documents.get('{ b: shout(text: "b") }').strings == {"0": "b"}
        with pytest.raises(TypeError):
            documents.get('{ shout(text: "b") }')

    async def test_lets_no_variable_of_the_request_into_its_blanks(self) -> None:
        documents = new_documents()
        text = '{ shout(text: "a") }'
        assert await answer(documents, text, {"0": "b"}) == ({"shout": "A"}, [])


class TestMergedRules:
    @pytest.mark.parametrize("text", [text.replace("%s", "x") for text in TEXTS] + [
        "{ nothing }",
        "{ shout }",
        "query ($a: Int, $a: Int) { shout(text: $b, text: $a) }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A } fragment C on Nothing { x }",
        "{ query { a: shout(text: $x) a: query { b } } query @include { shout(text: 1) } }",
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
    ])  # fmt: skip
    def test_report_what_the_rules_report_one_by_one(self, text: str) -> None:
        tree = parse(text)
        schema = SCHEMA._schema
        for most in (1, 20):
            one_by_one = validate(schema, tree, specified_rules, most)
            assert [error.formatted for error in validate(schema, tree, [merge_rules(specified_rules)], most)] == [
                error.formatted for error in one_by_one
            ]
