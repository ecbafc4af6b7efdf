#!/usr/bin/env bash
# OpenTelemetry's gRPC exporter for Python waits 1, 2 and 4 seconds (with jitter) between its attempts, whatever the server says by
# grpc-retry-pushback-ms (gRPC's own retries) or retry-after. It reads google.rpc.RetryInfo alone, from the trailer
# google.rpc.retryinfo-bin. Exits with 1 once it does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    opentelemetry-exporter-otlp-proto-grpc==1.45.2 opentelemetry-sdk==1.45.2 grpcio==1.85.3 \
    googleapis-common-protos==1.76.0

cat > export.py << 'END'
import logging, sys, time
from concurrent.futures import ThreadPoolExecutor
import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

logging.disable(logging.CRITICAL)
info = RetryInfo(retry_delay=Duration(nanos=100_000_000)).SerializeToString()
WAYS = {
    "grpc-retry-pushback-ms: 100": ("grpc-retry-pushback-ms", "100"),
    "retry-after: 0": ("retry-after", "0"),
    "RetryInfo of 100 ms": ("google.rpc.retryinfo-bin", info),
}

class Receiver(service.TraceServiceServicer):
    def __init__(self):
        self.times, self.trailer = [], None

    def Export(self, request, context):
        self.times.append(time.monotonic())
        context.set_trailing_metadata((self.trailer,))
        context.abort(grpc.StatusCode.UNAVAILABLE, "come back")

receiver = Receiver()
server = grpc.server(ThreadPoolExecutor(2))
service.add_TraceServiceServicer_to_server(receiver, server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
made = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(made))
provider.get_tracer("finding").start_span("one").end()
firsts = {}
for name, trailer in WAYS.items():
    receiver.times, receiver.trailer = [], trailer
    OTLPSpanExporter(endpoint=f"http://127.0.0.1:{port}", insecure=True, timeout=4).export(made.get_finished_spans())
    waits = [round(after - before, 1) for before, after in zip(receiver.times, receiver.times[1:])]
    firsts[name] = waits[0] if waits else None
    print(f"{name}: {len(receiver.times)} attempts, waits of {waits[:5]} seconds")
server.stop(0)
pushback, after, of_info = firsts.values()
as_found = pushback and after and of_info and pushback > 0.5 and after > 0.5 and of_info < 0.5
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "opentelemetry-exporter-otlp-proto-grpc 1.45.2"
venv/bin/python export.py
