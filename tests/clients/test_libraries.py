"""What people build storefronts with, as it refreshes, keeps and asks again, against a real server."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType, GraphQLSchema, build_schema

from tests.clients.conftest import SCHEMA, Run


@pytest.fixture
def settings_environment(brief_shop: dict[str, str]) -> dict[str, str]:
    return brief_shop


class TestApollo:
    def test_refreshes_once_keeps_what_is_answered_and_begins_anew(self, run_typescript: Run) -> None:
        printed = run_typescript("apollo_app", CLIENT_ID="shop-app", ACCESS_TOKEN_SECONDS="2")
        assert printed["found"] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        sent = Counter((each["operation"], each["text"]) for each in printed["sent"])
        # Each operation goes out by its hash; the gateway has not heard the text before, and then it has.
        assert sent[("Refresh", True)] == 1
        assert sent[("Addresses", False)] == 10
        assert 1 <= sent[("Addresses", True)] <= 10
        assert {each["method"] for each in printed["sent"]} == {"POST"}
        # Mutations have brought all that the page shows, so nothing was asked for again; one address is the default.
        assert set(printed["asked"]) == {"UpdateMe", "CreateAddress"}
        assert printed["name"] == "Augusta"
        assert sorted(printed["book"]) == [["Berlin", False], ["Wien", True]]
        assert printed["told"] == ["INVALID_CURRENCY"]
        assert printed["after"] is None

    def test_merges_each_value_that_has_no_id(self) -> None:
        policies = re.findall(
            r"^ +(\w+): \{ merge: true \},$", (SCHEMA.parent / "tests/clients/cache.ts").read_text(), re.MULTILINE
        )
        assert policies == sorted(parts_of_things(build_schema(SCHEMA.read_text())))


class TestRelay:
    def test_runs_what_its_compiler_has_made_of_our_schema(self, run_typescript: Run) -> None:
        printed = run_typescript("relay_app", CLIENT_ID="shop-app", ACCESS_TOKEN_SECONDS="2")
        assert printed["found"] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        sent = Counter(each["operation"] for each in printed["sent"])
        assert sent == {"profileTaggedQuery": 10, "Refresh": 1, "profileQuery": 1, "profileRenameMutation": 1}
        assert printed["updates"] == ["Augusta"]
        assert printed["cities"] == ["Berlin"]


def parts_of_things(schema: GraphQLSchema) -> set[str]:
    """Find each type without an id that is the value of a field of a thing with one."""
    things = [each for each in schema.type_map.values() if isinstance(each, GraphQLObjectType) and "id" in each.fields]
    values = set()
    for field in (field for thing in things for field in thing.fields.values()):
        kind = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
        if isinstance(kind, GraphQLObjectType) and "id" not in kind.fields:
            values.add(kind.name)
    return values
