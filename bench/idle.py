#!/usr/bin/env python3
"""What an idle connection costs: resident memory with many connections that have made a request each, beside peers.

    python3 bench/idle.py [PROGRAM] [--connections 10000] [--only fairgate,nginx,haproxy] [--kinds plain,tls,h2c,h2]

Each kind of connection is measured on a server that was started for it: HTTP/1.1, the same under TLS, HTTP/2 without TLS and
under it. Anonymous memory of all processes of the server, after and before the connections came; what a server sets
aside for connections when it starts is in the column "before". nginx and HAProxy are Debian's packages and are left out
where they are missing. Needs as many descriptors (`ulimit -n`) twice, once in each process, openssl, and no other traffic on the
machine's loopback.
"""

import argparse
import asyncio
import contextlib
import json
import pathlib
import resource
import shutil
import signal
import ssl
import subprocess
import tempfile
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
KINDS = {"plain": "HTTP/1.1", "tls": "HTTP/1.1, TLS", "h2c": "HTTP/2", "h2": "HTTP/2, TLS"}
# Before the first figure, and before the second: buffers that a crowd needed are given back after some seconds.
SETTLE, REST = 4, 12

FAIRGATE = """
[api]
name = "Idle"
[listen]
address = "127.0.0.1:0"
threads = 1
[tls]
address = "127.0.0.1:0"
certificate = "certificate.pem"
key = "key.pem"
[upstream]
url = "http://127.0.0.1:{upstream}"
[timeouts]
keep_alive = "1h"
[store]
path = "data"
[log]
requests = "none"
format = "json"
[plans.free]
limits = ["1000000 per day"]
"""

NGINX = """
daemon off;
pid nginx.pid;
error_log nginx.err;
worker_processes 1;
worker_rlimit_nofile {files};
events {{ worker_connections {files}; }}
http {{
    access_log off;
    keepalive_timeout 1h;
    upstream api {{ server 127.0.0.1:{upstream}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{tls} ssl;
        listen 127.0.0.1:{h2c} http2;
        listen 127.0.0.1:{h2} ssl http2;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        location / {{ proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
"""

HAPROXY = """
global
    nbthread 1
    maxconn {files}
    no strict-limits
defaults
    mode http
    timeout connect 10s
    timeout client 1h
    timeout server 1h
    timeout http-keep-alive 1h
frontend gate
    bind 127.0.0.1:{plain}
    bind 127.0.0.1:{tls} ssl crt both.pem
    bind 127.0.0.1:{h2c} proto h2
    bind 127.0.0.1:{h2} ssl crt both.pem alpn h2
    default_backend api
backend api
    server one 127.0.0.1:{upstream}
"""


async def answer(reader, writer):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


# === servers ===


@contextlib.contextmanager
def running(command, folder):
    """A server as a process, ended at the end. What it says comes by a pipe."""
    process = subprocess.Popen([str(word) for word in command], cwd=folder, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM if "nginx" in str(command[0]) else signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def fairgate(program, folder, upstream, _):
    file = folder / "fairgate.toml"
    file.write_text(FAIRGATE.format(upstream=upstream))
    make = [program, "keys", "create", "--config", file, "--plan", "free", "--json"]
    key = json.loads(subprocess.run(make, cwd=folder, capture_output=True, check=True).stdout)["key"]
    with running([program, "serve", "--config", file], folder) as process:
        for line in process.stderr:
            event = json.loads(line)
            if event["event"] == "listening":
                break
        plain, tls = (int(event[name].rsplit(":", 1)[1]) for name in ("address", "tls_address"))
        yield process.pid, {"plain": plain, "tls": tls, "h2c": plain, "h2": tls}, key


@contextlib.contextmanager
def peer(words, text, folder, upstream, count):
    """A peer that reads a file of settings."""
    first = upstream % 10_000 + 20_000
    ports = {kind: first + n for n, kind in enumerate(KINDS)}
    (folder / "peer.conf").write_text(text.format(upstream=upstream, files=2 * count + 1000, **ports))
    with running([*words, folder / "peer.conf"], folder) as process:
        time.sleep(1)
        assert process.poll() is None, process.stderr.read().decode()
        yield process.pid, ports, "none"


def servers(program, only):
    """Those that are there: names, and what starts each."""
    found = {"fairgate": lambda *at: fairgate(program, *at)}
    path = "/usr/sbin:/usr/bin:/usr/local/sbin"
    if nginx := shutil.which("nginx", path=path):
        found["nginx"] = lambda folder, *at: peer([nginx, "-p", folder, "-c"], NGINX, folder, *at)
    if haproxy := shutil.which("haproxy", path=path):
        found["haproxy"] = lambda *at: peer([haproxy, "-f"], HAPROXY, *at)
    return {name: start for name, start in found.items() if name in only}


def resident(pid):
    """Anonymous memory of a process and its children."""
    total, children = 0, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    total += next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) * 1024
    return total + sum(resident(child) for child in children)


# === clients ===


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def request(kind, key):
    """The first bytes of a client: a request."""
    if kind in ("plain", "tls"):
        return f"GET /a HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\n\r\n".encode()
    fields = [(":method", "GET"), (":scheme", "http" if kind == "h2c" else "https"), (":path", "/a")]
    fields += [(":authority", "a"), ("x-api-key", key)]
    text = [bytes([len(word)]) + word.encode() for pair in fields for word in pair]
    block = b"".join(b"\0" + name + value for name, value in zip(text[::2], text[1::2], strict=True))
    # Settings, their acknowledgement, and a request that ends its stream.
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(4, 1, 0, b"") + frame(1, 5, 1, block)


async def connect(port, head, context):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096, ssl=context)
    writer.write(head)
    await asyncio.wait_for(reader.readuntil(b"{}"), 60)
    return writer


async def measure(start, kind, count):
    """Bytes for each connection, and bytes before they came."""
    upstream = await asyncio.start_server(answer, "127.0.0.1", 0, limit=4096, backlog=1000)
    context = None
    if kind in ("tls", "h2"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2" if kind == "h2" else "http/1.1"])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        certify = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        certify += ["-days", "2", "-subj", "/CN=a", "-keyout", "key.pem", "-out", "certificate.pem"]
        subprocess.run(certify, cwd=folder, check=True, capture_output=True)
        both = (folder / "certificate.pem").read_bytes() + (folder / "key.pem").read_bytes()
        (folder / "both.pem").write_bytes(both)
        with start(folder, upstream.sockets[0].getsockname()[1], count) as (pid, ports, key):
            head = request(kind, key)
            held = [await connect(ports[kind], head, context)]
            await asyncio.sleep(SETTLE)
            before = resident(pid)
            while len(held) < count + 1:
                batch = min(100, count + 1 - len(held))
                held += await asyncio.gather(*[connect(ports[kind], head, context) for _ in range(batch)])
            await asyncio.sleep(REST)
            after = resident(pid)
            for writer in held:
                writer.transport.abort()
    upstream.close()
    return (after - before) / count, before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?", default="target/release/fairgate")
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--only", default="fairgate,nginx,haproxy")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--json", action="store_true", help="the bytes of a plain connection of each, and nothing else")
    wanted = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if wanted.json:
        found = servers(pathlib.Path(wanted.program).resolve(), wanted.only.split(","))
        each = {name: asyncio.run(measure(start, "plain", wanted.connections))[0] for name, start in found.items()}
        print(json.dumps({name: round(size) for name, size in each.items()}))
        return
    print(f"{wanted.connections} idle connections, bytes each (KiB before):")
    print(f"{'':<14}" + "".join(f"{KINDS[kind]:>22}" for kind in wanted.kinds.split(",")))
    program = pathlib.Path(wanted.program).resolve()
    for name, start in servers(program, wanted.only.split(",")).items():
        print(f"{name:<14}", end="", flush=True)
        for kind in wanted.kinds.split(","):
            each, before = asyncio.run(measure(start, kind, wanted.connections))
            print(f"{f'{each:,.0f} ({before >> 10:,})':>22}", end="", flush=True)
        print()


if __name__ == "__main__":
    main()
