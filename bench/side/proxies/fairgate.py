"""Fairgate with its whole contract. Only its log of requests is off, since no other one here writes any."""

import pathlib
import subprocess

from ..processes import run
from ..scene import LARGE, PLENTY, SMALL

LABEL = "Fairgate"
PACKAGE = None
DOES = {"work", "wrk", "latency", "validation", "denied-403", "denied-429", "download", "upload", "http2", "tls", "tls-http2"}
DOES |= {"threads-1", "threads-2"}
DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "validation.json"


def find(tools):
    return None  # it is built, or named by an option


def version(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True).stdout.split()[1]


ENDPOINTS = """
[[endpoints]]
method = "GET"
path = "/items/{id}"
permission = "items:read"

[[endpoints]]
method = "GET"
path = "/big"
permission = "items:read"

[[endpoints]]
method = "POST"
path = "/upload"
permission = "items:read"

[[endpoints]]
method = "GET"
path = "/echo"
permission = "items:read"
"""

# The document declares the three parameters of this operation.
CHECKED = """
[[endpoints]]
operation = "showItem"
permission = "items:read"
"""


def command(scene, program):
    scene.h2 = scene.plain
    configuration = scene.write("fairgate.toml", f"""
{f'openapi = "{DOCUMENT}"' if scene.validation else ""}

[api]
name = "Measured"

[listen]
address = "127.0.0.1:{scene.plain}"
threads = {scene.threads}

[tls]
address = "127.0.0.1:{scene.tls}"
certificate = "{scene.certificate}"
key = "{scene.certificate_key}"
min_version = "1.3"

[upstream]
url = "http://127.0.0.1:{scene.upstream}"

[plans.large]
limits = ["{PLENTY} per day"]

[plans.small]
limits = ["1 per day"]

# What is measured are many 403 and 429 of single keys from one address, not the 429 that guards against such clients.
[abuse]
errors_per_key = "off"
errors_per_address = "off"

[log]
requests = "none"
{CHECKED if scene.validation else ENDPOINTS}
""")
    # The store outlives a start, as it does elsewhere.
    if not (scene.folder / "data").exists():
        for plan, keys in (("large", LARGE), ("small", SMALL)):
            file = scene.write(f"{plan}.txt", "\n".join(keys) + "\n")
            run([program, "keys", "import", file, "--plan", plan, "--permission", "items:read", "-c", configuration], scene.folder)
    return [program, "serve", "-c", configuration], {}
