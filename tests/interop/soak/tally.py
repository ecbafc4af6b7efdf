"""What the clients of the soak saw, and the gateway's use of resources meanwhile."""

import collections
import dataclasses
import statistics


class Lost(Exception):
    """A request without the required response."""


@dataclasses.dataclass
class Tally:
    """Counts of all clients."""

    answered: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    # Sent on a connection that was being closed for being idle, or returned by GOAWAY.
    repeated: int = 0
    denied: int = 0
    aborted: int = 0
    is_over: bool = False


@dataclasses.dataclass
class Sample:
    """What the process held at one moment: KiB, descriptors, threads; the connections and requests that it reports."""

    memory: int
    descriptors: int
    threads: int
    connections: int
    requests: int


# Of each: its name, and how much more than at the start is not growth: a share of it, plus an amount.
ALLOWED = [
    ("memory", 0.15, 6 << 10),
    ("descriptors", 0.25, 30),
    # A reload and file checks run on threads that start on demand and end after ten seconds. A leak of one per reload
    # would be a dozen.
    ("threads", 0, 3),
    ("connections", 0.25, 15),
    ("requests", 0.25, 15),
]


def thirds(samples):
    """The median of each figure at the start, in the middle and at the end."""
    part = max(1, len(samples) // 4)
    middle = len(samples) // 2 - part // 2
    places = [samples[:part], samples[middle : middle + part], samples[-part:]]
    return [
        {name: statistics.median(getattr(sample, name) for sample in place) for name, _, _ in ALLOWED}
        for place in places
    ]


def growth(samples):
    """What has grown, in words."""
    start, _, end = thirds(samples)
    return [
        f"{name} grew from {start[name]:.0f} to {end[name]:.0f}"
        for name, part, more in ALLOWED
        if end[name] > start[name] * (1 + part) + more
    ]


def table(samples, quiet):
    """The figures as a table. `quiet`: after all clients have left."""
    columns = [*thirds(samples), dataclasses.asdict(quiet)]
    lines = [f"{'':<14}{'start':>10}{'middle':>10}{'end':>10}{'all left':>10}"]
    for name, _, _ in ALLOWED:
        title = "memory, KiB" if name == "memory" else name
        lines.append(f"{title:<14}" + "".join(f"{column[name]:>10.0f}" for column in columns))
    return "\n".join(lines)
