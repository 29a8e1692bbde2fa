"""Traces: the caller's trace goes on, and without an endpoint nothing of OpenTelemetry is imported."""

import subprocess
import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ratchet.serving.tracing import Tracing


def test_the_caller_s_trace_goes_on():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = Tracing(provider)
    with tracing.span("infer", f"00-{'a' * 32}-{'b' * 16}-01", {"ratchet.deployment": "fraud"}) as span:
        span.set_attribute("ratchet.rows", 1)
    with tracing.span("infer", "nonsense", {}):
        pass
    first, second = exporter.get_finished_spans()
    assert f"{first.context.trace_id:032x}" == "a" * 32
    assert f"{first.parent.span_id:016x}" == "b" * 16
    assert second.parent is None
    tracing.close()


def test_nothing_is_imported_without_an_endpoint():
    code = (
        "import os, sys\nos.environ.pop('OTEL_EXPORTER_OTLP_ENDPOINT', None)\nfrom ratchet.serving.tracing import open_tracing\n"
        "assert open_tracing('') is None\nassert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
