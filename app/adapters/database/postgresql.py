"""PostgreSQL behind the `Database` port, on asyncpg; SQLAlchemy writes the SQL, and does not run it.

Transactions are begun and ended by our own BEGIN, COMMIT and ROLLBACK. BEGIN goes with the first statement, and what
nobody waits for with the next one: each round trip costs more than most statements. Where a pooler hands connections on
after each transaction, every read is a transaction of its own, and every statement a round trip.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from math import inf
from typing import Any, NoReturn, cast

import asyncpg
import orjson
from sqlalchemy import Executable, text
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.adapters.database.announcing import Announcer
from app.adapters.database.audit_division import UndividedError, divide
from app.adapters.database.audit_months import IS_KEPT, keep_months
from app.adapters.database.citus import check_citus, fault_of_nodes, is_distributed
from app.adapters.database.citus_functions import NodeFunction
from app.adapters.database.connecting import Connector, check_encoding
from app.adapters.database.faults import StandbyUrlError, UnusableDatabaseError, busy, conflict
from app.adapters.database.pipelining import BEGIN, is_plain, run
from app.adapters.database.pool import Held, Pool
from app.adapters.database.postgresql_faults import (
    LOST,
    describe,
    is_conflict,
    is_fatal,
    is_lost,
    is_refusal,
    passes,
    unusable,
)
from app.adapters.database.prepared import Prepared, PreparedStatements, broken
from app.adapters.database.replica import ElsewhereError, ReadingConnection, Replica, position_of
from app.adapters.database.schema_version import (
    MARK,
    MARK_STATEMENT,
    READY_WITHIN,
    TRIAL,
    VERSION,
    VERSION_STATEMENT,
    VERSION_TABLE,
    LowestRelease,
    mark_fault,
    newest_migration,
    version_fault,
)
from app.domain.database_limits import DatabaseLimits
from app.domain.database_url import ServerUrl
from app.domain.errors import BusyError, BusyOutcome
from app.domain.ports import Connection, SchemaVersion
from app.domain.rows import Reading, RowT, Writing
from app.domain.sharding import Sharding

logger = logging.getLogger(__name__)

_HAS_VERSION = f"SELECT to_regclass('{VERSION_TABLE}') IS NOT NULL"
_Waiting = Sequence[tuple[Prepared, Sequence[Any]]]
# How often a read alone is made again that the server has ended because of a transaction.
_MOST_REREADS = 3
# Seconds for all months that are made and dropped at once; the rest is done the next time.
_MONTHS_WITHIN = 60.0
# How a line about the standby begins that is no reason not to serve.
REMARK = "database replica (the primary is read meanwhile)"


class PostgresqlDatabase:
    """One PostgreSQL database with one pool of connections; and with another one for its standby, if it has one."""

    def __init__(
        self,
        url: ServerUrl,
        limits: DatabaseLimits,
        sharding: Sharding = Sharding.NONE,
        read_url: ServerUrl | None = None,
        on_nodes: Sequence[Reading[Any]] = (),
    ) -> None:
        self._is_cluster = sharding is Sharding.CITUS
        self._functions = [NodeFunction(reading) for reading in on_nodes]
        self._calls = {function.replaces: function.call for function in self._functions}
        self._replica: Replica | None = None
        if read_url is not None:
            limits, of_standby = limits.shared()
            try:
                self._replica = Replica(read_url, of_standby)
            except ValueError as error:
                raise StandbyUrlError(str(error)) from error
            self._replica_at = (read_url, of_standby)
        self._connector = Connector(url, limits)
        self._pool = Pool(self._connector, limits)
        self._announcer = Announcer(self._pool, self._connector)
        self._prepared = PreparedStatements(asyncpg_dialect(json_deserializer=orjson.loads))  # type: ignore[no-untyped-call]
        self._lowest_release = LowestRelease()

    def connect(self) -> PostgresqlConnection:
        """Return a connection of the port. It borrows one from the pool only for a statement or a transaction."""
        return PostgresqlConnection(self._pool, self._connector, self._prepared, self._announcer, self._calls)

    def connect_to_read(self) -> Connection:
        """Return a connection whose reads may be made at the standby; they see all that was committed before."""
        if self._replica is None:
            return self.connect()
        return ReadingConnection(self.connect(), self._replica, self._prepared)

    async def watch(self, wake: Callable[[], None], stop: asyncio.Event) -> None:
        """Call `wake` whenever any process has announced something, and when some of it may have been missed."""
        await self._announcer.watch(wake, stop)

    @property
    def hears_others(self) -> bool:
        """Whether a connection listens at this moment: never behind a pooler, or with fewer than five connections."""
        return self._announcer.is_listening

    async def forget(self) -> None:
        """Do nothing: deleted rows are in no dump, and the server's own vacuum removes them from its files."""

    @property
    def connections_in_use(self) -> int:
        """How many connections are in use now."""
        of_standby = self._replica.connections_in_use if self._replica is not None else 0
        return self._pool.connections_in_use + of_standby

    @property
    def has_one_writer(self) -> bool:
        """No: they wait for the same row only."""
        return False

    async def divide_audit(self, now: datetime) -> str | None:
        """Make a table with a partition for each month of the one that there is."""
        try:
            await divide(self._connector, now)
        except UndividedError as error:
            return f"The audit is not divided into months: {error}."
        return None

    async def keep_audit_months(self, now: datetime, before: datetime) -> int:
        """Make and drop partitions, where there are some and they are ours to make."""
        if not await self.connect().read_anew(IS_KEPT):
            return 0
        try:
            async with asyncio.timeout(_MONTHS_WITHIN):
                return await keep_months(self._connector, now, before)
        except asyncpg.LockNotAvailableError:
            # Such as a backup; who waits for it holds up all others, so it is not tried again soon.
            logger.warning("Others hold the audit, so its months stay as they are until tomorrow.")
            return 0
        except asyncpg.InsufficientPrivilegeError as error:
            logger.warning("The months of the audit are not for us to make or drop: %s", describe(error))
            return 0
        except (asyncpg.PostgresError, *LOST, OSError) as error:
            if passes(error):
                raise busy() from error
            raise

    async def find_migration(self) -> SchemaVersion | None:
        """Return the migration that the database is at, or None where it has no tables of ours.

        Raises `OSError` for a server that does not answer or does not let us in, and for a database that is not UTF-8.
        """
        try:
            driver = await self._connector.connect()
        except (asyncpg.PostgresError, *LOST, OSError) as error:
            raise unusable(error) from error
        try:
            await driver.execute("BEGIN")
            await check_encoding(driver)
            if self._is_cluster:
                await check_citus(driver)
            if not await driver.fetchval(_HAS_VERSION):
                return None
            migration = cast("str | None", await driver.fetchval(VERSION_STATEMENT.text))
            if migration is None:
                return None
            is_marked = migration >= newest_migration()
            return SchemaVersion(
                migration,
                await driver.fetchval(MARK_STATEMENT.text) if is_marked else None,
                is_spread=not self._is_cluster or await self._is_spread(driver, migration),
            )
        except (asyncpg.PostgresError, *LOST, OSError) as error:
            raise unusable(error) from error
        finally:
            driver.terminate()

    async def _is_spread(self, driver: asyncpg.Connection, migration: str) -> bool:
        """Tell whether all is distributed; a newer release has functions of its own, and we can do without ours."""
        ours = self._functions if migration == newest_migration() else ()
        return await is_distributed(driver) and all([await function.is_distributed(driver) for function in ours])

    async def is_served_from(self, release: str) -> bool:
        """Tell whether the mark says that no release before that one serves on these tables any more."""
        return await self._lowest_release.is_at_least(release, self.connect())

    async def is_ready(self) -> bool:
        """Tell whether the server answers and the database is at the newest migration."""
        try:
            return await self._version_fault(self.connect()) is None
        except (BusyError, DBAPIError):
            return False

    async def faults(self) -> Sequence[str]:
        """Return what does not work now, a line for each part."""
        parts = {"database read": self._try_read(), "database write": self._try_write()}
        if self._is_cluster:
            parts["database nodes"] = self._try_nodes()
        found = await asyncio.gather(*(_fault_of(trial) for trial in parts.values()))
        return [f"{part}: {fault}" for part, fault in zip(parts, found, strict=True) if fault is not None]

    async def remarks(self) -> Sequence[str]:
        """Return a line where the standby is not read; a request is served at the primary then."""
        if self._replica is None:
            return ()
        if self._replica.is_open:
            with suppress(ElsewhereError, BusyError, DBAPIError, TimeoutError):
                async with asyncio.timeout(READY_WITHIN):
                    await self._replica.fetch("SELECT 1", (), await position_of(self._connect_first()))
        fault = self._replica.fault
        return [f"{REMARK}: {fault}"] if fault is not None else ()

    async def check_replica(self) -> str | None:
        """Return why the standby does not answer now, or None; raises `UnusableDatabaseError` for one of no use."""
        if self._replica is None:
            return None
        standby = PostgresqlDatabase(*self._replica_at)
        try:
            if await standby.find_migration() is None:
                raise UnusableDatabaseError("has not our tables")
        except UnusableDatabaseError as error:
            if is_refusal(error):
                raise
            return str(error)
        finally:
            await standby.close()
        return None

    async def _try_read(self) -> str | None:
        return await self._version_fault(self._connect_first())

    async def _version_fault(self, connection: PostgresqlConnection) -> str | None:
        fault = version_fault(await connection.read_anew(VERSION))
        return fault or mark_fault(await connection.read_anew(MARK))

    async def _try_write(self) -> None:
        connection = self._connect_first()
        try:
            await connection.write_anew(text(TRIAL.format(random="gen_random_uuid()")))
        finally:
            await connection.rollback()

    async def _try_nodes(self) -> str | None:
        return await self._connect_first().find_fault_of_nodes()

    def _connect_first(self) -> PostgresqlConnection:
        """Return a connection that need not wait behind others, for who asks whether there are too many of them."""
        return PostgresqlConnection(
            self._pool, self._connector, self._prepared, self._announcer, self._calls, first=True
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._announcer.close()
        await self._pool.close()
        if self._replica is not None:
            await self._replica.close()


class PostgresqlConnection:
    """A connection to a `PostgresqlDatabase`; see the `Connection` port."""

    def __init__(
        self,
        pool: Pool,
        connector: Connector,
        prepared: PreparedStatements,
        announcer: Announcer,
        calls: dict[str, str],
        *,
        first: bool = False,
    ) -> None:
        self._pool = pool
        # What is sent instead of a statement, outside of a transaction.
        self._calls = calls
        self._first = first
        self._connector = connector
        self._prepared = prepared
        self._announcer = announcer
        self._announces = False
        self._transaction: Held | None = None
        # Whether the server knows of the transaction yet, and what is to be sent with the next statement.
        self._is_begun = False
        self._waiting: list[tuple[Prepared, Sequence[Any]]] = []

    @property
    def begun(self) -> bool:
        """Whether a transaction is open."""
        return self._transaction is not None

    async def begin(self) -> None:
        """Open the transaction, unless it is open."""
        await self._begin()

    async def _begin(self) -> Held:
        """Open a READ COMMITTED transaction; guarded updates and row locks decide races.

        BEGIN is sent with the first statement, but for a pooler, which has to be told more. If the connection was lost
        while it was in the pool, another one is taken: nothing has happened yet.
        """
        while self._transaction is None:
            held = await self._take()
            if not self._connector.is_pooled:
                self._transaction = held
                break
            self._pool.start(held)
            try:
                await held.driver.execute(self._connector.begin)
            except BaseException as error:
                self._pool.give_back(held, broken=True)
                self._raise_unless_stale(held, error)
            else:
                held.deadline = inf
                self._transaction, self._is_begun = held, True
        return self._transaction

    async def _take(self, *, anew: bool = False) -> Held:
        try:
            return await self._pool.take(first=self._first, anew=anew)
        except (asyncpg.PostgresError, *LOST, OSError) as error:
            self._raise(error)

    def _raise_unless_stale(self, held: Held, error: BaseException) -> None:
        """Raise what became of a statement, unless its connection was lost while nobody used it."""
        if not _is_stale(held, error):
            self._raise(_cause(held, error))

    def _raise(self, error: BaseException) -> NoReturn:
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            # The primary is another one now, and all that we hold lead to the old one.
            self._pool.drop_idle()
            self._connector.forget_server()
        if passes(error):
            logger.warning("The database is busy: %s", describe(error))
            raise (conflict() if is_conflict(error) else busy()) from error
        if isinstance(error, asyncpg.PostgresError):
            raise DBAPIError(None, None, error, hide_parameters=True) from error
        raise error

    def announce(self) -> None:
        """Wake the workers as soon as the transaction is committed."""
        self._announces = True

    async def commit(self) -> None:
        """Commit what was written."""
        await self._end(commits=True)

    async def rollback(self) -> None:
        """Roll back what was written."""
        await self._end(commits=False)

    async def _end(self, *, commits: bool) -> None:
        announces, self._announces = self._announces, False
        if self._transaction is None:
            return
        if commits and self._waiting and not self._is_begun:
            # Never all in one: whether a connection is still there has to be known before COMMIT is sent.
            await self._send_the_last()
        if self._transaction is not None:
            held, self._transaction = self._transaction, None
            waiting, self._waiting = self._waiting, []
            is_begun, self._is_begun = self._is_begun, False
            if not is_begun:
                self._pool.give_back(held)
                if commits and announces:
                    self._announcer.announce()
                return
            ending = asyncio.ensure_future(self._commit(held, waiting, announces) if commits else self._roll_back(held))
            # Shielded, because a cancelled request must still give the connection back, without an open transaction.
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError:
                ending.add_done_callback(_forget)
                raise

    async def _commit(self, held: Held, waiting: _Waiting, announces: bool) -> None:
        if held.driver.is_closed():
            self._pool.give_back(held, broken=True)
            raise busy()
        self._pool.start(held)
        held.is_warned = False
        try:
            if waiting:
                await _send(held, waiting)
                await held.driver.fetch("COMMIT")
            else:
                await held.driver.execute("COMMIT")
        except BaseException as fault:
            error = _cause(held, fault)
            self._pool.give_back(held, broken=True)
            if is_lost(error):
                raise busy("The database has not said whether it is done.", BusyOutcome.UNKNOWN) from error
            if waiting and isinstance(error, asyncpg.IntegrityConstraintViolationError):
                raise broken(waiting[0][0], error) from error
            self._raise(error)
        self._pool.give_back(held)
        if announces:
            self._announcer.announce()
        if held.is_warned:
            # Somebody ended its wait for the synchronous standby: it is lost if that standby takes over now.
            raise busy("The database has not said whether its standby has it.", BusyOutcome.UNKNOWN)

    async def _roll_back(self, held: Held) -> None:
        """Roll back; a connection that cannot is cut off, which does the same."""
        self._pool.start(held)
        is_broken = True
        try:
            if not held.driver.is_closed():
                await held.driver.execute("ROLLBACK")
                is_broken = False
        except (asyncpg.PostgresError, *LOST, OSError):
            pass
        finally:
            self._pool.give_back(held, broken=is_broken)

    async def read(self, reading: Reading[RowT], parameters: Mapping[str, Any]) -> Sequence[RowT]:
        """Read the latest commit; inside the transaction, also what it has written itself."""
        return await self._read(self._prepared.get(reading.statement), parameters)

    async def read_anew(self, reading: Reading[RowT]) -> Sequence[RowT]:
        """Like `read`, at several times the cost."""
        return await self._read(self._prepared.make(reading.statement), {})

    async def _read(self, prepared: Prepared, parameters: Mapping[str, Any]) -> list[Any]:
        arguments = prepared.arguments(parameters)
        if self._transaction is None and not prepared.writes:
            return prepared.read(await self._call_or_fetch(prepared.sql, arguments))
        if prepared.writes:
            await self._send_what_waits()
        return prepared.read(await self._run(prepared, arguments, asyncpg.Connection.fetch))

    async def _call_or_fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Return all rows, by the function if there is one: Citus hands it on only if it is alone."""
        call = self._calls.get(sql)
        if call is not None and not self._connector.is_pooled:
            try:
                return await self._fetch_alone(call, arguments)
            except DBAPIError as error:
                if not isinstance(error.__cause__, asyncpg.UndefinedFunctionError):
                    raise
                # The tables are those of a newer release, which knows nothing of our function.
                self._calls.pop(sql, None)
        return await self._fetch_alone(sql, arguments)

    async def _fetch_alone(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Return all rows; if connections were lost while they were in the pool, try until one works.

        A read that others were in the way of is made again at once: it is a transaction of its own.
        """
        conflicts = 0
        while True:
            held = await self._take()
            self._pool.start(held)
            try:
                if self._connector.is_pooled:
                    rows = await self._fetch_in_transaction(held.driver, sql, arguments)
                else:
                    rows = await held.driver.fetch(sql, *arguments)
            except BaseException as error:
                self._pool.give_back(held, broken=_is_broken(error) or self._connector.is_pooled is True)
                conflicts += is_conflict(error)
                if not is_conflict(error) or conflicts > _MOST_REREADS:
                    self._raise_unless_stale(held, error)
            else:
                self._pool.give_back(held)
                return rows

    async def _fetch_in_transaction(
        self, driver: asyncpg.Connection, sql: str, arguments: Sequence[Any]
    ) -> Sequence[Any]:
        await driver.execute(self._connector.begin)
        rows = await driver.fetch(sql, *arguments)
        await driver.execute("COMMIT")
        return cast("Sequence[Any]", rows)

    async def find_fault_of_nodes(self) -> str | None:
        """Return what does not work of the nodes that the tables are distributed over, or None."""
        held = await self._take(anew=True)
        self._pool.start(held)
        try:
            return await fault_of_nodes(held.driver)
        except BaseException as error:
            self._raise(_cause(held, error))
        finally:
            self._pool.give_back(held, broken=True)

    async def write(self, statement: Writing, parameters: Mapping[str, Any]) -> int:
        """Write inside the transaction, which is opened if need be, and return the number of changed rows."""
        return await self._write(self._prepared.get(statement), parameters)

    async def write_anew(self, statement: Executable) -> int:
        """Like `write`, at several times the cost."""
        return await self._write(self._prepared.make(statement), {})

    async def write_soon(self, statement: Writing, parameters: Mapping[str, Any]) -> None:
        """Write with the next statement, or with COMMIT, which raises what comes of it."""
        prepared = self._prepared.get(statement)
        arguments = prepared.arguments(parameters)
        await self._begin()
        if self._connector.is_pooled or not all(map(is_plain, arguments)):
            await self._write(prepared, parameters)
        else:
            self._waiting.append((prepared, arguments))

    async def _send_what_waits(self) -> None:
        """Send it alone before what can fail by a key: no caller may take its fault for that of another statement."""
        try:
            await self._send_the_last()
        except IntegrityError as error:
            raise DBAPIError(error.statement, None, error, hide_parameters=True) from error

    async def _send_the_last(self) -> None:
        if self._waiting:
            await self._run(*self._waiting.pop(), asyncpg.Connection.execute)

    async def _write(self, prepared: Prepared, parameters: Mapping[str, Any]) -> int:
        arguments = prepared.arguments(parameters)
        await self._send_what_waits()
        status = await self._run(prepared, arguments, asyncpg.Connection.execute)
        # The status of the answer ends in the number of rows: `UPDATE 1`, `INSERT 0 1`.
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def _run(self, prepared: Prepared, arguments: Sequence[Any], ask: Callable[..., Awaitable[Any]]) -> Any:
        """Run a statement inside the transaction, after BEGIN and what waits for it, in the same round trip.

        If the connection was lost while it was in the pool, all of the transaction is sent on another one.
        """
        while True:
            held = await self._begin()
            self._pool.start(held)
            try:
                await _send(held, self._waiting, begins=not self._is_begun)
                answer = await ask(held.driver, prepared.sql, *arguments)
            except BaseException as error:
                if self._is_begun or not _is_stale(held, error):
                    self._fail(held, prepared, error)
                self._transaction = None
                self._pool.give_back(held, broken=True)
            else:
                held.deadline = inf
                self._is_begun = True
                self._waiting.clear()
                return answer

    def _fail(self, held: Held, prepared: Prepared, error: BaseException) -> NoReturn:
        """Raise what became of a statement of the transaction, which can only be rolled back now."""
        held.deadline = inf
        self._is_begun = True
        self._waiting.clear()
        error = _cause(held, error)
        if isinstance(error, asyncpg.IntegrityConstraintViolationError):
            raise broken(prepared, error) from error
        if _is_broken(error):
            held.driver.terminate()
        self._raise(error)

    async def close(self) -> None:
        """Give the connection back. What is not committed is rolled back."""
        await self.rollback()


async def _fault_of(trial: Coroutine[None, None, str | None]) -> str | None:
    """Return what is wrong in a word that tells no secret, or None."""
    try:
        async with asyncio.timeout(READY_WITHIN):
            return await trial
    except BusyError as error:
        return type(error.__cause__).__name__ if error.__cause__ is not None else error.message
    except (DBAPIError, TimeoutError) as error:
        return type(error.__cause__ or error).__name__


async def _send(held: Held, waiting: _Waiting, *, begins: bool = False) -> None:
    """Send what comes before the next statement, which must follow at once."""
    # What is not known on this connection yet takes a round trip, the first time.
    names = [await held.name_of(prepared.sql) for prepared, _ in waiting]
    messages = [run(name, arguments) for name, (_, arguments) in zip(names, waiting, strict=True)]
    if begins:
        messages.insert(0, BEGIN)
    if messages:
        held.write(b"".join(messages))


def _is_stale(held: Held, error: BaseException) -> bool:
    """Tell whether a connection was lost while nobody used it."""
    return is_lost(_cause(held, error)) and not held.is_new and not held.is_over


def _cause(held: Held, error: BaseException) -> BaseException:
    """Return what has happened: asyncpg trips over itself when a connection is cut off between two of its steps."""
    if isinstance(error, AttributeError) and held.driver.is_closed():
        return ConnectionAbortedError("cut off")
    return error


def _is_broken(error: BaseException) -> bool:
    """Tell whether the connection is of no use any more: it is lost, or nobody knows where in an answer it is."""
    return not isinstance(error, asyncpg.PostgresError) or is_fatal(error)


def _forget(ending: asyncio.Future[None]) -> None:
    """Take notice of how it ended, which nobody waits for any more."""
    if not ending.cancelled():
        ending.exception()
