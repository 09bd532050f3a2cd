"""The schema explains itself: everything in it has a description that can be understood where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import strawberry
from graphql import (
    DocumentNode,
    TypeDefinitionNode,
    parse,
)
from graphql.language import DirectiveDefinitionNode, Node

from app.domain.errors import AccessCode, UserErrorCode
from app.domain.principal import TokenKind
from app.graphql.addresses import AddressInput
from app.graphql.enums import describe_enum
from app.graphql.inputs import patch_field
from app.graphql.schema import build_schema

SDL: DocumentNode = parse(build_schema().as_str())


def described() -> Iterator[tuple[str, str]]:
    """Yield each thing of the schema that can have a description, with the one that it has."""
    for definition in SDL.definitions:
        if isinstance(definition, TypeDefinitionNode | DirectiveDefinitionNode):
            yield from _described(definition, definition.name.value)


def _described(node: Node, name: str) -> Iterator[tuple[str, str]]:
    description = getattr(node, "description", None)
    yield name, description.value if description else ""
    for key in ("fields", "arguments", "values"):
        for below in getattr(node, key, None) or ():
            yield from _described(below, f"{name}.{below.name.value}")


DESCRIPTIONS = dict(described())
NAMES = {part for name in DESCRIPTIONS for part in name.split(".")}
# "as `createAddress`", "those of `socialLogin`": the reader would have to look there, and back.
BY_REFERENCE = re.compile(r"\b(?:as|like|those of|as for|as in|same as)\s+(?:for\s+|in\s+)?`(\w+)`")


class TestDescriptions:
    def test_are_looked_for_in_all_that_can_have_one(self) -> None:
        assert {
            "allow",
            "allow.kinds",
            "DateTime",
            "_Entity",
            "_Any",
            "Address.city",
            "Query.addresses.tag",
            "Mutation.login.input",
            "LoginInput.email",
            "UserErrorCode",
            "UserErrorCode.REQUIRED",
        } <= set(DESCRIPTIONS)

    def test_are_everywhere(self) -> None:
        assert [name for name, text in DESCRIPTIONS.items() if not text.strip()] == []

    def test_are_sentences(self) -> None:
        """A word that only repeats the name explains nothing."""
        assert [name for name, text in DESCRIPTIONS.items() if not re.search(r"\w\W+\w.*[.`)]$", text, re.DOTALL)] == []

    def test_send_nobody_to_another_description(self) -> None:
        referring = [name for name, text in DESCRIPTIONS.items() if set(BY_REFERENCE.findall(text)) & NAMES]
        assert referring == []
        assert not any("likewise" in text for text in DESCRIPTIONS.values())

    @pytest.mark.parametrize("text", ["as `createAddress`; `NOT_FOUND`", "those of `socialLogin` about it"])
    def test_by_reference_are_recognized(self, text: str) -> None:
        assert set(BY_REFERENCE.findall(text)) & NAMES

    def test_of_a_change_are_those_of_the_creation(self) -> None:
        same = [
            ("UpdateAddressInput", "AddressInput", "city"),
            ("UpdateCustomerGroupInput", "CreateCustomerGroupInput", "code"),
            ("UpdatePaymentInstrumentInput", "AddPaymentInstrumentInput", "token"),
            ("UpdateProductListInput", "CreateProductListInput", "eventDate"),
            ("UpdateProductListItemInput", "AddProductListItemInput", "note"),
        ]
        for change, creation, field in same:
            assert DESCRIPTIONS[f"{change}.{field}"] == DESCRIPTIONS[f"{creation}.{field}"]

    def test_say_how_a_moment_is_written(self) -> None:
        assert "RFC 3339" in DESCRIPTIONS["DateTime"]
        assert "UTC" in DESCRIPTIONS["DateTime"]

    @pytest.mark.parametrize("root", ["Query", "Mutation"])
    def test_of_the_roots_say_what_to_do_on_each_error(self, root: str) -> None:
        assert [code for code in AccessCode if f"* `{code.value}`: " not in DESCRIPTIONS[root]] == []


class TestDirectives:
    def test_print_only_what_a_rule_sets(self) -> None:
        applied = [line.partition("@allow(")[2] for line in build_schema().as_str().splitlines()]
        assert [rule for rule in applied if "null" in rule] == []
        assert any('scope: "customers.read"' in rule for rule in applied)


class TestDescribeEnum:
    def test_raises_for_a_value_without_description(self) -> None:
        with pytest.raises(ValueError, match="INTEGRATION"):
            describe_enum(TokenKind, "Kinds.", {kind: "A kind." for kind in TokenKind if kind.value != "INTEGRATION"})

    def test_leaves_the_enum_as_it_was(self) -> None:
        assert UserErrorCode("REQUIRED") is UserErrorCode.REQUIRED


class TestPatchField:
    def test_may_be_left_out_and_is_described_as_what_creates(self) -> None:
        field = patch_field(AddressInput, "city")
        assert field.default is strawberry.UNSET
        assert field.description == DESCRIPTIONS["AddressInput.city"]

    def test_raises_for_a_field_that_is_not_there(self) -> None:
        with pytest.raises(ValueError, match="not enough values"):
            patch_field(AddressInput, "town")
