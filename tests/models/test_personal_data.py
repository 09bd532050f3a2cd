"""The registry of personal data: no table and no column without a decision."""

from __future__ import annotations

import pytest

from app.models import TABLES
from app.models.base import TenantRow
from app.models.personal_data import IMPERSONAL_TABLES, PERSONAL_TABLES, PersonalTable


def columns_of(model: type[TenantRow]) -> list[str]:
    return sorted(column.name for column in model.__table__.c if column.name != "tenant_id")


class TestPersonalTables:
    def test_are_together_with_the_impersonal_ones_all_tables(self) -> None:
        decided = [table.model for table in PERSONAL_TABLES] + list(IMPERSONAL_TABLES)
        assert sorted(model.__name__ for model in decided) == sorted(model.__name__ for model in TABLES)

    @pytest.mark.parametrize("model", [model for model in TABLES if "customer_id" in model.__table__.c])
    def test_are_all_that_name_a_customer(self, model: type[TenantRow]) -> None:
        assert model in {table.model for table in PERSONAL_TABLES}

    @pytest.mark.parametrize("table", PERSONAL_TABLES, ids=lambda table: table.noun)
    def test_decide_for_each_column_whether_the_customer_is_shown_it(self, table: PersonalTable) -> None:
        assert sorted((*table.shown, *table.withheld)) == columns_of(table.model)

    @pytest.mark.parametrize(
        "table", [table for table in PERSONAL_TABLES if table.rows_stay], ids=lambda table: table.noun
    )
    def test_decide_for_each_column_of_a_row_that_stays_what_becomes_of_it(self, table: PersonalTable) -> None:
        assert sorted((*table.cleared, *table.kept)) == columns_of(table.model)

    @pytest.mark.parametrize("table", PERSONAL_TABLES, ids=lambda table: table.noun)
    def test_find_and_show_by_columns_that_there_are(self, table: PersonalTable) -> None:
        named = {table.key, *table.only, *table.shown_as} | ({"session_id"} if table.by_session else set())
        assert named <= set(columns_of(table.model))
        assert set(table.shown_as) <= set(table.shown)

    @pytest.mark.parametrize("table", PERSONAL_TABLES, ids=lambda table: table.noun)
    def test_show_no_hash(self, table: PersonalTable) -> None:
        assert [name for name in table.shown if "hash" in name or "fingerprint" in name] == []

    def test_each_stand_under_a_noun_of_their_own(self) -> None:
        nouns = [table.noun for table in PERSONAL_TABLES]
        assert len(set(nouns)) == len(nouns)


class TestImpersonalTables:
    @pytest.mark.parametrize("model", list(IMPERSONAL_TABLES))
    def test_have_no_column_that_nobody_looked_at(self, model: type[TenantRow]) -> None:
        assert sorted(IMPERSONAL_TABLES[model]) == columns_of(model)
