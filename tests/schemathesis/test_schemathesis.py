"""Schemathesis before the demo: what the served document says is what happens, for thousands of requests."""

import pathlib
import re
import subprocess
import sys

import pytest

from demo_process import Demo, DemoGateway

HERE = pathlib.Path(__file__).resolve().parent
REAL = HERE.parent / "real"
PERMISSIONS = ("items:read", "items:write", "orders:read", "orders:write")


@pytest.fixture
def demo(tmp_path):
    demo = Demo(tmp_path)
    yield demo
    demo.stop()


@pytest.fixture
def start_gateway(tmp_path, demo):
    running = []

    def start(top):
        folder = tmp_path / "gateway"
        folder.mkdir()
        running.append(DemoGateway(folder, demo, top))
        return running[-1]

    yield start
    for gateway in running:
        gateway.stop()


def run(gateway, folder, *options):
    """Runs Schemathesis with every check of its own and of ours. Returns what it prints."""
    key = gateway.new_key(*PERMISSIONS)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml", "--no-color"]
    command += ["run", f"{gateway.url}/_docs/openapi.json", "--header", f"X-API-Key: {key.secret}", *options]
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": f"{HERE}:{REAL}", "COLUMNS": "150"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    print(done.stdout)
    return done.stdout


def count(pattern, text):
    """The number that stands where the pattern has its group."""
    found = re.search(pattern, text)
    assert found, f"{pattern} is not in what Schemathesis printed:\n{text}"
    return int(found[1])


def test_the_served_document_is_what_happens(start_gateway, tmp_path):
    printed = run(start_gateway(""), tmp_path)
    # It did look: at all operations, in all phases, by both kinds of data.
    assert count(r"Selected: (\d+)/", printed) == count(r"Tested: (\d+)", printed) >= 20
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in printed
    assert count(r"(\d+) generated", printed) > 1000


def test_the_same_holds_with_the_statuses_of_rfc_9110(start_gateway, tmp_path):
    run(start_gateway('statuses = "rfc9110"'), tmp_path, "--phases", "examples,coverage")
