"""WebSockets through Fairgate: servers and clients of others, and the cases of the Autobahn test suite, by kosoku."""

import asyncio
import json

import kosoku
import pytest
import websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import upstream_servers
from gateway_process import GatewayProcess

# One endpoint open to everyone, which the suite needs because it sends no key, and one that needs a key.
ENDPOINTS = """
[[endpoints]]
method = "GET"
path = "/"
public = true

[[endpoints]]
method = "GET"
path = "/chat"
permission = "chat"
"""
# All cases of the protocol, and enough of those about speed and compression to cover large messages.
LARGE = ["9.1.1", "9.2.2", "9.3.5", "9.7.1", "12.1.1", "13.3.1"]
OTHER_SPEEDS = ["9.*", "12.*", "13.*"]


@pytest.fixture(scope="module", params=["websockets", "ws"])
def echo(request, start):
    servers = {"websockets": upstream_servers.websockets_echo, "ws": upstream_servers.ws_echo}
    return start(servers[request.param])


@pytest.fixture(scope="module")
def gateway(start, echo):
    return start(GatewayProcess, echo.url, more=ENDPOINTS)


def verdicts(authority, cases=None, excluded=None):
    """The suite's verdicts on a server: for each case, on its messages and on its end."""
    run = kosoku.run_fuzzingclient(f"ws://{authority}/", cases, excluded, concurrency=8)
    try:
        results = asyncio.run(_awaited(run))
    except kosoku.FailureError as failure:
        results = failure.results
    return {result.case_id: (result.behavior.value, result.behavior_close.value) for result in results}


async def _awaited(awaitable):
    return await awaitable


# The suite's own cases leave files to the collector of garbage.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("cases", "excluded"), [(None, OTHER_SPEEDS), (LARGE, None)], ids=["all", "large"])
def test_the_autobahn_cases_end_through_the_gateway_as_they_end_straight(echo, gateway, cases, excluded):
    straight = verdicts(echo.authority, cases, excluded)
    through = verdicts(gateway.authority, cases, excluded)
    assert straight.keys() == through.keys()
    assert len(straight) > 240 or cases
    passed = [case for case, (behavior, _) in through.items() if behavior in ("OK", "NON-STRICT", "INFORMATIONAL")]
    assert len(passed) >= len(through) - 1, "hardly anything passed, so that there is nothing to compare"
    # Who closes first is a race in a few cases. A difference of ours shows every time.
    for _ in range(3):
        different = [case for case, verdict in straight.items() if through[case] != verdict]
        if not different:
            return
        straight.update(verdicts(echo.authority, different))
        through.update(verdicts(gateway.authority, different))
    assert through == straight


def test_a_client_with_a_key_talks_and_is_charged_once(gateway):
    key = gateway.new_key("chat")
    headers = {"X-API-Key": key.secret}
    with connect(f"ws://{gateway.authority}/chat", additional_headers=headers, max_size=None) as client:
        assert int(client.response.headers["X-Rate-Limit-Remaining"]) == 999_999
        assert gateway.used(key) == 1
        for message in ["hello", "grüße", b"\x00\xff" * 1000, "x" * 2_000_000]:
            client.send(message)
            assert client.recv() == message
    assert gateway.used(key) == 1


def test_another_client_talks_by_another_library(gateway):
    key = gateway.new_key("chat")
    client = websocket.create_connection(f"ws://{gateway.authority}/chat", header={"X-API-Key": key.secret}, timeout=20)
    client.send("hello")
    assert client.recv() == "hello"
    client.close()
    assert gateway.used(key) == 1


@pytest.mark.parametrize(
    ("path", "permissions", "status", "code"),
    [
        ("/chat", None, 403, "KEY_NOT_SET"),
        ("/chat", (), 401, "PERMISSION_DENIED"),
        ("/nowhere", ("chat",), 404, "ENDPOINT_NOT_FOUND"),
    ],
)
def test_a_client_that_is_denied_reads_why(gateway, path, permissions, status, code):
    key = None if permissions is None else gateway.new_key(*permissions)
    headers = {"X-API-Key": key.secret} if key else {}
    with pytest.raises(InvalidStatus) as denied, connect(
        f"ws://{gateway.authority}{path}", additional_headers=headers
    ):
        pass
    response = denied.value.response
    assert response.status_code == status
    error = json.loads(response.body)["error"]
    assert error["code"] == code
    assert error["http_code"] == status
    if key:
        assert gateway.used(key) == 0


def test_the_limit_denies_the_handshake_and_not_the_messages(gateway):
    key = gateway.new_key("chat", plan="three")
    headers = {"X-API-Key": key.secret}

    def chat():
        return connect(f"ws://{gateway.authority}/chat", additional_headers=headers)

    with chat() as first, chat() as second, chat() as third:
        with pytest.raises(InvalidStatus) as denied, chat():
            pass
        assert denied.value.response.status_code == 429
        for client in (first, second, third):
            for _ in range(5):
                client.send("hello")
                assert client.recv() == "hello"
    assert gateway.used(key) == 3


def test_the_end_of_a_server_is_announced_to_its_clients(start):
    server = start(upstream_servers.websockets_echo)
    gateway = start(GatewayProcess, server.url, more=ENDPOINTS)
    with connect(f"ws://{gateway.authority}/") as client:
        client.send("hello")
        assert client.recv() == "hello"
        server.process.terminate()
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=20)


def test_hundreds_of_clients_talk_at_once(gateway):
    async def talk():
        from websockets.asyncio.client import connect as open_one

        async def one(number):
            async with open_one(f"ws://{gateway.authority}/", open_timeout=30) as client:
                for count in range(5):
                    await client.send(f"{number}:{count}")
                    assert await client.recv() == f"{number}:{count}"

        await asyncio.gather(*(one(number) for number in range(200)))

    asyncio.run(talk())
