"""Independent HTTP/2 clients: curl, nghttp2's nghttp and h2load, hyper-h2, httpx, Node; with TLS and without."""

import json
import pathlib
import re
import socket
import ssl
import subprocess

import h2.config
import h2.connection
import h2.events
import h2.settings
import httpx
import pytest

from gateway_process import GatewayProcess
from server_process import HOST, free_port


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A self-signed certificate for this host, and its key, as files."""
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName=IP:{HOST}"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def gateway(start, httpbin, authority):
    port = free_port()
    tls = f'[tls]\naddress = "{HOST}:{port}"\n'
    tls += f'certificate = "{authority}/certificate.pem"\nkey = "{authority}/key.pem"\n'
    gateway = start(GatewayProcess, httpbin.url, more=tls)
    gateway.secure_url = f"https://{HOST}:{port}"
    return gateway


@pytest.fixture(params=["plain", "tls"])
def url(request, gateway):
    """The gateway's address, without TLS and with it."""
    return gateway.url if request.param == "plain" else gateway.secure_url


@pytest.fixture
def key(gateway):
    return gateway.new_key()


def run(*words, body=None):
    done = subprocess.run([str(word) for word in words], input=body, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode() + repr(done.stdout[-500:])
    return done.stdout


def curl(authority, *words, body=None):
    return run(
        "curl", "--disable", "--silent", "--show-error", "--max-time", "30", "--noproxy", "*",
        "--cacert", authority / "certificate.pem", *words, body=body,
    )  # fmt: skip


def test_curl_gets_sends_and_reads_errors(authority, gateway, key, url):
    how = ["--http2" if url.startswith("https") else "--http2-prior-knowledge"]
    with_key = [*how, "--header", f"X-API-Key: {key.secret}"]
    assert len(curl(authority, *with_key, f"{url}/bytes/1000")) == 1000
    body = b"0123456789" * 300_000
    text = ["--header", "Content-Type: text/plain"]
    sent = curl(authority, *with_key, *text, "--data-binary", "@-", f"{url}/post", body=body)
    assert json.loads(sent)["data"].encode() == body
    sent = curl(authority, *with_key, "--upload-file", "-", f"{url}/put", body=b"piped" * 1000)
    assert json.loads(sent)["data"] == "piped" * 1000
    # Without TLS curl 7.88 fails when it reuses a connection, before nginx as well.
    several = 10 if url.startswith("https") else 1
    got = curl(authority, *with_key, "--parallel", *(f"{url}/bytes/3000" for _ in range(several)))
    assert len(got) == several * 3000
    wrote = curl(authority, *how, "--write-out", "\n%{http_version} %{http_code}", f"{url}/get").decode().splitlines()
    assert wrote[-1] == "2 403"
    assert json.loads("\n".join(wrote[:-1]))["error"]["code"] == "KEY_NOT_SET"
    assert gateway.used(key) == 3 + several


def test_curl_that_asks_for_a_switch_is_answered_in_http_1(authority, gateway, key):
    words = ["--http2", "--header", f"X-API-Key: {key.secret}", "--write-out", " %{http_version} %{http_code}"]
    assert curl(authority, *words, f"{gateway.url}/bytes/10").endswith(b" 1.1 200")


def test_nghttp_and_h2load_find_nothing_wrong(gateway, key, url):
    printed = run("nghttp", "--verbose", "--null-out", f"--header=x-api-key: {key.secret}", f"{url}/bytes/20000").decode()
    assert ":status: 200" in printed and "ERROR" not in printed.replace("NO_ERROR", "")
    load = ["h2load", "-n", "300", "-c", "3", "-m", "20", "-H", f"x-api-key: {key.secret}"]
    printed = run(*load, f"{url}/bytes/500").decode()
    assert "300 succeeded, 0 failed, 0 errored, 0 timeout" in printed, printed
    assert re.search(r"status codes: 300 2xx, 0 3xx, 0 4xx, 0 5xx", printed), printed
    assert gateway.used(key) == 301


def test_httpx_multiplexes(authority, gateway, key, url):
    trusting = ssl.create_default_context(cafile=authority / "certificate.pem")
    with httpx.Client(
        http1=False, http2=True, verify=trusting, trust_env=False, headers={"X-API-Key": key.secret}
    ) as client:
        for path, status in [("/get", 200), ("/status/404", 404), ("/status/503", 503), ("/stream/3", 200)]:
            answer = client.get(url + path)
            assert (answer.http_version, answer.status_code) == ("HTTP/2", status), path
            assert status == 200 or answer.json()["error"]["http_code"] == status
    assert gateway.used(key) == 2


def test_hyper_h2_accepts_every_frame(gateway, key):
    """hyper-h2 raises on whatever the protocol does not allow."""
    host, port = gateway.url.removeprefix("http://").split(":")
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    connection.initiate_connection()
    # A small header table: senders must respect it.
    connection.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: 0})
    paths = {n * 2 + 1: f"/bytes/{n * 5000}" for n in range(20)} | {41: "/status/500", 43: "/nowhere/"}
    for stream, path in paths.items():
        head = [(":method", "GET"), (":scheme", "http"), (":authority", host), (":path", path)]
        connection.send_headers(stream, [*head, ("x-api-key", key.secret)], end_stream=True)
    bodies, statuses, ended = dict.fromkeys(paths, b""), {}, set()
    with socket.create_connection((host, int(port)), timeout=30) as wire:
        wire.sendall(connection.data_to_send())
        while ended != set(paths):
            for event in connection.receive_data(wire.recv(65536)):
                match event:
                    case h2.events.ResponseReceived():
                        statuses[event.stream_id] = int(dict(event.headers)[b":status"])
                    case h2.events.DataReceived():
                        bodies[event.stream_id] += event.data
                        if event.flow_controlled_length:
                            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    case h2.events.StreamEnded():
                        ended.add(event.stream_id)
                    case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                        pytest.fail(repr(event))
            wire.sendall(connection.data_to_send())
    assert [len(bodies[n * 2 + 1]) for n in range(20)] == [n * 5000 for n in range(20)]
    assert (statuses[41], statuses[43]) == (500, 301)
    assert json.loads(bodies[41])["error"]["code"] == "UNEXPECTED_ERROR"
    assert gateway.used(key) == 20


@pytest.mark.parametrize("count, size", [(250, 70_000), (250, 1_000)], ids=["more than a window", "less"])
def test_a_session_of_nodes_goes_on_after_uploads_that_were_refused(gateway, key, url, count, size):
    """Node counts a stream among those that it may have open until both sides have ended it or one has reset it."""
    script = pathlib.Path(__file__).with_name("http2_uploads.mjs")
    printed = json.loads(run("node", script, url, key.secret, count, size))
    assert printed == {"statuses": {"403": count}, "last": 200}
    assert gateway.used(key) == 1


def test_curl_reads_the_error_of_an_upload_that_is_refused(authority, key, url):
    how = ["--http2" if url.startswith("https") else "--http2-prior-knowledge"]
    body = b"0123456789" * 300_000
    got = curl(authority, *how, "--data-binary", "@-", "--write-out", "\n%{http_code}", f"{url}/post", body=body)
    text, status = got.decode().rsplit("\n", 1)
    assert (status, json.loads(text)["error"]["code"]) == ("403", "KEY_NOT_SET")
