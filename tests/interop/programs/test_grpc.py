"""grpcio's health and reflection servers behind Fairgate, with grpcio and `buf curl` in front: unary calls, streams, and errors of
the gateway that a gRPC client understands.
"""

import json
import os
import pathlib
import sys

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway_process import GatewayProcess
from installed import run
from polling import wait_until
from server_process import ServerProcess, free_port

HERE = pathlib.Path(__file__).resolve().parent
BUF = HERE / "node_modules" / ".bin" / "buf"
CHECK = "/grpc.health.v1.Health/Check"


def health_server(folder):
    """The server, by HTTP/2 without TLS."""
    port = free_port()
    return ServerProcess("grpc", [sys.executable, HERE / "grpc_server.py", port], port, folder)


@pytest.fixture(scope="module")
def straight(start):
    return start(health_server)


@pytest.fixture(scope="module")
def gateway(start, straight):
    return start(GatewayProcess, straight.url, upstream_table="http2 = true")


@pytest.fixture
def key(gateway):
    return gateway.new_key()


def channel(server):
    """A channel of its own connection, without the proxies of the machine."""
    return grpc.insecure_channel(server.authority, options=[("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)])


def metadata(key):
    return [("x-api-key", key.secret)]


def check(server, service, **call):
    """The health of a service, or the error that the client raises."""
    with channel(server) as opened:
        stub = health_pb2_grpc.HealthStub(opened)
        try:
            return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=20, **call).status
        except grpc.RpcError as error:
            return error


def test_a_unary_call_gets_through_the_gateway_what_it_gets_straight(straight, gateway, key):
    for service in ("shop", "closed", ""):
        assert check(gateway, service, metadata=metadata(key)) == check(straight, service)
    assert gateway.used(key) == 3


def test_an_error_of_the_service_passes_untouched_and_is_free(straight, gateway, key):
    plain, gated = check(straight, "nothing"), check(gateway, "nothing", metadata=metadata(key))
    assert (gated.code(), gated.details()) == (plain.code(), plain.details())
    assert plain.code() == grpc.StatusCode.NOT_FOUND
    assert gateway.used(key) == 0


def test_errors_of_the_gateway_are_grpc_statuses(gateway):
    error = check(gateway, "shop")
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    assert "API key" in error.details()
    limited = gateway.new_key(plan="three")
    ends = [check(gateway, "shop", metadata=metadata(limited)) for _ in range(4)]
    assert ends[:3] == [health_pb2.HealthCheckResponse.SERVING] * 3
    assert ends[3].code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert gateway.used(limited) == 3


def test_a_stream_of_answers_comes_as_it_is_sent(straight, gateway, key):
    for server, more in ((straight, {}), (gateway, {"metadata": metadata(key)})):
        with channel(server) as opened:
            stub = health_pb2_grpc.HealthStub(opened)
            watched = stub.Watch(health_pb2.HealthCheckRequest(service="closed"), timeout=20, **more)
            # The stream stays open: what arrived came before its end.
            assert next(watched).status == health_pb2.HealthCheckResponse.NOT_SERVING
            watched.cancel()
    # A client that hangs up on a success has received it.
    wait_until(lambda: gateway.used(key) == 1, "the stream is charged")


def test_many_calls_at_once_share_one_connection(gateway, key):
    with channel(gateway) as opened:
        stub = health_pb2_grpc.HealthStub(opened)
        asked = health_pb2.HealthCheckRequest(service="shop")
        calls = [stub.Check.future(asked, timeout=30, metadata=metadata(key)) for _ in range(200)]
        assert {call.result().status for call in calls} == {health_pb2.HealthCheckResponse.SERVING}
    assert gateway.used(key) == 200


def test_buf_curl_finds_the_service_by_reflection(tmp_path, straight, gateway, key):
    answers = []
    for server, more in ((straight, []), (gateway, ["--header", f"X-API-Key: {key.secret}", "--reflect-header", f"X-API-Key: {key.secret}"])):
        command = [BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", *more]
        command += ["--data", json.dumps({"service": "shop"}), f"{server.url}{CHECK}"]
        done = run(*command, folder=tmp_path, environment={**os.environ, "HOME": str(tmp_path)})
        assert done.returncode == 0, done.stdout
        answers.append(json.loads(done.stdout))
    assert answers[0] == answers[1] == {"status": "SERVING"}
