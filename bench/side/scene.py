"""What every proxy is given to work with: keys and their limits, ports, an upstream, a certificate, a folder."""

import dataclasses
import pathlib
import random
import string

from .processes import free_port, run

KEY_COUNT = 1000
# Keys whose limit is one request a day: after the first, each of theirs is one too many. The others may do what they like.
USED_UP = 64
PLENTY = 1_000_000_000

# What is asked for. The parameters of the first mean nothing to anybody but a gateway that was told to check them.
ITEM = "/items/42?limit=20&sort=asc"
ITEM_BYTES = 1024
BIG = "/big"
UPLOAD = "/upload"
ECHO = "/echo"
MEGABYTE = 1_000_000

UNKNOWN_KEY = '{"error":{"code":"forbidden","message":"missing or unknown API key"}}'
LIMIT_REACHED = '{"error":{"code":"rate_limited","message":"limit reached"}}'


def make_keys(seed):
    """Keys of 36 letters and digits, always the same for the same seed."""
    chosen = random.Random(seed)
    return ["".join(chosen.choices(string.ascii_letters + string.digits, k=36)) for _ in range(KEY_COUNT)]


KEYS = make_keys("known")
UNKNOWN = make_keys("unknown")
LARGE, SMALL = KEYS[USED_UP:], KEYS[:USED_UP]


def names():
    """Each key with the name of whoever has it."""
    return [(key, f"c{place:04}") for place, key in enumerate(KEYS)]


def limit(place):
    return 1 if place < USED_UP else PLENTY


@dataclasses.dataclass
class Scene:
    """One start of one proxy."""

    folder: pathlib.Path
    upstream: int
    certificate: pathlib.Path
    certificate_key: pathlib.Path
    threads: int = 1
    # Whether parameters are checked by an OpenAPI document.
    validation: bool = False
    # Proxying alone, without keys and limits, to see what those cost.
    bare: bool = False
    plain: int = dataclasses.field(default_factory=free_port)
    # HTTP/2 without TLS. Where that can share the port of HTTP/1.1, a proxy sets it to `plain`.
    h2: int = dataclasses.field(default_factory=free_port)
    tls: int = dataclasses.field(default_factory=free_port)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path


def make_certificate(folder):
    """A certificate of its own authority for 127.0.0.1, ECDSA on P-256. Gives its file and that of its key."""
    certificate, key = folder / "certificate.pem", folder / "certificate.key"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    words += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    run([*words, "-out", certificate, "-keyout", key], folder)
    return certificate, key
