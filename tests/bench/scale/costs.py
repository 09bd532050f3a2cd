"""What one request costs each part, and one row in bytes: `python -m tests.bench.scale.costs`, on PostgreSQL.

Processor time is read from /proc before and after a load, so it is right on a busy machine too, give or take a tenth.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import orjson

from tests.bench.bench import CONNECTIONS, CONNECTIONS_HASHING, Load
from tests.bench.dataset import Databases, run_statements
from tests.bench.scale.arithmetic import COSTS_FILE
from tests.bench.servers import CORES, GATEWAY, Server
from tests.bench.size import multiply, numbers
from tests.bench.statements import count_statements
from tests.bench.visits import measure_visits
from tests.bench.workloads import CLIENT_ID, DOCUMENTS, HASHING, PASSWORD, READS, body, request
from tests.harness.redis_server import RedisServer

WORKLOADS = (
    "me",
    "me with 10 addresses",
    "tokenInfo",
    "anonymousLogin",
    "refresh",
    "updateMe",
    "login",
    "signup",
)
SECONDS = 3.0
CUSTOMERS = 100_000
VISITS = 16_000
_TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Write what each workload costs, and the bytes of a row with its indexes, into `costs.json`."""
    with tempfile.TemporaryDirectory(prefix="costs-") as name, Databases(Path(name)) as databases:
        folder = Path(name)
        costs: dict[str, Any] = {workload: asyncio.run(_cost(databases, folder, workload)) for workload in WORKLOADS}
        statements = asyncio.run(count_statements(databases.copy("PostgreSQL"), folder))
        for workload in WORKLOADS:
            costs[workload]["statements"] = statements[workload]
        visit = measure_visits(databases, "PostgreSQL", VISITS).bytes_at_once
        costs["bytes of a row"] = {**_bytes_of_each_row(databases), "visit": round(visit, 1)}
    COSTS_FILE.write_bytes(orjson.dumps(costs, option=orjson.OPT_INDENT_2) + b"\n")


async def _cost(databases: Databases, folder: Path, workload: str) -> dict[str, float]:
    """Return the cost of one answer: microseconds of processor, bytes, commands of Redis."""
    url = databases.copy("PostgreSQL")
    database = await asyncpg.connect(url)
    with ExitStack() as stack:
        redis = RedisServer(folder)
        stack.callback(redis.stop)
        stack.callback(redis.client.close)
        server = stack.enter_context(Server(GATEWAY, url, folder, CORES, REDIS_URL=redis.url, WORKER="off"))
        load = Load()
        stack.callback(load.close)
        load.start(_task(databases, server, workload))
        before = await _spent(database, server, redis)
        answers = load.finish().answers
        after = await _spent(database, server, redis)
        sizes = await _bytes_on_the_wire(databases, server.port, workload)
    await database.close()
    return {name: round((after[name] - before[name]) / answers, 1) for name in before} | sizes


def _task(databases: Databases, server: Server, workload: str) -> dict[str, Any]:
    connections = CONNECTIONS_HASHING if workload in HASHING else CONNECTIONS
    return {
        "port": server.port,
        "workload": workload,
        "people": databases.people("PostgreSQL", workload),
        "connections": connections,
        "seconds": SECONDS,
        "pause": 0.0,
        "logins": 2 + int(200 * SECONDS / connections),
    }


async def _spent(database: asyncpg.Connection, server: Server, redis: RedisServer) -> dict[str, float]:
    postmaster = _parent(await database.fetchval("SELECT pg_backend_pid()"))
    log = await database.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
    return {
        "gateway us": _microseconds(server.pid),
        "database us": _microseconds(postmaster),
        "write-ahead log bytes": float(log),
        "redis us": _microseconds(redis.process.pid),
        "redis commands": float(redis.client.info("stats")["total_commands_processed"]),
    }


def _microseconds(pid: int) -> float:
    """Return the processor time of a process with its children, those that have ended among them."""
    fields = _stat(pid)
    own = sum(int(each) for each in fields[11:15]) * 1_000_000 / _TICK
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(_microseconds(int(child)) for child in children)


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, which may have blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


async def _bytes_on_the_wire(databases: Databases, port: int, workload: str) -> dict[str, float]:
    """Return how many bytes go in and out for one request, HTTP and all, without TLS."""
    person = databases.people("PostgreSQL", workload)[0]
    tokens = httpx2.post(
        f"http://127.0.0.1:{port}/graphql",
        content=body(DOCUMENTS["anonymousLogin"], clientId=CLIENT_ID),
        headers={"content-type": "application/json"},
        trust_env=False,
    ).json()["data"]["anonymousLogin"]["tokens"]
    values: dict[str, dict[str, Any]] = {
        "anonymousLogin": {"clientId": CLIENT_ID},
        "refresh": {"refreshToken": tokens["refreshToken"]},
        "updateMe": {"firstName": "Ada 1"},
        "login": {"email": person.email, "password": PASSWORD},
        "signup": {"email": "wire@example.com", "password": PASSWORD},
    }
    token = {"anonymousLogin": None, "refresh": None, "login": tokens["accessToken"], "signup": tokens["accessToken"]}
    sent = request(body(DOCUMENTS[workload], **values.get(workload, {})), token.get(workload, person.token))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    content = await reader.readexactly(length)
    writer.close()
    assert orjson.loads(content).get("errors") is None, content
    assert workload in READS or head.startswith(b"HTTP/1.1 200 ")
    return {"bytes in": float(len(sent)), "bytes out": float(len(head) + length)}


def _bytes_of_each_row(databases: Databases) -> dict[str, float]:
    """Return the bytes of one row with its indexes, for each table that grows with customers or time."""
    url = databases.copy("PostgreSQL")
    number, identity = "lpad(n::text, 8, '0')", "lpad(n::text, 36, '0')"
    mail, token = f"{number} || '@grown.example'", "sha256(n::text::bytea)"
    changed = {
        "customer": {"id": identity, "customer_number": number, "shopper_reference": number},
        "credential": {"customer_id": identity, "email": mail, "email_key": mail},
        "customer_word": {"customer_id": identity},
        "address": {"id": identity, "customer_id": identity},
        "audit_event": {"id": identity, "customer_id": identity},
        "session": {"id": identity, "customer_id": identity},
        "access_token": {"token_hash": token, "session_id": identity},
        "refresh_token": {"token_hash": token, "session_id": identity},
    }
    each = numbers(url, 1, CUSTOMERS)
    run_statements(url, *(multiply(table, columns, each) for table, columns in changed.items()))
    return asyncio.run(_bytes_of_rows(url, list(changed)))


async def _bytes_of_rows(url: str, tables: list[str]) -> dict[str, float]:
    database = await asyncpg.connect(url)
    sizes = {table: await _bytes_of_a_row(database, table) for table in tables}
    await database.close()
    return sizes


async def _bytes_of_a_row(database: asyncpg.Connection, table: str) -> float:
    rows = await database.fetchval(f"SELECT count(*) FROM {table}")
    size = await database.fetchval(f"SELECT pg_total_relation_size('{table}')")
    return round(int(size) / int(rows), 1)


if __name__ == "__main__":
    main()
