"""Schemathesis before the demo: the gateway behaves as the served document says, for thousands of requests."""

import pathlib
import re
import subprocess
import sys

import httpx
import openapi_spec_validator
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

    def start(**named):
        folder = tmp_path / f"gateway-{len(running)}"
        folder.mkdir()
        running.append(DemoGateway(folder, demo, **named))
        return running[-1]

    yield start
    for gateway in running:
        gateway.stop()


def run(gateway, folder, *options):
    """Runs Schemathesis with every check of its own and of ours."""
    key = gateway.new_key(*PERMISSIONS)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml", "--no-color"]
    command += ["run", *options, "--header", f"X-API-Key: {key.secret}"]
    return subprocess.run(
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


def assert_nothing_found(done):
    """Fails with the output of Schemathesis, if it found anything."""
    assert done.returncode == 0, done.stdout[-20_000:]


def count(pattern, text):
    """The number that the pattern's group matches."""
    found = re.search(pattern, text)
    assert found, f"{pattern} is not in what Schemathesis printed:\n{text}"
    return int(found[1])


def test_the_served_document_is_valid(start_gateway):
    document = httpx.get(f"{start_gateway().url}/_docs/openapi.json").raise_for_status().json()
    openapi_spec_validator.validate(document)


def test_the_gateway_behaves_as_the_served_document_says(start_gateway, tmp_path):
    gateway = start_gateway()
    done = run(gateway, tmp_path, f"{gateway.url}/_docs/openapi.json")
    assert_nothing_found(done)
    # It did test all operations, in all phases, thousands of times.
    assert count(r"Selected: (\d+)/", done.stdout) == count(r"Tested: (\d+)", done.stdout) >= 24
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in done.stdout
    assert count(r"(\d+) generated", done.stdout) > 1500


def test_the_same_holds_with_the_statuses_of_rfc_9110(start_gateway, tmp_path):
    gateway = start_gateway(top='statuses = "rfc9110"')
    refused = httpx.get(f"{gateway.url}/items")
    assert refused.status_code == 401
    assert_nothing_found(run(gateway, tmp_path, f"{gateway.url}/_docs/openapi.json", "--phases", "examples,coverage"))


@pytest.mark.parametrize(
    ("operation", "old", "new", "found"),
    [
        # The gateway lets more stars through than the document allows.
        ("createReview", "minimum: 1, maximum: 5,", "minimum: 1, maximum: 6,", "Schema-violating request accepted"),
        # It refuses a quantity that the document allows.
        ("createOrder", "quantity: { type: integer, minimum: 1", "quantity: { type: integer, minimum: 2", "valid_data"),
        # It lets everybody in.
        ("getItem", "        - key: [items:read]\n      responses", "        - {}\n      responses", "authentication"),
    ],
    ids=["lets more through", "refuses more", "lets everybody in"],
)
def test_a_gateway_that_deviates_from_its_document_is_detected(
    start_gateway, tmp_path, operation, old, new, found
):
    honest = start_gateway()
    document = tmp_path / "openapi.json"
    document.write_bytes(httpx.get(f"{honest.url}/_docs/openapi.json").raise_for_status().content)
    other = start_gateway(document=[(old, new)])
    options = ("--url", other.url, "--include-operation-id", operation, "--phases", "coverage")
    done = run(other, tmp_path, document, *options)
    assert done.returncode == 1, done.stdout
    assert found in done.stdout
