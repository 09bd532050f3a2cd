"""What was deleted is gone from the files too: of the database, and of the mails."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import String, text

from app.adapters.database import sqlite
from app.adapters.database.opening import open_database
from app.adapters.database.sqlite import SqliteDatabase
from app.adapters.mail.mailers import FileMailer
from app.adapters.mail.smtp import SmtpMailer
from app.domain.ports import Database, MailMessage
from app.domain.rows import Reading
from tests.fakes import MovableClock

pytestmark = pytest.mark.anyio

# Enough for pages to be split and merged; what lingers otherwise depends on the order of the rows.
ROWS = 3_000


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


def lingering(folder: Path, numbers: list[int]) -> list[int]:
    content = b"".join(path.read_bytes() for path in folder.glob("gateway.db*"))
    return [number for number in numbers if mark(number).encode() in content]


class TestSqlite:
    async def test_forgets_what_was_deleted_and_nothing_else(self, database: SqliteDatabase, tmp_path: Path) -> None:
        random = Random(2)
        await fill(database, random)
        gone = random.sample(range(ROWS), ROWS // 5)
        await delete(database, gone)
        assert lingering(tmp_path, gone) != []
        await database.forget()
        assert lingering(tmp_path, gone) == []
        rows = await database.connect().read_anew(PEOPLE)
        assert {row.id for row in rows} == {f"i{number}" for number in range(ROWS)} - {f"i{number}" for number in gone}

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

    async def test_tells_of_any_other_trouble(self, database: SqliteDatabase) -> None:
        await fill_little(database)
        await database.write(lambda writer: writer.exec_driver_sql("PRAGMA query_only=ON"))
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await database.forget()


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
