#!/usr/bin/env python3
"""What an idle connection costs: resident memory of a gateway with many connections that have made a request each.

    python3 bench/idle.py [PROGRAM] [--connections 10000]

Needs as many descriptors (`ulimit -n`) twice, once in each process, and no other traffic on the machine's loopback.
"""

import argparse
import asyncio
import json
import pathlib
import resource
import subprocess
import tempfile
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
CONFIG = """
[api]
name = "Idle"
[listen]
address = "127.0.0.1:0"
threads = 1
[upstream]
url = "http://127.0.0.1:{port}"
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


async def answer(reader, writer):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


def resident(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) * 1024


async def connect(port, head):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(head)
    first = await asyncio.wait_for(reader.readuntil(b"{}"), 30)
    assert first.startswith(b"HTTP/1.1 200"), first
    return writer


async def measure(program, count):
    upstream = await asyncio.start_server(answer, "127.0.0.1", 0, limit=4096)
    port = upstream.sockets[0].getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "fairgate.toml")
        file.write_text(CONFIG.format(port=port))
        made = subprocess.run([program, "keys", "create", "--config", file, "--plan", "free", "--json"], capture_output=True, check=True)
        key = json.loads(made.stdout)["key"]
        gateway = subprocess.Popen([program, "serve", "--config", file], stderr=subprocess.PIPE)
        try:
            for line in gateway.stderr:
                event = json.loads(line)
                if event["event"] == "listening":
                    break
            port = int(event["address"].rsplit(":", 1)[1])
            head = f"GET /a HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\n\r\n".encode()
            held = [await connect(port, head)]
            await asyncio.sleep(6)
            before = resident(gateway.pid)
            while len(held) < count + 1:
                batch = min(100, count + 1 - len(held))
                held += await asyncio.gather(*[connect(port, head) for _ in range(batch)])
            await asyncio.sleep(12)
            after = resident(gateway.pid)
            print(f"{count} idle connections: {(after - before) / count:.0f} bytes each ({before >> 10} KiB before, {after >> 10} KiB with them)")
            for writer in held:
                writer.close()
        finally:
            gateway.kill()
            gateway.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", nargs="?", default="target/release/fairgate")
    parser.add_argument("--connections", type=int, default=10_000)
    wanted = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(measure(wanted.program, wanted.connections))


if __name__ == "__main__":
    main()
