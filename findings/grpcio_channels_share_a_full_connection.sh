#!/usr/bin/env bash
# grpcio opens no second connection when the server's SETTINGS_MAX_CONCURRENT_STREAMS is reached: further calls wait in
# the client, unseen by the server, until their deadline (without one, until a stream ends). A second channel does not
# help, because channels with equal options share the connection; `grpc.use_local_subchannel_pool` does. So whoever
# serves long streams needs a limit above the number of streams of one program, or clients with that option. Exits with
# 1 once grpcio does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.3

cat > streams.py << 'END'
import sys, time
from concurrent.futures import ThreadPoolExecutor
import grpc

STREAMS = 4
calls = []

def watch(_, context):
    yield b"watching"
    while context.is_active():
        time.sleep(0.1)

def get(*_):
    calls.append("one")
    return b"got"

server = grpc.server(ThreadPoolExecutor(2 * STREAMS), options=[("grpc.max_concurrent_streams", STREAMS)])
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("finding.Service", {
    "Watch": grpc.unary_stream_rpc_method_handler(watch),
    "Get": grpc.unary_unary_rpc_method_handler(get),
}),))
target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
server.start()
first = grpc.insecure_channel(target)
streams = [first.unary_stream("/finding.Service/Watch")(b"") for _ in range(STREAMS)]
for stream in streams:
    next(stream)

def call(name, channel):
    calls.clear()
    try:
        result = channel.unary_unary("/finding.Service/Get")(b"", timeout=2).decode()
    except grpc.RpcError as error:
        result = error.code().name
    print(f"{STREAMS} streams open, a call on {name}: {result}; calls that reached the server: {len(calls)}")
    return result, len(calls)

results = [
    call("their channel", first),
    call("a second channel", grpc.insecure_channel(target)),
    call("a channel with use_local_subchannel_pool", grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)])),
]
for stream in streams:
    stream.cancel()
server.stop(0)
as_found = results == [("DEADLINE_EXCEEDED", 0), ("DEADLINE_EXCEEDED", 0), ("got", 1)]
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "grpcio 1.85.3"
timeout 30 venv/bin/python streams.py
