"""Counts the statements of each workload, in this process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import redirect_stderr
from io import StringIO
from itertools import count
from pathlib import Path

from tests.bench.servers import environment_of
from tests.bench.workloads import CLIENT_ID, DOCUMENTS, PASSWORD
from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway

_NUMBER = count()


async def count_statements(database_url: str, folder: Path) -> dict[str, int]:
    """Return the number of statements of each workload on a copy of the data."""
    # Its log would stand in the way of the table.
    with redirect_stderr(StringIO()):
        return await _count_all(environment_of(database_url, folder))


async def _count_all(environment: Mapping[str, str]) -> dict[str, int]:
    async with run_gateway(environment, MovableClock()) as gateway:
        return {name: await _count(gateway, name) for name in DOCUMENTS if name != "customers"}


async def _count(gateway: Gateway, workload: str) -> int:
    email = f"counted-{next(_NUMBER)}@example.com"
    anonymous = await gateway.anonymous(CLIENT_ID)
    document = DOCUMENTS[workload]
    if workload == "signup":
        values, token = {"email": email, "password": PASSWORD}, anonymous.access
    elif workload == "anonymousLogin":
        values, token = {"clientId": CLIENT_ID}, ""
    elif workload == "refresh":
        values, token = {"refreshToken": anonymous.refresh}, ""
    else:
        await gateway.signup(anonymous.access, email=email, password=PASSWORD)
        if workload == "login":
            values, token = {"email": email, "password": PASSWORD}, anonymous.access
        else:
            values, token = {"firstName": "Ada"}, (await gateway.login(email, PASSWORD, anonymous.access)).access
    with gateway.count_statements() as statements:
        answer = await gateway.graphql(document, {"input": values} if "$input" in document else None, token)
    assert not answer.errors, answer.errors
    return len(statements)
