"""The data that every server is measured on: customers with ten addresses, logged in, on both databases."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx2
import orjson
from argon2 import PasswordHasher

from app.settings import Settings
from app.wiring import migrate
from tests.bench.load import Connection
from tests.bench.servers import CORES, GATEWAY, Server
from tests.bench.workloads import CLIENT_ID, DOCUMENTS, PASSWORD, READS, Person, body, comparable, request
from tests.harness.postgresql import PostgresqlServer

# Half of the people only read, so that their answers never change; the others write.
PEOPLE = 64
ADDRESSES = 10
_AT_ONCE = 8
_CREATE_ADDRESS = """mutation ($input: AddressInput!) {
    createAddress(input: $input) { address { id } userErrors { code } } }"""


class Databases:
    """The two databases with the data in them, copied for each server that is measured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._people: dict[str, list[Person]] = {}
        self._templates: dict[str, str] = {}
        self._postgresql = PostgresqlServer()
        self._made = 0

    def __enter__(self) -> Self:
        self._postgresql.start()
        for database in ("SQLite", "PostgreSQL"):
            self._templates[database] = url = self._create(database)
            migrate(Settings.load({"DATABASE_URL": url}))
            with Server(GATEWAY, url, self.folder / database, CORES, WORKER="off") as server:
                self._people[database] = asyncio.run(fill(server.port))
                _have_a_mail_wait(server.port, self._people[database][-1].email)
            # As a server's autovacuum does within a minute; the tests' has none, and few rows without statistics are
            # read by whole tenants.
            run_statements(url, "ANALYZE")
        return self

    def __exit__(self, *_error: object) -> None:
        self._postgresql.stop()

    def _create(self, database: str) -> str:
        if database == "SQLite":
            return f"sqlite:///{self.folder / 'template.db'}"
        return self._postgresql.url(self._postgresql.create_database())

    def people(self, database: str, workload: str) -> list[Person]:
        """Return those who take part in a workload."""
        half = PEOPLE // 2
        return self._people[database][:half] if workload in READS else self._people[database][half:]

    def copy(self, database: str, *, hashed_by_default: bool = False) -> str:
        """Return the URL of a fresh copy; for the tutorial's server with hashes of the library's default parameters."""
        self._made += 1
        if database == "SQLite":
            path = self.folder / f"copy-{self._made}.db"
            shutil.copy(self.folder / "template.db", path)
            url = f"sqlite:///{path}"
        else:
            template = self._templates[database].rpartition("/")[2]
            url = self._postgresql.url(self._postgresql.create_database(template))
        if hashed_by_default:
            encoded = PasswordHasher().hash(PASSWORD)
            run_statements(url, f"UPDATE credential SET password_hash = '{encoded}'")
        return url


def run_statements(url: str, *statements: str) -> None:
    """Run statements right on the database."""
    if url.startswith("postgresql:"):
        asyncio.run(_run_in_postgresql(url, statements))
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


async def _run_in_postgresql(url: str, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement, timeout=600)
    await connection.close()


def _have_a_mail_wait(port: int, email: str) -> None:
    """Log in from a device that the customer never used, of which the shop warns by mail."""

    def ask(document: str, token: str | None, **values: Any) -> Any:
        answer = httpx2.post(
            f"http://127.0.0.1:{port}/graphql",
            content=body(document, **values),
            headers={"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})},
            trust_env=False,
        )
        (payload,) = answer.raise_for_status().json()["data"].values()
        return payload["tokens"]["accessToken"]

    ask(DOCUMENTS["login"], ask(DOCUMENTS["anonymousLogin"], None, clientId=CLIENT_ID), email=email, password=PASSWORD)


async def fill(port: int) -> list[Person]:
    """Sign the people up, and return them, logged in."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def make(number: int) -> Person:
        async with turns:
            return await _make_person(port, number)

    return list(await asyncio.gather(*(make(number) for number in range(PEOPLE))))


async def _make_person(port: int, number: int) -> Person:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)

    async def ask(document: str, token: str | None, **values: Any) -> Any:
        answer = orjson.loads(await connection.ask(request(body(document, **values), token)))
        if "errors" in answer:
            raise RuntimeError(answer)
        (payload,) = answer["data"].values()
        return payload

    email = f"person-{number}@example.com"
    anonymous = (await ask(DOCUMENTS["anonymousLogin"], None, clientId=CLIENT_ID))["tokens"]["accessToken"]
    details = {"firstName": "Ada", "lastName": "Lovelace", "preferredLanguage": "en-US"}
    await ask(DOCUMENTS["signup"], anonymous, email=email, password=PASSWORD, customerDetails=details)
    token = (await ask(DOCUMENTS["login"], anonymous, email=email, password=PASSWORD))["tokens"]["accessToken"]
    for house in range(ADDRESSES):
        await ask(
            _CREATE_ADDRESS,
            token,
            contactName="Ada Lovelace",
            street="Unter den Linden",
            streetNumber=str(house),
            zipCode="10117",
            city="Berlin",
            country="DE",
            tags=["billing", "shipping"],
        )
    answers = {}
    for name in READS:
        if name in ("me", "me with 10 addresses", "tokenInfo"):
            answers[name] = comparable(await connection.ask(request(body(DOCUMENTS[name]), token)))
    connection.close()
    _check(answers, email)
    return Person(email, token, answers)


def _check(answers: dict[str, Any], email: str) -> None:
    """Be sure of what everything else is compared with."""
    me = answers["me with 10 addresses"]["me"]
    if me["email"] != email or me["firstName"] != "Ada" or len(me["addresses"]) != ADDRESSES:
        raise RuntimeError(me)
    if [address["isDefault"] for address in me["addresses"]] != [True] + [False] * (ADDRESSES - 1):
        raise RuntimeError(me)
