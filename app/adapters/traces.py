"""One span for each request, sent by OpenTelemetry if its SDK is installed and configured by its variables."""

from __future__ import annotations

from app.adapters.clock import SystemClock
from app.domain.ports import ServedRequest

try:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:
    IS_INSTALLED = False
else:
    IS_INSTALLED = True

_NANOSECONDS = 1_000_000_000


class OpenTelemetryTraces:
    """The `Observer` that sends spans by OTLP over HTTP, in batches from a thread of its own.

    Everything is set by the standard variables, such as `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME` and
    `OTEL_TRACES_SAMPLER`. A span has nothing personal, and of the caller's text only its trace context. Raises
    `ValueError` if the SDK is not installed.
    """

    def __init__(self) -> None:
        if not IS_INSTALLED:
            raise ValueError(
                "OTEL_EXPORTER_OTLP_ENDPOINT is set, but tracing is not installed: "
                "pip install --no-deps --require-hashes --only-binary :all: -r scripts/requirements-tracing.txt"
            )
        self._clock = SystemClock()
        self._contexts = TraceContextTextMapPropagator()
        self._provider = TracerProvider()
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("customer-gateway")

    def request_served(self, request: ServedRequest) -> None:
        """Send the span of a request that has ended."""
        ended = int(self._clock.now().timestamp() * _NANOSECONDS)
        parent = request.trace_parent
        span = self._tracer.start_span(
            " ".join(request.fields) or f"{request.method} {request.route or 'unknown'}",
            context=self._contexts.extract({"traceparent": parent}) if parent is not None else None,
            kind=SpanKind.SERVER,
            attributes={name: value for name, value in _attributes(request).items() if value is not None},
            start_time=ended - int(request.seconds * _NANOSECONDS),
        )
        if request.status >= 500 or request.outcome == "INTERNAL":
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)

    def close(self) -> None:
        """Send all spans that are not sent yet."""
        self._provider.shutdown()


def _attributes(request: ServedRequest) -> dict[str, str | int | None]:
    return {
        "http.request.method": request.method,
        "http.route": request.route,
        "http.response.status_code": request.status,
        "gateway.request_id": request.request_id,
        "gateway.outcome": request.outcome,
        "gateway.tenant": request.tenant,
        "gateway.caller": request.caller,
    }
