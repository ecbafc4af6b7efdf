"""The generators of load: our own for HTTP/1.1, h2load for HTTP/2 and TLS, wrk to check on our own."""

import json
import re
import shutil
import subprocess

from .processes import HOST, Failed, run

CONNECTIONS = 64
# What h2load has in flight is as much as with the others.
H2_CONNECTIONS, H2_STREAMS = 8, 8
UNITS = {"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6}


def heads(folder, keys, target, method="GET", body=0):
    """A file of request heads for our own generator, one for each key."""
    length = f"Content-Length: {body}\r\nContent-Type: application/octet-stream\r\n" if body else ""
    rest = f"Host: {HOST}\r\nX-API-Key: %s\r\nUser-Agent: load\r\nAccept: */*\r\n{length}\r\n"
    path = folder / "heads"
    path.write_bytes("".join(f"{method} {target} HTTP/1.1\r\n{rest % key}" for key in keys).encode())
    return path


def own(place, port, file, seconds, connections=CONNECTIONS, rate=0, status=200, length=-1, body=0):
    """Figures of our own generator (load.c says how it works)."""
    command = [place.tools / "load", "-p", port, "-s", seconds, "-c", connections, "-r", rate, "-e", status]
    command += ["-l", length, "-b", body, file]
    return json.loads(run(command, place.folder, place.load_cores, seconds + 30))


def wrk(place, url, key, seconds):
    """Requests, and how many of them had no 2xx or 3xx."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", f"X-API-Key: {key}", url]
    said = run(command, place.folder, place.load_cores, seconds + 30)
    requests, took = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", said).group(1, 2)
    unit = re.search(r"requests in [\d.]+(us|ms|s|m)", said)[1]
    bad = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", said)))
    for errors in re.findall(r"Socket errors: (.*)", said):
        bad += sum(map(int, re.findall(r"\d+", errors)))
    return {"requests": int(requests), "bad": bad, "seconds": float(took) * UNITS[unit] / 1e6}


def h2load(place, url, key, seconds, http2=True):
    """Requests, bad ones, and bytes of bodies. With https it insists on TLS 1.3 and on the protocol."""
    connections, streams = (H2_CONNECTIONS, H2_STREAMS) if http2 else (CONNECTIONS, 1)
    protocol = [] if http2 else ["--npn-list=http/1.1", "--no-tls-proto=http/1.1"]
    command = ["h2load", "-t1", f"-c{connections}", f"-m{streams}", "-D", seconds, *protocol, "-H", f"x-api-key: {key}", url]
    said = run(command, place.folder, place.load_cores, seconds + 30)
    found = re.search(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed", said)
    if not found:
        raise Failed(f"h2load said nothing of requests: {said[-300:]}")
    done, succeeded, failed = map(int, found.groups())
    if url.startswith("https") and ("TLSv1.3" not in said or f"protocol: {'h2' if http2 else 'http/1.1'}" not in said):
        raise Failed("TLS 1.3 with the wanted protocol was not agreed on: " + " / ".join(re.findall(r"(?i).*proto.*", said)))
    good = int(re.search(r"status codes: (\d+) 2xx", said)[1])
    took = re.search(r"finished in ([\d.]+)(us|ms|s|m)", said)
    body = int(re.search(r"\((\d+)\) data", said)[1])
    # Requests that ended with the time are neither done nor bad.
    bad = max(done - succeeded, done - good, 0)
    return {"requests": done, "bad": bad, "seconds": float(took[1]) * UNITS[took[2]] / 1e6, "body_bytes": body, "failed": failed}


def missing():
    """The Debian packages of what is not there."""
    packages = {"wrk": "wrk", "h2load": "nghttp2-client", "openssl": "openssl"}
    return [package for program, package in packages.items() if not shutil.which(program)]


def versions():
    """Those of the generators that others wrote."""
    found = {}
    for name, option, pattern in (("wrk", "-v", r"wrk (?:debian/)?([\d.]+)"), ("h2load", "--version", r"nghttp2/([\d.]+)")):
        if shutil.which(name):
            done = subprocess.run([name, option], capture_output=True, text=True)
            seen = re.search(pattern, done.stdout + done.stderr)
            found[name] = seen[1] if seen else "unknown"
    return found
