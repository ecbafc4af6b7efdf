#!/usr/bin/env bash
# grpcio rejects response metadata (headers or trailers) between 8 and 16 KiB at random, the more likely the larger, and
# above that always: the call then ends with RESOURCE_EXHAUSTED in place of the server's status. So an INVALID_ARGUMENT
# whose details list many violations looks now and then like a used-up limit. Sizes are counted decoded, 32 bytes added
# for each field. So a server or a gateway must keep a gRPC error, grpc-status-details-bin included, below 8 KiB. Exits
# with 1 once grpcio does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    grpcio==1.85.3 grpcio-status==1.85.3 googleapis-common-protos==1.76.0

cat > trailers.py << 'END'
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
import grpc
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

CALLS = 60

def fail(request, context):
    details = Any()
    violations = [BadRequest.FieldViolation(field=f"items[{at}].price", description="must be at least 0" + 60 * ".")
        for at in range(int(request))]
    details.Pack(BadRequest(field_violations=violations))
    context.abort_with_status(rpc_status.to_status(Status(code=3, message="not valid", details=[details])))

server = grpc.server(ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("finding.Service", {
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
}),))
channel = grpc.insecure_channel(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
server.start()
seen = {}
for violations in (10, 110, 200):
    seen[violations] = Counter()
    size = 0
    for _ in range(CALLS):
        try:
            channel.unary_unary("/finding.Service/Fail")(str(violations).encode(), timeout=5)
        except grpc.RpcError as error:
            seen[violations][error.code().name] += 1
            size = max(size, sum(len(value) for _, value in error.trailing_metadata() or ()))
    print(f"INVALID_ARGUMENT with {violations} violations ({size or 'over 16384'} bytes): {dict(seen[violations])}")
server.stop(0)
small, middle, large = seen.values()
as_found = small == {"INVALID_ARGUMENT": CALLS} and len(middle) == 2 and large == {"RESOURCE_EXHAUSTED": CALLS}
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "grpcio 1.85.3"
timeout 40 venv/bin/python trailers.py
