"""OpenTelemetry's exporters send traces through Fairgate. Whatever happens on the way, a span arrives or its exporter reports
it as failed; docs/clients.md lists where that is not so.
"""

import contextlib
import dataclasses
import json
import pathlib
import subprocess
import sys
import time

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

import clients_page
from gateway_process import GatewayProcess
from polling import wait_until
from relay import Relay
from server_process import ServerProcess, free_port

HERE = pathlib.Path(__file__).resolve().parent
BATCHES, SIZE = 8, 50
MORE = """
[timeouts]
body = "1s"

[plans.slow]
limits = ["2 per second"]
"""


class Receiver:
    """An OTLP receiver that can be stopped and started again on the same ports."""

    def __init__(self, folder):
        self._folder, self._ports = folder, (free_port(), free_port())
        self._arrived = folder / "arrived"
        self._process = None
        self.http_url, self.grpc_url = (f"http://127.0.0.1:{port}" for port in self._ports)
        self.start()

    def start(self):
        command = [sys.executable, HERE / "otlp_receiver.py", *self._ports, self._arrived]
        self._process = self._process or ServerProcess("otlp", command, self._ports[0], self._folder)

    def stop(self):
        self._process.stop()
        self._process = None

    def take(self):
        """The spans that have arrived since the last call."""
        arrived = self._arrived.read_text().split()
        self._arrived.write_text("")
        return arrived


@dataclasses.dataclass
class Client:
    """An exporter, and the row of docs/clients.md that is about it."""

    name: str
    command: list
    grpc: bool = False

    def endpoint(self, authority, slash=""):
        return f"http://{authority}" if self.grpc else f"http://{authority}/v1/traces{slash}"


PYTHON = [sys.executable, HERE / "otlp_export.py"]
CLIENTS = [
    Client("opentelemetry-exporter-otlp-proto-http 1.45.2", [*PYTHON, "http"]),
    Client("opentelemetry-exporter-otlp-proto-grpc 1.45.2", [*PYTHON, "grpc"], grpc=True),
    Client("@opentelemetry/exporter-trace-otlp-http 0.223.1", ["node", HERE / "otlp_export.mjs"]),
]
every_client = pytest.mark.parametrize("client", CLIENTS, ids=["python-http", "python-grpc", "node-http"])
over_http = pytest.mark.parametrize("client", [CLIENTS[0], CLIENTS[2]], ids=["python-http", "node-http"])


@pytest.fixture(scope="module")
def receiver(start):
    return start(Receiver)


@pytest.fixture(scope="module")
def http_gateway(start, receiver):
    return start(GatewayProcess, receiver.http_url, more=MORE)


@pytest.fixture(scope="module")
def grpc_gateway(start, receiver):
    return start(GatewayProcess, receiver.grpc_url, more=MORE, upstream_table="http2 = true")


@pytest.fixture
def gateway(client, http_gateway, grpc_gateway):
    return grpc_gateway if client.grpc else http_gateway


@dataclasses.dataclass
class Export:
    """A run of an exporter that has begun."""

    client: Client
    receiver: Receiver
    process: subprocess.Popen
    batches: int

    def check(self, case):
        """Waits for its end, and compares what happened to the spans with the page."""
        output, log = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, log
        failed = set(json.loads(output.splitlines()[-1])["failed"])
        sent = {f"{batch}-{number}" for batch in range(self.batches) for number in range(SIZE)}
        took = self.receiver.take()
        arrived = set(took)
        assert arrived <= sent
        reported = {span for span in sent if int(span.split("-")[0]) in failed}
        assert len(took) == len(arrived), "spans arrived twice"
        clients_page.check(self.client.name, case, sent, arrived, reported)


@contextlib.contextmanager
def exporting(client, receiver, endpoint, key, batches=BATCHES):
    """An exporter at work."""
    receiver.take()
    words = [*client.command, endpoint, key.secret, batches, SIZE]
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Export(client, receiver, process, batches)
    finally:
        process.kill()
        process.communicate()


def errors(gateway, code):
    """How many errors of a code the gateway has logged."""
    return gateway.log().count(f'"{code}"')


@every_client
def test_spans_arrive_after_an_upstream_that_was_down(client, gateway, receiver):
    key = gateway.new_key()
    before = errors(gateway, "UNAVAILABLE")
    receiver.stop()
    try:
        with exporting(client, receiver, client.endpoint(gateway.authority), key) as export:
            wait_until(lambda: errors(gateway, "UNAVAILABLE") > before, "the exporter gets a 503")
            receiver.start()
            export.check("upstream down and back")
    finally:
        receiver.start()
    assert gateway.used(key) == BATCHES


@every_client
def test_spans_arrive_after_a_short_maintenance(client, gateway, receiver):
    key = gateway.new_key()
    before = errors(gateway, "MAINTENANCE")
    gateway.command("maintenance", "on", "--for", "4s")
    with exporting(client, receiver, client.endpoint(gateway.authority), key) as export:
        wait_until(lambda: errors(gateway, "MAINTENANCE") > before, "the maintenance is seen")
        export.check("maintenance of 4 seconds")
    assert gateway.used(key) == BATCHES


@every_client
def test_a_long_maintenance_is_reported(client, gateway, receiver):
    key = gateway.new_key()
    before = errors(gateway, "MAINTENANCE")
    gateway.command("maintenance", "on", "--for", "30m")
    try:
        with exporting(client, receiver, client.endpoint(gateway.authority), key, 1) as export:
            export.check("maintenance of 30 minutes")
    finally:
        gateway.command("maintenance", "off")
    assert gateway.used(key) == 0
    assert errors(gateway, "MAINTENANCE") == before + 1, "an exporter that knows the long wait does not retry"


@every_client
def test_a_limit_that_resets_soon_is_waited_for(client, gateway, receiver):
    key = gateway.new_key(plan="slow")
    began = time.monotonic()
    with exporting(client, receiver, client.endpoint(gateway.authority), key) as export:
        export.check("2 requests per second")
    assert time.monotonic() - began > BATCHES / 2 - 1.5, "no request was denied"


@every_client
def test_a_limit_that_is_used_up_is_reported(client, gateway, receiver):
    key = gateway.new_key(plan="three")
    before = errors(gateway, "API_LIMIT_EXCEEDED")
    with exporting(client, receiver, client.endpoint(gateway.authority), key, 4) as export:
        export.check("3 requests per month")
    assert gateway.used(key) == 3
    assert errors(gateway, "API_LIMIT_EXCEEDED") == before + 1, "an exporter that knows the long wait does not retry"


def test_google_s_library_reads_when_to_try_again(grpc_gateway):
    grpc_gateway.command("maintenance", "on", "--for", "30m", "--message", "Zurück um fünf, 100 %")
    try:
        with grpc.insecure_channel(grpc_gateway.authority) as channel, pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/any.Service/Call")(b"", timeout=20)
    finally:
        grpc_gateway.command("maintenance", "off")
    metadata = dict(error.value.trailing_metadata())
    status = Status.FromString(metadata["grpc-status-details-bin"])
    assert (status.code, status.message) == (error.value.code().value[0], error.value.details())
    info = RetryInfo()
    [detail] = status.details
    assert detail.Unpack(info)
    assert info == RetryInfo.FromString(metadata["google.rpc.retryinfo-bin"])
    assert info.retry_delay.seconds == int(metadata["retry-after"]) > 1000


@over_http
def test_a_slash_at_the_end_matches_the_table(client, gateway, receiver):
    key = gateway.new_key()
    with exporting(client, receiver, client.endpoint(gateway.authority, "/"), key) as export:
        export.check("a slash at the end")
    assert gateway.used(key) == 0


@over_http
def test_a_slash_at_the_end_with_redirects_by_308(start, client, receiver):
    gateway = start(GatewayProcess, receiver.http_url, top="redirect_status = 308", more=MORE)
    with exporting(client, receiver, client.endpoint(gateway.authority, "/"), gateway.new_key()) as export:
        export.check("a slash, redirect_status = 308")


@over_http
def test_a_slash_at_the_end_where_slashes_are_kept(start, client, receiver):
    kept = MORE + '[[endpoints]]\nmethod = "POST"\npath = "/v1/traces/"\n'
    gateway = start(GatewayProcess, receiver.http_url, more=kept)
    with exporting(client, receiver, client.endpoint(gateway.authority, "/"), gateway.new_key()) as export:
        export.check("a slash, an endpoint that has it")


@every_client
@pytest.mark.parametrize("hangs_up, case", [(False, "a half-open upload"), (True, "an upload cut off")], ids=["silent", "cut"])
def test_half_an_upload_is_never_taken_for_a_whole_one(client, gateway, receiver, hangs_up, case):
    key = gateway.new_key()
    relay = Relay(int(gateway.authority.split(":")[1]), 2000, hangs_up)
    try:
        with exporting(client, receiver, client.endpoint(relay.authority), key) as export:
            export.check(case)
    finally:
        relay.stop()
