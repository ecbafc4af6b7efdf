"""HTTP/2 clients of the soak, by hyper-h2, which raises on every violation of the protocol."""

import asyncio
import random

import h2.config
import h2.connection
import h2.errors
import h2.events

from gateway import HOST
from tally import Lost

# Streams that a client has open at once.
AT_ONCE = 4


class Client:
    """A connection, and the streams on it that wait for their answers."""

    def __init__(self, tally, key, reader, writer):
        self.tally, self.key, self.reader, self.writer = tally, key, reader, writer
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()
        self.open, self.statuses = set(), {}
        self.is_going = self.has_heard = False

    def ask(self):
        path = random.choice(["/items", "/bytes/10", "/bytes/50000", "/slow/20", "/status/404", "/status/500"])
        stream = self.h2.get_next_available_stream_id()
        method = "POST" if path == "/items" and random.random() < 0.5 else "GET"
        fields = [(":method", method), (":scheme", "http"), (":authority", "soak"), (":path", path)]
        fields += [("x-api-key", self.key), ("content-type", "text/plain")]
        self.h2.send_headers(stream, fields, end_stream=method == "GET")
        if method == "POST":
            self.h2.send_data(stream, b"x" * 100, end_stream=True)
        self.open.add(stream)
        self.statuses[stream] = None
        return stream

    def follow(self, event):
        match event:
            case h2.events.ResponseReceived():
                self.statuses[event.stream_id] = int(dict(event.headers)[b":status"])
            case h2.events.DataReceived():
                if event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded():
                self.open.discard(event.stream_id)
                status = self.statuses.pop(event.stream_id, None)
                if status not in (200, 404, 500):
                    raise Lost(f"a stream was answered {status}")
                self.tally.answered[status] += 1
            case h2.events.StreamReset():
                if event.stream_id in self.open and event.error_code != h2.errors.ErrorCodes.REFUSED_STREAM:
                    raise Lost(repr(event))
                self.tally.repeated += event.stream_id in self.open
                self.open.discard(event.stream_id)
            case h2.events.ConnectionTerminated():
                if event.error_code != h2.errors.ErrorCodes.NO_ERROR:
                    raise Lost(f"{event!r}")
                self.is_going = True
                handed_back = {stream for stream in self.open if stream > event.last_stream_id}
                self.tally.repeated += len(handed_back)
                self.open -= handed_back

    async def run(self):
        """Sends requests until the gateway closes, or the soak is over."""
        while True:
            while len(self.open) < AT_ONCE and not self.is_going and not self.tally.is_over:
                self.ask()
            self.writer.write(self.h2.data_to_send())
            if not self.open:
                return
            try:
                received = await asyncio.wait_for(self.reader.read(65536), 60)
            except ConnectionError:
                received = b""
            if not received:
                if not self.has_heard:
                    # Closed as idle before its first byte arrived.
                    self.tally.repeated += len(self.open)
                    return
                raise Lost(f"a connection of HTTP/2 ended with {len(self.open)} requests")
            self.has_heard = True
            for frame in whole_frames(self, received):
                for event in frame:
                    self.follow(event)
            await asyncio.sleep(0.005)


def whole_frames(client, received):
    """The events of what came. Behind GOAWAY hyper-h2 takes no more frames of streams that still run, so it is kept from it
    until the others are read."""
    client.pending = getattr(client, "pending", b"") + received
    while len(client.pending) >= 9:
        length = 9 + int.from_bytes(client.pending[:3])
        if len(client.pending) < length:
            return
        frame, client.pending = client.pending[:length], client.pending[length:]
        if frame[3] == 7:
            last, code = int.from_bytes(frame[9:13]) & 0x7FFFFFFF, int.from_bytes(frame[13:17])
            event = h2.events.ConnectionTerminated()
            event.last_stream_id, event.error_code = last, h2.errors.ErrorCodes(code)
            yield [event]
        else:
            yield client.h2.receive_data(frame)


async def steady(tally, key, port, tls=None):
    """Requests on several streams at once, on one connection after the other."""
    while not tally.is_over:
        reader, writer = await asyncio.open_connection(HOST, port, ssl=tls)
        await Client(tally, key, reader, writer).run()
        writer.close()


async def resets(tally, key, port, tls=None):
    """Cancels streams, at a pace that is not an attack, and leaves."""
    while not tally.is_over:
        reader, writer = await asyncio.open_connection(HOST, port, ssl=tls)
        client = Client(tally, key, reader, writer)
        for _ in range(10):
            stream = client.ask()
            if random.random() < 0.8:
                client.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            writer.write(client.h2.data_to_send())
            tally.aborted += 1
            await asyncio.sleep(0.05)
        writer.transport.abort()
