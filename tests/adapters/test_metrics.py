"""What Prometheus is told: of one process, and of several that keep their numbers in a folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

import httpx2
import pytest

from app.adapters.metrics import PrometheusMetrics, check_port, serve_metrics
from app.domain.ports import ServedRequest
from tests.harness.postgresql import free_port
from tests.harness.source import ROOT

# A process of its own: where the numbers are kept is decided when the library is imported.
PROCESS = """
from app.adapters.metrics import PrometheusMetrics
metrics = PrometheusMetrics()
metrics.limit_hit("login.ip")
metrics.show_process(passwords_waiting=3, connections=2)
metrics.show_outbox(oldest_seconds=7, dead=1)
print("written", flush=True)
input()
"""


def request(*fields: str, outcome: str | None = None, route: str | None = "/graphql") -> ServedRequest:
    return ServedRequest("request-1", "POST", route, 200, 0.02, fields, outcome, "demo", "CUSTOMER", None)


def ask(source: PrometheusMetrics | Path) -> dict[str, float]:
    """Return the numbers as somebody reads them over HTTP."""
    port = free_port()
    with serve_metrics("127.0.0.1", port, source):
        text = httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def requests_counted(metrics: PrometheusMetrics) -> dict[str, float]:
    prefix = "gateway_requests_total"
    return {name.removeprefix(prefix): value for name, value in ask(metrics).items() if name.startswith(prefix)}


class TestRequestServed:
    def test_counts_each_root_field_by_its_outcome(self) -> None:
        metrics = PrometheusMetrics()
        for _ in range(2):
            metrics.request_served(request("me", "addresses"))
        metrics.request_served(request("me", outcome="UNAUTHENTICATED"))
        assert requests_counted(metrics) == {
            '{field="addresses",outcome="OK"}': 2,
            '{field="me",outcome="OK"}': 2,
            '{field="me",outcome="UNAUTHENTICATED"}': 1,
        }

    def test_counts_by_the_route_where_there_is_no_field(self) -> None:
        metrics = PrometheusMetrics()
        metrics.request_served(request(route="/oauth/token", outcome="invalid_client"))
        metrics.request_served(request(route=None, outcome="HTTP_404"))
        assert requests_counted(metrics) == {
            '{field="/oauth/token",outcome="invalid_client"}': 1,
            '{field="(refused)",outcome="HTTP_404"}': 1,
        }

    def test_sorts_the_time_that_it_took(self) -> None:
        metrics = PrometheusMetrics()
        metrics.request_served(request("me"))
        numbers = ask(metrics)
        assert numbers['gateway_request_seconds_bucket{field="me",le="0.01"}'] == 0
        assert numbers['gateway_request_seconds_bucket{field="me",le="0.025"}'] == 1
        assert numbers['gateway_request_seconds_sum{field="me"}'] == pytest.approx(0.02)


class TestGauges:
    def test_show_what_was_seen_last(self) -> None:
        metrics = PrometheusMetrics()
        metrics.show_process(passwords_waiting=3, connections=5)
        metrics.show_process(passwords_waiting=2, connections=4)
        metrics.show_outbox(oldest_seconds=61.5, dead=2)
        numbers = ask(metrics)
        assert (numbers["gateway_passwords_waiting"], numbers["gateway_database_connections"]) == (2, 4)
        assert (numbers["gateway_outbox_oldest_seconds"], numbers["gateway_outbox_dead"]) == (61.5, 2)

    def test_show_nothing_under_way_at_the_end(self) -> None:
        metrics = PrometheusMetrics()
        metrics.show_process(passwords_waiting=3, connections=5)
        metrics.close()
        numbers = ask(metrics)
        assert (numbers["gateway_passwords_waiting"], numbers["gateway_database_connections"]) == (0, 0)


class Process:
    """Another process that counts, until the block ends."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            cwd=ROOT,
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"written\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(b"\n")


class TestServeMetrics:
    def test_adds_up_what_several_processes_have(self, tmp_path: Path) -> None:
        with Process(tmp_path), Process(tmp_path):
            numbers = ask(tmp_path)
        assert numbers['gateway_limited_total{limit="login.ip"}'] == 2
        assert numbers["gateway_passwords_waiting"] == 6
        assert numbers["gateway_database_connections"] == 4
        assert (numbers["gateway_outbox_oldest_seconds"], numbers["gateway_outbox_dead"]) == (7, 1)

    def test_keeps_of_a_process_that_has_gone_what_it_has_counted(self, tmp_path: Path) -> None:
        with Process(tmp_path):
            pass
        with Process(tmp_path):
            numbers = ask(tmp_path)
        assert numbers['gateway_limited_total{limit="login.ip"}'] == 2
        assert numbers["gateway_passwords_waiting"] == 3

    def test_says_that_the_port_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            serving: AbstractContextManager[None] = serve_metrics("127.0.0.1", port, PrometheusMetrics())
            with pytest.raises(ValueError, match=f"METRICS_PORT {port} cannot be used"), serving:
                pass
            with pytest.raises(ValueError, match=f"METRICS_PORT {port} cannot be used: Address already in use"):
                check_port("127.0.0.1", port)
        check_port("127.0.0.1", port)
