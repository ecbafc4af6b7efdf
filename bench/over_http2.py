"""A client of HTTP/2 at the level of frames, for counts: one request at a time, as short as a browser makes its second one."""

import socket
import struct
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
LARGEST_WINDOW = 0x7FFFFFFF
DEFAULT_WINDOW = 65_535
# Places in the table that everybody knows, RFC 7541 appendix A.
AUTHORITY, PATH, USER_AGENT, ACCEPT = 1, 4, 58, 19
GET, HTTP = 0x82, 0x86
OK = 0x88
# The first place in the table of the connection.
OWN = 62


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def string(text):
    assert len(text) < 127
    return bytes([len(text)]) + text.encode()


class Connection:
    """A connection on which requests are sent one after the other."""

    def __init__(self, port, timeout):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.file = self.socket.makefile("rb")
        settings = frame(SETTINGS, 0, 0, struct.pack(">HI", 4, LARGEST_WINDOW))
        window = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGEST_WINDOW - DEFAULT_WINDOW))
        self.socket.sendall(PREFACE + settings + window)
        self.stream = 1
        # What stands in the connection's table, the newest first.
        self.told = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def block(self, path, key):
        """A request's fields. What does not change from request to request is told once and takes a byte then."""
        fields = [(AUTHORITY, None, "api.example.com"), (USER_AGENT, None, "counted"), (ACCEPT, None, "*/*")]
        fields.append((0, "x-api-key", key))
        block = bytes([GET, HTTP, PATH]) + string(path)
        for place, name, value in fields:
            if (place, value) in self.told:
                block += bytes([0x80 | OWN + self.told.index((place, value))])
            else:
                block += bytes([0x40 | place]) + (string(name) if name else b"") + string(value)
                self.told.insert(0, (place, value))
        return block

    def ask(self, path, key, times):
        """Sends a request again and again; each has to be answered by a 200."""
        for _ in range(times):
            self.socket.sendall(frame(HEADERS, END_STREAM | END_HEADERS, self.stream, self.block(path, key)))
            has_ended = False
            while not has_ended:
                head = self.file.read(9)
                length = int.from_bytes(head[:3], "big")
                payload = self.file.read(length)
                kind, flags = head[3:5]
                stream = int.from_bytes(head[5:9], "big")
                if kind == SETTINGS and not flags & ACK:
                    self.socket.sendall(frame(SETTINGS, ACK, 0))
                if kind == HEADERS and OK not in payload[:2]:
                    sys.exit(f"No 200 by HTTP/2: {payload!r}")
                if kind not in (DATA, HEADERS, SETTINGS, WINDOW_UPDATE) or not head:
                    sys.exit(f"A frame of kind {kind} by HTTP/2: {payload!r}")
                has_ended = stream == self.stream and kind in (DATA, HEADERS) and bool(flags & END_STREAM)
            self.stream += 2
