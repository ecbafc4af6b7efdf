"""Faults of one client affect that client alone: the requests of all others are answered as before."""

import concurrent.futures
import socket

import httpx
import pytest

import error_specification

HEADS = {
    "a_length_that_is_no_number": "GET /json HTTP/1.1\r\nHost: {host}\r\nContent-Length: x\r\n\r\n",
    "two_hosts": "GET /json HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n",
    "no_host": "GET /json HTTP/1.1\r\nAccept: */*\r\n\r\n",
    "length_and_chunked": "POST /post HTTP/1.1\r\nHost: {host}\r\n"
    "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "an_unknown_expectation": "GET /json HTTP/1.1\r\nHost: {host}\r\nExpect: miracles\r\n\r\n",
    "not_http": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


def send_bytes(gateway, text):
    """Sends text as it is and reads until the gateway closes. Returns the status line and the body."""
    host, port = gateway.authority.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(text.encode("latin-1"))
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], body


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_request_after_a_malformed_one_of_somebody_else_succeeds(httpbin_gateway, key, head):
    headers = {"X-API-Key": key.secret}
    # Several of each, on connections of their own, so that every data thread has had both.
    for _ in range(20):
        status, body = send_bytes(httpbin_gateway, head.format(host=httpbin_gateway.authority))
        assert status == b"HTTP/1.1 400 Bad Request"
        error_specification.check_body(body, 400, error_specification.code_of(body))
        answer = httpx.get(f"{httpbin_gateway.url}/json", headers=headers)
        assert answer.status_code == 200, answer.text
    assert httpbin_gateway.used(key) == 20


def test_errors_of_the_upstream_do_not_spoil_answers_that_run_at_the_same_time(httpbin_gateway, key):
    headers = {"X-API-Key": key.secret}
    with httpx.Client(base_url=httpbin_gateway.url, headers=headers, timeout=60) as client:

        def ask(number):
            status = 404 if number % 2 else 200
            return client.get(f"/status/{status}").status_code == status

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            assert all(pool.map(ask, range(200)))
    assert httpbin_gateway.used(key) == 100
