"""Every kind of answer that httpbin gives is, through the gateway, the same to the byte, and costs one unit."""

import concurrent.futures
import gzip
import json
import time
import zlib

import brotlicffi
import httpx
import pytest

RANGE = {"Range": "bytes=10-99"}

SAME = {
    "get": ("GET", "/robots.txt", {}),
    "get_with_query": ("GET", "/base64/SGVsbG8sIHdvcmxkIQ==?a=1&a=2&b=%2F%20%C3%A9&c", {}),
    "root_page": ("GET", "/", {}),
    "html": ("GET", "/html", {}),
    "html_form": ("GET", "/forms/post", {}),
    "xml": ("GET", "/xml", {}),
    "json": ("GET", "/json", {}),
    "utf8": ("GET", "/encoding/utf8", {}),
    "links": ("GET", "/links/10/0", {}),
    "ip": ("GET", "/ip", {}),
    "user_agent": ("GET", "/user-agent", {"headers": {"User-Agent": "someone/1.0 (of a test)"}}),
    "bytes": ("GET", "/bytes/10000?seed=7", {}),
    "bytes_more_than_is_held_back": ("GET", "/bytes/100000?seed=7", {}),
    "bytes_none": ("GET", "/bytes/0", {}),
    "stream_in_odd_pieces": ("GET", "/stream-bytes/100?seed=7&chunk_size=7", {}),
    "stream_bytes": ("GET", "/stream-bytes/100000?seed=7&chunk_size=1000", {}),
    "range_whole": ("GET", "/range/1024", {}),
    "range_part": ("GET", "/range/1024?chunk_size=10", {"headers": RANGE}),
    "drip": ("GET", "/drip?duration=1&numbytes=5&code=200&delay=0", {}),
    "drip_of_another_status": ("GET", "/drip?duration=0.2&numbytes=5&code=206", {}),
    "etag_not_modified": ("GET", "/etag/abc", {"headers": {"If-None-Match": '"abc"'}}),
    "cache_not_modified": ("GET", "/cache", {"headers": {"If-Modified-Since": "Sun, 22 Nov 2026 00:00:00 GMT"}}),
    "image_png": ("GET", "/image/png", {}),
    "image_jpeg": ("GET", "/image/jpeg", {}),
    "image_webp": ("GET", "/image/webp", {}),
    "image_svg": ("GET", "/image/svg", {}),
    "image_by_accept": ("GET", "/image", {"headers": {"Accept": "image/webp"}}),
    "cookies": ("GET", "/cookies", {"headers": {"Cookie": "a=1; b=2"}}),
    "fields_that_repeat": ("GET", "/response-headers?X-Twice=1&X-Twice=2&X-Empty=", {}),
    "head": ("HEAD", "/html", {}),
    "head_of_a_stream": ("HEAD", "/stream-bytes/100?seed=7", {}),
    "options": ("OPTIONS", "/get", {}),
    "preflight": (
        "OPTIONS",
        "/post",
        {
            "headers": {
                "Origin": "https://app.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "X-API-Key",
            }
        },
    ),
    "cross_origin": ("GET", "/json", {"headers": {"Origin": "https://app.example"}}),
}


@pytest.mark.parametrize("method, path, request_parts", SAME.values(), ids=SAME.keys())
def test_answer_is_the_same_to_the_byte_and_costs_one_unit(
    ways, httpbin_gateway, key, method, path, request_parts
):
    ways.assert_same(method, path, **request_parts)
    assert httpbin_gateway.used(key) == 1


ECHOES = {
    "get": ("GET", "/get?a=1&a=2&b=%2F", {}),
    "headers": ("GET", "/headers", {"headers": {"X-One": "1", "Accept-Language": "de;q=0.5, en"}}),
    "anything": ("GET", "/anything", {}),
    "anything_with_a_path": ("GET", "/anything/with/a%2Fpath%20of/parts;v=1?x=%00%FF&y=+", {}),
    "post_form": ("POST", "/post", {"data": {"a": "1", "b": "ü &="}}),
    "post_json": ("POST", "/post", {"json": {"a": [1, 2, {"b": None}]}}),
    "post_nothing": ("POST", "/post", {}),
    "put": ("PUT", "/put", {"content": b"\x00\x01\xff bytes"}),
    "patch": ("PATCH", "/patch", {"json": {"op": "test"}}),
    "delete": ("DELETE", "/delete", {}),
    "delete_with_body": ("DELETE", "/delete", {"content": b"why"}),
    "expect_continue": ("POST", "/post", {"content": b"x" * 2000, "headers": {"Expect": "100-continue"}}),
    "cache": ("GET", "/cache/3600", {}),
    "etag": ("GET", "/etag/abc", {}),
    "etag_other": ("GET", "/etag/abc", {"headers": {"If-None-Match": '"other"'}}),
    "etag_if_match": ("GET", "/etag/abc", {"headers": {"If-Match": '"abc"'}}),
    "delay": ("GET", "/delay/1", {}),
}

@pytest.mark.parametrize("method, path, request_parts", ECHOES.values(), ids=ECHOES.keys())
def test_upstream_sees_the_same_request_and_who_asks_but_never_the_key(
    ways, httpbin_gateway, key, method, path, request_parts
):
    echo = ways.assert_same_echo(method, path, **request_parts)
    assert key.secret not in str(echo)
    assert httpbin_gateway.used(key) == 1


CODINGS = {"gzip": gzip.decompress, "deflate": zlib.decompress, "brotli": brotlicffi.decompress}


@pytest.mark.parametrize("coding", CODINGS)
def test_compressed_answer_is_passed_on_compressed(ways, coding):
    straight, proxied = ways.both("GET", f"/{coding}")
    assert proxied.headers["Content-Encoding"] == straight.headers["Content-Encoding"]
    assert int(proxied.headers["Content-Length"]) == len(proxied.content)
    echo = json.loads(CODINGS[coding](proxied.content))
    expected = json.loads(CODINGS[coding](straight.content))
    assert echo["headers"]["Host"] == ways.gateway.authority
    assert {**echo, "headers": None} == {**expected, "headers": None}


def test_stream_of_twenty_lines_arrives_whole_and_chunked(ways, httpbin_gateway, key):
    straight, proxied = ways.both("GET", "/stream/20")
    assert proxied.headers["Transfer-Encoding"] == straight.headers["Transfer-Encoding"] == "chunked"
    lines = [json.loads(line) for line in proxied.content.splitlines()]
    assert [line["id"] for line in lines] == list(range(20))
    assert {line["headers"]["X-Consumer-Id"] for line in lines} == {key.id}
    assert httpbin_gateway.used(key) == 1


def test_slow_answer_is_passed_on_while_it_comes(ways):
    headers = {"X-API-Key": ways.key.secret}
    arrivals = []
    path = "/drip?duration=2&numbytes=8&delay=0"
    with ways.gateway_client.stream("GET", path, headers=headers) as response:
        for piece in response.iter_raw():
            arrivals += [time.monotonic()] * len(piece)
    assert len(arrivals) == 8
    # The last byte is written 1.75 seconds after the first.
    assert arrivals[-1] - arrivals[0] > 1


def test_one_connection_serves_many_requests_of_every_kind(ways, httpbin_gateway, key):
    headers = {"X-API-Key": key.secret}
    limits = httpx.Limits(max_connections=1)
    with httpx.Client(base_url=httpbin_gateway.url, headers=headers, limits=limits) as client:
        for _ in range(20):
            assert client.get("/bytes/1000?seed=1").status_code == 200
            assert client.post("/post", content=b"x" * 10_000).json()["data"] == "x" * 10_000
            assert client.head("/html").content == b""
            assert client.get("/status/204").content == b""
            assert client.get("/status/404").status_code == 404
            with client.stream("GET", "/stream-bytes/20000?seed=1") as response:
                assert len(response.read()) == 20_000
    assert httpbin_gateway.used(key) == 20 * 5


def test_two_hundred_requests_at_once_are_each_answered_with_their_own_answer(httpbin_gateway, key):
    headers = {"X-API-Key": key.secret}
    with httpx.Client(base_url=httpbin_gateway.url, headers=headers, timeout=60) as client:

        def ask(number):
            return client.get(f"/anything/{number}", params={"n": number}).json()["args"]["n"]

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            assert list(pool.map(ask, range(200))) == [str(number) for number in range(200)]
    assert httpbin_gateway.used(key) == 200
