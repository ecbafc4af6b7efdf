"""A gRPC service over HTTP/1.1, like an upstream without HTTP/2: `python grpc_over_http1.py HOST PORT`.

`/shop.Items/Echo` gives its message back, `/shop.Items/Count` five messages, `/shop.Items/Fail` is the error NOT_FOUND in its
trailers, and `/shop.Items/FailAtOnce` the same without a message before it.
"""

import asyncio
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\n"


def chunk(data):
    """One chunk of a body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


async def body_of(reader, head):
    """Reads the body that a head announces."""
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
    if b"content-length" in fields:
        return await reader.readexactly(int(fields[b"content-length"]))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while (await reader.readline()).strip():
        pass
    return body


async def serve(reader, writer):
    """Answers calls until the connection ends."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await body_of(reader, head)
            method = head.split(b" ")[1].rsplit(b"/", 1)[1]
            chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
            failed = b"grpc-status: 5\r\ngrpc-message: no item 7%3F\r\n"
            if method == b"FailAtOnce":
                writer.write(HEAD + failed + b"Content-Length: 0\r\n\r\n")
            elif method == b"Fail":
                writer.write(chunked + chunk(body) + b"0\r\n" + failed + b"\r\n")
            else:
                writer.write(chunked)
                for _ in range(5 if method == b"Count" else 1):
                    writer.write(chunk(body))
                    await writer.drain()
                writer.write(b"0\r\ngrpc-status: 0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(host, port):
    """Serves until the process is ended."""
    async with await asyncio.start_server(serve, host, int(port)) as server:
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
