"""Bodies of requests arrive whole, however they are framed, and too large ones do not arrive at all."""

import base64
import random

import httpx
import pytest
import requests

import error_specification

FIVE_MEGABYTES = 5_000_000
TEN_MEBIBYTES = 10 * 2**20


def text(length):
    """Text of that many bytes, which httpbin echoes unchanged."""
    return "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz", k=length)).encode()


def in_pieces(body, size):
    """A generator over a body, which clients therefore send chunked."""
    return (body[start : start + size] for start in range(0, len(body), size))


def test_multipart_upload_of_five_megabytes_arrives_whole(ways, httpbin_gateway, key):
    body = text(FIVE_MEGABYTES)
    boundary = b"a-boundary-that-both-ways-use"
    form = b"".join(
        [
            b"--" + boundary + b'\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue\r\n',
            b"--" + boundary + b'\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n',
            b"Content-Type: text/plain\r\n\r\n" + body + b"\r\n--" + boundary + b"--\r\n",
        ]
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}
    echo = ways.assert_same_echo("POST", "/post", content=form, headers=headers)
    assert echo["files"] == {"file": body.decode()}
    assert echo["form"] == {"field": "value"}
    assert httpbin_gateway.used(key) == 1


@pytest.mark.parametrize("size", [1, 1000, 65_536, 1_000_000])
def test_chunked_upload_arrives_whole(ways, httpbin_gateway, key, size):
    body = text(min(FIVE_MEGABYTES, size * 3000 + 7))
    echo = ways.assert_same_echo("POST", "/post", content=lambda: in_pieces(body, size))
    assert echo["data"] == body.decode()
    assert echo["headers"]["Transfer-Encoding"] == "chunked"
    assert httpbin_gateway.used(key) == 1


def test_chunked_upload_of_requests_arrives_whole(httpbin_gateway, key):
    body = text(300_000)
    headers = {"X-API-Key": key.secret}
    answer = requests.put(f"{httpbin_gateway.url}/put", data=in_pieces(body, 10_000), headers=headers, timeout=30)
    assert answer.json()["data"] == body.decode()


def test_multipart_upload_of_requests_arrives_whole(httpbin_gateway, key):
    body = random.Random(7).randbytes(100_000)
    headers = {"X-API-Key": key.secret}
    files = {"file": ("a.bin", body, "application/octet-stream")}
    echo = requests.post(f"{httpbin_gateway.url}/post", files=files, headers=headers, timeout=30).json()
    media_type, _, arrived = echo["files"]["file"].partition(";base64,")
    assert media_type == "data:application/octet-stream"
    assert base64.b64decode(arrived) == body


def test_body_of_exactly_the_largest_size_passes_and_one_byte_more_is_400(httpbin_gateway, key):
    headers = {"X-API-Key": key.secret}
    url = f"{httpbin_gateway.url}/post"
    largest = httpx.post(url, content=b"x" * TEN_MEBIBYTES, headers=headers, timeout=60)
    assert len(largest.json()["data"]) == TEN_MEBIBYTES
    assert httpbin_gateway.used(key) == 1
    larger = httpx.post(url, content=b"x" * (TEN_MEBIBYTES + 1), headers=headers, timeout=60)
    error_specification.check(larger, 400, "BODY_TOO_LARGE")
    assert httpbin_gateway.used(key) == 1


def test_chunked_body_that_grows_too_large_is_400_and_free(httpbin_gateway, key):
    headers = {"X-API-Key": key.secret}
    body = in_pieces(b"x" * (TEN_MEBIBYTES + 1), 100_000)
    answer = httpx.post(f"{httpbin_gateway.url}/post", content=body, headers=headers, timeout=60)
    error_specification.check(answer, 400, "BODY_TOO_LARGE")
    assert httpbin_gateway.used(key) == 0
