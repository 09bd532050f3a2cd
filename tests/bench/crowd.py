"""How long a reader waits while others keep the gateway busy: with logins, with mails, with long lists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, sleep

import httpx2
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.bench.bench import Bench
from tests.bench.dataset import run_statements
from tests.bench.servers import BACKEND_SECRET, CORES, Server
from tests.bench.size import fill, multiply, numbers
from tests.bench.workloads import Person
from tests.harness.postgresql import free_port

PATIENCE = 60.0


def measure_crowd(bench: Bench, database: str) -> None:
    """Measure `me` alone and beside each of them, round by round."""
    with bench.server(database, cores=CORES) as server:
        _beside_logins(bench, database, server)
        _beside_lists(bench, database, server)
    _beside_mails(bench, database)


def _beside_logins(bench: Bench, database: str, server: Server) -> None:
    effort, seconds = bench.effort, bench.effort.seconds_hashing
    for _ in range(effort.rounds):
        alone = bench.measure(database, server, "me", effort.seconds, "me, paced", paced=True)
        with bench.beside(database, server, "login", seconds + 0.2, connections=64):
            beside = bench.measure(database, server, "me", seconds, "me beside 64 logins", paced=True)
        bench.results.kept.setdefault(database, []).append(beside.per_second / alone.per_second)


def _beside_lists(bench: Bench, database: str, server: Server) -> None:
    effort = bench.effort
    run_statements(server.database_url, *fill(server.database_url, 1, effort.customers))
    backend = Person("", _backend_token(server.port), {})
    seconds = effort.rounds * (effort.seconds + 0.2)
    with bench.beside(database, server, "customers", seconds, connections=1, people=[backend]):
        for _ in range(effort.rounds):
            bench.measure(database, server, "me", effort.seconds, "me beside a list being paged", paced=True)


def _backend_token(port: int) -> str:
    """Return the access token of the system that reads all customers."""
    answer = httpx2.post(
        f"http://127.0.0.1:{port}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=("bench-backend", BACKEND_SECRET),
        trust_env=False,
    )
    token: str = answer.raise_for_status().json()["access_token"]
    return token


def _beside_mails(bench: Bench, database: str) -> None:
    with _mail_server() as sink:
        server = bench.server(database, cores=CORES, SMTP_URL=sink.url, MAIL_FROM="Bench shop <no-reply@bench.example>")
        # The one that was written by the gateway stays, to be copied.
        run_statements(server.database_url, "UPDATE outbox_message SET dead_at = due_at")
        with server:
            _measure_beside_mails(bench, database, server, sink)


def _measure_beside_mails(bench: Bench, database: str, server: Server, sink: _Sink) -> None:
    effort = bench.effort
    for number in range(effort.rounds):
        sink.received = 0
        started = perf_counter()
        run_statements(server.database_url, _mails(server.database_url, number * effort.mails, effort.mails))
        sink.wait_for(1)
        bench.measure(database, server, "me", effort.seconds, "me beside mails", paced=True)
        if sink.received >= effort.mails:
            raise RuntimeError("The mails were gone before the measurement was over.")
        sink.wait_for(effort.mails)
        bench.results.mails_per_second.setdefault(database, []).append(effort.mails / (perf_counter() - started))


def _mails(url: str, first: int, count: int) -> str:
    """Return the statement that has so many more mails wait: copies of the one that is kept."""
    text = "CAST(n AS VARCHAR(36))"
    changed = {"id": text, "dead_at": "NULL", "due_at": "created_at"}
    return multiply(
        "outbox_message", changed, numbers(url, first + 1, first + count), "kind = 'mail' AND dead_at IS NOT NULL"
    )


class _Sink:
    """Counts the mails that arrive."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.received = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail in."""
        self.received += 1
        return "250 OK"

    def wait_for(self, count: int) -> None:
        """Return when so many have arrived; raises `RuntimeError` when they do not."""
        deadline = perf_counter() + PATIENCE
        while self.received < count:
            if perf_counter() > deadline:
                raise RuntimeError(f"{self.received} of {count} mails arrived.")
            sleep(0.01)


@contextmanager
def _mail_server() -> Iterator[_Sink]:
    port = free_port()
    sink = _Sink(f"smtp://127.0.0.1:{port}")
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    yield sink
    controller.stop()
