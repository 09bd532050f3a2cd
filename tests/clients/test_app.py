"""An app on a phone: one refresh for all, answers that are lost, and processes that are killed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.clients.conftest import Run


@pytest.fixture
def settings_environment(brief_shop: dict[str, str]) -> dict[str, str]:
    return brief_shop


class TestApp:
    def test_stays_logged_in_whatever_is_lost(self, run_typescript: Run, tmp_path: Path) -> None:
        folder = tmp_path / "kept"
        printed = run_typescript("phone", CLIENT_ID="shop-app", ACCESS_TOKEN_SECONDS="2", FOLDER=str(folder))
        ada = "ada@example.com"
        assert printed["together"] == [ada] * 10
        assert [printed[when] for when in ("afterLoss", "afterRestart", "afterBusy")] == [ada] * 3
        sent = Counter(each["operation"] for each in printed["sent"][:11])
        assert sent == {"Me": 10, "Refresh": 1}
        files = list(folder.iterdir())
        assert len(files) == 2  # the session, and what the gateway knows the device by
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
