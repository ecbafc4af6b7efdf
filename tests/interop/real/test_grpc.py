"""Google's gRPC client before Fairgate: how it reads successes and errors, the gateway's and the upstream's."""

import threading
import time

import grpc
import pytest

import upstream_servers
from gateway_process import GatewayProcess

ENDPOINTS = """
[[endpoints]]
method = "POST"
path = "/shop.Items/{call}"

[[endpoints]]
method = "POST"
path = "/shop.Secret/{call}"
permission = "secret"
"""


@pytest.fixture(scope="module")
def gateway(start):
    return start(GatewayProcess, start(upstream_servers.grpc_over_http1).url, more=ENDPOINTS)


@pytest.fixture(scope="module")
def channel(gateway):
    with grpc.insecure_channel(gateway.authority) as channel:
        yield channel


def call(channel, path, key=None, message=b"hello"):
    """One call whose messages are bytes."""
    metadata = [("x-api-key", key.secret)] if key else []
    return channel.unary_unary(path).with_call(message, metadata=metadata, timeout=20)


def failed(channel, path, key=None):
    """A call that fails, as its client sees it."""
    with pytest.raises(grpc.RpcError) as error:
        call(channel, path, key)
    return error.value


def metadata_of(error, name):
    """The values of a name in the metadata of an error."""
    fields = [*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())]
    return [value for key, value in fields if key == name]


def test_a_call_that_succeeds_is_charged(gateway, channel):
    key = gateway.new_key()
    answer, _ = call(channel, "/shop.Items/Echo", key, b"x" * 100_000)
    assert answer == b"x" * 100_000
    assert gateway.used(key) == 1
    stream = channel.unary_stream("/shop.Items/Count")(b"hello", metadata=[("x-api-key", key.secret)], timeout=20)
    assert list(stream) == [b"hello"] * 5
    assert gateway.used(key) == 2


@pytest.mark.parametrize("path", ["/shop.Items/Fail", "/shop.Items/FailAtOnce"])
def test_an_error_of_the_service_comes_as_it_was_and_is_free(gateway, channel, path):
    key = gateway.new_key()
    error = failed(channel, path, key)
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "no item 7?")
    assert gateway.used(key) == 0


def test_an_error_of_the_gateway_is_one_of_grpc_with_code_page_and_request_id(gateway, channel):
    key = gateway.new_key()
    for path, who, status, code in [
        ("/shop.Items/Echo", None, grpc.StatusCode.UNAUTHENTICATED, "KEY_NOT_SET"),
        ("/shop.Secret/Get", key, grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"),
        ("/shop.Nothing/Get", key, grpc.StatusCode.UNIMPLEMENTED, "ENDPOINT_NOT_FOUND"),
    ]:
        error = failed(channel, path, who)
        assert error.code() == status, error
        assert len(error.details()) > 10
        assert metadata_of(error, "x-error-code") == [code]
        assert metadata_of(error, "x-error-check")[0].endswith(f"/errors/{code}")
        assert metadata_of(error, "x-request-id")
    assert gateway.used(key) == 0


def test_a_limit_is_reported_as_resource_exhausted_with_the_time_to_wait(gateway, channel):
    key = gateway.new_key(plan="three")
    for _ in range(3):
        call(channel, "/shop.Items/Echo", key)
    error = failed(channel, "/shop.Items/Echo", key)
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert metadata_of(error, "x-error-code") == ["API_LIMIT_EXCEEDED"]
    assert int(metadata_of(error, "retry-after")[0]) > 0
    assert gateway.used(key) == 3


def test_a_call_that_is_refused_while_it_is_sent_gets_its_error_at_once(gateway, channel):
    """More calls than a connection may have open at once, each with more than a window of messages, none of which ends."""
    key = gateway.new_key()
    over = threading.Event()

    def messages():
        for _ in range(20):
            yield b"x" * 10_000
        over.wait(60)

    began = time.monotonic()
    try:
        for _ in range(150):
            upload = channel.stream_unary("/shop.Items/Echo").future(messages(), timeout=30)
            error = upload.exception(timeout=30)
            assert error.code() == grpc.StatusCode.UNAUTHENTICATED, error
            assert metadata_of(error, "x-error-code") == ["KEY_NOT_SET"]
        took = time.monotonic() - began
        assert call(channel, "/shop.Items/Echo", key)[0] == b"hello"
    finally:
        over.set()
    assert took < 10, f"{took} seconds"
    assert gateway.used(key) == 1
