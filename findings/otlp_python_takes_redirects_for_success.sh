#!/usr/bin/env bash
# OpenTelemetry's HTTP exporter for Python counts every status from 200 to 399 as a success and follows no redirect: a
# receiver that answers a POST with 301 or 308 gets nothing, and the program is told that all was exported.
# So docs/clients.md names it among the silent losses. Exits with 1 once the exporter does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    opentelemetry-exporter-otlp-proto-http==1.45.2 opentelemetry-sdk==1.45.2

cat > export.py << 'END'
import sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

taken = []

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            taken.append(self.path)
            self.send_response(200)
        else:
            self.send_response(int(self.path.split("/")[1]))
            self.send_header("Location", "/v1/traces")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
made = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(made))
provider.get_tracer("finding").start_span("one").end()
as_found = True
for status in (301, 308):
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{server.server_port}/{status}/")
    result = exporter.export(made.get_finished_spans())
    print(f"{status}: the exporter says {result.name}, the receiver took {len(taken)} requests")
    as_found &= result.name == "SUCCESS" and not taken
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "opentelemetry-exporter-otlp-proto-http 1.45.2"
venv/bin/python export.py
