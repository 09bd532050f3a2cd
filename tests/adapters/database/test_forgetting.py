"""What was deleted is gone from the files too: of the database, and of the mails."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import String, text

from app.adapters.database import sqlite, sqlite_forgetting
from app.adapters.database.opening import open_database
from app.adapters.database.sqlite import SqliteDatabase
from app.adapters.database.sqlite_page_file import PageFile
from app.adapters.database.sqlite_scrubbing import Scrubber
from app.adapters.mail.mailers import FileMailer
from app.adapters.mail.smtp import SmtpMailer
from app.domain.ports import Database, MailMessage
from app.domain.rows import Reading
from tests.fakes import MovableClock

pytestmark = pytest.mark.anyio

# Enough for pages to be split and merged; what lingers otherwise depends on the order of the rows.
ROWS = 3_000


NOT_INSTALLED = "no_such_library is not installed: deleted data are removed by VACUUM, while nobody can write"

# Changes rows of many lengths in a table of its own until its input ends, and prints which there are.
WRITER = """
import json, random, select, sqlite3, sys

path, table = sys.argv[1:]
rows, dice = {}, random.Random(table)
file = sqlite3.connect(path, timeout=60, isolation_level=None)
file.executescript("PRAGMA secure_delete=ON; PRAGMA synchronous=OFF")
file.execute(f"CREATE TABLE {table} (id TEXT PRIMARY KEY, note TEXT)")
file.execute(f"CREATE INDEX by_{table} ON {table} (note)")
while not select.select([sys.stdin], [], [], 0.02)[0]:
    file.execute("BEGIN IMMEDIATE")
    for _ in range(dice.randint(1, 5)):
        key, note = f"k{dice.randint(0, 200)}", "live" * dice.randint(0, 200)
        file.execute(f"DELETE FROM {table} WHERE id = ?", (key,))
        rows.pop(key, None)
        if dice.random() < 0.7:
            file.execute(f"INSERT INTO {table} VALUES (?, ?)", (key, note))
            rows[key] = note
    file.execute("COMMIT")
    print("written", flush=True)
print(json.dumps(rows))
"""


class Writer:
    """Another process that writes all the time."""

    def __init__(self, path: Path, number: int) -> None:
        self.table = f"writer_{number}"
        command = [sys.executable, "-c", WRITER, str(path), self.table]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def wait_until_it_writes(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"written\n"

    def stop(self) -> dict[str, str]:
        """Return the rows that it has left."""
        output, _ = self._process.communicate()
        rows: dict[str, str] = json.loads(output.splitlines()[-1])
        return rows


class Person:
    id: str


PEOPLE = Reading(Person, text("SELECT id FROM person").columns(id=String))
MESSAGE = MailMessage("<1@gateway.test>", "ada@example.com", "Hello", "Hello Ada", "<p>Hello Ada</p>", None, "c-1")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(f"sqlite:///{tmp_path / 'gateway.db'}")
    yield opened
    await opened.close()


async def fill(database: Database, random: Random) -> None:
    """Write rows of many lengths in no order, and change some of them, as a shop does."""
    connection = database.connect()
    await connection.write_anew(text("CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT, note TEXT)"))
    await connection.write_anew(text("CREATE INDEX by_name ON person (name, id)"))
    for number in random.sample(range(ROWS), ROWS):
        values = {"id": f"i{number}", "name": mark(number), "note": mark(number) * random.randint(1, 80)}
        await connection.write_anew(text("INSERT INTO person VALUES (:id, :name, :note)").bindparams(**values))
    await connection.commit()


async def delete(database: Database, numbers: list[int]) -> None:
    connection = database.connect()
    for number in numbers:
        await connection.write_anew(text("DELETE FROM person WHERE id = :id").bindparams(id=f"i{number}"))
    await connection.commit()


def mark(number: int) -> str:
    return f"mark{number:06d}of"


def content_of(folder: Path) -> bytes:
    """Return the bytes of all files of the database; by another process, for closing them would give up its locks."""
    files = sorted(folder.glob("gateway.db*"))
    return subprocess.run(["cat", *files], check=True, stdout=subprocess.PIPE).stdout


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def lingering(folder: Path, numbers: list[int]) -> list[int]:
    found = set(re.findall(rb"mark\d{6}of", content_of(folder)))
    return [number for number in numbers if mark(number).encode() in found]


class TestSqlite:
    @pytest.mark.parametrize("is_installed", [True, False])
    async def test_forgets_what_was_deleted_and_nothing_else(
        self,
        database: SqliteDatabase,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        *,
        is_installed: bool,
    ) -> None:
        monkeypatch.setattr(sqlite_forgetting, "_LIBRARY", "sqlean" if is_installed else "no_such_library")
        sqlite_forgetting._is_installed.cache_clear()
        random = Random(2)
        await fill(database, random)
        gone = random.sample(range(ROWS), ROWS // 5)
        await delete(database, gone)
        assert lingering(tmp_path, gone) != []
        await database.forget()
        assert lingering(tmp_path, gone) == []
        rows = await database.connect().read_anew(PEOPLE)
        assert {row.id for row in rows} == {f"i{number}" for number in range(ROWS)} - {f"i{number}" for number in gone}
        assert integrity(database) == "ok"
        assert [record.message for record in caplog.records if "VACUUM" in record.message] == (
            [] if is_installed else [NOT_INSTALLED]
        )
        sqlite_forgetting._is_installed.cache_clear()

    @pytest.mark.parametrize("page_size", [512, 4096, 65536])
    async def test_forgets_what_lies_in_each_place_of_a_file(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, page_size: int
    ) -> None:
        marks = leave_residue(tmp_path / "gateway.db", page_size)
        before = content_of(tmp_path)
        assert [place for place, text in marks.items() if text not in before] == []
        expected = dump_of(tmp_path / "gateway.db")
        database = SqliteDatabase(f"sqlite:///{tmp_path / 'gateway.db'}")
        await database.forget()
        after = content_of(tmp_path)
        assert [place for place, text in marks.items() if text in after] == []
        assert integrity(database) == "ok"
        await database.close()
        assert dump_of(tmp_path / "gateway.db") == expected
        assert caplog.records == []  # VACUUM would do it too

    def test_scrubs_a_file_of_many_pages(self, tmp_path: Path) -> None:
        # In this process, which has the file open in no other way then.
        path = tmp_path / "gateway.db"
        marks = leave_residue(path, 512)
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("CREATE TABLE person (id TEXT PRIMARY KEY, note TEXT)")
            file.execute("BEGIN")
            for number in Random(5).sample(range(ROWS), ROWS):
                file.execute("INSERT INTO person VALUES (?, ?)", (mark(number), "note" * (number % 50)))
            file.execute("DELETE FROM person WHERE length(note) > 100")
            file.execute("COMMIT")
        expected = dump_of(path)
        with closing(PageFile(path, 15.0, lambda seconds: None)) as pages:
            Scrubber(pages).run()
        after = content_of(tmp_path)
        assert [place for place, text in marks.items() if text in after] == []
        gone = [number for number in range(ROWS) if number % 50 > 25]
        assert lingering(tmp_path, gone) == []
        assert dump_of(path) == expected

    async def test_leaves_a_file_to_others_that_it_does_not_understand(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        file = sqlite3.connect(tmp_path / "gateway.db")
        file.execute("PRAGMA auto_vacuum=FULL")
        file.execute("CREATE TABLE person (id TEXT)")
        file.close()
        database = SqliteDatabase(f"sqlite:///{tmp_path / 'gateway.db'}")
        await database.forget()
        await database.close()
        (line,) = [record.message for record in caplog.records if "VACUUM" in record.message]
        assert line.endswith("the file is kept in another way")

    async def test_keeps_what_several_processes_write_meanwhile(self, database: SqliteDatabase, tmp_path: Path) -> None:
        random = Random(3)
        await fill(database, random)
        gone = random.sample(range(ROWS), ROWS // 5)
        await delete(database, gone)
        assert lingering(tmp_path, gone) != []
        writers = [Writer(tmp_path / "gateway.db", number) for number in range(2)]
        for writer in writers:
            writer.wait_until_it_writes()
        await database.forget()
        assert lingering(tmp_path, gone) == []
        for writer in writers:
            expected = writer.stop()
            assert rows_of(database, writer.table) == expected
        assert integrity(database) == "ok"

    async def test_lets_this_process_write_meanwhile(
        self, database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await fill_little(database)
        begun, may_end = asyncio.Event(), asyncio.Event()

        async def result_of(process: object) -> bool:
            begun.set()
            await may_end.wait()
            return True

        monkeypatch.setattr(sqlite_forgetting, "_result_of", result_of)
        forgetting = asyncio.create_task(database.forget())
        forgetting.add_done_callback(lambda _: begun.set())
        await begun.wait()
        if forgetting.done():  # a fast run starts no process, and skips what does
            await forgetting
        connection = database.connect()
        await connection.write_anew(text("INSERT INTO person VALUES ('i1')"))
        await connection.commit()
        assert not forgetting.done()
        may_end.set()
        await forgetting

    async def test_can_be_done_again_after_its_process_was_killed(
        self, database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await fill_little(database)
        result_of = sqlite_forgetting._result_of

        async def killed(process: Process) -> bool:
            process.kill()
            return await result_of(process)

        monkeypatch.setattr(sqlite_forgetting, "_result_of", killed)
        with pytest.raises(OSError, match="exit code -9"):
            await database.forget()
        monkeypatch.setattr(sqlite_forgetting, "_result_of", result_of)
        await database.forget()

    async def test_ends_its_process_when_it_is_not_wanted_any_more(
        self, database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await fill_little(database)
        processes: list[Process] = []
        begun = asyncio.Event()

        async def never(process: Process) -> bool:
            processes.append(process)
            begun.set()
            await asyncio.Event().wait()
            return True

        monkeypatch.setattr(sqlite_forgetting, "_result_of", never)
        forgetting = asyncio.create_task(database.forget())
        forgetting.add_done_callback(lambda _: begun.set())
        await begun.wait()
        if forgetting.done():
            await forgetting
        forgetting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await forgetting
        assert [process.returncode is not None for process in processes] == [True]

    async def test_waits_for_whoever_writes(self, database: SqliteDatabase) -> None:
        await fill_little(database)
        connection = database.connect()
        await connection.begin()
        forgetting = asyncio.create_task(database.forget())
        await asyncio.sleep(0)
        assert not forgetting.done()
        await connection.commit()
        await forgetting

    async def test_gives_up_when_another_process_does_not_let_go(
        self, database: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.0)
        await fill_little(database)
        other = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match="busy"):
            await database.forget()
        other.execute("ROLLBACK")
        other.close()
        await database.forget()

    async def test_gives_up_when_another_process_goes_on_reading_what_was_deleted(
        self, database: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.0)
        await fill_little(database)
        other = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
        other.execute("BEGIN")
        other.execute("SELECT * FROM person").fetchall()
        with pytest.raises(OSError, match="busy"):
            await database.forget()
        other.close()
        await database.forget()

    async def test_tells_of_any_other_trouble(self, database: SqliteDatabase, tmp_path: Path) -> None:
        with pytest.raises(OSError, match=r"exit code 1.*unable to open"):
            await database.forget()
        assert files_in(tmp_path) == []


def leave_residue(path: Path, page_size: int) -> dict[str, bytes]:
    """Make a file in which something deleted lies in each place there is, as a program without `secure_delete` does.

    Return what it is, by the place.
    """
    file = sqlite3.connect(path, isolation_level=None)
    for pragma in (f"page_size={page_size}", "journal_mode=WAL", "secure_delete=OFF"):
        file.execute(f"PRAGMA {pragma}")
    file.execute("CREATE TABLE small (id INTEGER PRIMARY KEY, note BLOB)")
    file.execute("CREATE TABLE large (id INTEGER PRIMARY KEY, note BLOB)")
    insert = "INSERT INTO small VALUES (?, ?)"
    for number, note in enumerate((b"kept", b"in-a-freeblock", b"kept", b"\xf1\xf2\xf3" * 9, b"kept", b"in-the-gap")):
        file.execute(insert, (number, note))
    file.execute("DELETE FROM small WHERE id IN (1, 3, 5)")
    file.execute(insert, (3, bytes(24)))  # three bytes fewer, which nothing fits into
    # What ends a page of the old row is behind the end of the new one, which has as many pages.
    old = b"behind-a-row" * (page_size // 2)
    file.execute("BEGIN")
    file.execute("INSERT INTO large VALUES (1, ?)", (old,))
    file.execute("COMMIT")
    file.execute("BEGIN")
    file.execute("DELETE FROM large")
    file.execute("INSERT INTO large VALUES (2, ?)", (bytes(len(old) - page_size // 3),))
    file.execute("COMMIT")
    file.execute("CREATE TABLE dropped (note BLOB)")
    file.execute("INSERT INTO dropped VALUES (?)", (b"on-a-free-page" * page_size,))
    file.execute("DROP TABLE dropped")
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.close()
    return {
        "gap": b"in-the-gap",
        "freeblock": b"in-a-freeblock"[4:],
        "fragment": b"\xf1\xf2\xf3",
        "overflow": b"behind-a-row",
        "free page": b"on-a-free-page",
    }


def dump_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as file:
        return list(file.iterdump())


def integrity(database: SqliteDatabase) -> str:
    answer: str = database.reader.exec_driver_sql("PRAGMA integrity_check").scalar_one()
    return answer


def rows_of(database: SqliteDatabase, table: str) -> dict[str, str]:
    rows = database.reader.exec_driver_sql(f"SELECT id, note FROM {table}")  # noqa: S608 - one of two names
    return {row.id: row.note for row in rows}


def read_all(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.iterdir())


async def fill_little(database: Database) -> None:
    connection = database.connect()
    await connection.write_anew(text("CREATE TABLE person (id TEXT PRIMARY KEY)"))
    await connection.commit()


class TestPostgresql:
    async def test_has_nothing_to_do(self) -> None:
        database = open_database("postgresql://nobody@127.0.0.1:9/nowhere")
        await database.forget()
        await database.close()


class TestFileMailer:
    async def test_removes_the_mails_of_one_customer(self, tmp_path: Path) -> None:
        mailer = FileMailer(tmp_path, "shop@example.com", MovableClock())
        kept = replace(MESSAGE, message_id="<2@gateway.test>", customer_id="c-2")
        nobodys = replace(MESSAGE, message_id="<3@gateway.test>", customer_id=None)
        for message in (MESSAGE, kept, nobodys):
            await mailer.send(message)
        await mailer.forget("c-1")
        content = read_all(tmp_path)
        assert [number for number in "123" if f"<{number}@gateway.test>" in content] == ["2", "3"]

    async def test_has_nothing_to_do_where_nothing_was_mailed(self, tmp_path: Path) -> None:
        await FileMailer(tmp_path / "none", "shop@example.com", MovableClock()).forget("c-1")


class TestSmtpMailer:
    async def test_keeps_nothing(self) -> None:
        await SmtpMailer("smtp://127.0.0.1:9", "shop@example.com", MovableClock()).forget("c-1")
