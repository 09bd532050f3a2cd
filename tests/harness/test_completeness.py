"""What is missing of a new table or column is said in a sentence each."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import Column, MetaData, String, Table

from app.models import METADATA
from tests.harness.completeness import omissions
from tests.harness.source import ROOT

UNDECIDED = "decide what a customer is shown of it, and what becomes of it at the erasure."


@pytest.fixture
def metadata() -> MetaData:
    """Return the metadata of the models, to be changed."""
    copy = MetaData(naming_convention=METADATA.naming_convention)
    for table in METADATA.sorted_tables:
        table.to_metadata(copy)
    return copy


class TestOmissions:
    def test_are_none_today(self, metadata: MetaData) -> None:
        assert omissions() == omissions(metadata) == []

    def test_of_a_new_column_are_its_migration_and_a_decision(self, metadata: MetaData) -> None:
        metadata.tables["customer"].append_column(Column("nickname", String(40)))
        assert omissions(metadata) == [
            "A migration is missing in app/migrations/versions: add column customer nickname.",
            f"app/models/personal_data.py does not know customer.nickname: {UNDECIDED}",
        ]

    def test_of_a_new_table_is_its_place_in_the_list_too(self, metadata: MetaData) -> None:
        Table("badge", metadata, Column("tenant_id", String(64), primary_key=True), Column("id", String(36)))
        assert omissions(metadata) == [
            "The table badge is missing in TABLES of app/models/__init__.py.",
            "A migration is missing in app/migrations/versions: add table badge.",
            f"app/models/personal_data.py does not know badge.id: {UNDECIDED}",
        ]

    def test_of_a_column_with_other_rules_is_its_migration(self, metadata: MetaData) -> None:
        metadata.tables["customer"].columns["title"].nullable = False
        (said,) = omissions(metadata)
        assert said.startswith("A migration is missing in app/migrations/versions: modify nullable customer title")


PLUGIN = """
from sqlalchemy import Column, String
from app.models import METADATA

METADATA.tables["customer"].append_column(Column("nickname", String(40)))
"""


class TestASessionOfPytest:
    def test_says_them_once_and_runs_no_test(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        folder = tmp_path_factory.mktemp("plugin")
        (folder / "forgetful.py").write_text(PLUGIN)
        program = f"import sys, pytest; sys.path[:0] = ['.', {str(folder)!r}]; sys.exit(pytest.main(sys.argv[1:]))"
        command = [sys.executable, "-c", program, "-p", "forgetful", "-p", "no:cacheprovider", "tests/domain"]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        output = ended.stdout + ended.stderr
        assert ended.returncode == 4, output
        assert output.count("nickname") == 2
        assert "passed" not in output
        assert "Traceback" not in output
