"""Looks at everything when a run is over: the tables, what has arrived, the logs."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import asyncpg
from standardwebhooks.webhooks import WebhookVerificationError

from tests.faults.findings import Findings, Message
from tests.faults.promises import LONGEST_DELIVERY
from tests.faults.system import HOOK_SECRET, System

_WAITING = "SELECT count(*) AS number FROM outbox_message WHERE delivered_at IS NULL AND dead_at IS NULL"
_TO_ERASE = """SELECT count(*) AS number FROM anonymization
    WHERE status = 'REQUESTED' AND due_at <= CURRENT_TIMESTAMP"""
_OUTBOX = "SELECT id, kind, topic, customer_id, payload, delivered_at, dead_at FROM outbox_message"
_AUDIT = "SELECT customer_id, action FROM audit_event WHERE outcome = 'success' AND customer_id IS NOT NULL"
_CUSTOMERS = "SELECT email_key, customer_id FROM credential WHERE email_key IS NOT NULL"
_ERASURES = "SELECT customer_id, status FROM anonymization ORDER BY requested_at"

# A line of the log begins with the time, or is one JSON object.
_RECORD = re.compile(r"^(?=\d\d:\d\d:\d\d |\{)", re.MULTILINE)
_BAD = re.compile(r"\b(ERROR|CRITICAL)\b|Traceback|Exception ignored|was never (awaited|retrieved)")
_RAISED = re.compile(r"[\w.]+(Error|Exception|Group)\b")


@dataclass(frozen=True)
class Inspector:
    """Reads the database past the gateways and their networks."""

    system: System

    async def rows(self, statement: str) -> Sequence[Mapping[str, Any]]:
        """Return the rows of a SELECT."""
        server = self.system.server
        if server is None:
            with closing(sqlite3.connect(self.system.database)) as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(statement)]
        connected = await asyncpg.connect(server.url(self.system.database))
        try:
            return [dict(row) for row in await connected.fetch(statement)]
        finally:
            await connected.close()

    async def wait_until_delivered(self) -> float:
        """Return how many seconds it took until nothing waits any more, or was waited for in vain."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while loop.time() < began + LONGEST_DELIVERY:
            waiting = [(await self.rows(statement))[0]["number"] for statement in (_WAITING, _TO_ERASE)]
            if not any(waiting):
                break
            await asyncio.sleep(0.5)
        return loop.time() - began

    async def inspect(self, ids: Mapping[str, str], *, served: float, delivered: float) -> Findings:
        """Return what there is; `ids` has the account of each customer id that the journeys have learned."""
        customers = await self.rows(_CUSTOMERS)
        accounts = {**{row["customer_id"]: row["email_key"] for row in customers}, **ids}
        audit: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for row in await self.rows(_AUDIT):
            audit[accounts.get(row["customer_id"], "")][row["action"]] += 1
        received, forged = self._received()
        return Findings(
            outbox=[_message(row, accounts) for row in await self.rows(_OUTBOX)],
            audit=audit,
            customers=Counter(row["email_key"] for row in customers),
            received=received,
            forged=forged,
            mailed={id_.strip("<>").partition("@")[0]: to for to, id_ in self.system.sink.accepted},
            erased={accounts.get(row["customer_id"], ""): row["status"] for row in await self.rows(_ERASURES)},
            dump=await asyncio.to_thread(self._dump),
            log_errors=self._log_errors(),
            seconds_until_served=served,
            seconds_until_delivered=delivered,
        )

    def _received(self) -> tuple[frozenset[str], int]:
        right, forged = set(), 0
        for delivery in self.system.receiver.deliveries:
            try:
                # It checks the age of the signature too, which is that of the run.
                delivery.verify(HOOK_SECRET)
            except WebhookVerificationError as error:
                forged += "too old" not in str(error)
            right.add(delivery.id)
        return frozenset(right), forged

    def _dump(self) -> str:
        if self.system.server is not None:
            return self.system.server.dump(self.system.database).decode()
        with closing(sqlite3.connect(self.system.database)) as connection:
            return "\n".join(connection.iterdump())

    def _log_errors(self) -> list[str]:
        records = [each for gateway in self.system.gateways for each in _RECORD.split(gateway.log)]
        return [_summary(each) for each in records if _BAD.search(each)]


def _summary(record: str) -> str:
    """Return the first line of a record and the last, which says what was raised."""
    lines = record.strip().splitlines()
    raised = [line for line in lines if _RAISED.match(line)]
    return " / ".join([lines[0], *raised[-1:]])


def _message(row: Mapping[str, Any], accounts: Mapping[str, str]) -> Message:
    payload = json.loads(row["payload"]) if isinstance(row["payload"], str) else row["payload"]
    return Message(
        id=row["id"],
        kind=row["kind"],
        topic=row["topic"],
        account=accounts.get(row["customer_id"] or "", ""),
        fields=" ".join(payload.get("fields", ())) if row["kind"] == "event" else "",
        delivered=row["delivered_at"] is not None,
        dead=row["dead_at"] is not None,
    )
