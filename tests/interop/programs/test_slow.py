"""slowhttptest before Fairgate: heads, bodies and readers that are as slow as can be, and ranges without end. The gateway
ends their connections, and other requests are answered meanwhile."""

import concurrent.futures
import csv
import os
import sys
import time

import httpx
import pytest

from gateway_process import GatewayProcess
from installed import program, run
from server_process import HOST, ServerProcess, free_port

CONNECTIONS = 100
# Time-outs of 2 seconds end them long before that, also on a machine that is busy.
LONGEST_SECONDS = 40
# Slow readers keep their connections that long, in any case.
READ_SECONDS = 20
LARGE = 8 << 20

SETTINGS = """
[timeouts]
header = "2s"
body = "2s"
stall = "2s"
keep_alive = "2s"
# All come from one address here, where many of them are errors.
[abuse]
errors_per_key = "off"
errors_per_address = "off"
[[endpoints]]
method = "GET"
path = "/{name}"
public = true
[[endpoints]]
method = "POST"
path = "/{name}"
public = true
"""


def files(folder):
    """A server of two files."""
    (folder / "small").write_text("small")
    with open(folder / "large", "wb") as large:
        large.truncate(LARGE)
    port = free_port()
    command = [sys.executable, "-m", "http.server", port, "--bind", HOST, "--directory", folder]
    return ServerProcess("files", command, port, folder)


@pytest.fixture(scope="module")
def gateway(start):
    return start(GatewayProcess, start(files).url, more=SETTINGS)


def attack(mode, gateway, folder, *more, seconds=LONGEST_SECONDS):
    """Attacks, and returns slowhttptest's summary and its figures of each second."""
    command = [program("slowhttptest", "slowhttptest"), f"-{mode}", "-c", CONNECTIONS, "-r", 50, "-l", seconds]
    command += ["-i", 1, "-p", 15, "-g", "-o", folder / mode, "-v", 1, "-u", f"{gateway.url}/large", *more]
    done = run(*command, folder=folder, seconds=seconds + 60)
    assert done.returncode == 0, done.stdout
    with open(folder / f"{mode}.csv", newline="") as table:
        return done.stdout, [{name: int(value) for name, value in row.items()} for row in csv.DictReader(table)]


def descriptors(gateway):
    return len(os.listdir(f"/proc/{gateway.process_id}/fd"))


def test_every_slow_client_is_ended_and_the_others_are_served(tmp_path, gateway):
    before = descriptors(gateway)
    slow_read = ["-w", 10, "-y", 20, "-n", 1, "-z", 32]
    with concurrent.futures.ThreadPoolExecutor() as pool, httpx.Client(trust_env=False, timeout=15) as client:
        attacks = {mode: pool.submit(attack, mode, gateway, tmp_path) for mode in "HBR"}
        attacks["X"] = pool.submit(attack, "X", gateway, tmp_path, *slow_read, seconds=READ_SECONDS)
        answered, most, last = 0, before, before
        while not all(one.done() for one in attacks.values()):
            answer = client.get(f"{gateway.url}/small")
            assert (answer.status_code, answer.text) == (200, "small")
            # The last count is read while the slow readers still keep their connections.
            last = descriptors(gateway) if not attacks["X"].done() else last
            answered, most = answered + 1, max(most, last)
            time.sleep(0.02)
    assert answered > 50, "others were not served meanwhile"
    assert most > before + CONNECTIONS, f"no more than {most} sockets were open: that was no attack"
    for mode, one in attacks.items():
        summary, seconds = one.result()
        assert all(second["Service Available"] == 100 for second in seconds), (mode, seconds)
        if mode == "X":
            # So slow a reader finds the end only after everything in the kernel's buffer; the gateway has
        #
            # closed the connection long before.
            assert last < before + 30, last
            continue
        assert "No open connections left" in summary, (mode, summary)
        # The gateway ended them itself, and did not wait until the attack was over.
        assert seconds[-1]["Seconds"] < LONGEST_SECONDS, (mode, seconds)
