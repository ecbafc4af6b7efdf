"""HTTP/1.1 clients of the soak: steady ones, and misbehaving ones of all kinds."""

import asyncio
import random
import socket
import struct

from gateway import HOST
from tally import Lost


def head(method, path, key, *more):
    """A request's head, with a key unless it is None."""
    lines = [f"{method} {path} HTTP/1.1", "Host: soak", *more]
    if key is not None:
        lines.append(f"X-API-Key: {key}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Connection:
    """A connection to the gateway, plain or under TLS."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.is_new = reader, writer, True

    @classmethod
    async def open(cls, port, tls=None):
        return cls(*await asyncio.open_connection(HOST, port, ssl=tls))

    async def answer(self):
        """Status, body, and whether the connection stays open."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        status = int(lines[0].split(" ")[1])
        if fields.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await self.reader.readline(), 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readexactly(2)
        else:
            body = await self.reader.readexactly(int(fields.get("content-length", 0)))
        return status, body, fields.get("connection") != "close"

    def close(self):
        self.writer.close()

    def abort(self):
        """Ends it by a reset."""
        plain = self.writer.get_extra_info("socket")
        if plain is None:
            return  # the gateway was first
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def ask(connection, tally, request, status=200):
    """Sends a request and judges its answer. None: the connection was closed for being idle, and the request is repeated."""
    try:
        connection.writer.write(request)
        got, body, goes_on = await asyncio.wait_for(connection.answer(), 60)
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        if not connection.is_new and not getattr(error, "partial", b""):
            tally.repeated += 1
            return None
        raise Lost(f"{request[:40]}: {error!r}") from error
    connection.is_new = False
    if got != status:
        raise Lost(f"{request[:40]}: {got} {body[:300]}")
    tally.answered[status] += 1
    return goes_on


async def steady(tally, key, port, tls=None):
    """One request after the other on one connection, for as long as it lasts."""
    connection = None
    while not tally.is_over:
        connection = connection or await Connection.open(port, tls)
        size = random.choice([0, 10, 1000, 30_000])
        request = random.choice([
            head("GET", "/items", key),
            head("GET", f"/bytes/{random.choice([10, 1000, 100_000])}", key),
            head("POST", "/items", key, "Content-Type: text/plain", f"Content-Length: {size}") + b"x" * size,
        ])
        if not await ask(connection, tally, request):
            connection.close()
            connection = None
        await asyncio.sleep(0.01)
    if connection:
        connection.close()


async def events(tally, key, port, tls=None):
    """Reads streams of events to their end."""
    while not tally.is_over:
        connection = await Connection.open(port, tls)
        await ask(connection, tally, head("GET", "/events/20", key))
        connection.close()


async def tunnels(tally, key, port):
    """Switches to another protocol, and gets bytes echoed."""
    while not tally.is_over:
        connection = await Connection.open(port)
        connection.writer.write(head("GET", "/tunnel", key, "Connection: Upgrade", "Upgrade: websocket"))
        answer = await connection.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in answer:
            raise Lost(f"a tunnel: {answer}")
        for size in (1, 100, 50_000) * 3:
            message = random.randbytes(size)
            connection.writer.write(message)
            if await asyncio.wait_for(connection.reader.readexactly(size), 60) != message:
                raise Lost("a tunnel gave back other bytes")
            await asyncio.sleep(0.05)
        tally.answered[101] += 1
        connection.close()


async def slow(tally, key, port):
    """Heads, bodies and readers that take their time, but not too much."""
    while not tally.is_over:
        connection = await Connection.open(port)
        length = 2000
        request = head("POST", "/items", key, "Content-Type: text/plain", f"Content-Length: {length}") + b"x" * length
        for at in range(0, len(request), 300):
            connection.writer.write(request[at : at + 300])
            await asyncio.sleep(0.05)
        if not await ask(connection, tally, b""):
            connection.close()
            continue
        connection.writer.write(head("GET", "/bytes/1000000", key, "Connection: close"))
        got = 0
        while piece := await asyncio.wait_for(connection.reader.read(100_000), 60):
            got += len(piece)
            await asyncio.sleep(0.05)
        if got < 1_000_000:
            raise Lost(f"a slow reader got {got} bytes")
        tally.answered[200] += 1
        connection.close()


async def errors(tally, key, port):
    """Requests that get errors: the upstream's, the client's own, without a key, and garbage."""
    cases = [
        (head("GET", "/status/404", key), 404),
        (head("GET", "/status/500", key), 500),
        (head("GET", "/status/503", key), 503),
        (head("GET", "/status/422", key), 422),
        (head("GET", "/items", None), 403),
        (head("GET", "/items", "unknown"), 400),
        (head("GET", "/items/", key), 301),
        (head("GET", "/../items", key), 400),
        (b"\x16\x03\x01 nothing at all\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ]
    while not tally.is_over:
        request, status = random.choice(cases)
        connection = await Connection.open(port)
        await ask(connection, tally, request, status)
        connection.close()
        await asyncio.sleep(0.02)


async def denials(tally, key, port):
    """More than the plan allows: some are answered, most are denied."""
    while not tally.is_over:
        connection = await Connection.open(port)
        for _ in range(10):
            connection.writer.write(head("GET", "/items", key))
            status, body, goes_on = await asyncio.wait_for(connection.answer(), 60)
            if status not in (200, 429):
                raise Lost(f"{status} {body[:300]}")
            tally.denied += status == 429
            if not goes_on:
                break
            await asyncio.sleep(0.02)
        connection.close()


async def aborts(tally, key, port, tls=None):
    """Disconnects in the middle of everything: of a head, a body, a response, a stream of events, a tunnel."""
    beginnings = [
        b"GET /items HT",
        head("POST", "/items", key, "Content-Type: text/plain", "Content-Length: 9999") + b"x" * 999,
        head("GET", "/bytes/3000000", key),
        head("GET", "/slow/500", key),
        head("GET", "/events/50", key),
        head("GET", "/tunnel", key, "Connection: Upgrade", "Upgrade: websocket"),
        head("GET", "/broken", key),
    ]
    while not tally.is_over:
        connection = await Connection.open(port, tls)
        connection.writer.write(random.choice(beginnings))
        await asyncio.sleep(random.choice([0, 0.01, 0.1]))
        tally.aborted += 1
        random.choice([connection.abort, connection.close])()
        await asyncio.sleep(0.05)
