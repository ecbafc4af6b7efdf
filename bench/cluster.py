"""What sharing limits costs: messages to the ledger, CPU and time of a request, beside a gateway that is alone.

By hand: FAIRGATE_BIN=target/release/fairgate python3 bench/cluster.py [--rounds 5] [--seconds 4]

Needs gcc, PostgreSQL and Valkey (Debian), and a release build: figures of a debug build are refused. Three gateways share a
Valkey and a PostgreSQL that are started here; one more is alone, with the embedded store. Alone and shared take turns, so that a
machine whose speed drifts drifts for both. Keys are used over one connection pool of bench/side/load.c, which counts the
time of a request from when it was due.

- messages: calls of the ledger's function that Valkey counts (INFO commandstats) for each request that the gateways answer, of one hot key and of 100,000
  keys by Zipf's law with the exponent 1.1, all three gateways under load.
- CPU: of one gateway for each request of a hot key, the other two idle: shared by alone, medians of all rounds.
- time: p99 with a hot key, and p50 with keys each of which is used once in a long while, at a rate: shared less alone.
"""

import argparse
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench"))

from side import machine  # noqa: E402
from side.processes import HOST, Failed, Process, free_port, run  # noqa: E402

NODES = ("a", "b", "c")
KEYS = 100_000
EXPONENT = 1.1
# Requests of a file by Zipf's law, after which it begins anew.
DRAWN = 200_000
CONNECTIONS = 16


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=4)
    arguments.add_argument("--rate", type=int, default=2000, help="requests a second of the hot key, where times are measured")
    arguments.add_argument("--seldom-rate", type=int, default=200, help="the same of keys that are seldom used")
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    program = pathlib.Path(os.environ.get("FAIRGATE_BIN", ROOT / "target" / "release" / "fairgate")).resolve()
    if "debug" in program.parts:
        sys.exit(f"{program} is a debug build, whose figures say nothing: cargo build --release")
    if not program.exists():
        sys.exit(f"{program} does not exist: cargo build --release")
    with tempfile.TemporaryDirectory(prefix="fairgate-bench-") as folder:
        os.chmod(folder, 0o711)
        scene = Scene(pathlib.Path(folder), program)
        try:
            scene.begin()
            figures = measure(scene, given)
        except Failed as failure:
            sys.exit(str(failure))
        finally:
            scene.stop()
    if given.json:
        print(json.dumps(figures, indent=2))
    else:
        tell(figures, given)


class Scene:
    """Servers and gateways, all started here."""

    def __init__(self, folder, program):
        self.folder, self.program, self.processes = folder, program, []
        cores = sorted(os.sched_getaffinity(0))
        # What is measured has a core of its own, as far as there are two.
        self.own, self.rest = {cores[-1]}, set(cores[:-1]) or {cores[-1]}
        self.gateways = {}

    def begin(self):
        folder = self.folder
        for name in ("load", "upstream"):
            run(["gcc", "-O2", "-o", folder / name, ROOT / "bench" / "side" / f"{name}.c"], folder)
        self.upstream = free_port()
        self.start("upstream", [folder / "upstream", self.upstream]).wait_for(self.upstream)
        self.ledger = free_port()
        settings = ["--bind", HOST, "--save", "", "--dir", folder]
        self.start("valkey", ["valkey-server", "--port", self.ledger, *settings]).wait_for(self.ledger)
        self.records = self.start_postgresql()
        keys = folder / "keys"
        keys.write_text("".join(f"{key(number)}\n" for number in range(KEYS)))
        self.ports = {name: free_port() for name in ("alone", *NODES)}
        for name in self.ports:
            self.configure(name)
        self.command("alone", "keys", "import", keys, "--plan", "many")
        self.command("a", "cluster", "init")
        self.command("a", "keys", "import", keys, "--plan", "many")
        for name, port in self.ports.items():
            cores = self.own if name in ("alone", "a") else self.rest
            self.gateways[name] = self.start(name, [self.program, "serve", "--config", self.file(name)], cores)
            self.gateways[name].wait_for(port, 60)

    def start(self, name, command, cores=None):
        process = Process(name, command, self.folder, cores or self.rest)
        self.processes.append(process)
        return process

    def start_postgresql(self):
        versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
        if not versions:
            raise Failed("install the package postgresql")
        programs, home, port = versions[-1].parent, self.folder / "postgresql", free_port()
        home.mkdir()
        as_user = []
        if os.geteuid() == 0:  # as whom it refuses to run
            shutil.chown(home, "postgres", "postgres")
            as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        data = home / "data"
        run([*as_user, programs / "initdb", "-D", data, "--no-sync", "--auth=trust", "--username=fairgate"], self.folder)
        settings = ["-c", f"listen_addresses={HOST}", "-c", "fsync=off", "-k", home, "-p", port]
        self.start("postgres", [*as_user, programs / "postgres", "-D", data, *settings]).wait_for(port)
        deadline = time.monotonic() + 20
        ready = [programs / "pg_isready", "-q", "-h", HOST, "-p", str(port)]
        while subprocess.run(ready).returncode and time.monotonic() < deadline:
            time.sleep(0.05)
        return f"postgresql://fairgate@{HOST}:{port}/postgres"

    def file(self, name):
        return self.folder / f"{name}.toml"

    def configure(self, name):
        cluster = f"""
[cluster]
records = "{self.records}"
ledger = "redis://{HOST}:{self.ledger}"
secret_file = "cluster.secret"
node = "{name}"
"""
        self.file(name).write_text(f"""
[api]
name = "Measured"
[listen]
address = "{HOST}:{self.ports[name]}"
threads = 1
[upstream]
url = "http://{HOST}:{self.upstream}"
[store]
path = "{name}"
[log]
requests = "none"
[keys]
pattern = '{key(0)[:6]}\\d{{6}}'
[plans.many]
limits = ["1000000000 per month"]
{cluster if name in NODES else ""}""")

    def command(self, name, *words):
        run([self.program, *words, "--config", self.file(name)], self.folder, seconds=120)

    def load(self, name, heads, seconds, rate=0):
        """Sends requests to a gateway. What came back."""
        return json.loads(run(self.load_command(name, heads, seconds, rate), self.folder, self.rest, seconds + 30))

    def load_command(self, name, heads, seconds, rate=0):
        options = ["-s", seconds, "-c", CONNECTIONS, "-r", rate, "-e", 200, "-t"]
        return [self.folder / "load", "-p", self.ports[name], *options, heads]

    def load_all(self, heads, seconds):
        """Sends requests to all gateways of the cluster at once. How many were answered."""
        started = [
            subprocess.Popen([str(word) for word in self.load_command(name, heads, seconds)], stdout=subprocess.PIPE)
            for name in NODES
        ]
        found = [json.loads(one.communicate()[0]) for one in started]
        bad = sum(one["bad"] for one in found)
        if bad:
            raise Failed(f"{bad} bad answers: {[one['statuses'] for one in found]}")
        return sum(one["requests"] for one in found)

    def calls(self):
        """Messages that Valkey has got. Each is one FCALL; what the function itself calls is counted under its own names."""
        said = run(["valkey-cli", "-p", self.ledger, "INFO", "commandstats"], self.folder)
        return int(re.search(r"cmdstat_fcall:calls=(\d+)", said)[1])

    def stop(self):
        for process in reversed(self.processes):
            process.stop()


def key(number):
    return f"bench-{number:06}"


def heads(scene, name, numbers):
    path = scene.folder / name
    rest = f"Host: {HOST}\r\nAccept: */*\r\n"
    path.write_text("".join(f"GET /items/7 HTTP/1.1\r\nX-API-Key: {key(one)}\r\n{rest}\r\n" for one in numbers), newline="")
    return path


def zipf(chosen):
    """Keys by Zipf's law."""
    weights = list(itertools.accumulate((rank + 1) ** -EXPONENT for rank in range(KEYS)))
    return chosen.choices(range(KEYS), cum_weights=weights, k=DRAWN)


def measure(scene, given):
    chosen = random.Random(1)
    hot = heads(scene, "hot", [0])
    shares = heads(scene, "zipf", zipf(chosen))
    # Each is used again only when all others were: seldom at any rate that is measured here.
    seldom = heads(scene, "seldom", chosen.sample(range(KEYS), KEYS))
    figures = {"load average before": machine.load_average(), "machine": machine.described()}
    for name, file in (("hot messages", hot), ("Zipf messages", shares)):
        scene.load_all(file, 1)
        found = []
        for _ in range(given.rounds):
            before = scene.calls()
            requests = scene.load_all(file, given.seconds)
            found.append({"requests": requests, "messages": scene.calls() - before})
        figures[name] = {
            "rounds": found,
            "of a request": sum(one["messages"] for one in found) / sum(one["requests"] for one in found),
            "requests a second": sum(one["requests"] for one in found) / given.seconds / given.rounds,
        }
    cpu, p99, p50 = ({"alone": [], "a": []} for _ in range(3))
    for turn in range(given.rounds):
        names = ("alone", "a") if turn % 2 else ("a", "alone")
        for name in names:
            cpu[name].append(cpu_of(scene, name, hot, given.seconds))
        for name in names:
            p99[name].append(scene.load(name, hot, given.seconds, given.rate)["p99"])
        for name in names:
            p50[name].append(scene.load(name, seldom, given.seconds, given.seldom_rate)["p50"])
    figures["CPU"] = beside(cpu)
    figures["hot p99"], figures["seldom p50"] = beside(p99), beside(p50)
    return figures


def cpu_of(scene, name, file, seconds):
    """Microseconds of CPU of a request."""
    process = scene.gateways[name]
    scene.load(name, file, 0.5)
    before = sum(process.cpu())
    found = scene.load(name, file, seconds)
    if found["bad"]:
        raise Failed(f"{found['bad']} bad answers: {found['statuses']}")
    return (sum(process.cpu()) - before) / found["requests"] * 1e6


def beside(figures):
    alone, shared = statistics.median(figures["alone"]), statistics.median(figures["a"])
    return {"alone": alone, "shared": shared, "ratio": shared / alone, "difference": shared - alone, "rounds": figures}


def tell(figures, given):
    messages = {name: figures[name]["of a request"] for name in ("hot messages", "Zipf messages")}
    rows = [
        ("messages to the ledger a request, one hot key", f"{messages['hot messages']:.4f}", "0.01"),
        ("messages to the ledger a request, 100,000 keys by Zipf (1.1)", f"{messages['Zipf messages']:.3f}", "0.1"),
        ("CPU of a request, shared by alone", f"{figures['CPU']['ratio']:.3f}", "1.03"),
        ("added to p99, hot key", f"{figures['hot p99']['difference'] / 1000:.2f} ms", "0.3 ms"),
        ("added to p50, seldom-used keys", f"{figures['seldom p50']['difference'] / 1000:.2f} ms", "0.4 ms"),
    ]
    print("| | measured | at most |\n|---|---:|---:|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    about, busy = figures["machine"], figures["load average before"]
    print(f"\n{given.rounds} rounds of {given.seconds} s, three gateways of a data thread each. {about['cpu']}, {about['cores']} cores, "
          f"{about['system']}, Linux {about['kernel']}; load average before: {busy:.1f}.")
    for name in ("CPU", "hot p99", "seldom p50"):
        one = figures[name]
        print(f"{name}: alone {one['alone']:.1f} µs, shared {one['shared']:.1f} µs.")
    for name in ("hot messages", "Zipf messages"):
        print(f"{name}: at {figures[name]['requests a second']:,.0f} requests a second in all.")


if __name__ == "__main__":
    main()
