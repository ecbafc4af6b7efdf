"""The API behind the gateway of the soak: `python upstream.py PORT`. Short and long answers, events, a tunnel, errors."""

import asyncio
import sys

TYPE = b"Content-Type: application/json\r\n"
CHUNK = bytes(range(256)) * 64


async def read_head(reader):
    """The first line of a request and its fields, names in lower case."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = (line.split(": ", 1) for line in head[1:] if line)
    return head[0], {name.lower(): value for name, value in fields}


async def read_body(reader, fields):
    """How long the body is. It is read to its end."""
    if fields.get("transfer-encoding") == "chunked":
        total = 0
        while size := int((await reader.readline()).split(b";")[0], 16):
            await reader.readexactly(size + 2)
            total += size
        while await reader.readline() != b"\r\n":
            pass
        return total
    length = int(fields.get("content-length", 0))
    await reader.readexactly(length)
    return length


def write(writer, status, body, more=b""):
    writer.write(b"HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n%s\r\n%s" % (status, TYPE, len(body), more, body))


async def tunnel(reader, writer):
    """Echoes every byte, as a WebSocket echo server would."""
    writer.write(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()


async def answer(path, length, writer):
    """Answers one request."""
    kind, _, number = path.strip("/").partition("/")
    match kind:
        case "bytes":
            left = int(number)
            writer.write(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % left)
            while left > 0:
                writer.write(CHUNK[: min(left, len(CHUNK))])
                await writer.drain()
                left -= len(CHUNK)
        case "events":
            writer.write(b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(int(number)):
                writer.write(b"d\r\ndata: event\n\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
            writer.write(b"0\r\n\r\n")
        case "slow":
            await asyncio.sleep(int(number) / 1000)
            write(writer, 200, b"{}")
        case "status":
            write(writer, int(number), b'{"message": "so it is"}')
        case "broken":
            writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\nhalf")
            await writer.drain()
            raise ConnectionError
        case _:
            write(writer, 200, b'{"length": %d}' % length)


async def serve(reader, writer):
    try:
        while True:
            line, fields = await read_head(reader)
            if "upgrade" in fields:
                return await tunnel(reader, writer)
            length = await read_body(reader, fields)
            await answer(line.split(" ")[1], length, writer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(port):
    """Serves until the process is ended."""
    server = await asyncio.start_server(serve, "127.0.0.1", int(port), backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
