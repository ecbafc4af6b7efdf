"""A shell in Jupyter through Fairgate: the WebSocket of a product that is often put behind a gateway."""

import json

import httpx
import pytest
import websocket

import upstream_servers
from gateway_process import GatewayProcess


@pytest.fixture(scope="module")
def gateway(start):
    shells = "--ServerApp.jpserver_extensions={'jupyter_server_terminals': True}"
    return start(GatewayProcess, start(upstream_servers.jupyter, shells).url)


def test_a_shell_answers_what_is_typed_into_it(gateway):
    key = gateway.new_key()
    headers = {"X-API-Key": key.secret}
    made = httpx.post(f"{gateway.url}/api/terminals", headers=headers, timeout=30)
    assert made.status_code == 200, made.text
    address = f"ws://{gateway.authority}/terminals/websocket/{made.json()['name']}"
    client = websocket.create_connection(address, header=headers, timeout=30, suppress_origin=True)
    client.send(json.dumps(["stdin", "echo answer-$((6 * 7))\r"]))
    shown = ""
    while "answer-42" not in shown:
        kind, *rest = json.loads(client.recv())
        shown += "".join(text for text in rest if kind == "stdout")
    client.close()
    # The terminal that was made, and the handshake; not what was typed and shown.
    assert gateway.used(key) == 2


def test_a_shell_is_not_for_those_without_a_key(gateway):
    with pytest.raises(websocket.WebSocketBadStatusException) as denied:
        websocket.create_connection(f"ws://{gateway.authority}/terminals/websocket/1", timeout=30)
    assert denied.value.status_code == 403
    assert json.loads(denied.value.resp_body)["error"]["code"] == "KEY_NOT_SET"
