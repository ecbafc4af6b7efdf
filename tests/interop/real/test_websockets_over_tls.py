"""WebSockets over TLS: a tunnel has no other bytes in it than one without TLS."""

import ssl
import subprocess

import pytest
from websockets.sync.client import connect

import upstream_servers
from gateway_process import GatewayProcess
from server_process import HOST, free_port


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for this host, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName=IP:{HOST}"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_messages_of_every_size_pass_over_tls_and_the_handshake_is_charged(start, certificate):
    port = free_port()
    tls = f'[tls]\naddress = "{HOST}:{port}"\n'
    tls += f'certificate = "{certificate}/certificate.pem"\nkey = "{certificate}/key.pem"\n'
    gateway = start(GatewayProcess, start(upstream_servers.websockets_echo).url, more=tls)
    key = gateway.new_key()
    trusting = ssl.create_default_context(cafile=certificate / "certificate.pem")
    headers = {"X-API-Key": key.secret}
    with connect(f"wss://{HOST}:{port}/", ssl=trusting, additional_headers=headers, max_size=None) as client:
        for size in (0, 1, 125, 126, 16_383, 16_384, 16_385, 65_536, 3_000_000):
            message = bytes(range(256)) * (size // 256 + 1)
            client.send(message[:size])
            assert client.recv(timeout=20) == message[:size]
        assert gateway.used(key) == 1
