#!/usr/bin/env bash
# grpcio-status refuses an error's details (ValueError) if the message or the code in grpc-status-details-bin is not
# exactly that of grpc-message and grpc-status: a program that only wanted to know a RetryInfo ends with an exception of
# another kind. So a gateway that shortens, cleans or replaces the message of a gRPC error has to do so within the
# details, too, or to leave both alone. Exits with 1 once it does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    grpcio==1.85.3 grpcio-status==1.85.3 googleapis-common-protos==1.76.0

cat > details.py << 'END'
import sys
from concurrent.futures import ThreadPoolExecutor
import grpc
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

STATUS = Status(code=8, message="All 10 requests are used.\nGo on in 7 seconds.")

def fail(request, context):
    context.set_trailing_metadata((("grpc-status-details-bin", STATUS.SerializeToString()),))
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, request.decode())

server = grpc.server(ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("finding.Service", {
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
}),))
channel = grpc.insecure_channel(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
server.start()
results = []
for message in (STATUS.message, STATUS.message.replace("\n", " ")):
    try:
        channel.unary_unary("/finding.Service/Fail")(message.encode(), timeout=5)
    except grpc.RpcError as error:
        try:
            results.append(f"code {rpc_status.from_call(error).code}")
        except ValueError as refused:
            results.append("ValueError")
            print(refused)
    print(f"grpc-message {message!r}: {results[-1]}")
server.stop(0)
sys.exit(0 if results == ["code 8", "ValueError"] else "the behaviour has changed")
END
echo "grpcio-status 1.85.3"
timeout 30 venv/bin/python details.py
