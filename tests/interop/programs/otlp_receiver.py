"""An OTLP receiver for traces, over HTTP (protobuf and JSON) and gRPC. `otlp_receiver.py HTTP_PORT GRPC_PORT FILE`.

Before it answers, it appends the name of each span to FILE, one a line, so that they can be counted after a restart.
"""

import concurrent.futures
import sys
import threading

import grpc
from cheroot import wsgi
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as rpc

HOST = "127.0.0.1"


class Spans:
    """What has arrived."""

    def __init__(self, path):
        self._file = open(path, "a", encoding="utf-8")
        self._lock = threading.Lock()

    def add(self, request):
        names = [span.name for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
        with self._lock:
            self._file.writelines(f"{name}\n" for name in names)
            self._file.flush()


class OverHttp:
    """`POST /v1/traces`, as a WSGI application."""

    def __init__(self, spans):
        self._spans = spans

    def __call__(self, environ, start_response):
        # Raises where a chunked body ends early.
        body = environ["wsgi.input"].read()
        media_type = environ["CONTENT_TYPE"]
        if environ["PATH_INFO"] not in ("/v1/traces", "/v1/traces/"):
            start_response("404 Not Found", [])
            return []
        if len(body) < int(environ.get("CONTENT_LENGTH") or 0):
            start_response("400 Bad Request", [])
            return []
        if media_type == "application/json":
            request = json_format.Parse(body, service.ExportTraceServiceRequest())
            answer = json_format.MessageToJson(service.ExportTraceServiceResponse()).encode()
        else:
            request = service.ExportTraceServiceRequest.FromString(body)
            answer = service.ExportTraceServiceResponse().SerializeToString()
        self._spans.add(request)
        start_response("200 OK", [("Content-Type", media_type), ("Content-Length", str(len(answer)))])
        return [answer]


class OverGrpc(rpc.TraceServiceServicer):
    """`opentelemetry.proto.collector.trace.v1.TraceService/Export`."""

    def __init__(self, spans):
        self._spans = spans

    def Export(self, request, context):
        self._spans.add(request)
        return service.ExportTraceServiceResponse()


def main(http_port, grpc_port, path):
    spans = Spans(path)
    # Without SO_REUSEPORT a port that is taken is an error.
    grpc_server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=8), options=[("grpc.so_reuseport", 0)])
    rpc.add_TraceServiceServicer_to_server(OverGrpc(spans), grpc_server)
    assert grpc_server.add_insecure_port(f"{HOST}:{grpc_port}") == grpc_port
    grpc_server.start()
    wsgi.Server((HOST, http_port), OverHttp(spans), timeout=60).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
