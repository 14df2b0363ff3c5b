"""Export of spans to a collector, in its own process, since a tracer provider can be set only once."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

PROGRAM = """
import sys
from framework.telemetry import decide_on_telemetry, set_up_exporter
from opentelemetry import trace
set_up_exporter(None)
assert decide_on_telemetry(None) is False
set_up_exporter(sys.argv[1], "Authorization=Basic%20abc")
set_up_exporter("http://127.0.0.1:1")  # there is one already
assert decide_on_telemetry(None) is True
with trace.get_tracer("test").start_as_current_span("an answer"):
    pass
trace.get_tracer_provider().shutdown()
"""


class _Collector(BaseHTTPRequestHandler):
    received: ClassVar[list[tuple[str, bytes]]]
    shown: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.shown.append(self.headers["Authorization"])
        self.received.append((self.path, self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_collector_gets_spans_under_our_name() -> None:
    class Collector(_Collector):
        received: ClassVar[list[tuple[str, bytes]]] = []

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        root = Path(__file__).resolve().parents[3]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, f"http://127.0.0.1:{server.server_port}/v1/traces"],
            cwd=root, env={"OTEL_EXPORTER_OTLP_COMPRESSION": "none", "OTEL_RESOURCE_ATTRIBUTES": "place=here"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        server.shutdown()
        thread.join(10)
    assert done.returncode == 0, done.stderr
    [(path, body)] = Collector.received
    assert path == "/v1/traces"
    assert Collector.shown == ["Basic abc"]
    assert b"an answer" in body
    assert b"parlor" in body
    assert b"place" in body
