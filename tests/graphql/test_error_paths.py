"""Where a user error says that it is: a field of the operation's input, in every answer of the whole suite."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from graphql import GraphQLInputObjectType

from tests.harness.access import RootField, root_fields, served_schema
from tests.harness.arguments import UNKNOWN_ID, document, id_paths, with_id
from tests.harness.client import Person
from tests.harness.error_paths import leads_to_input, lost_paths
from tests.harness.gateway import Gateway
from tests.harness.source import ROOT

OWN_IDS = {
    field.name: field
    for field in root_fields()
    if field.root == "Mutation" and ("input", "id") in set(id_paths(field.shown)) and field.rule.session_scope
}
# The fields of an import's lines, which are no input of an operation.
OF_IMPORT_LINES = set((ROOT / "app/services/staff").glob("import*.py"))
INPUT_FIELDS = {
    name
    for type_ in served_schema().type_map.values()
    if isinstance(type_, GraphQLInputObjectType)
    for name in type_.fields
}


class TestLeadsToInput:
    @pytest.mark.parametrize(
        ("mutation", "path"),
        [
            ("updateAddress", ["id"]),
            ("signup", ["customerAddress", "city"]),
            ("createCustomer", ["addresses", "0", "country"]),
            ("updateMe", ["mixins", "loyalty", "level"]),
            ("updateMe", []),
        ],
    )
    def test_finds_what_is_there(self, mutation: str, path: list[str]) -> None:
        assert leads_to_input(mutation, path)

    @pytest.mark.parametrize(
        ("mutation", "path"),
        [
            ("updateAddress", ["addressId"]),
            ("signup", ["customerAddress", "town"]),
            ("signup", ["customerAddress", "city", "0"]),
            ("createCustomer", ["addresses", "first", "country"]),
            ("createCustomer", ["addresses", "country"]),
        ],
    )
    def test_finds_nothing_else(self, mutation: str, path: list[str]) -> None:
        assert not leads_to_input(mutation, path)


class TestLostPaths:
    def test_are_named_with_the_field_whatever_its_alias(self) -> None:
        data = {"moved": {"userErrors": [{"field": ["addressId"]}, {"field": ["id"]}, {"field": None}]}}
        document = (
            "mutation($input: UpdateAddressInput!) { moved: updateAddress(input: $input) { userErrors { field } } }"
        )
        assert lost_paths(document, data) == ["updateAddress addressId"]

    def test_are_none_where_nothing_was_refused(self) -> None:
        assert lost_paths("", {"logout": {"userErrors": []}, "me": None, "addresses": [{}]}) == []


@pytest.mark.anyio
class TestUnknownIds:
    """The client of the tests checks each path; here every id of a customer's own belongings is refused once."""

    @pytest.fixture
    async def person(self, gateway: Gateway) -> Person:
        return await gateway.customer()

    async def test_are_refused_at_the_id(self, gateway: Gateway, person: Person) -> None:
        for name, field in OWN_IDS.items():
            assert await self.refused(gateway, person, field) == [("NOT_FOUND", "id")], name

    async def refused(self, gateway: Gateway, person: Person, field: RootField) -> list[tuple[str, str]]:
        arguments = with_id(field.shown, ("input", "id"), UNKNOWN_ID, other_ids=person.id)
        operation = document(field.root, field.name, field.shown, arguments)
        answer = await gateway.graphql(operation, arguments, person.tokens.access)
        return answer.user_errors(field.name)


def test_there_are_updates_and_deletions_by_id() -> None:
    assert {"updateAddress", "deleteAddress", "updateProductList", "deletePaymentInstrument"} <= set(OWN_IDS)


def literal_fields() -> Iterator[tuple[str, str]]:
    """Yield each field that the code names in an error by a literal, with where it does."""
    for path in sorted(set((ROOT / "app").rglob("*.py")) - OF_IMPORT_LINES):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                for argument in node.args[_first_field(node.func) :]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value, f"{path.relative_to(ROOT)}:{node.lineno}"


def _first_field(function: ast.expr) -> int | None:
    """Return where the path begins in the arguments of a call that notes or raises a user error."""
    match function:
        case ast.Name("refuse"):
            return 2
        case ast.Attribute(ast.Name("problems"), "add" | "check"):
            return 2
        case _:
            return 1_000


def test_every_field_that_the_code_names_is_a_field_of_some_input() -> None:
    named = list(literal_fields())
    assert len(named) > 50, "The calls that refuse are found."
    assert [where for field, where in named if field not in INPUT_FIELDS] == []
