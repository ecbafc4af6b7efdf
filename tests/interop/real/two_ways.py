"""Sends each request twice, directly and through the gateway, and compares the two responses."""

import dataclasses
import json

import httpx

# What the gateway adds to a success, by docs/contract.md.
ADDED = {
    "via",
    "x-request-id",
    "x-rate-limit-limit",
    "x-rate-limit-remaining",
    "x-rate-limit-reset",
    "ratelimit",
    "ratelimit-policy",
}
# What belongs to one connection, or to one second, rather than to the answer.
NOT_COMPARED = {"connection", "keep-alive", "date"}


@dataclasses.dataclass(frozen=True)
class Answer:
    """An answer as it came: the body still has its Content-Encoding."""

    status_code: int
    headers: httpx.Headers
    content: bytes

    @classmethod
    def of(cls, response):
        """Takes over a response whose body was not read yet."""
        return cls(response.status_code, response.headers, b"".join(response.iter_raw()))

    def json(self):
        """The body as JSON."""
        return json.loads(self.content)


class TwoWays:
    """The way straight to the upstream and the way through the gateway."""

    def __init__(self, upstream, gateway, key):
        self.upstream, self.gateway, self.key = upstream, gateway, key
        self.straight_client = httpx.Client(base_url=upstream.url, timeout=30)
        self.gateway_client = httpx.Client(base_url=gateway.url, timeout=30)

    def close(self):
        """Closes the connections of both."""
        self.straight_client.close()
        self.gateway_client.close()

    def straight(self, method, path, **request):
        """Asks the upstream itself, without a key."""
        with self.straight_client.stream(method, path, **request) as response:
            return Answer.of(response)

    def through_gateway(self, method, path, headers=(), **request):
        """Asks through the gateway, with the key."""
        headers = {**dict(headers), "X-API-Key": self.key.secret}
        with self.gateway_client.stream(method, path, headers=headers, **request) as response:
            return Answer.of(response)

    def both(self, method, path, **request):
        """The answer of each way, the straight one first. `content` may be a function that makes it anew."""
        content = request.pop("content", None)
        make = content if callable(content) else lambda: content
        straight = self.straight(method, path, content=make(), **request)
        return straight, self.through_gateway(method, path, content=make(), **request)

    def in_gateways_words(self, straight):
        """The upstream names itself by its own address; a client of the gateway must get the gateway's."""
        return straight.replace(self.upstream.authority.encode(), self.gateway.authority.encode())

    def assert_same(self, method, path, **request):
        """Fails unless both answers are the same: status, fields, and every byte of the body. Returns them."""
        straight, proxied = self.both(method, path, **request)
        assert proxied.status_code == straight.status_code
        assert fields(proxied) == [
            (name, self.in_gateways_words(value)) for name, value in fields(straight)
        ]
        assert proxied.content == self.in_gateways_words(straight.content)
        assert ADDED <= set(proxied.headers)
        assert proxied.headers["Via"] == "1.1 fairgate"
        return straight, proxied

    def assert_same_echo(self, method, path, **request):
        """As `assert_same`, where the response echoes the request: what the gateway sends to the upstream about
        itself is in it too, and is compared exactly. Returns the echo."""
        straight, proxied = self.both(method, path, **request)
        assert proxied.status_code == straight.status_code == 200
        assert names(proxied) == names(straight)
        echo = json.loads(proxied.content)
        expected = json.loads(self.in_gateways_words(straight.content))
        expected["headers"] |= {
            "Forwarded": f'for=127.0.0.1;host="{self.gateway.authority}";proto=http',
            "X-Consumer-Id": self.key.id,
            "X-Forwarded-Host": self.gateway.authority,
        }
        # Which of two connections is kept open is not the request's.
        expected["headers"].pop("Connection", None)
        echo["headers"].pop("Connection", None)
        assert echo == expected
        return echo


def fields(answer):
    """The fields of a response that must be equal. Only the order of fields of one name means anything."""
    raw = [(name.decode("latin-1"), value) for name, value in answer.headers.raw]
    kept = [(name, value) for name, value in raw if name.lower() not in ADDED | NOT_COMPARED]
    return sorted(kept, key=lambda field: field[0])


def names(answer):
    """The names of those fields."""
    return [name for name, _ in fields(answer)]
