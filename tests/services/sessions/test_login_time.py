"""How long a refused login takes tells nothing of how a password is hashed, nor whether there is one."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from statistics import median

import bcrypt
import pytest

from app.services.staff.import_files import import_file
from app.services.staff.import_sources import open_source
from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.gateway import Gateway

pytestmark = [pytest.mark.anyio, pytest.mark.wall_clock, pytest.mark.usefixtures("costly_passwords")]

# Slow enough to stand out from the noise of a busy machine: some five times our own.
SLOW = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(11)).decode()
ROUNDS = 7
WRONG = "wrong-harbour-42"


async def import_with(gateway: Gateway, folder: Path, *emails: str, password_hash: str = SLOW) -> None:
    file = folder / "customers.jsonl"
    lines = ({"email": email, "emailVerified": True, "passwordHash": password_hash} for email in emails)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    await import_file(gateway.tools, gateway.tools.tenants.tenant("demo"), open_source(file))


class Logins:
    """Logins from addresses that have used up none of their limits."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._arrivals = count(1)

    async def seconds(self, email: str, password: str = WRONG, *, code: str | None = None) -> float:
        """Log in, and return how long that took; the answer must be that of a refusal, or of `code` None a login."""
        number = next(self._arrivals)
        self._gateway.ip = f"10.7.{number // 250}.{number % 250 + 1}"
        session = await self._gateway.anonymous()
        given = {"input": {"email": email, "password": password}}
        began = time.perf_counter()
        answer = await self._gateway.graphql(operations.LOGIN, given, session.access)
        took = time.perf_counter() - began
        assert [error["code"] for error in answer["login"]["userErrors"]] == ([code] if code else [])
        return took

    async def medians(self, emails: Mapping[str, str]) -> dict[str, float]:
        """Return the median of refused logins for each, measured in turn."""
        measured: dict[str, list[float]] = {name: [] for name in emails}
        for _ in range(ROUNDS):
            for name, email in emails.items():
                measured[name].append(await self.seconds(email, code="INVALID_CREDENTIALS"))
        return {name: median(seconds) for name, seconds in measured.items()}


class TestARefusedLogin:
    async def test_takes_as_long_for_an_imported_hash_for_ours_and_for_none(
        self, gateway: Gateway, tmp_path: Path
    ) -> None:
        await import_with(gateway, tmp_path, "imported@example.com")
        own = await gateway.signup_confirmed()
        logins = Logins(gateway)
        await logins.seconds("nobody@example.com", code="INVALID_CREDENTIALS")
        addresses = {"imported": "imported@example.com", "own": own.email, "unknown": "nobody@example.com"}
        medians = await logins.medians(addresses)
        # Unlevelled, the imported one takes some five times as long.
        assert max(medians.values()) < 1.3 * min(medians.values()), medians

    async def test_takes_no_longer_where_nothing_was_imported(self, gateway: Gateway) -> None:
        own = await gateway.signup_confirmed()
        logins = Logins(gateway)
        medians = await logins.medians({"own": own.email, "unknown": "nobody@example.com"})
        assert max(medians.values()) < 1.5 * min(medians.values()), medians

    async def test_keeps_nobody_with_the_right_password_waiting(self, gateway: Gateway, tmp_path: Path) -> None:
        await import_with(gateway, tmp_path, "imported@example.com")
        own = await gateway.signup_confirmed()
        logins = Logins(gateway)
        refused = min([await logins.seconds(own.email, code="INVALID_CREDENTIALS") for _ in range(3)])
        assert min([await logins.seconds(own.email, PASSWORD) for _ in range(3)]) < refused

    async def test_is_levelled_by_what_the_shop_has_imported_and_not_by_what_others_have(
        self, gateway: Gateway, tmp_path: Path
    ) -> None:
        await import_with(gateway, tmp_path, "imported@example.com", "other@example.com")
        kinds = await gateway.rows("SELECT tenant_id, kind FROM password_hash_kind")
        assert [(row.tenant_id, row.kind) for row in kinds] == [("demo", "$2b$11$" + "." * 53)]
