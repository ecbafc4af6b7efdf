#!/usr/bin/env bash
# MCP's SDK for Python shows nothing of an HTTP error on a tool call but "Server returned an error response": status,
# text and Retry-After are lost, so the model cannot be told to wait. If the body is a JSON-RPC error, even with `id:
# null`, its code and message arrive. So whatever stands before an MCP server has to deny in JSON-RPC, under its own
# HTTP status. Exits with 1 once the SDK does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check mcp==2.3.0 uvicorn==0.54.0

cat > call.py << 'END'
import asyncio, json, logging, socket, sys
import uvicorn
from mcp import Client, MCPError
from mcp.server.mcpserver import MCPServer

logging.disable(logging.CRITICAL)
TEXT = "All 10 requests are used. Go on in 7 seconds."
BODIES = {
    "a JSON object": json.dumps({"error": {"code": "LIMIT", "message": TEXT}}),
    "problem details": json.dumps({"title": "Too Many Requests", "status": 429, "detail": TEXT}),
    "a JSON-RPC error": json.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": TEXT}}),
}
server = MCPServer("finding")

@server.tool()
def add(one: int, other: int) -> int:
    return one + other

inner, denial = server.streamable_http_app(), None

async def before(scope, receive, send):
    """Denies tool calls and leaves all else to the MCP server."""
    if scope["type"] != "http":
        return await inner(scope, receive, send)
    first = await receive()
    if denial is not None and b'"tools/call"' in first.get("body", b""):
        headers = [(b"content-type", b"application/json"), (b"retry-after", b"7")]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        return await send({"type": "http.response.body", "body": denial.encode()})
    messages = iter((first,))

    async def again():
        return next(messages, None) or await receive()

    await inner(scope, again, send)

async def call(url):
    async with Client(url) as client:
        try:
            return (await client.call_tool("add", {"one": 1, "other": 2})).content[0].text
        except MCPError as error:
            return error.error.message

async def main():
    global denial
    listener = socket.create_server(("127.0.0.1", 0))
    http = uvicorn.Server(uvicorn.Config(before, log_level="critical"))
    running = asyncio.create_task(http.serve(sockets=[listener]))
    while not http.started:
        await asyncio.sleep(0.05)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    results = [await call(url)]
    for name, denial in BODIES.items():
        results.append(await asyncio.wait_for(call(url), 10))
        print(f"429, {name}: the caller reads {results[-1]!r}")
    http.should_exit = True
    await running
    return results

hidden = "Server returned an error response"
sys.exit(0 if asyncio.run(main()) == ["3", hidden, hidden, TEXT] else "the behaviour has changed")
END
echo "mcp 2.3.0 for Python"
timeout 40 venv/bin/python call.py
