"""CPU per request of checking requests: Fairgate with its rules on and off, and Prism on the same work.

By hand: FAIRGATE_BIN=target/release/fairgate python3 bench/validation.py [--rounds 5] [--seconds 5]

Needs wrk (Debian), node, and `npm ci` in tests/interop/prism. Each round runs every case once, one after the other,
so that a machine whose speed drifts drifts for all. What is told is the median of the rounds, user and
system time of the whole process tree of the gateway, in microseconds per request.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "interop" / "real"))

from server_process import HOST, ServerProcess, free_port  # noqa: E402

DOCUMENT = ROOT / "bench" / "validation.json"
BODY = (ROOT / "bench" / "order.json").read_text()
PRISM = ROOT / "tests" / "interop" / "prism" / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 16
# What is measured has a core of its own, as far as there are two.
ON_ITS_OWN = ["taskset", "--cpu-list", str(os.cpu_count() - 1)]
ON_THE_REST = ["taskset", "--cpu-list", "0"]
UPSTREAM = """
const answer = Buffer.from('{"ok":true}');
const headers = {'Content-Type': 'application/json', 'Content-Length': answer.length};
require('node:http').createServer((request, response) => {
  request.resume();
  request.on('end', () => { response.writeHead(200, headers); response.end(answer); });
}).listen(Number(process.argv[2]), '127.0.0.1');
"""
# Name, method, target, whether it has the body.
WORK = {
    "3 parameters": ("GET", "/items/7?limit=20&sort=asc", False),
    "1 KB body": ("POST", "/orders", True),
    "3 parameters, 1 KB body": ("PUT", "/items/7?limit=20&sort=asc", True),
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--without-prism", action="store_true")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(pathlib.Path(folder), given)


def measure(folder, given):
    servers = []
    try:
        upstream = start(servers, folder, "upstream", upstream_command(folder))
        gateways = {
            "on": fairgate(servers, folder / "on", upstream, json.loads(DOCUMENT.read_text())),
            "off": fairgate(servers, folder / "off", upstream, without_rules()),
        }
        if not given.without_prism:
            gateways["prism"] = start(servers, folder, "prism", prism_command(upstream)), "any"
        figures = {(work, name): [] for work in WORK for name in gateways}
        for one in range(given.rounds):
            for work, name in figures:
                # The order turns round by round: who comes second may find a warmer machine.
                names = list(gateways)
                turned = names[(names.index(name) + one) % len(names)]
                server, key = gateways[turned]
                figures[work, turned].append(load(folder, server, key, WORK[work], given.seconds))
    finally:
        for server in reversed(servers):
            server.stop()
    tell(figures, list(gateways))


def tell(figures, names):
    print(f"{'CPU microseconds per request':32}" + "".join(f"{name:>10}" for name in names) + "    on/off  prism/on")
    for work in WORK:
        medians = {name: statistics.median(figures[work, name]) for name in names}
        line = f"{work:32}" + "".join(f"{medians[name]:10.1f}" for name in names)
        line += f"{medians['on'] / medians['off']:10.3f}"
        if "prism" in medians:
            line += f"{medians['prism'] / medians['on']:10.1f}"
        print(line)
    for (work, name), values in figures.items():
        print(f"  {work}, {name}: " + " ".join(f"{value:.1f}" for value in values))


def without_rules():
    """The same endpoints, about which nothing is said."""
    document = json.loads(DOCUMENT.read_text())
    for path, item in document["paths"].items():
        for operation in item.values():
            operation.pop("requestBody", None)
            names = re.findall(r"\{(\w+)\}", path)
            operation["parameters"] = [{"name": n, "in": "path", "required": True, "schema": {}} for n in names]
    return document


def start(servers, folder, name, command):
    """The port stands in the command as PORT."""
    port = free_port()
    folder.mkdir(exist_ok=True)
    server = ServerProcess(name, [port if word == "PORT" else word for word in command], port, folder)
    servers.append(server)
    return server


def upstream_command(folder):
    script = folder / "upstream.cjs"
    script.write_text(UPSTREAM)
    return [*ON_THE_REST, "node", script, "PORT"]


def prism_command(upstream):
    command = [*ON_ITS_OWN, "node", PRISM, "proxy", DOCUMENT, upstream.url, "--errors"]
    return [*command, "-p", "PORT", "-h", HOST, "-v", "silent"]


def fairgate(servers, folder, upstream, document):
    folder.mkdir()
    (folder / "document.json").write_text(json.dumps(document))
    binary = pathlib.Path(os.environ.get("FAIRGATE_BIN", ROOT / "target" / "release" / "fairgate")).resolve(strict=True)
    port = free_port()
    configuration = folder / "fairgate.toml"
    configuration.write_text(
        f"""openapi = "document.json"

[api]
name = "Measured"

[listen]
address = "{HOST}:{port}"
threads = 1

[upstream]
url = "{upstream.url}"

[plans.free]
limits = ["1000000000 per month"]

[log]
requests = "none"
"""
    )
    server = ServerProcess("fairgate", [*ON_ITS_OWN, binary, "serve", "--config", configuration], port, folder)
    servers.append(server)
    command = [binary, "keys", "create", "--plan", "free", "--json", "--config", configuration]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return server, json.loads(made.stdout)["key"]


def load(folder, server, key, work, seconds):
    """Microseconds of CPU that one request cost."""
    method, target, has_body = work
    script = folder / "request.lua"
    lines = [f'wrk.method = "{method}"', f'wrk.headers["X-API-Key"] = "{key}"']
    if has_body:
        lines += [f"wrk.body = {json.dumps(BODY)}", 'wrk.headers["Content-Type"] = "application/json"']
    script.write_text("\n".join(lines))
    command = [*ON_THE_REST, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script, server.url + target]
    before = cpu_ticks(server.process.pid)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ticks = cpu_ticks(server.process.pid) - before
    assert "Non-2xx" not in done.stdout, f"{server.name} refused requests:\n{done.stdout}"
    requests = int(re.search(r"(\d+) requests in", done.stdout).group(1))
    assert requests > 100, done.stdout
    return ticks / TICKS * 1e6 / requests


def cpu_ticks(pid):
    """User and system time of a process and of all its children."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            ticks += cpu_ticks(int(child))
    return ticks


if __name__ == "__main__":
    main()
