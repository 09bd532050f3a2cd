"""Metrics for Prometheus: in this process; or, with several processes, in files that are added up for each answer."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from app.domain.ports import ServedRequest

# Seconds. From a fast read to a login that waits in the queue; operations are cancelled after ten seconds.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_REFUSED = "(refused)"
_OK = "OK"


class PrometheusMetrics:
    """The `Metrics` of one process. Labels have only our own values, never what a caller has sent."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "gateway_requests",
            "Requests by root field of GraphQL (or by route) and outcome: OK or the code of the first (user) error.",
            ("field", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "gateway_request_seconds",
            "How long the answer took, by root field of GraphQL (or by route).",
            ("field",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._limited = Counter(
            "gateway_limited", "Tries that a limit has refused, by limit.", ("limit",), registry=self.registry
        )
        self._attacks = Counter(
            "gateway_login_attacks",
            "Attacks on logins, once a day each: at one account, or by one password.",
            ("target",),
            registry=self.registry,
        )
        self._conflicts = Counter(
            "gateway_transaction_conflicts",
            "Transactions that the database has ended because of others, by what was done: repeated or given_up.",
            ("outcome",),
            registry=self.registry,
        )
        self._hook_seconds = Histogram(
            "gateway_password_hook_seconds",
            "How long old shops took to tell whether a password is right, by answer: right, wrong or unavailable.",
            ("answer",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._passwords_waiting = self._gauge("gateway_passwords_waiting", "Passwords that wait to be hashed.")
        self._connections = self._gauge("gateway_database_connections", "Connections to the database in use.")
        self._oldest = self._gauge(
            "gateway_outbox_oldest_seconds", "How long the oldest due message has waited.", "mostrecent"
        )
        self._dead = self._gauge("gateway_outbox_dead", "Messages that were given up.", "mostrecent")
        # Looked up once and kept, because the library takes longer to find a counter than to count.
        self._counted: dict[tuple[str, str], Counter] = {}
        self._timed: dict[str, Histogram] = {}

    def request_served(self, request: ServedRequest) -> None:
        """Count a request for each of its root fields."""
        outcome = request.outcome or _OK
        for field in request.fields or (request.route or _REFUSED,):
            counter = self._counted.get((field, outcome))
            if counter is None:
                counter = self._counted[field, outcome] = self._requests.labels(field, outcome)
                self._timed[field] = self._seconds.labels(field)
            counter.inc()
            self._timed[field].observe(request.seconds)

    def limit_hit(self, name: str) -> None:
        """Count an attempt that the limit with this name has refused."""
        self._limited.labels(name).inc()

    def login_attacked(self, target: str) -> None:
        """Count one more attack on logins."""
        self._attacks.labels(target).inc()

    def conflict_met(self, outcome: str) -> None:
        """Count one more transaction that another one was in the way of."""
        self._conflicts.labels(outcome).inc()

    def password_hook_asked(self, outcome: str, seconds: float) -> None:
        """Count one question to an old shop."""
        self._hook_seconds.labels(outcome).observe(seconds)

    def show_process(self, *, passwords_waiting: int, connections: int) -> None:
        """Set how much work this process has now."""
        self._passwords_waiting.set(passwords_waiting)
        self._connections.set(connections)

    def show_outbox(self, *, oldest_seconds: float, dead: int) -> None:
        """Set how much the outbox holds."""
        self._oldest.set(oldest_seconds)
        self._dead.set(dead)

    def close(self) -> None:
        """Set the work of this process to zero."""
        self.show_process(passwords_waiting=0, connections=0)

    def _gauge(self, name: str, text: str, mode: str = "livesum") -> Gauge:
        return Gauge(name, text, registry=self.registry, multiprocess_mode=mode)  # type: ignore[arg-type]


class _Processes(Collector):
    """The metrics of all processes that store them in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all = MultiProcessCollector(None, str(folder))  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[object]:  # type: ignore[override]
        """Add up the metrics; for a process that has ended, only its counters."""
        for file in self._folder.glob("gauge_live*.db"):
            process = file.stem.rpartition("_")[2]
            if not _is_alive(int(process)):
                mark_process_dead(process, str(self._folder))  # type: ignore[no-untyped-call]
        yield from self._all.collect()  # type: ignore[no-untyped-call]


@contextmanager
def serve_metrics(host: str, port: int, source: PrometheusMetrics | Path) -> Iterator[None]:
    """Answer Prometheus on a port of its own, for this process or for all that store metrics in the folder.

    Raises `ValueError` if the port is in use.
    """
    if isinstance(source, Path):
        registry = CollectorRegistry()
        registry.register(_Processes(source))
    else:
        registry = source.registry
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise _taken(port, error) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def check_port(host: str, port: int) -> None:
    """Raise `ValueError` if `serve_metrics` would."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise _taken(port, error) from None


def _taken(port: int, error: OSError) -> ValueError:
    return ValueError(f"METRICS_PORT {port} cannot be used: {os.strerror(error.errno or 0)}")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
