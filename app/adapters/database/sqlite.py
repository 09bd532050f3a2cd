"""SQLite behind the `Database` port: short statements run on the event loop, others on one writer thread.

aiosqlite would change threads for every statement. In WAL mode a short read by a key never waits, so it runs on the
event loop, on a connection that stays open; so does a short write, once it has the write lock. What can take long runs
on the writer thread: COMMIT, which waits for the disk, and long statements.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import orjson
import sqlalchemy
from sqlalchemy import Engine, Executable, create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.adapters.database.faults import busy
from app.adapters.database.prepared import Prepared, PreparedStatements, broken
from app.adapters.database.schema_version import (
    MARK,
    MARK_STATEMENT,
    READY_WITHIN,
    TRIAL,
    VERSION,
    VERSION_STATEMENT,
    VERSION_TABLE,
    LowestRelease,
    Mark,
    Version,
    mark_fault,
    newest_migration,
    version_fault,
)
from app.adapters.database.sqlite_faults import raise_as_busy
from app.adapters.database.sqlite_forgetting import scrub
from app.adapters.database.sqlite_watch import LogWatch
from app.domain.errors import BusyError
from app.domain.ports import SchemaVersion
from app.domain.rows import Reading, RowT, Writing

Result = TypeVar("Result")

# Seconds that a writer waits for writers of other processes in all, and between two attempts.
BUSY_TIMEOUT = 15.0
BUSY_PAUSE = 0.001


_HAS_VERSION = f"SELECT 1 FROM sqlite_master WHERE name = '{VERSION_TABLE}'"  # noqa: S608 - the name is our own


class SqliteDatabase:
    """One file, with one reader on the event loop and one writer on a thread. Other processes may share the file."""

    def __init__(self, url: str) -> None:
        self._engine = _create_engine(url)
        self._reader: sqlalchemy.Connection | None = None
        self._writer: sqlalchemy.Connection | None = None
        self._writer_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")
        self._turn = asyncio.Lock()
        self.prepared = PreparedStatements(self._engine.dialect)
        self._path = Path(self._engine.url.database or "").absolute()
        self._watch = LogWatch(self._path)
        self._lowest_release = LowestRelease()

    def connect(self) -> SqliteConnection:
        """Return a connection of the port. All of them share the reader, and take turns with the writer."""
        return SqliteConnection(self)

    def connect_to_read(self) -> SqliteConnection:
        """Return the same: there is no standby."""
        return self.connect()

    @property
    def reader(self) -> sqlalchemy.Connection:
        """The connection for short reads on the event loop."""
        if self._reader is None:
            self._reader = self._engine.connect()
        return self._reader

    @property
    def writer(self) -> sqlalchemy.Connection:
        """The connection of the one that may write now."""
        if self._writer is None:
            self._writer = self._engine.connect()
        return self._writer

    async def write(self, work: Callable[[sqlalchemy.Connection], Result]) -> Result:
        """Run the work on the writer thread with the writer's connection."""
        return await asyncio.get_running_loop().run_in_executor(self._writer_thread, lambda: work(self.writer))

    async def take_turn(self) -> None:
        """Wait until nobody else in this process writes, then until no other process does.

        It takes the write lock at once, because a deferred BEGIN would fail with 'database is locked' after a read.
        """
        await self._turn.acquire()
        try:
            await self._begin()
        except BaseException:
            self._turn.release()
            raise

    async def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + BUSY_TIMEOUT
        while True:
            try:
                _driver(self.writer).execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or loop.time() > deadline:
                    raise_as_busy(error)
            else:
                return
            await asyncio.sleep(BUSY_PAUSE)

    async def end_turn(self, command: str, *, announces: bool = False) -> None:
        """End the transaction with COMMIT or ROLLBACK, and let the next one write; then wake the workers if asked."""
        try:
            await self.write(lambda writer: _end(_driver(writer), command))
        finally:
            self._turn.release()
        if announces:
            self._watch.announce()

    async def watch(self, wake: Callable[[], None], stop: asyncio.Event) -> None:
        """Call `wake` after each commit that announces something, and when another process has written anything."""
        await self._watch.run(wake, stop)

    @property
    def hears_others(self) -> bool:
        """Whether somebody watches: then other processes are heard of, for they share the file."""
        return self._watch.is_running

    async def forget(self) -> None:
        """Remove what was deleted from the file, and empty the write-ahead log, while others write.

        secure_delete alone is not enough: a page that was split can still have copies of moved rows, which SQLite does
        not count as deleted. Where the file cannot be scrubbed it is rewritten; for each 100 MB that takes about a
        second, in which nobody can write.
        """
        if await scrub(self._path, BUSY_TIMEOUT):
            return
        async with self._turn:
            await self._until_free(lambda: self.write(_rewrite))
            await self._until_free(lambda: self.write(_empty_log))

    async def _until_free(self, work: Callable[[], Awaitable[bool]]) -> None:
        """Do it again until no other process has the file locked; raises `OSError` if that takes too long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + BUSY_TIMEOUT
        while not await work():
            if loop.time() > deadline:
                raise OSError("Another process keeps the database busy.")
            await asyncio.sleep(BUSY_PAUSE)

    @property
    def connections_in_use(self) -> int:
        """How many connections are in use now: the writer, or none."""
        return int(self._turn.locked())

    @property
    def has_one_writer(self) -> bool:
        """Yes: there is one write lock for the file."""
        return True

    async def divide_audit(self, now: datetime) -> str | None:
        """Do nothing: the audit stays one table, and that is well."""
        return None

    async def keep_audit_months(self, now: datetime, before: datetime) -> int:
        """Do nothing: the audit is one table."""
        return 0

    async def find_migration(self) -> SchemaVersion | None:
        """Return the migration that the file is at; None where there is none, or none of ours, and nothing is made.

        Raises `OSError` for what is no SQLite file, or cannot be read.
        """
        return _find_migration(self._path)

    async def is_served_from(self, release: str) -> bool:
        """Tell whether the mark says that no release before that one serves on these tables any more."""
        return await self._lowest_release.is_at_least(release, self.connect())

    async def is_ready(self) -> bool:
        """Tell whether the file answers and is at the newest migration."""
        return self._try_read() is None

    async def faults(self) -> Sequence[str]:
        """Return what does not work now, a line for each part."""
        parts = {"database read": self._try_read(), "database write": await self._try_write()}
        return [f"{part}: {fault}" for part, fault in parts.items() if fault is not None]

    async def remarks(self) -> Sequence[str]:
        """Return nothing: there is no standby."""
        return ()

    async def check_replica(self) -> str | None:
        """Return None: there is no standby."""
        return None

    def _try_read(self) -> str | None:
        try:
            fault = version_fault([cast("Version", row) for row in self.reader.execute(VERSION.statement)])
            return fault or mark_fault([cast("Mark", row) for row in self.reader.execute(MARK.statement)])
        except SQLAlchemyError as error:
            return str(getattr(error, "orig", None) or type(error).__name__)

    async def _try_write(self) -> str | None:
        connection = self.connect()
        try:
            async with asyncio.timeout(READY_WITHIN):
                await connection.write_anew(text(TRIAL.format(random="hex(randomblob(16))")))
        except (SQLAlchemyError, sqlite3.Error, TimeoutError, BusyError) as error:
            return str(error.__cause__ or getattr(error, "orig", None) or type(error).__name__)
        finally:
            await connection.rollback()
        return None

    async def close(self) -> None:
        """Close both connections and the thread."""
        if self._reader is not None:
            self._reader.close()
        await asyncio.get_running_loop().run_in_executor(self._writer_thread, self._close_writer)
        self._writer_thread.shutdown()
        self._engine.dispose()

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()


class SqliteConnection:
    """A connection to a `SqliteDatabase`; see the `Connection` port."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._begun = False
        self._announces = False

    @property
    def begun(self) -> bool:
        """Whether a transaction is open."""
        return self._begun

    async def begin(self) -> None:
        """Wait until it may write; does nothing if the transaction is open."""
        if not self._begun:
            await self._database.take_turn()
            self._begun = True

    def announce(self) -> None:
        """Wake the workers as soon as the transaction is committed."""
        self._announces = True

    async def commit(self) -> None:
        """Commit what was written."""
        await self._end("COMMIT", announces=self._announces)

    async def rollback(self) -> None:
        """Roll back what was written."""
        await self._end("ROLLBACK")

    async def _end(self, command: str, *, announces: bool = False) -> None:
        self._announces = False
        if self._begun:
            self._begun = False
            # Shielded, because a cancelled request must still give the write lock back, in the order of the writer
            # thread.
            await asyncio.shield(asyncio.ensure_future(self._database.end_turn(command, announces=announces)))

    async def read(self, reading: Reading[RowT], parameters: Mapping[str, Any]) -> Sequence[RowT]:
        """Read the latest commit; inside the transaction, also what it has written itself. Runs on the event loop."""
        prepared = self._database.prepared.get(reading.statement)
        if prepared.writes:
            await self.begin()
        driver = _driver(self._database.writer if self._begun else self._database.reader)
        try:
            return prepared.read(driver.execute(prepared.sql, prepared.arguments(parameters)).fetchall())
        except sqlite3.Error as error:
            _fail(prepared, error)

    async def read_anew(self, reading: Reading[RowT]) -> Sequence[RowT]:
        """Like `read`, at ten times the cost; inside the transaction it runs on the writer thread."""
        statement = reading.statement
        if statement.is_dml:
            await self.begin()
        try:
            if not self._begun:
                return cast("Sequence[RowT]", self._database.reader.execute(statement).fetchall())
            rows = await self._database.write(lambda writer: writer.execute(statement).fetchall())
        except DBAPIError as error:
            raise_as_busy(error)
        return cast("Sequence[RowT]", rows)

    async def write(self, statement: Writing, parameters: Mapping[str, Any]) -> int:
        """Write inside the transaction, which is opened if need be; on the event loop, once it has the lock."""
        await self.begin()
        prepared = self._database.prepared.get(statement)
        driver = _driver(self._database.writer)
        try:
            rows: int = driver.execute(prepared.sql, prepared.arguments(parameters)).rowcount
        except sqlite3.Error as error:
            _fail(prepared, error)
        return rows

    async def write_soon(self, statement: Writing, parameters: Mapping[str, Any]) -> None:
        """Write at once: no time would be saved."""
        await self.write(statement, parameters)

    async def write_anew(self, statement: Executable) -> int:
        """Like `write`, at ten times the cost, on the writer thread."""
        await self.begin()
        try:
            return await self._database.write(lambda writer: writer.execute(statement).rowcount)
        except DBAPIError as error:
            raise_as_busy(error)

    async def close(self) -> None:
        """Roll back what was not committed."""
        await self.rollback()


def _driver(connection: sqlalchemy.Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _fail(prepared: Prepared, error: sqlite3.Error) -> NoReturn:
    if isinstance(error, sqlite3.IntegrityError):
        raise broken(prepared, error) from error
    raise_as_busy(error)


def _end(writer: sqlite3.Connection, command: str) -> None:
    """COMMIT or ROLLBACK. A COMMIT that fails (the disk is full) is rolled back, so that the next one can begin."""
    if not writer.in_transaction:  # SQLite has rolled back by itself, as it does when the disk is full
        if command == "COMMIT":
            raise busy("The database could not keep it.")
        return
    try:
        writer.execute(command)
    except sqlite3.Error as error:
        if writer.in_transaction:
            writer.execute("ROLLBACK")
        raise_as_busy(error)


def _rewrite(writer: sqlalchemy.Connection) -> bool:
    """Rewrite the file; False if another process has it locked."""
    try:
        _driver(writer).execute("VACUUM")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _empty_log(writer: sqlalchemy.Connection) -> bool:
    """Move everything from the write-ahead log into the file; False if another process has it locked."""
    ((is_busy, _, _),) = _driver(writer).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return not is_busy


def _find_migration(path: Path) -> SchemaVersion | None:
    # Not with the engine, because its connections create a missing file.
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            if connection.execute(_HAS_VERSION).fetchone() is None:
                return None
            row = connection.execute(VERSION_STATEMENT.text).fetchone()
            is_marked = row is not None and row[0] >= newest_migration()
            mark = connection.execute(MARK_STATEMENT.text).fetchone() if is_marked else None
    except sqlite3.Error as error:
        raise OSError(str(error)) from error
    return SchemaVersion(row[0], mark[0] if mark is not None else None) if row is not None else None


def _create_engine(url: str) -> Engine:
    # AUTOCOMMIT leaves the transactions to the statements BEGIN IMMEDIATE, COMMIT and ROLLBACK above. Each connection
    # is used by one thread at a time: the reader by the loop's, the writer by its own, or by the loop's in between.
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False},
        json_deserializer=orjson.loads,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (
            # Waiting for a lock happens in `take_turn`, not on the event loop.
            "busy_timeout=0",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            # Erased data must not stay in free pages of the file.
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
