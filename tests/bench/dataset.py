"""The data that every server is measured on: customers with ten addresses, logged in, on both databases."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import orjson
from argon2 import PasswordHasher
from sqlalchemy import create_engine, text

from app.settings import Settings
from app.wiring import migrate
from tests.bench.load import Connection
from tests.bench.servers import GATEWAY, Server
from tests.bench.workloads import CLIENT_ID, DOCUMENTS, PASSWORD, READS, Person, body, comparable, request
from tests.harness.postgresql import PostgresqlServer

PEOPLE = 32
ADDRESSES = 10
_CREATE_ADDRESS = "mutation ($input: AddressInput!) { createAddress(input: $input) { address { id } userErrors { code } } }"


class Databases:
    """The two databases with the data in them, copied for each server that is measured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.people: dict[str, list[Person]] = {}
        self._templates: dict[str, str] = {}
        self._postgresql = PostgresqlServer()
        self._made = 0

    def __enter__(self) -> Databases:
        self._postgresql.start()
        for database in ("SQLite", "PostgreSQL"):
            self._templates[database] = url = self._create(database)
            migrate(Settings.load({"DATABASE_URL": url}))
            with Server(GATEWAY, url, self.folder / database, WORKER="off") as server:
                self.people[database] = asyncio.run(_fill(server.port))
        return self

    def __exit__(self, *_error: object) -> None:
        self._postgresql.stop()

    def _create(self, database: str) -> str:
        if database == "SQLite":
            return f"sqlite:///{self.folder / 'template.db'}"
        return self._postgresql.url(self._postgresql.create_database())

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
            _hash_by_default(url)
        return url


def _hash_by_default(url: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    if engine.dialect.is_async:
        asyncio.run(_hash_by_default_in_postgresql(url))
        return
    with engine.begin() as connection:
        connection.execute(text(_NEW_HASH.replace("$1", ":hash")), {"hash": PasswordHasher().hash(PASSWORD)})
    engine.dispose()


async def _hash_by_default_in_postgresql(url: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute(_NEW_HASH, PasswordHasher().hash(PASSWORD))
    await connection.close()


_NEW_HASH = "UPDATE credential SET password_hash = $1"


async def _fill(port: int) -> list[Person]:
    return list(await asyncio.gather(*(_make_person(port, number) for number in range(PEOPLE))))


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
    _check(answers, email)
    return Person(email, token, answers)


def _check(answers: dict[str, Any], email: str) -> None:
    """Be sure of what everything else is compared with."""
    me = answers["me with 10 addresses"]["me"]
    if me["email"] != email or me["firstName"] != "Ada" or len(me["addresses"]) != ADDRESSES:
        raise RuntimeError(me)
    if [address["isDefault"] for address in me["addresses"]] != [True] + [False] * (ADDRESSES - 1):
        raise RuntimeError(me)
