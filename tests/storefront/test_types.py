"""The storefront's types: every operation fits `schema.graphql`, and every answer is used as what it is."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.clients.packages import install, run_command
from tests.harness.source import ROOT

STOREFRONT = Path("app/http/storefront")


class TestTypes:
    def test_fit_the_schema(self, tmp_path: Path) -> None:
        """As its README says; in a copy, so that what else is installed there stays as it is."""
        not_copied = shutil.ignore_patterns("node_modules", "dist")
        shutil.copytree(ROOT / STOREFRONT, tmp_path / STOREFRONT, ignore=not_copied)
        shutil.copy(ROOT / "schema.graphql", tmp_path)
        folder = install(tmp_path / STOREFRONT)
        run_command(["npm", "run", "types"], folder, {})
