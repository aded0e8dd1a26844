"""Servers that take what a process reports: Sentry's envelopes, and traces as an OpenTelemetry collector does."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

DEADLINE_SECONDS = 30


@dataclass(frozen=True)
class Span:
    """A span as it arrived; ids in hexadecimal."""

    name: str
    trace_id: str
    parent_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    is_error: bool


@dataclass
class Collectors:
    """Both on one port; what arrives is kept."""

    port: int
    events: Queue[dict[str, Any]] = field(default_factory=Queue)
    """Sentry's."""
    spans: Queue[Span] = field(default_factory=Queue)
    texts: list[str] = field(default_factory=list)
    """All that came over the wire to either of them, decoded as text."""

    @property
    def settings(self) -> dict[str, str]:
        return {
            "ENCORE_SENTRY_DSN": f"http://0123456789abcdef@127.0.0.1:{self.port}/7",
            "ENCORE_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
        }

    def event(self) -> dict[str, Any]:
        """The next event; waits for it."""
        return self.events.get(timeout=DEADLINE_SECONDS)

    def span(self, trace_id: str = "", *, parent_id: str = "", name: str = "") -> Span:
        """The next span that is as wanted; waits for it, and drops those before it."""
        while True:
            span = self.spans.get(timeout=DEADLINE_SECONDS)
            pairs = ((trace_id, span.trace_id), (parent_id, span.parent_id), (name, span.name))
            if all(wanted in {"", found} for wanted, found in pairs):
                return span

    def take(self, path: str, body: bytes) -> None:
        self.texts.append(body.decode(errors="replace"))
        if path == "/v1/traces":
            for span in _spans(ExportTraceServiceRequest.FromString(body)):
                self.spans.put(span)
        elif path == "/api/7/envelope/":
            for event in _events(body):
                self.events.put(event)


@contextmanager
def collecting() -> Iterator[Collectors]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            collectors.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collectors = Collectors(server.server_address[1])
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield collectors
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _events(envelope: bytes) -> Iterator[dict[str, Any]]:
    """The events of an envelope: a line of headers, then for each item its headers and its payload."""
    _, *lines = envelope.splitlines()
    for header, payload in zip(lines[::2], lines[1::2], strict=True):
        if json.loads(header)["type"] == "event":
            yield json.loads(payload)


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for of_process in request.resource_spans:
        resource = _attributes(of_process.resource.attributes)
        for of_library in of_process.scope_spans:
            for span in of_library.spans:
                yield Span(
                    span.name,
                    span.trace_id.hex(),
                    span.parent_span_id.hex(),
                    _attributes(span.attributes),
                    resource,
                    span.status.code == span.status.STATUS_CODE_ERROR,
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
