"""OpenTelemetry traces of requests, where an endpoint for them is configured; nothing of it is imported otherwise.

The caller's W3C ``traceparent`` is taken over, so the gateway's span hangs where the request came from.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class Span(Protocol):
    """What a request says of itself while it runs."""

    def set_attribute(self, name: str, value: Any) -> None:
        """Note an attribute."""
        ...


class Tracing:
    """Makes spans and sends them."""

    def __init__(self, provider: Any) -> None:
        """Take an OpenTelemetry SDK ``TracerProvider``."""
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("ratchet.serving")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(self, name: str, traceparent: str, attributes: dict[str, Any]) -> Iterator[Span]:
        """Open a server span while the block runs.

        Args:
            name: Of the span.
            traceparent: The request's header; empty or malformed begins a new trace.
            attributes: Known at the start.
        """
        from opentelemetry.trace import SpanKind

        context = self._propagator.extract({"traceparent": traceparent}) if traceparent else None
        with self._tracer.start_as_current_span(name, context=context, kind=SpanKind.SERVER, attributes=attributes) as span:
            yield span

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def open_tracing(endpoint: str, *, service: str = "ratchet-gateway") -> Tracing | None:
    """Return tracing to an endpoint, or None where none is configured.

    Args:
        endpoint: Root of an OTLP collector over HTTP, e.g. ``http://collector:4318``; empty for ``OTEL_EXPORTER_OTLP_ENDPOINT``.
        service: Name in the traces.

    >>> open_tracing("") is None or "OTEL_EXPORTER_OTLP_ENDPOINT" in os.environ
    True
    """
    if not endpoint and not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", service)}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces") if endpoint else OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)
