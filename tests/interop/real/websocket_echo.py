"""An echo of the package websockets: `python websocket_echo.py HOST PORT`."""

import asyncio
import sys

from websockets.asyncio.server import serve


async def echo(connection):
    """Echoes each message."""
    async for message in connection:
        await connection.send(message)


async def main(host, port):
    """Serves until the process is ended."""
    async with serve(echo, host, int(port), max_size=2**25, ping_interval=None) as server:
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
