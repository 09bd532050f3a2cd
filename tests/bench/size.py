"""How much longer the look-ups of a token and of a login take when there are a hundred times as many customers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from statistics import median
from time import perf_counter

from app.adapters.database.opening import open_database
from app.models import TABLES
from app.repositories.credentials import CredentialRepository
from app.repositories.sessions import TokenLookup
from tests.bench.dataset import Databases, run_statements

SMALL, LARGE = 10_000, 1_000_000
_ROUNDS, _LOOKUPS = 9, 400
_TENANT = "bench"


def measure_growth(databases: Databases, database: str) -> dict[str, float]:
    """Return by how many times each look-up is slower."""
    url = databases.copy(database)
    run_statements(url, *fill(url, 1, SMALL))
    small = asyncio.run(_look_up(url, SMALL))
    run_statements(url, *fill(url, SMALL + 1, LARGE))
    large = asyncio.run(_look_up(url, LARGE))
    return {name: large[name] / small[name] for name in small}


def numbers(url: str, first: int, last: int) -> str:
    """Return the SELECT of the numbers `n` from the first to the last."""
    if url.startswith("sqlite:"):
        series = f"SELECT {first} UNION ALL SELECT n + 1 FROM r WHERE n < {last}"
        return f"WITH RECURSIVE r(n) AS ({series}) SELECT n FROM r"
    return f"SELECT generate_series({first}, {last}) AS n"


def fill(url: str, first: int, last: int) -> list[str]:
    """Return the statements that make customers of these numbers, each with a login and a session, out of one row."""
    if url.startswith("sqlite:"):
        text, token = "printf('%08d', n)", "CAST(printf('%032d', n) AS BLOB)"
    else:
        text, token = "lpad(n::text, 8, '0')", "convert_to(lpad(n::text, 32, '0'), 'UTF8')"
    mail = f"{text} || '@grown.example'"
    changed = {
        "customer": {"id": text, "customer_number": text, "shopper_reference": text},
        "credential": {"customer_id": text, "email": mail, "email_key": mail},
        "session": {"id": text, "customer_id": text},
        "access_token": {"token_hash": token, "session_id": text},
    }
    each = numbers(url, first, last)
    return [*(multiply(table, columns, each) for table, columns in changed.items()), "ANALYZE"]


def multiply(table: str, changed: Mapping[str, str], numbers: str, condition: str = "true") -> str:
    """Return the statement that copies a row that meets the condition for each number, with other values in columns."""
    names = next(list(each.__table__.columns.keys()) for each in TABLES if each.__tablename__ == table)
    values = ", ".join(changed.get(name, name) for name in names)
    origin = f"(SELECT * FROM {table} WHERE {condition} LIMIT 1) AS origin"
    source = f"SELECT {values} FROM ({numbers}) AS numbers CROSS JOIN {origin}"
    return f"INSERT INTO {table} ({', '.join(names)}) {source}"


async def _look_up(url: str, customers: int) -> dict[str, float]:
    """Return the median seconds of each look-up, by keys from all over the tables."""
    database = open_database(url)
    tokens, credentials = TokenLookup(database.connect()), CredentialRepository(database.connect(), _TENANT)
    numbers = random.Random(1)
    seconds: dict[str, list[float]] = {"me": [], "login": []}
    for _ in range(_ROUNDS):
        keys = [numbers.randint(1, customers) for _ in range(_LOOKUPS)]
        started = perf_counter()
        for key in keys:
            assert await tokens.find_by_access_token([_TENANT], f"{key:032d}".encode()) is not None
        between = perf_counter()
        for key in keys:
            assert await credentials.find_by_email(f"{key:08d}@grown.example") is not None
        seconds["me"].append(between - started)
        seconds["login"].append(perf_counter() - between)
    await database.close()
    return {name: median(each) for name, each in seconds.items()}
