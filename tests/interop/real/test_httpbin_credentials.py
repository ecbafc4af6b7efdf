"""The key and the upstream's own credentials do not get into each other's way."""

import httpx
import pytest
import requests
import requests.auth

import error_specification
from polling import wait_until

UNKNOWN_KEY = "fg_bt6SeeOarZ4M2vlsAZjIVsMHgKdR2Wt11LBiRt"


def as_header(key):
    return {"headers": {"X-API-Key": key}}


def as_bearer(key):
    return {"headers": {"Authorization": f"Bearer {key}"}}


def as_user(key):
    return {"auth": (key, "")}


def as_password(key):
    return {"auth": ("__token__", key)}


WAYS_TO_SEND_IT = [as_header, as_bearer, as_user, as_password]


@pytest.mark.parametrize("send", WAYS_TO_SEND_IT)
def test_key_is_taken_in_each_place_and_goes_no_further(httpbin_gateway, key, send):
    echo = httpx.get(f"{httpbin_gateway.url}/headers", **send(key.secret)).json()
    assert echo["headers"]["X-Consumer-Id"] == key.id
    assert "Authorization" not in echo["headers"]
    assert "X-Api-Key" not in echo["headers"]
    assert httpbin_gateway.used(key) == 1


def test_log_names_the_key_by_its_id_and_never_holds_it(httpbin_gateway, key):
    for send in WAYS_TO_SEND_IT:
        httpx.get(f"{httpbin_gateway.url}/get", **send(key.secret))
    wait_until(lambda: httpbin_gateway.log().count(key.id) >= 4, "the requests are not in the log")
    assert key.secret not in httpbin_gateway.log()


@pytest.mark.parametrize("send", WAYS_TO_SEND_IT)
def test_unknown_key_is_403_wherever_it_is_sent(httpbin_gateway, send):
    answer = httpx.get(f"{httpbin_gateway.url}/get", **send(UNKNOWN_KEY))
    error_specification.check(answer, 403, "KEY_NOT_VALID")


def test_request_without_a_key_is_403(httpbin_gateway):
    error_specification.check(httpx.get(f"{httpbin_gateway.url}/get"), 403, "KEY_NOT_SET")


def test_text_that_cannot_be_a_key_is_400(httpbin_gateway):
    answer = httpx.get(f"{httpbin_gateway.url}/get", headers={"X-API-Key": "not a key"})
    error_specification.check(answer, 400, "KEY_FORMAT_INCORRECT")


def test_revoked_key_is_403_at_once_also_on_a_connection_that_is_open(httpbin_gateway):
    key = httpbin_gateway.new_key()
    with httpx.Client(base_url=httpbin_gateway.url, headers={"X-API-Key": key.secret}) as client:
        assert client.get("/get").status_code == 200
        httpbin_gateway.command("keys", "revoke", key.id)
        error_specification.check(client.get("/get"), 403, "KEY_REVOKED")


@pytest.mark.parametrize("path", ["/basic-auth/user/secret", "/hidden-basic-auth/user/secret"])
def test_upstream_gets_the_clients_own_basic_credentials_beside_the_key(ways, path):
    _, proxied = ways.assert_same("GET", path, headers={"Authorization": "Basic dXNlcjpzZWNyZXQ="})
    assert proxied.json()["user"] == "user"


def test_upstream_gets_the_clients_own_bearer_token_beside_the_key(ways):
    _, proxied = ways.assert_same("GET", "/bearer", headers={"Authorization": "Bearer a-token"})
    assert proxied.json()["token"] == "a-token"


@pytest.mark.parametrize("path", ["/basic-auth/user/secret", "/bearer"])
def test_credentials_that_the_upstream_refuses_are_401_and_keep_its_challenge(ways, httpbin_gateway, key, path):
    straight, proxied = ways.both("GET", path)
    assert straight.status_code == 401
    error_specification.check(proxied, 401, "PERMISSION_DENIED")
    assert proxied.headers["WWW-Authenticate"] == straight.headers["WWW-Authenticate"]
    assert httpbin_gateway.used(key) == 0


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512"])
def test_digest_authentication_of_the_upstream_works_beside_the_key(httpbin_gateway, key, algorithm):
    answer = requests.get(
        f"{httpbin_gateway.url}/digest-auth/auth/user/secret/{algorithm}",
        auth=requests.auth.HTTPDigestAuth("user", "secret"),
        headers={"X-API-Key": key.secret},
        timeout=30,
    )
    assert answer.status_code == 200
    assert [step.status_code for step in answer.history] == [401]
    assert httpbin_gateway.used(key) == 1
