"""Redirects and cookies of the upstream lead a client through the gateway where they lead it without."""

import httpx
import pytest

import error_specification
from gateway_process import GatewayProcess

PASSED_ON = {
    "relative": "/relative-redirect/2",
    "absolute": "/absolute-redirect/2",
    "to_another_host": "/redirect-to?url=https%3A%2F%2Fother.example%2Fa%3Fb%3Dc",
    "see_other": "/redirect-to?url=%2Fget&status_code=303",
    "temporary": "/redirect-to?url=%2Fget&status_code=307",
    "permanent_that_keeps_the_method": "/redirect-to?url=%2Fget&status_code=308",
    "one_cookie": "/cookies/set/a/1",
    "two_cookies": "/cookies/set?a=1&b=2",
    "cookies_deleted": "/cookies/delete?a&b",
}


@pytest.mark.parametrize("path", PASSED_ON.values(), ids=PASSED_ON.keys())
def test_redirect_is_the_same_and_costs_one_unit(ways, httpbin_gateway, key, path):
    ways.assert_same("GET", path)
    assert httpbin_gateway.used(key) == 1


@pytest.mark.parametrize("path", ["/redirect/4", "/relative-redirect/4", "/absolute-redirect/4"])
def test_client_that_follows_redirects_arrives_and_pays_each_step(httpbin_gateway, key, path):
    headers = {"X-API-Key": key.secret}
    answer = httpx.get(httpbin_gateway.url + path, headers=headers, follow_redirects=True)
    assert answer.status_code == 200
    assert answer.json()["url"] == f"{httpbin_gateway.url}/get"
    assert len(answer.history) == 4
    assert httpbin_gateway.used(key) == 5


def test_endpoint_that_has_moved_permanently_names_its_location_and_is_free(ways, httpbin_gateway, key):
    path = "/redirect-to?url=%2Fanything%2Fnew&status_code=301"
    straight, proxied = ways.both("GET", path)
    error = error_specification.check(proxied, 301, "ENDPOINT_MOVED")
    assert straight.headers["Location"] == proxied.headers["Location"] == error["location"] == "/anything/new"
    assert httpbin_gateway.used(key) == 0


def test_cookies_that_the_upstream_sets_come_back_to_it(httpbin_gateway, key):
    headers = {"X-API-Key": key.secret}
    with httpx.Client(base_url=httpbin_gateway.url, headers=headers, follow_redirects=True) as client:
        client.get("/cookies/set?a=1&b=two")
        assert client.get("/cookies").json() == {"cookies": {"a": "1", "b": "two"}}


def test_upstream_that_gets_its_own_host_still_redirects_to_the_gateway(start, httpbin):
    gateway = start(GatewayProcess, httpbin.url, upstream_table='host = "upstream"')
    key = gateway.new_key()
    headers = {"X-API-Key": key.secret}
    first = httpx.get(f"{gateway.url}/absolute-redirect/2", headers=headers)
    assert first.status_code == 302
    assert httpbin.authority not in first.headers["Location"]
    last = httpx.get(f"{gateway.url}/absolute-redirect/2", headers=headers, follow_redirects=True)
    assert last.status_code == 200
    assert all(str(step.url).startswith(gateway.url) for step in [*last.history, last])
    assert gateway.used(key) == 1 + 3
