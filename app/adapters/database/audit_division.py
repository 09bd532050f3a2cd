"""Divides the audit of a PostgreSQL database into months while gateways of any release write to it.

What is there becomes the first partition as it is, with all that the next two months bring at most, so no line is
moved. The table is checked before, under a lock that keeps nobody waiting, so that it need not be read while it takes
its new place: that is one short transaction. Each step finds what the ones before have done, whoever did them.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

import asyncpg

from app.adapters.database.audit_months import (
    BEFORE,
    CHECKS,
    STATE,
    TABLE,
    alone,
    make_months,
    month_after,
    remove_checks,
)
from app.adapters.database.connecting import Connector
from app.adapters.database.postgresql_faults import LOST, describe, unusable

# A step that gets no lock in time is tried again so often, after a pause of so many seconds.
_ATTEMPTS = 10
_PAUSE = 1.0
# What refers to the table itself, and would stay with its first partition.
_HELD_BY = """
SELECT 'the view ' || r.ev_class::regclass FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1
UNION SELECT 'a foreign key of ' || conrelid::regclass FROM pg_constraint WHERE contype = 'f' AND confrelid = $1
UNION SELECT 'the publication ' || p.pubname FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid
WHERE r.prrelid = $1
UNION SELECT 'row security' FROM pg_class WHERE oid = $1 AND relrowsecurity
UNION SELECT 'a rule' FROM pg_rewrite WHERE ev_class = $1
UNION SELECT 'inheritance' FROM pg_inherits WHERE $1 IN (inhparent, inhrelid)
ORDER BY 1
"""
_INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made_by FROM pg_index i
WHERE i.indrelid = $1 AND NOT i.indisprimary
"""
_TRIGGERS = """
SELECT quote_ident(tgname) AS name, pg_get_triggerdef(oid) AS made_by FROM pg_trigger
WHERE tgrelid = $1 AND NOT tgisinternal
"""
_GRANTS = f"""
SELECT format('GRANT %s%s ON {TABLE} TO %s%s', privilege_type, columns,
CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
FROM (
    SELECT '' AS columns, acl.* FROM pg_class c, aclexplode(c.relacl) acl WHERE c.oid = $1
    UNION ALL
    SELECT format('(%I)', a.attname), acl.* FROM pg_attribute a, aclexplode(a.attacl) acl WHERE a.attrelid = $1
) granted
"""  # noqa: S608 - the name is our own


class UndividedError(Exception):
    """The table stays as it is, for the reason that this says."""


async def divide(connector: Connector, now: datetime, attempts: int = _ATTEMPTS) -> None:
    """Divide the audit into months, unless it is, or lies on Citus.

    Raises `UndividedError` where that cannot be now; the table is as it was then.
    """
    try:
        await _divide(connector, now, attempts)
    except BaseException as error:
        try:
            async with alone(connector) as driver:
                await remove_checks(driver)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            # The worker does it later.
            pass
        if isinstance(error, asyncpg.CheckViolationError):
            raise UndividedError("it has lines of a time to come") from error
        if isinstance(error, asyncpg.LockNotAvailableError):
            raise UndividedError("others hold it, such as a backup: run this again") from error
        if isinstance(error, asyncpg.InsufficientPrivilegeError):
            raise UndividedError(f"the database's user may not change it: {describe(error)}") from error
        if isinstance(error, (asyncpg.PostgresError, *LOST, OSError)):
            raise unusable(error) from error
        raise


async def _divide(connector: Connector, now: datetime, attempts: int) -> None:
    failures = 0
    while True:
        try:
            if await step(connector, now):
                return
        except asyncpg.LockNotAvailableError:
            failures += 1
            if failures >= attempts:
                raise
            await asyncio.sleep(_PAUSE)


async def step(connector: Connector, now: datetime) -> bool:
    """Do the next step, and tell whether it was the last one."""
    until = month_after(now, 2)
    name = f"{BEFORE}{until:%Y_%m}"
    async with alone(connector) as driver:
        table = await driver.fetchrow(STATE)
        if table is None or table["is_citus"]:
            return True
        if table["kind"] == "p":
            await make_months(driver, now)
            return True
        if held := await driver.fetch(_HELD_BY, table["oid"]):
            raise UndividedError(f"the table has {', '.join(each[0] for each in held)}")
        checks = {check["conname"]: check["convalidated"] for check in await driver.fetch(CHECKS)}
        if name not in checks:
            await remove_checks(driver)
            await driver.execute(
                f"ALTER TABLE {TABLE} ADD CONSTRAINT {name} CHECK (occurred_at < '{until.isoformat()}') NOT VALID"
            )
        elif not checks[name]:
            await driver.execute(f"ALTER TABLE {TABLE} VALIDATE CONSTRAINT {name}")
        else:
            await _put_into_place(driver, table, name, until)
            await make_months(driver, now)
    return False


async def _put_into_place(driver: asyncpg.Connection, table: asyncpg.Record, first: str, until: datetime) -> None:
    """Make a table with partitions in the place of the one that there is, which becomes the first of them."""
    await driver.execute(f"LOCK TABLE {TABLE}")
    indexes, triggers, grants = [await driver.fetch(query, table["oid"]) for query in (_INDEXES, _TRIGGERS, _GRANTS)]
    await driver.execute(f"ALTER TABLE {TABLE} RENAME TO {first}")
    for number, index in enumerate(indexes):
        await driver.execute(f"ALTER INDEX {index['name']} RENAME TO {first}_{number}")
    for trigger in triggers:
        await driver.execute(f"DROP TRIGGER {trigger['name']} ON {first}")
    await driver.execute(
        f"CREATE TABLE {TABLE} (LIKE {first} INCLUDING DEFAULTS INCLUDING COMMENTS) PARTITION BY RANGE (occurred_at)"
    )
    for each in (*indexes, *triggers):
        await driver.execute(each["made_by"])
    if table["comment"] is not None:
        quoted = await driver.fetchval("SELECT quote_literal($1::text)", table["comment"])
        await driver.execute(f"COMMENT ON TABLE {TABLE} IS {quoted}")
    await driver.execute(f"ALTER TABLE {TABLE} OWNER TO {table['owner']}")
    for (grant,) in grants:
        await driver.execute(grant)
    await driver.execute(
        f"ALTER TABLE {TABLE} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{until.isoformat()}')"
    )
    await driver.execute(f"ALTER TABLE {first} DROP CONSTRAINT {first}")
