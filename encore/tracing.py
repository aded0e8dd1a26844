"""Traces for an OpenTelemetry collector, over OTLP/HTTP: imported only where one is configured.

What the SDK reads from OTEL_… variables (sampling, headers, further attributes of the resource) holds as usual.
"""

import logging
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from structlog.typing import EventDict

from encore.settings import Settings

EXIT_MILLISECONDS: Final = 1_000
"""How long a process that ends waits for its last spans to be taken."""


class _Processor(BatchSpanProcessor):
    """Sends batches of spans from a thread of its own; full queues drop spans, so that nothing waits."""

    def shutdown(self) -> None:
        """Send what is left; the SDK's own would wait half a minute for a collector that is away."""
        self._batch_processor.shutdown(EXIT_MILLISECONDS)


def start_tracing(settings: Settings, process: str, release: str) -> None:
    """Send spans of this process to the collector until it ends."""
    resource = Resource.create(
        {
            "service.name": f"encore-{process}",
            "service.version": release,
            "deployment.environment.name": settings.network,
        }
    )
    provider = TracerProvider(resource=resource)
    endpoint = f"{settings.otlp_endpoint.rstrip('/')}/v1/traces"
    provider.add_span_processor(_Processor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)
    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)  # a batch that is lost, not each attempt


def add_trace_ids(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Name the trace and the span that a line is logged in (a structlog processor)."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event
