"""Exports spans by OpenTelemetry's exporters for Python. `otlp_export.py http|grpc ENDPOINT KEY BATCHES SIZE`.

Prints as JSON which batches the exporter reported as failed. Spans are named by their batch and their number in it.
"""

import json
import sys

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.export import SimpleSpanProcessor


def main(protocol, endpoint, key, batches, size):
    if protocol == "http":
        exporter = OverHttp(endpoint=endpoint, headers={"x-api-key": key})
    else:
        exporter = OverGrpc(endpoint=endpoint, insecure=True, headers=(("x-api-key", key),))
    made = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(made))
    tracer = provider.get_tracer("fairgate")
    failed = []
    for batch in range(batches):
        for number in range(size):
            tracer.start_span(f"{batch}-{number}").end()
        if exporter.export(made.get_finished_spans()) != SpanExportResult.SUCCESS:
            failed.append(batch)
        made.clear()
    exporter.shutdown()
    print(json.dumps({"failed": failed}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
