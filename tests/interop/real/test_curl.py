"""curl, as a reader of the documentation types it."""

import json
import subprocess

import pytest

import error_specification


def curl(*words, body=None):
    """Runs curl without the user's own settings. Returns its standard output."""
    command = ["curl", "--disable", "--silent", "--show-error", "--max-time", "30", "--noproxy", "*", *words]
    done = subprocess.run(command, input=body, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def key_in_header(key):
    return ["--header", f"X-API-Key: {key}"]


def key_as_user(key):
    return ["--user", f"{key}:"]


def key_as_bearer(key):
    return ["--oauth2-bearer", key]


@pytest.mark.parametrize("send", [key_in_header, key_as_user, key_as_bearer])
def test_curl_gets_the_same_bytes_with_the_key_in_each_place(httpbin, httpbin_gateway, key, send):
    straight = curl(f"{httpbin.url}/image/png")
    assert curl(*send(key.secret), f"{httpbin_gateway.url}/image/png") == straight
    assert httpbin_gateway.used(key) == 1


def test_curl_takes_the_key_in_the_url(httpbin_gateway, key):
    url = httpbin_gateway.url.replace("http://", f"http://{key.secret}@")
    assert json.loads(curl(f"{url}/get"))["url"] == f"{httpbin_gateway.url}/get"


def test_curl_uploads_a_file_of_five_megabytes_with_and_without_expect(httpbin_gateway, key):
    body = b"0123456789" * 500_000
    words = [*key_in_header(key.secret), "--header", "Content-Type: text/plain", "--data-binary", "@-"]
    for expect in ["Expect: 100-continue", "Expect:"]:
        answer = curl(*words, "--header", expect, f"{httpbin_gateway.url}/post", body=body)
        assert json.loads(answer)["data"].encode() == body
    assert httpbin_gateway.used(key) == 2


def test_curl_uploads_chunked_what_it_reads_from_a_pipe(httpbin_gateway, key):
    body = b"0123456789" * 50_000
    answer = curl(*key_in_header(key.secret), "--upload-file", "-", f"{httpbin_gateway.url}/put", body=body)
    echo = json.loads(answer)
    assert echo["headers"]["Transfer-Encoding"] == "chunked"
    assert echo["data"].encode() == body


def test_curl_sends_a_form_with_a_file(httpbin_gateway, key, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("content")
    words = ["--form", "field=value", "--form", f"file=@{file}"]
    echo = json.loads(curl(*key_in_header(key.secret), *words, f"{httpbin_gateway.url}/post"))
    assert (echo["form"], echo["files"]) == ({"field": "value"}, {"file": "content"})


def test_curl_follows_redirects_with_its_key_and_keeps_the_connection(httpbin_gateway, key):
    words = ["--location", "--write-out", "\n%{http_code} %{num_redirects} %{num_connects}"]
    answer = curl(*key_in_header(key.secret), *words, f"{httpbin_gateway.url}/absolute-redirect/3")
    assert answer.splitlines()[-1] == b"200 3 1"
    assert httpbin_gateway.used(key) == 4


def test_curl_unpacks_what_the_upstream_compressed(httpbin_gateway, key):
    assert json.loads(curl("--compressed", *key_in_header(key.secret), f"{httpbin_gateway.url}/gzip"))["gzipped"]


def test_curl_by_http_1_0_gets_the_stream_until_the_connection_closes(httpbin, httpbin_gateway, key):
    path = "/stream-bytes/50000?seed=3"
    straight = curl("--http1.0", httpbin.url + path)
    assert len(straight) == 50_000
    assert curl("--http1.0", *key_in_header(key.secret), httpbin_gateway.url + path) == straight


def test_curl_sees_the_error_specification(httpbin_gateway):
    error_specification.check_body(curl(f"{httpbin_gateway.url}/get"), 403, "KEY_NOT_SET")


def test_curl_sees_every_limit_of_the_key_for_free(httpbin_gateway, key):
    for _ in range(2):
        page = json.loads(curl(*key_in_header(key.secret), f"{httpbin_gateway.url}/_limits"))
        assert page["success"] is True
        assert [limit["used"] for limit in page["limits"]] == [0]
