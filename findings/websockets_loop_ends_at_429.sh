#!/usr/bin/env bash
# The endless loop of Python's websockets, `async for connection in connect(...)`, survives refusals with 500, 502, 503
# and 504 (it waits by its own rule, not by Retry-After) but ends with an exception at the first 429. So a limit of
# connections at once that still counts the connection which just broke stops such a program for good; it needs a
# `process_exception` of its own, or a 503. Exits with 1 once websockets does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check websockets==17.4

cat > loop.py << 'END'
import asyncio, http, logging, sys
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import InvalidStatus

logging.disable(logging.CRITICAL)

async def try_for(status, seconds):
    handshakes = 0

    def refuse(connection, _):
        nonlocal handshakes
        handshakes += 1
        if handshakes == 1:
            response = connection.respond(http.HTTPStatus(status), "Come back.\n")
            response.headers["Retry-After"] = "1"
            return response

    async def program(port):
        async for connection in connect(f"ws://127.0.0.1:{port}/"):
            return "connected"

    async with serve(lambda connection: connection.wait_closed(), "127.0.0.1", 0, process_request=refuse) as server:
        try:
            result = await asyncio.wait_for(program(server.sockets[0].getsockname()[1]), seconds)
        except InvalidStatus as error:
            result = f"{type(error).__name__}: {error}"
    print(f"refused once with {status}: {handshakes} handshakes, {result}")
    return handshakes, result.split(":")[0]

async def main():
    return await try_for(503, 15), await try_for(429, 15)

as_found = asyncio.run(main()) == ((2, "connected"), (1, "InvalidStatus"))
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "websockets 17.4"
venv/bin/python loop.py
