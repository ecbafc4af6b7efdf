"""etcd behind Fairgate, with etcdctl in front: gRPC calls, and a watch, which is a stream both ways."""

import os
import subprocess

import pytest

from gateway_process import GatewayProcess
from installed import program, run
from polling import wait_until
from server_process import HOST, ServerProcess, free_port

# This client has no option for a key header.
PUBLIC = '[[endpoints]]\nmethod = "POST"\npath = "/{service}/{call}"\npublic = true'


def etcd(folder):
    """One etcd of its own."""
    port, peers = free_port(), free_port()
    command = [program("etcd", "etcd-server"), "--data-dir", folder / "data", "--log-level", "error"]
    command += ["--listen-client-urls", f"http://{HOST}:{port}", "--advertise-client-urls", f"http://{HOST}:{port}"]
    command += ["--listen-peer-urls", f"http://{HOST}:{peers}", "--initial-advertise-peer-urls", f"http://{HOST}:{peers}"]
    command += ["--initial-cluster", f"default=http://{HOST}:{peers}"]
    return ServerProcess("etcd", command, port, folder)


@pytest.fixture(scope="module")
def straight(start):
    return start(etcd)


@pytest.fixture(scope="module")
def gateway(start, straight):
    return start(GatewayProcess, straight.url, upstream_table="http2 = true", more=PUBLIC)


def words(server, *more):
    return [program("etcdctl", "etcd-client"), f"--endpoints={server.url}", "--command-timeout=20s", *more]


def test_what_is_put_through_the_gateway_is_got_straight_and_the_other_way_round(tmp_path, straight, gateway):
    for one, other in ((gateway, straight), (straight, gateway)):
        done = run(*words(one, "put", "colour", one.url), folder=tmp_path)
        assert (done.returncode, done.stdout) == (0, "OK\n")
        done = run(*words(other, "get", "colour", "--print-value-only"), folder=tmp_path)
        assert (done.returncode, done.stdout.strip()) == (0, one.url)
    large = "x" * 1_000_000
    fed = subprocess.run(words(gateway, "put", "large"), input=large, text=True, capture_output=True, timeout=60, check=False)
    assert fed.returncode == 0, fed.stderr
    done = run(*words(gateway, "get", "large", "--print-value-only"), folder=tmp_path)
    assert done.stdout.strip() == large


def test_a_watch_through_the_gateway_sees_each_change_at_once(tmp_path, straight, gateway):
    with open(tmp_path / "seen", "w") as seen:
        watch = subprocess.Popen(
            words(gateway, "watch", "--prefix", "fruit"), stdout=seen, stderr=subprocess.STDOUT, env={**os.environ}
        )
    try:
        # Until the watch is established, a change is not seen; so the first one is repeated.
        def sees_first():
            run(*words(straight, "put", "fruit0", "apple"), folder=tmp_path)
            return "apple" in (tmp_path / "seen").read_text()

        wait_until(sees_first, "the watch has begun")
        for number in range(1, 6):
            run(*words(straight, "put", f"fruit{number}", f"pear{number}"), folder=tmp_path)
            wait_until(lambda: f"pear{number}" in (tmp_path / "seen").read_text(), f"change {number} is seen")
        assert watch.poll() is None
    finally:
        watch.kill()
        watch.wait()
