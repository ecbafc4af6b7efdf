#!/usr/bin/env python3
"""Instructions and allocations of a request, by kind of answer, and of the steps that it is made of.

    bench/instructions.py            counts, and compares with bench/instructions.json: a rise over 2 % fails
    bench/instructions.py --all --write    counts, and makes that the measure, also in docs/benchmark.md
    bench/instructions.py --table    counts nothing; writes the table of docs/benchmark.md from the measure
    bench/instructions.py --only forwarded --functions 40    some, with the functions that cost most

Needs valgrind. The gateway is the release build, serving over real sockets under callgrind; what is told is of its data
thread, per request, of one client whose connection stays open. The system's part of a request is not in it. Counts
differ between compilers and between what processors can do, so that the measure names its own; with others, what is
compared has 10 % of room.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading

import over_http2
from callgrind import Profile

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
MEASURE = ROOT / "bench" / "instructions.json"
PAGE = ROOT / "docs" / "benchmark.md"
BEGIN = "<!-- Made by bench/instructions.py: begin -->"
END = "<!-- Made by bench/instructions.py: end -->"
WARM_UP, COUNT = 300, 1000
# Times that a step is done, once and twice: the difference has no start in it.
STEPS = 2000
ROOM, ROOM_ELSEWHERE = 0.02, 0.10
PATIENCE = 120
# Of incidents of one kind 100 a second are made, and the rest is counted: how many of those requests make one depends on how
# fast the machine is. What making one takes, in instructions and allocations.
INCIDENTS, INCIDENT = "UNEXPECTED_ERROR", (2500, 8)

COMMON = """
[api]
name = "Counted"
support_email = "help@example.com"
[listen]
address = "127.0.0.1:{port}"
threads = 1
[upstream]
url = "http://127.0.0.1:{upstream}"
[log]
requests = "none"
[overload]
max_lag = "1m"
[abuse]
errors_per_key = "off"
errors_per_address = "off"
[plans.one]
limits = ["1000000000 per day"]
"""
FORWARDING = COMMON + """
[plans.three]
limits = ["1000000000 per minute", "1000000000 per day", "1000000000 per month"]
[plans.used]
limits = ["1 in all"]
""" + "".join(
    f'[[endpoints]]\nmethod = "GET"\npath = "/resources{number}/items/{{id}}"\npermission = "items:read"\n'
    for number in range(2000)
)
CHECKED = 'openapi = "document.json"\n' + COMMON
ORDER = (ROOT / "bench" / "order.json").read_bytes()
ITEM = "/resources1999/items/42?x=1"

# Of each gateway: name of what is counted, plan of the key, what is asked, body, and the status that has to come.
FORWARDED = [
    ("forwarded", "one", f"GET {ITEM}", b"", 200),
    ("forwarded, three limits", "three", f"GET {ITEM}", b"", 200),
    ("forwarded, HTTP/2", "one", ITEM, over_http2, 200),
    ("KEY_NOT_SET", None, f"GET {ITEM}", b"", 403),
    ("KEY_NOT_VALID", "wrong", f"GET {ITEM}", b"", 403),
    ("PERMISSION_DENIED", "bare", f"GET {ITEM}", b"", 401),
    ("ENDPOINT_NOT_FOUND", "one", "GET /resources2000/items/42", b"", 404),
    ("API_LIMIT_EXCEEDED", "used", f"GET {ITEM}", b"", 429),
    ("RESOURCE_NOT_FOUND", "one", "GET /resources1999/items/404", b"", 404),
    ("UNEXPECTED_ERROR", "one", "GET /resources1999/items/500", b"", 500),
    ("/_limits", "three", "GET /_limits", b"", 200),
]
VALIDATED = [
    ("three parameters", "one", "GET /items/7?limit=20&sort=asc", b"", 200),
    ("1 KB body", "one", "POST /orders", ORDER, 200),
    ("PARAMETER_NOT_VALID", "one", "GET /items/7?limit=many&sort=asc", b"", 400),
    ("BODY_NOT_VALID", "one", "POST /orders", ORDER.replace(b'"EUR"', b'"E"'), 422),
]
# The program, and its arguments before the count.
ALONE = [
    ("settle", "999999 per day", "charge again"),
    ("settle", "999999 per day", "release"),
    ("settle", "999 per second, burst 999999", "charge again"),
    ("settle", "999999 at once", "charge again"),
    ("settle", "999999 per rolling hour", "charge again"),
    ("settle", "999999 per minute + 999999 per day + 999999 per month", "charge again"),
    ("settle", "governor", "check"),
]
# The same, with --all: what they need besides takes minutes to build, and they are in requests above.
MORE_ALONE = [
    ("check_requests", "none"),
    ("check_requests", "parameters"),
    ("check_requests", "body"),
]
# What the table calls them, where the name alone does not say it.
TITLES = {
    "forwarded": "forwarded, one limit",
    "forwarded, HTTP/2": "forwarded, HTTP/2 from the client",
    "three parameters": "forwarded, three parameters checked against the document",
    "1 KB body": "forwarded, a body of 1 KB checked against the document",
    "KEY_NOT_VALID": "`KEY_NOT_VALID` (the digest in software: valgrind has no SHA instructions)",
    "RESOURCE_NOT_FOUND": "`RESOURCE_NOT_FOUND`, of an upstream's 404 with 1 KB of JSON",
    "UNEXPECTED_ERROR": "`UNEXPECTED_ERROR`, of an upstream's 500 with as much",
    "/_limits": "`/_limits`",
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--write", action="store_true", help="make what is counted now the measure")
    arguments.add_argument("--table", action="store_true", help="count nothing; write the table of docs/benchmark.md")
    arguments.add_argument("--only", metavar="TEXT", help="those alone whose name has this text")
    arguments.add_argument("--functions", type=int, default=0, metavar="N", help="show the N functions that cost most")
    arguments.add_argument("--all", action="store_true", help="the checks of a request by themselves as well")
    arguments.add_argument("--binary", type=pathlib.Path, help="a gateway that is built already")
    given = arguments.parse_args()
    if given.table:
        PAGE.write_text(page(json.loads(MEASURE.read_text())["counted"]))
        return
    alone = ALONE + MORE_ALONE if given.all else ALONE
    binary = given.binary or build(given.all)
    counted = {}

    def count(name, profile, times):
        counted[name] = profile_of(profile, times)
        print(f"{name:86} {counted[name]['instructions']:9,} {counted[name]['allocations']:6}", flush=True)
        for function, instructions in list(counted[name]["functions"].items())[: given.functions]:
            print(f"    {instructions:9,} {function}")

    wanted = lambda name: given.only is None or given.only in name
    print(f"{'':86} {'instr.':>9} {'alloc.':>6}")
    for configuration, cases in ((FORWARDING, FORWARDED), (CHECKED, VALIDATED)):
        cases = [case for case in cases if wanted(case[0])]
        if cases:
            with Gateway(binary, configuration) as gateway:
                for name, plan, line, body, status in cases:
                    count(name, gateway.profile(plan, line, body, status), COUNT)
    if given.binary is None:
        for program, *words in alone:
            name = f"{program}: {', '.join(words)}"
            if wanted(name):
                count(name, difference(program, words), STEPS)
    if given.write:
        MEASURE.write_text(json.dumps({"with": counted_with(), "counted": counted}, indent=1) + "\n")
        PAGE.write_text(page(counted))
    else:
        compare(counted)


def page(counted):
    """docs/benchmark.md with the table of these counts between its markers."""
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{PAGE} has lost its markers, {BEGIN} and {END}")
    lines = ["| request, or step of it | instructions | allocations |", "|---|---:|---:|"]
    for name, one in counted.items():
        title = TITLES.get(name) or (f"`{name}`" if name.isupper() else name)
        lines.append(f"| {title} | {one['instructions']:,} | {one['allocations']:g} |")
    table = "\n".join(lines)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def build(with_checks):
    packages = [["fairgate"], ["fairgate-limits", "--example", "settle"]]
    if with_checks:
        packages.append(["fairgate-openapi", "--example", "check_requests"])
    for words in packages:
        subprocess.run(["cargo", "build", "--quiet", "--locked", "--release", "--package", *words], cwd=ROOT, check=True)
    return TARGET / "fairgate"


def counted_with():
    """What changes counts though nobody changed the code."""
    told = lambda *words: subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    processor = re.search(r"^flags\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "compiler": told("rustc", "--version"),
        "valgrind": told("valgrind", "--version"),
        "library": " ".join(platform.libc_ver()),
        "avx2": bool(processor) and "avx2" in processor[1].split(),
    }


def profile_of(profile, times):
    functions = {name: round(instructions / times) for name, instructions in profile.functions.most_common(60)}
    return {
        "instructions": round(profile.instructions / times),
        "allocations": round(profile.allocations / times, 1),
        "functions": {name: instructions for name, instructions in functions.items() if instructions > 0},
    }


def compare(counted):
    """Ends with 1 if something rose, and shows by which functions it did."""
    measure = json.loads(MEASURE.read_text())
    if PAGE.read_text() != page(measure["counted"]):
        sys.exit(f"{PAGE} does not show {MEASURE.name}: `bench/instructions.py --table` writes the table anew.")
    room = ROOM
    if measure["with"] != counted_with():
        room = ROOM_ELSEWHERE
        print(f"\nMeasured with {measure['with']}, counted with {counted_with()}: compared with {room:.0%} of room.")
    risen = []
    for name, now in counted.items():
        before = measure["counted"].get(name)
        if before is None:
            risen.append(f"{name}: not in {MEASURE.name}; `bench/instructions.py --all --write` adds it")
            continue
        more = now["instructions"] - before["instructions"]
        # A few instructions more of a very short step are no rise of any request.
        incident = INCIDENT if name == INCIDENTS else (0, 0)
        most = before["allocations"] + 0.2 + incident[1]
        if more > max(before["instructions"] * room, 12) + incident[0] or now["allocations"] > most:
            lines = [
                f"{name}: {before['instructions']:,} -> {now['instructions']:,} instructions "
                f"({more / before['instructions']:+.1%}), {before['allocations']} -> {now['allocations']} allocations"
            ]
            names = {*before["functions"], *now["functions"]}
            # The lists end somewhere: what is in one of them alone was at most the least of the other.
            least = {id(side): min(side["functions"].values(), default=0) for side in (before, now)}
            of = lambda side, name: side["functions"].get(name, least[id(side)])
            changes = [(of(now, n) - of(before, n), n) for n in names]
            for change, function in sorted(changes, key=lambda pair: -abs(pair[0]))[:15]:
                if abs(change) > 5:
                    lines.append(f"    {change:+9,} {function}")
            risen.append("\n".join(lines))
        elif -more > max(before["instructions"] * ROOM, 12):
            print(f"{name} fell by {-more / before['instructions']:.1%}; `bench/instructions.py --all --write` keeps that.")
    if risen:
        sys.exit("\nMore than before:\n" + "\n".join(risen))
    print(f"\nNothing rose by more than {room:.0%}.")


def callgrind(out, *words, **more):
    return subprocess.Popen(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *words], **more)


def difference(program, words):
    """The profile of so many steps: of twice as many, without that of as many."""
    with tempfile.TemporaryDirectory() as folder:
        profiles = []
        for turn in (1, 2):
            out = pathlib.Path(folder) / str(turn)
            command = [str(TARGET / "examples" / program), *words, str(turn * STEPS)]
            done = callgrind(out, *command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            _, told = done.communicate(timeout=PATIENCE)
            if done.returncode != 0:
                sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{told}")
            profiles.append(Profile(out))
    once, twice = profiles
    twice.functions.subtract(once.functions)
    twice.instructions -= once.instructions
    twice.allocations -= once.allocations
    return twice


class Upstream(socketserver.BaseRequestHandler):
    """Answers 1 KB of JSON; the last part of the path may be a status."""

    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting = b""
        while True:
            got = self.request.recv(1 << 16)
            if not got:
                return
            waiting += got
            head, end, rest = waiting.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = int(length[1]) if length else 0
            if not end or len(rest) < body:
                continue
            waiting = rest[body:]
            status = {b"404": b"404 Not Found", b"500": b"500 Internal Server Error"}.get(
                head.split(b" ")[1].partition(b"?")[0].rpartition(b"/")[2], b"200 OK"
            )
            answer = b'{"data":"' + b"x" * 1011 + b'"}'
            self.request.sendall(
                b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nDate: Thu, 26 Nov 2026 10:00:00 GMT\r\n"
                b"Content-Length: " + str(len(answer)).encode() + b"\r\n\r\n" + answer
            )


class Gateway:
    """`fairgate serve` under callgrind."""

    def __init__(self, binary, configuration):
        self.binary, self.configuration = binary, configuration

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.folder.name)
        socketserver.ThreadingTCPServer.daemon_threads = True
        self.upstream = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Upstream)
        threading.Thread(target=self.upstream.serve_forever, daemon=True).start()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        text = self.configuration.replace("{port}", str(self.port))
        self.file = folder / "fairgate.toml"
        self.file.write_text(text.replace("{upstream}", str(self.upstream.server_address[1])))
        (folder / "document.json").write_text((ROOT / "bench" / "validation.json").read_text())
        self.keys = {None: None}
        for plan in re.findall(r"\[plans\.(\w+)\]", text):
            self.keys[plan] = self.key(self.file, plan, "--permission", "*")
        self.keys["bare"] = self.key(self.file, "one")
        # A key of another store is well formed, and unknown to this one.
        other = folder / "other"
        other.mkdir()
        for name in (self.file.name, "document.json"):
            (other / name).write_bytes((folder / name).read_bytes())
        self.keys["wrong"] = self.key(other / self.file.name, "one")
        self.out, self.dumps = folder / "out", 0
        self.log = open(folder / "log", "w+")
        self.process = callgrind(
            self.out, "--separate-threads=yes", str(self.binary), "serve", "--config", str(self.file),
            stdout=self.log, stderr=self.log,
        )
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.upstream.shutdown()
        self.log.close()
        self.folder.cleanup()

    def key(self, configuration, plan, *more):
        command = [self.binary, "keys", "create", "--config", configuration, "--plan", plan, "--json", *more]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode != 0:
            sys.exit(f"No key was made: {made.stderr}")
        return json.loads(made.stdout)["key"]

    def connect(self):
        for _ in range(PATIENCE * 10):
            if self.process.poll() is not None:
                break
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
            except OSError:
                threading.Event().wait(0.1)
        self.log.seek(0)
        sys.exit(f"The gateway did not start under callgrind:\n{self.log.read()}")

    def profile(self, plan, line, body, status):
        key = self.keys[plan]
        if body is over_http2:
            self.connect().close()
            with over_http2.Connection(self.port, PATIENCE) as connection:
                return self.counted(lambda times: connection.ask(line, key, times))
        lines = [f"{line} HTTP/1.1", "Host: api.example.com", "User-Agent: counted", "Accept: */*"]
        if key:
            lines.append(f"X-API-Key: {key}")
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        request = "\r\n".join([*lines, "", ""]).encode() + body
        with self.connect() as connection:
            if plan == "used":
                ask(connection, request, 1, 200)
            return self.counted(lambda times: ask(connection, request, times, status))

    def counted(self, ask):
        """The profile of the thread that answers, while the count is asked."""
        ask(WARM_UP)
        self.dump()
        ask(COUNT)
        number = self.dump()
        # Of the threads, the one that answers requests is the one that did nearly all of it.
        files = sorted(self.out.parent.glob(f"{self.out.name}.{number}-*"))
        return max((Profile(file) for file in files), key=lambda profile: profile.instructions)

    def dump(self):
        """Has what was counted written, and begins anew."""
        self.dumps += 1
        command = ["callgrind_control", f"--dump={self.dumps}", str(self.process.pid)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        if "OK" not in done.stdout:
            sys.exit(f"callgrind_control: {done.stdout}{done.stderr}")
        return self.dumps


def ask(connection, request, times, status):
    for _ in range(times):
        connection.sendall(request)
        answer = connection.recv(1 << 16)
        while True:
            head, end, rest = answer.partition(b"\r\n\r\n")
            if end and len(rest) >= int(re.search(rb"(?i)\r\ncontent-length: (\d+)", head)[1]):
                break
            more = connection.recv(1 << 16)
            if not more:
                sys.exit(f"The gateway closed the connection after {answer!r}")
            answer += more
        if not answer.startswith(f"HTTP/1.1 {status} ".encode()):
            sys.exit(f"Not {status}: {answer.decode(errors='replace')}\nasked for {request.decode(errors='replace')}")


if __name__ == "__main__":
    main()
