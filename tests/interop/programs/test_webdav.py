"""WsgiDAV behind Fairgate, with litmus in front, a test suite for WebDAV servers independent of either: its results
through the gateway are those it has straight.
"""

import re
import sys

import pytest

from gateway_process import GatewayProcess
from installed import program, run
from server_process import HOST, ServerProcess, free_port

# Statuses that a WebDAV client must get unchanged.
TOP = 'trailing_slash = "keep"\nstatuses = "rfc9110"\nextra_codes = [405, 409, 412, 415, 423, 424]'
# `[abuse]`: a test suite mostly causes errors.
MORE = '[abuse]\nerrors_per_key = "off"\nerrors_per_address = "off"\n[keys]\nchallenge = "basic"'
RESULT = re.compile(r"^ *\d+\. (\w+)\.* (pass|FAIL|SKIPPED|WARNING)", re.MULTILINE)
SUITES = ("basic", "copymove", "props", "locks", "http")


def webdav(folder):
    """A WebDAV server over a folder."""
    files = folder / "files"
    files.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "wsgidav.server.server_cli", "--host", HOST, "--port", port]
    command += ["--root", files, "--auth", "anonymous", "--server", "cheroot", "--no-config", "-q"]
    return ServerProcess("wsgidav", command, port, folder)


def results(folder, *where):
    """Each test of litmus with its result, and its whole output."""
    done = run(program("litmus", "litmus"), "-k", *where, folder=folder, seconds=180)
    found = RESULT.findall(done.stdout)
    assert len(found) > 60, done.stdout
    return found, done.stdout


@pytest.fixture(scope="module")
def straight(start):
    return start(webdav)


@pytest.fixture(scope="module")
def gateway(start):
    # A separate server: what one run leaves behind must not help the other.
    return start(GatewayProcess, start(webdav).url, top=TOP, more=MORE)


def test_litmus_finds_through_the_gateway_what_it_finds_straight(tmp_path, straight, gateway):
    key = gateway.new_key()
    plain, output_plain = results(tmp_path, f"{straight.url}/")
    gated, output_gated = results(tmp_path, f"{gateway.url}/", key.secret, "unused")
    different = [(one, other) for one, other in zip(plain, gated, strict=True) if one != other]
    assert not different, f"{different}\n{output_plain}\n{output_gated}"
    assert sum(end == "pass" for _, end in gated) > 60
    assert gateway.used(key) > 100
