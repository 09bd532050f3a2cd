"""The gateway inside the process of the tests: the real application and tools, at a time that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text

from app.adapters.metrics import PrometheusMetrics
from app.domain.rows import Reading
from app.domain.tools import Tools
from app.main import build_app
from app.services.worker.delivery import deliver_due
from app.settings import Settings
from app.wiring import build_tools
from tests.fakes import MovableClock
from tests.harness.client import StorefrontClient
from tests.harness.mails import Mail, read_mails
from tests.harness.statements import CountedDatabase


class Gateway(StorefrontClient):
    """A running gateway; its worker rests, and `deliver` does its work."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        transport: httpx2.ASGITransport,
        tools: Tools,
        database: CountedDatabase,
        clock: MovableClock,
        mail_folder: Path,
    ) -> None:
        super().__init__(http)
        self.tools = tools
        self._database = database
        self.clock = clock
        self._transport = transport
        self._mail_folder = mail_folder

    @property
    def ip(self) -> str:
        """The address that the requests come from."""
        return self._transport.client[0]

    @ip.setter
    def ip(self, address: str) -> None:
        self._transport.client = (address, 50_000)

    async def deliver(self) -> None:
        """Deliver what is due in the outbox, in the order in which it was written: so are the mails it leads to."""
        while await deliver_due(self.tools, at_most=1):
            pass

    def mails(self, to: str | None = None) -> list[Mail]:
        """Return what was mailed, to one address if it is given, the oldest first."""
        return read_mails(self._mail_folder, to)

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return the rows of a SELECT, to see what the database holds where no operation shows it."""
        reading = Reading(object, text(statement).bindparams(**values).columns())
        return list(await self.tools.database.connect().read_anew(reading))

    async def write(self, statement: str, **values: Any) -> int:
        """Change rows where no operation does, and return how many it were."""
        connection = self.tools.database.connect()
        try:
            touched = await connection.write_anew(text(statement).bindparams(**values))
            await connection.commit()
        finally:
            await connection.close()
        return touched

    @contextmanager
    def count_statements(self) -> Iterator[list[str]]:
        """Collect the statements that the database is asked for meanwhile."""
        statements: list[str] = []
        before = len(self._database.statements)
        yield statements
        statements += map(str, self._database.statements[before:])


@asynccontextmanager
async def run_gateway(environment: Mapping[str, str], clock: MovableClock) -> AsyncIterator[Gateway]:
    """Serve with the settings of this environment; start two on one database to have two processes, almost."""
    settings = Settings.load({"WORKER": "off", **environment})
    tools = build_tools(settings, clock)
    database = CountedDatabase(tools.database)
    # Counts as if METRICS_PORT were set, without a port to read it at.
    metrics = PrometheusMetrics() if settings.metrics_port is None else tools.metrics
    tools = replace(tools, database=database, metrics=metrics)
    app = build_app(settings, tools)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://gateway.test", trust_env=False) as http,
    ):
        yield Gateway(http, transport, tools, database, clock, settings.state_dir / "mail")
