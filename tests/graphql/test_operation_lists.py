"""Operations by their hash: what is kept of them, and what a list may not hold."""

from __future__ import annotations

import json

import pytest
import strawberry

from app.domain.errors import AccessCode, AccessError
from app.domain.operation_lists import hash_operation
from app.domain.tenants import Tenant, TenantDirectory
from app.graphql import operation_lists as module
from app.graphql.documents import Documents
from app.graphql.limits import Limits
from app.graphql.operation_lists import KnownOperations, faults_of_lists

SHOP = {
    "id": "shop",
    "name": "Shop",
    "signup": "open",
    "sites": [{"id": "main", "url": "https://shop.test", "language": "en"}],
    "clients": [{"id": "spa", "kind": "storefront"}],
}


@strawberry.type
class Query:
    name: str = "name"


def tenant(*operations: str) -> Tenant:
    return Tenant.model_validate(
        {**SHOP, "operation_list": json.dumps({hash_operation(each): each for each in operations})}
    )


def remember(known: KnownOperations, *texts: str) -> None:
    for text in texts:
        known.remember(hash_operation(text), text)


def is_known(known: KnownOperations, text: str) -> bool:
    try:
        return known.find(hash_operation(text)) == text
    except AccessError as error:
        return error.code is not AccessCode.PERSISTED_QUERY_NOT_FOUND


class TestKnownOperations:
    def test_know_what_a_tenant_lists(self) -> None:
        assert is_known(KnownOperations(TenantDirectory([tenant("{ name }")]).find_operation), "{ name }")

    def test_know_what_was_sent(self) -> None:
        known = KnownOperations()
        assert not is_known(known, "{ name }")
        remember(known, "{ name }")
        assert is_known(known, "{ name }")

    def test_forget_what_was_asked_for_longest_ago(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_OPERATIONS", 2)
        known = KnownOperations(TenantDirectory([tenant("{ listed: name }")]).find_operation)
        remember(known, "{ a: name }", "{ b: name }")
        known.find(hash_operation("{ a: name }"))
        remember(known, "{ c: name }")
        texts = ("{ listed: name }", "{ a: name }", "{ b: name }", "{ c: name }")
        assert [is_known(known, each) for each in texts] == [True, True, False, True]

    def test_keep_no_more_characters_than_they_may(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_CHARACTERS", 25)
        known = KnownOperations()
        remember(known, "{ a: name }", "{ b: name }", "{ c: name }")
        assert [is_known(known, f"{{ {name}: name }}") for name in "abc"] == [False, True, True]

    def test_do_not_keep_a_very_long_text(self) -> None:
        known = KnownOperations()
        text = "{ name }" + " " * module.MAX_TEXT
        remember(known, text)
        assert not is_known(known, text)


class TestFaultsOfLists:
    @pytest.fixture
    def documents(self) -> Documents:
        return Documents(strawberry.Schema(Query), Limits(aliases=1), production=False)

    def test_are_none_for_what_the_schema_runs(self, documents: Documents) -> None:
        assert list(faults_of_lists([tenant("{ name }", "query A { name }")], documents)) == []

    def test_name_the_list_the_operation_and_the_reason(self, documents: Documents) -> None:
        text = "{ title }"
        (fault,) = faults_of_lists([tenant("{ name }", text)], documents)
        assert fault.startswith(f"tenants.shop.operations_file lists {hash_operation(text)}, which is wrong: ")
        assert "Cannot query field 'title' on type 'Query'" in fault

    def test_tell_what_asks_for_too_much(self, documents: Documents) -> None:
        (fault,) = faults_of_lists([tenant("{ a: name b: name }")], documents)
        assert "aliases" in fault
