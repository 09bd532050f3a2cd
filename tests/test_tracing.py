"""Tracing from outside: spans of a server process arrive at a collector, and hold nothing of the person."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app.adapters import traces
from app.adapters.traces import OpenTelemetryTraces
from tests.factories import PASSWORD
from tests.harness.server import ServerClient, ServerProcess

pytestmark = pytest.mark.anyio

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE_PARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


class Collector:
    """Receives OTLP over HTTP on loopback, and keeps it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Keep one batch."""
                collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.end_headers()
                self.wfile.write(ExportTraceServiceResponse().SerializeToString())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def spans(self) -> list[Span]:
        """What has arrived."""
        batches = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        scopes = [scope for batch in batches for resource in batch.resource_spans for scope in resource.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.stop()


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path) -> dict[str, str]:
    """Return that of SQLite only: the database has no part in this."""
    database = tmp_path / "gateway.db"
    database.write_bytes(sqlite_template.read_bytes())
    return {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state")}


def attributes(span: Span) -> dict[str, str | int]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


class TestTracing:
    async def test_sends_a_span_of_each_request_with_nothing_of_the_person(
        self, start_server: Callable[..., ServerProcess], collector: Collector
    ) -> None:
        server = start_server(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_SERVICE_NAME="gateway-in-test")
        storefront = ServerClient(server)
        async with storefront.http:
            person = await storefront.signed_up("open-storefront", customerDetails={"firstName": "Hildegard"})
            tokens = await storefront.login(person.email, token=person.tokens.access)
            query = "{ me { email } addresses { id } }"
            await storefront.graphql(
                query, token=tokens.access, headers={"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}
            )
            await storefront.graphql("{ me { email } }", headers={"traceparent": "nonsense"})
            await storefront.http.get(f"/graphql/{tokens.access}")
        server.stop()
        by_name = {span.name: span for span in collector.spans}
        assert set(by_name) >= {"anonymousLogin", "signup", "login", "me addresses", "me", "GET unknown", "GET /readyz"}
        traced = by_name["me addresses"]
        assert traced.trace_id.hex() == TRACE_ID
        assert traced.kind == Span.SPAN_KIND_SERVER
        assert traced.end_time_unix_nano >= traced.start_time_unix_nano
        assert (
            attributes(traced).items()
            >= {
                "http.request.method": "POST",
                "http.route": "/graphql",
                "http.response.status_code": 200,
                "gateway.tenant": "open",
                "gateway.caller": "CUSTOMER",
            }.items()
        )
        assert attributes(by_name["me"])["gateway.outcome"] == "UNAUTHENTICATED"
        sent = b"".join(collector.bodies)
        assert b"gateway-in-test" in sent
        private = [
            person.email,
            PASSWORD,
            "Hildegard",
            tokens.access,
            tokens.refresh,
            person.tokens.access,
            "127.0.0.1",
        ]
        assert [word for word in private if word.encode() in sent] == []

    async def test_serves_on_when_nobody_takes_the_spans(self, start_server: Callable[..., ServerProcess]) -> None:
        server = start_server(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_TIMEOUT="1")
        storefront = ServerClient(server)
        async with storefront.http:
            assert (await storefront.anonymous()).session_id


class TestInstallation:
    def test_is_asked_for_where_it_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(traces, "IS_INSTALLED", False)
        with pytest.raises(ValueError, match=r"pip install .* -r scripts/requirements-tracing.txt"):
            OpenTelemetryTraces()
