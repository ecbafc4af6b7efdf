"""The servers of these tests. Those of a module are started once; each test has a key of its own."""

import pytest

# These modules assert for the tests, so their failures must be reported as fully.
pytest.register_assert_rewrite("error_specification", "two_ways")

import upstream_servers
from gateway_process import GatewayProcess
from two_ways import TwoWays


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Starts a server by a function of its folder, and ends it after the last test."""
    running = []

    def start_one(function, *arguments, **named):
        server = function(tmp_path_factory.mktemp("server"), *arguments, **named)
        running.append(server)
        return server

    yield start_one
    for server in reversed(running):
        server.stop()


@pytest.fixture(scope="session")
def httpbin(start):
    return start(upstream_servers.httpbin)


@pytest.fixture(scope="session")
def httpbin_gateway(start, httpbin):
    # httpbin delays some responses by a second or two on request.
    return start(GatewayProcess, httpbin.url, more='[timeouts]\nfirst_byte = "5s"')


@pytest.fixture
def key(httpbin_gateway):
    return httpbin_gateway.new_key()


@pytest.fixture
def ways(httpbin, httpbin_gateway, key):
    two_ways = TwoWays(httpbin, httpbin_gateway, key)
    yield two_ways
    two_ways.close()
