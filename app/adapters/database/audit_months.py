"""The months of the audit on PostgreSQL, each a partition: makes those to come, and drops those that are past.

All statements are sent in short transactions that wait a fifth of a second for a lock at most, for everybody waits
behind them. Where the table has no partitions, as on Citus, nothing is done.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
from sqlalchemy import Integer, text

from app.adapters.database.connecting import Connector
from app.domain.rows import Reading

logger = logging.getLogger(__name__)

TABLE = "audit_event"
# What is in no month that there is: no line is ever refused.
OTHER = f"{TABLE}_other"
# The partition of all that was there first, and the check by which it can be attached without being read.
BEFORE = f"{TABLE}_before_"
# Months that are made ahead, this one included: so long the worker may rest.
_AHEAD = 3
# Any number, but the same in every process of this program, and not that of the migrations.
_LOCK = 4_771_204
# A month can be attached only if no line of it is in the partition of all others, which is read for that meanwhile.
_READ_AT_MOST = 16 * 1024 * 1024

STATE = f"""
SELECT c.oid, c.relkind::text AS kind, c.relowner::regrole::text AS owner, obj_description(c.oid) AS comment,
EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') AS is_citus
FROM pg_class c WHERE c.relname = '{TABLE}' AND c.relnamespace = current_schema()::regnamespace
"""  # noqa: S608 - the names are our own
CHECKS = f"""
SELECT conname, convalidated FROM pg_constraint
WHERE conrelid = '{TABLE}'::regclass AND contype = 'c' AND starts_with(conname, '{BEFORE}')
"""  # noqa: S608 - the names are our own
# Whether there is anything to keep, or a division that was broken off.
_IS_KEPT = text(
    f"SELECT 1 AS found FROM pg_class WHERE relname = '{TABLE}' AND relkind = 'p'"  # noqa: S608 - as above
    " AND relnamespace = current_schema()::regnamespace"
    f" UNION ALL SELECT 1 FROM pg_constraint WHERE contype = 'c' AND starts_with(conname, '{BEFORE}')"
)


class _Found:
    found: int


IS_KEPT = Reading(_Found, _IS_KEPT.columns(found=Integer))
# The partition of all others has no end.
_MONTHS = rf"""
SELECT i.inhrelid::regclass::text AS name,
(regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz AS until
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{TABLE}'::regclass
"""  # noqa: S608 - the names are our own
# The database's own clock has a say too, as with single lines.
_PAST = f"""
SELECT name FROM ({_MONTHS}) month WHERE until <= $1 AND until <= now() - interval '27 days' ORDER BY until LIMIT 1
"""  # noqa: S608 - the names are our own
_IS_TAKEN = f"""
SELECT pg_relation_size('{OTHER}') > {_READ_AT_MOST}
OR EXISTS (SELECT FROM {OTHER} WHERE occurred_at >= $1 AND occurred_at < $2)
"""  # noqa: S608 - the names are our own


def is_partition(name: str) -> bool:
    """Tell whether this is the name of a part of the table, of which the models say nothing."""
    return re.fullmatch(rf"{OTHER}|{TABLE}_(before_)?\d{{4}}_\d\d", name) is not None


def month_after(moment: datetime, months: int) -> datetime:
    """Return the first moment of the month that comes so many months later."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0)


@asynccontextmanager
async def alone(connector: Connector) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection in a transaction that no other process of ours is in."""
    driver = await connector.connect_for_migration()
    try:
        await driver.execute(f"SET LOCAL lock_timeout = '200ms'; SELECT pg_advisory_xact_lock({_LOCK})")
        yield driver
        await driver.execute("COMMIT")
    finally:
        driver.terminate()


async def keep_months(connector: Connector, now: datetime, before: datetime) -> int:
    """Make the next months, drop those that end `before` a moment, and return how many were dropped."""
    async with alone(connector) as driver:
        if not await _has_months(driver):
            return 0
        await make_months(driver, now)
    dropped = 0
    while await _drop_a_month(connector, before):
        dropped += 1
    return dropped


async def _has_months(driver: asyncpg.Connection) -> bool:
    table = await driver.fetchrow(STATE)
    if table is None or table["is_citus"]:
        return False
    if table["kind"] != "p":
        await remove_checks(driver)
    return bool(table["kind"] == "p")


async def remove_checks(driver: asyncpg.Connection) -> None:
    """Remove the check of a division that was broken off, before lines come that it would refuse."""
    for check in await driver.fetch(CHECKS):
        await driver.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT {check['conname']}")


async def make_months(driver: asyncpg.Connection, now: datetime) -> None:
    """Make the months that are still missing, up to some ahead."""
    ends = [month["until"] for month in await driver.fetch(_MONTHS)]
    if None not in ends:
        await _attach(driver, OTHER, "DEFAULT")
    start: datetime = max(filter(None, ends))
    while start < month_after(now, _AHEAD):
        end = month_after(start, 1)
        if await driver.fetchval(_IS_TAKEN, start, end):
            logger.warning("The audit of %s stays in %s, which has some of it already.", f"{start:%Y-%m}", OTHER)
        else:
            bounds = f"FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
            await _attach(driver, f"{TABLE}_{start:%Y_%m}", bounds)
        start = end


async def _attach(driver: asyncpg.Connection, name: str, bounds: str) -> None:
    """Make an empty partition; attached, not made in its place, since then nobody has to wait who writes elsewhere.

    An id is unique within its partition only; it is random, and nobody chooses one.
    """
    await driver.execute(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING DEFAULTS, PRIMARY KEY (tenant_id, id))")
    await driver.execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {name} {bounds}")


async def _drop_a_month(connector: Connector, before: datetime) -> bool:
    """Drop the oldest month that is past, if there is one. Its bounds say that no line in it is younger."""
    async with alone(connector) as driver:
        name = await driver.fetchval(_PAST, before)
        if name is not None:
            await driver.execute(f"DROP TABLE {name}")
    return name is not None
