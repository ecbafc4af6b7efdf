"""What is measured: for each row how a running proxy is asked, and what is counted.

A measure gives figures of one round: user and system microseconds of CPU per request, requests per second, how busy
the proxy's core was, and what else its row is about. A bad answer makes it fail.
"""

import dataclasses
import typing

from . import load
from .processes import HOST, Failed
from .scene import BIG, ITEM, ITEM_BYTES, LARGE, MEGABYTE, SMALL, UNKNOWN, UPLOAD

BODY_CONNECTIONS = 16


@dataclasses.dataclass
class Place:
    """Where a measure happens."""

    folder: typing.Any
    tools: typing.Any
    load_cores: set
    seconds: float
    # Requests a second of the row `latency`.
    rate: float = 0


def counted(place, process, send, bad_is_error=True):
    """Runs `send` for a moment so that all is warm, then for the whole time with its CPU looked at."""
    send(max(0.3, min(1, place.seconds / 5)))
    before = process.cpu()
    found = send(place.seconds)
    after = process.cpu()
    requests = found["requests"]
    if bad_is_error and found["bad"]:
        raise Failed(f"{found['bad']} bad answers of {requests}: {found.get('statuses', '')}")
    if requests < 20:
        raise Failed(f"only {requests} requests were answered")
    user, system = after[0] - before[0], after[1] - before[1]
    return {
        **found,
        "user": user / requests * 1e6,
        "system": system / requests * 1e6,
        "rps": requests / found["seconds"],
        "busy": (user + system) / found["seconds"],
        "memory": process.memory(),
    }


def by_own(place, process, scene, keys=LARGE, target=ITEM, method="GET", **options):
    body = options.get("body", 0)
    # Each connection has a key of its own, and they are spread over all, for whoever looks at one after the other.
    each = keys[:: max(1, len(keys) // load.CONNECTIONS)][: load.CONNECTIONS]
    file = load.heads(place.folder, each, target, method, body)
    return counted(place, process, lambda seconds: load.own(place, scene.plain, file, seconds, **options))


def work(place, process, scene):
    return by_own(place, process, scene, length=ITEM_BYTES)


def latency(place, process, scene):
    figures = by_own(place, process, scene, length=ITEM_BYTES, rate=place.rate)
    # Its latencies would be those of a queue that grows for as long as one looks.
    figures["kept"] = figures["unsent"] <= 0.01 * place.rate * place.seconds
    figures["rate"] = place.rate
    return figures


def denied(status, keys):
    def measure(place, process, scene):
        return by_own(place, process, scene, keys=keys, status=status)

    return measure


def download(place, process, scene):
    return by_own(place, process, scene, target=BIG, length=MEGABYTE, connections=BODY_CONNECTIONS)


def upload(place, process, scene):
    options = {"length": ITEM_BYTES, "body": MEGABYTE, "connections": BODY_CONNECTIONS}
    return by_own(place, process, scene, target=UPLOAD, method="POST", **options)


def whole(seconds):
    """wrk and h2load count in whole seconds."""
    return max(1, round(seconds))


def by_wrk(place, process, scene):
    url = f"http://{HOST}:{scene.plain}{ITEM}"
    return counted(place, process, lambda seconds: load.wrk(place, url, LARGE[0], whole(seconds)))


def by_h2load(scheme, http2):
    def measure(place, process, scene):
        port = scene.tls if scheme == "https" else scene.h2
        url = f"{scheme}://{HOST}:{port}{ITEM}"
        figures = counted(place, process, lambda seconds: load.h2load(place, url, LARGE[0], whole(seconds), http2))
        if figures["body_bytes"] < (figures["requests"] - 1) * ITEM_BYTES:
            raise Failed(f"{figures['body_bytes']} bytes of bodies in {figures['requests']} answers")
        return figures

    return measure


@dataclasses.dataclass
class Row:
    """A thing that is measured. Rows of one group take turns within its rounds."""

    group: str
    measure: typing.Callable
    only: tuple = ()  # proxies; empty: all that can
    threads: int = 1
    validation: bool = False
    bare: bool = False
    spread: bool = False  # over all cores


# The groups that get all rounds and seconds that are asked for, and what the others get of them.
FULL = {"main", "latency", "denials"}
# How often all rounds that are asked for are had of a group. What is late at half rate was mostly held up by the machine, a
# few times in a round and for all proxies alike: only many rounds tell them apart.
TIMES = {"latency": 3}
REST_OF_ROUNDS, REST_OF_SECONDS = 0.6, 0.5
THE_THREE = ("fairgate", "nginx", "haproxy")

ROWS = {
    "work": Row("main", work),
    "validation": Row("main", work, ("fairgate",), validation=True),
    "bare": Row("bare", work, bare=True),
    "latency": Row("latency", latency, only=THE_THREE),
    "denied-403": Row("denials", denied(403, UNKNOWN), only=THE_THREE),
    "denied-429": Row("denials", denied(429, SMALL), only=THE_THREE),
    "download": Row("bodies", download),
    "upload": Row("bodies", upload),
    "http2": Row("protocols", by_h2load("http", True)),
    "tls": Row("protocols", by_h2load("https", False)),
    "tls-http2": Row("protocols", by_h2load("https", True)),
    "threads-1": Row("threads", work, only=THE_THREE, spread=True),
    "threads-2": Row("threads", work, only=THE_THREE, threads=2, spread=True),
    "wrk": Row("wrk", by_wrk, only=THE_THREE),
}
# What can be asked for by `--only`: a group, a row, or the memory of idle connections.
IDLE = "idle"
GROUPS = list(dict.fromkeys(row.group for row in ROWS.values()))
