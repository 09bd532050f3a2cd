"""Documents are checked once per text, kept within bounds, and measured through their fragments."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry
from graphql import parse, validate

from app.domain.errors import AccessCode
from app.graphql import documents as module
from app.graphql.documents import BadDocumentError, Documents
from app.graphql.limits import Limits, TooComplexError, check_limits


@strawberry.type
class Query:
    @strawberry.field
    def shout(self, text: str) -> str:
        return text.upper()

    @strawberry.field
    def query(self) -> Query:
        return Query()


@pytest.fixture
def documents() -> Documents:
    return Documents(strawberry.Schema(Query), Limits(), production=False)


@pytest.fixture
def validations(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every validation, in its order."""
    seen: list[object] = []

    def count(*arguments: Any) -> object:
        seen.append(arguments)
        return validate(*arguments)

    monkeypatch.setattr(module, "validate", count)
    return seen


class TestGet:
    def test_checks_a_text_once(self, documents: Documents, validations: list[object]) -> None:
        assert documents.get("{ __typename }") is documents.get("{ __typename }")
        assert len(validations) == 1

    def test_checks_a_refused_text_once(self, documents: Documents, validations: list[object]) -> None:
        refusals = []
        for _ in range(2):
            with pytest.raises(BadDocumentError) as caught:
                documents.get("{ nothing }")
            refusals.append((caught.value.code, [error.formatted for error in caught.value.errors]))
        assert refusals[0] == refusals[1]
        assert len(validations) == 1

    def test_forgets_the_text_that_was_not_asked_for_longest(
        self, documents: Documents, validations: list[object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MAX_DOCUMENTS", 2)
        for text in ("{ a: __typename }", "{ b: __typename }", "{ a: __typename }", "{ c: __typename }"):
            documents.get(text)
        validations.clear()
        documents.get("{ a: __typename }")
        assert not validations
        documents.get("{ b: __typename }")
        assert validations

    def test_keeps_no_more_characters_than_it_may(
        self, documents: Documents, validations: list[object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MAX_CACHED_CHARACTERS", 30)
        for text in ("{ a: __typename }", "{ b: __typename }", "{ a: __typename }"):
            documents.get(text)
        assert len(validations) == 3

    def test_does_not_keep_a_huge_text(self, documents: Documents, validations: list[object]) -> None:
        text = "{ __typename " + " " * 9_000 + "}"
        assert documents.get(text) is not documents.get(text)
        assert len(validations) == 2

    def test_does_not_let_refused_texts_push_good_ones_out(
        self, documents: Documents, validations: list[object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MAX_DOCUMENTS", 2)
        documents.get("{ __typename }")
        for number in range(5):
            with pytest.raises(BadDocumentError):
                documents.get(f"{{ nothing{number} }}")
        validations.clear()
        documents.get("{ __typename }")
        assert not validations

    def test_names_the_root_fields_of_each_operation(self, documents: Documents) -> None:
        text = (
            'query A { ...F } query B { b: shout(text: "") } '
            "fragment F on Query { query { ...G } } fragment G on Query { __typename }"
        )
        document = documents.get(text)
        assert [document.choose(name).fields for name in "AB"] == [("query",), ("shout",)]


class TestChoose:
    def test_takes_the_only_operation(self, documents: Documents) -> None:
        assert documents.get("query A { __typename }").choose(None).name == "A"

    def test_takes_the_named_operation(self, documents: Documents) -> None:
        assert documents.get("query A { __typename } query B { __typename }").choose("B").name == "B"

    @pytest.mark.parametrize("name", [None, "C", ""])
    def test_refuses_to_guess(self, documents: Documents, name: str | None) -> None:
        document = documents.get("query A { __typename } query B { __typename }")
        with pytest.raises(BadDocumentError) as caught:
            document.choose(name)
        assert caught.value.code is AccessCode.BAD_REQUEST


class TestExecute:
    @pytest.mark.anyio
    async def test_runs_the_chosen_operation(self, documents: Documents) -> None:
        document = documents.get("query A { __typename } query B($t: String!) { shout(text: $t) }")
        result = await documents.execute(document, document.choose("B"), {"t": "hi"}, None)
        assert (result.data, result.errors) == ({"shout": "HI"}, None)

    @pytest.mark.anyio
    async def test_does_not_check_again(self, documents: Documents, validations: list[object]) -> None:
        document = documents.get("{ __typename }")
        await documents.execute(document, document.choose(None), {}, None)
        assert len(validations) == 1


class TestCheckLimits:
    @pytest.mark.parametrize(
        ("text", "limits"),
        [
            ("{ a { b { c } } }", Limits(depth=2)),
            ("{ a { ... { b { ... on B { c } } } } }", Limits(depth=2)),
            ("{ a { ...F } } fragment F on A { b { c } }", Limits(depth=2)),
            ("{ a { x: b } y: c }", Limits(aliases=1)),
            ("{ ...F a { ...F } } fragment F on A { x: b }", Limits(aliases=1)),
            ("{ a b }", Limits(root_fields=1)),
            ("{ ...F ... { b } } fragment F on A { a }", Limits(root_fields=1)),
            ("query A { a } query B { a b }", Limits(root_fields=1)),
            ("mutation { a b }", Limits(mutations=1)),
            ("mutation { login x: login }", Limits(credential_fields=frozenset({"login"}))),
            ("mutation { login signup }", Limits(credential_fields=frozenset({"login", "signup"}))),
        ],
    )
    def test_refuses_what_is_over(self, text: str, limits: Limits) -> None:
        with pytest.raises(TooComplexError):
            check_limits(parse(text), limits)

    @pytest.mark.parametrize(
        ("text", "limits"),
        [
            ("{ a { b } }", Limits(depth=2)),
            ("{ a { ... { ... { b } } } }", Limits(depth=2)),
            ("{ __schema { a { b { c } } } }", Limits(depth=2)),
            ("{ a a a }", Limits(root_fields=1)),
            ("{ a b c d e }", Limits(mutations=1)),
            ("mutation { login login }", Limits(credential_fields=frozenset({"login"}))),
            ("mutation { login other }", Limits(credential_fields=frozenset({"login"}))),
            ("{ ...F } fragment F on A { ...G } fragment G on A { ...F }", Limits()),
            ("{ ...Missing }", Limits()),
        ],
    )
    def test_lets_the_rest_pass(self, text: str, limits: Limits) -> None:
        check_limits(parse(text), limits)

    def test_refuses_a_chain_of_fragments_that_is_too_long_to_follow(self) -> None:
        chain = " ".join(f"fragment F{n} on A {{ ...F{n + 1} }}" for n in range(300))
        with pytest.raises(TooComplexError):
            check_limits(parse("{ ...F0 } " + chain), Limits())
