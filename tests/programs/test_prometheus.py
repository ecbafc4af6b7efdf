"""Prometheus behind Fairgate, with promtool in front; and Fairgate between Prometheus and what it scrapes."""

import time

import httpx
import pytest

from gateway_process import GatewayProcess
from installed import program, run
from polling import wait_until
from server_process import HOST, ServerProcess, free_port


def prometheus(folder, targets="", credentials=""):
    """A Prometheus that scrapes itself, or others with a key."""
    port = free_port()
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        f"""
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: it
    {credentials}
    static_configs:
      - targets: ["{targets or f'{HOST}:{port}'}"]
"""
    )
    command = [program("prometheus", "prometheus"), f"--config.file={configuration}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={HOST}:{port}"]
    return ServerProcess("prometheus", command, port, folder)


@pytest.fixture(scope="module")
def straight(start):
    return start(prometheus)


@pytest.fixture(scope="module")
def gateway(start, straight):
    return start(GatewayProcess, straight.url)


def scraped(url, **headers):
    """Whether a target was scraped: the value of `up`."""
    answer = httpx.get(f"{url}/api/v1/query", params={"query": "up"}, headers=headers)
    found = answer.json()["data"]["result"] if answer.status_code == 200 else []
    return [row["value"][1] for row in found] == ["1"]


def before(url, query):
    """The words of a query with the server's address where promtool wants it: before the query itself."""
    flags = [word for word in query if word.startswith("--")]
    kind, *rest = [word for word in query if not word.startswith("--")]
    return [kind, *flags, url, *rest]


def test_promtool_gets_through_the_gateway_what_it_gets_straight(tmp_path, straight, gateway):
    key = gateway.new_key()
    wait_until(lambda: scraped(straight.url), "Prometheus scrapes itself")
    at = int(time.time())
    for query in (
        ("labels", "job"),
        ("series", "--match=up"),
        ("range", f"--start={at - 60}", f"--end={at - 1}", "--step=1s", "count(up)"),
    ):
        command = [program("promtool", "prometheus"), "query"]
        # This client knows no header for a key, but the user of an address.
        plain = run(*command, *before(straight.url, query), folder=tmp_path)
        gated = run(*command, *before(f"http://{key.secret}:unused@{gateway.authority}", query), folder=tmp_path)
        assert (gated.returncode, gated.stdout) == (plain.returncode, plain.stdout)
        assert plain.returncode == 0, plain.stdout


def test_a_query_that_is_wrong_is_free_and_keeps_what_prometheus_says_of_it(gateway):
    key = gateway.new_key()
    asked = {"params": {"query": "up{"}, "headers": {"X-API-Key": key.secret}}
    answer = httpx.get(f"{gateway.url}/api/v1/query", **asked)
    assert answer.status_code == 400
    assert "parse error" in answer.json()["error"]["message"]
    assert gateway.used(key) == 0


def test_prometheus_scrapes_through_the_gateway_with_a_key(start, straight, gateway):
    key = gateway.new_key()
    credentials = f"authorization:\n      credentials: {key.secret}"
    scraper = start(prometheus, targets=gateway.authority, credentials=credentials)
    wait_until(lambda: scraped(scraper.url), "a scrape came through the gateway")
    assert gateway.used(key) > 0
