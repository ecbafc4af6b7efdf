"""What a key is charged in front of a real API: successes, all of them, and nothing else."""

import concurrent.futures

import httpx

import error_specification
from gateway_process import GatewayProcess
from polling import wait_until


def test_fourth_request_of_three_is_429_and_errors_between_them_cost_nothing(httpbin_gateway):
    key = httpbin_gateway.new_key(plan="three")
    with httpx.Client(base_url=httpbin_gateway.url, headers={"X-API-Key": key.secret}) as client:
        for remaining in ["2", "1", "0"]:
            for status in [301, 400, 401, 404, 422, 500, 503]:
                client.get(f"/status/{status}")
            assert client.get("/get").headers["X-Rate-Limit-Remaining"] == remaining
        denied = client.get("/get")
        error_specification.check(denied, 429, "API_LIMIT_EXCEEDED")
        assert denied.headers["Retry-After"] == denied.headers["X-Rate-Limit-Reset"]
    assert httpbin_gateway.used(key) == 3


def test_of_many_requests_at_once_exactly_as_many_succeed_as_the_limit_allows(httpbin_gateway):
    key = httpbin_gateway.new_key(plan="three")

    def ask(_):
        headers = {"X-API-Key": key.secret}
        return httpx.get(f"{httpbin_gateway.url}/delay/0.2", headers=headers, timeout=30).status_code

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = sorted(pool.map(ask, range(16)))
    assert answers == [200] * 3 + [429] * 13
    assert httpbin_gateway.used(key) == 3


def test_client_that_hangs_up_on_a_success_is_charged(httpbin_gateway, key):
    with httpx.Client(base_url=httpbin_gateway.url, headers={"X-API-Key": key.secret}) as client:
        with client.stream("GET", "/stream-bytes/102400?chunk_size=10") as response:
            next(response.iter_raw())
    wait_until(lambda: httpbin_gateway.used(key) == 1, "the answer that the client left is not charged")


def test_counters_and_keys_are_there_after_a_restart(start, httpbin, tmp_path):
    first = GatewayProcess(tmp_path, httpbin.url)
    try:
        key = first.new_key()
        for _ in range(3):
            assert httpx.get(f"{first.url}/get", headers={"X-API-Key": key.secret}).status_code == 200
    finally:
        assert first.stop() == 0
    second = start(lambda _: GatewayProcess(tmp_path, httpbin.url))
    assert second.used(key) == 3
    assert httpx.get(f"{second.url}/get", headers={"X-API-Key": key.secret}).status_code == 200
    assert second.used(key) == 4
