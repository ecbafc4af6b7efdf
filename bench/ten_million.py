"""Ten million keys: how large the store is, how long a start takes, what a key costs in memory.

By hand, after `cargo build --release`:
    cargo build --release -p fairgate-store --example fill
    cargo build --release -p fairgate-gateway --example keyring
    python3 bench/ten_million.py [--keys 10000000] [--folder FOLDER] [--target target/release]

A folder that holds a store already is used as it is; else one is filled, and removed at the end. A start is
measured from the process to its log line `listening`: with the file in memory, and, as root, without. A
thousand of the keys then send a request each over sockets. What every key costs once it was used is measured
with the keyring alone (`keyring`), for which no ten million requests are needed. Bytes a key are told only where
there are enough keys for it (FEWEST_TO_WEIGH): a file and a process have a size of their own.
"""

import argparse
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

FEWEST_TO_WEIGH = 100_000

PLANS = """
[plans.free]
limits = ["1000 per day", "9000 per month", "5 per second"]
[plans.pro]
limits = ["50000 per day", "900000 per month", "50 per second"]
[plans.large]
limits = ["500000 per day", "9000000 per month", "500 per second"]
"""


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one write: else each answer waits for an acknowledgement that is delayed

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def memory(pid):
    """Bytes of a process: of its own, and of files that it maps."""
    rows = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = {row.split(":")[0]: int(row.split()[1]) for row in rows if row.startswith("Rss")}
    return kilobytes["RssAnon"] * 1024, (kilobytes["RssFile"] + kilobytes["RssShmem"]) * 1024


def start(binary, config):
    """Starts a gateway. Gives the process, seconds until it listened, CPU seconds, its port."""
    begun = time.monotonic()
    process = subprocess.Popen([binary, "serve", "--config", config], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        event = json.loads(line)
        if event["event"] == "listening":
            seconds = time.monotonic() - begun
            break
        print("  ", line.strip())
    else:
        raise SystemExit("the gateway did not start")
    threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()
    times = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
    return process, seconds, cpu, int(event["address"].rsplit(":", 1)[1]), int(event["keys"])


def per_key(size, keys):
    return f"{size / keys:.1f} bytes a key" if keys >= FEWEST_TO_WEIGH else f"too few keys to weigh ({keys})"


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait()


def send(port, keys):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    remaining = []
    for key in keys:
        connection.request("GET", "/items/7", headers={"X-API-Key": key})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, (answer.status, key[:7])
        # Of the day: the second's limit is the tightest, but it is over before the same key comes again.
        remaining.append(int(re.search(r'"day";r=(\d+)', answer.headers["RateLimit"]).group(1)))
    connection.close()
    return remaining


def measure(wanted, folder):
    target, data = pathlib.Path(wanted.target), folder / "data"
    if not (data / "fairgate.redb").exists():
        data.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        subprocess.run([target / "examples" / "fill", data, str(wanted.keys)], check=True, stdout=subprocess.DEVNULL)
        print(f"filled in {time.monotonic() - begun:.1f} s")
    size = (data / "fairgate.redb").stat().st_size

    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    config = folder / "fairgate.toml"
    config.write_text(
        f'[api]\nname = "Ten million"\n[listen]\naddress = "127.0.0.1:0"\n[upstream]\nurl = "http://127.0.0.1:{upstream.server_port}"\n'
        f'[store]\npath = "{data}"\n{PLANS}'
    )
    empty = folder / "empty.toml"
    empty.write_text(config.read_text().replace(str(data), str(folder / "empty")))
    process, *_ = start(target / "fairgate", empty)
    base, _ = memory(process.pid)
    stop(process)

    def told(what):
        process, seconds, cpu, port, keys = start(target / "fairgate", config)
        own, mapped = memory(process.pid)
        print(
            f"start, {what}: {seconds:.2f} s ({cpu:.2f} s of CPU), {keys} keys, {own / 1e6:.0f} MB of its own, "
            f"{per_key(own - base, keys)}; {mapped / 1e6:.0f} MB of files"
        )
        return process, port, keys

    subprocess.run(["cat", data / "fairgate.redb"], check=True, stdout=subprocess.DEVNULL)
    process, port, keys = told("file in memory")
    # Those that are there, not those that were wanted: the folder may have been filled before.
    print(f"store: {size / 1e9:.2f} GB, {per_key(size, keys)}")
    sample = (data / "sample").read_text().split()
    begun = time.monotonic()
    first, second = send(port, sample), send(port, sample)
    assert all(one == other + 1 for one, other in zip(first, second)), "a key was counted wrongly"
    print(f"{2 * len(sample)} requests with {len(sample)} keys: all answered and counted in {time.monotonic() - begun:.1f} s")
    process.kill()
    process.wait()
    process, port, _ = told("after kill -9")
    third = send(port, sample)
    assert all(one == other + 1 for one, other in zip(second, third)), "a count was lost in the kill"
    stop(process)
    if os.geteuid() == 0:
        subprocess.run(["sync"], check=True)
        try:
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")
        except OSError as error:
            print(f"the file's pages cannot be dropped here: {error}")
        else:
            stop(told("file on the disk")[0])
    begun = time.monotonic()
    subprocess.run([target / "fairgate", "store", "check", "--config", config], check=True, stdout=subprocess.DEVNULL)
    print(f"store check: {time.monotonic() - begun:.1f} s")
    for count in [1000, 1_000_000, keys]:
        print(subprocess.run([target / "examples" / "keyring", str(count)], check=True, capture_output=True, text=True).stdout, end="")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--keys", type=int, default=10_000_000)
    arguments.add_argument("--folder", type=pathlib.Path)
    arguments.add_argument("--target", default="target/release")
    wanted = arguments.parse_args()
    if wanted.folder:
        return measure(wanted, wanted.folder)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ten-million-"))
    try:
        measure(wanted, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
