"""The demo, README's first command, with independent clients: what it refuses is never a success to them."""

import json
import pathlib
import subprocess
import time

import httpx
import pytest
import requests

import clients_page
from demo_process import Demo
from gateway_process import binary

SCRIPT = pathlib.Path(__file__).with_name("http2_posts.mjs")
NAMES = 4
REQUESTS = f"requests {requests.__version__}, raise_for_status()"
NODE = "Node's http2"


class Api:
    """The demo, as a client and as its operator see it."""

    def __init__(self, demo):
        self._demo = demo
        self.url = demo.gateway

    def command(self, *words):
        command = [binary(), *words, "--json", "--config", self._demo.configuration]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def new_key(self, *words):
        return self.command("keys", "create", "--plan", "free", "--permission", "items:write", *words)["key"]

    def used(self, key):
        limits = httpx.get(f"{self.url}/_limits", headers={"X-API-Key": key}).json()["limits"]
        return limits[0]["used"]

    def items(self):
        """The names of all items, as the sample API itself has them."""
        answer = httpx.get(f"{self._demo.sample_api}/items", params={"limit": "100000"})
        return {item["name"] for item in answer.json()["items"]}


@pytest.fixture(scope="module")
def api(start):
    return Api(start(Demo))


def by_requests(url, path, key, names, half=False):
    """Posts as most programs do: an exception is a failure, anything else a success."""
    failed = []
    for name in names:
        body = json.dumps({"name": name, "price": 1}).encode()
        try:
            content = stalling(body) if half else body
            headers = {"X-API-Key": key, "Content-Type": "application/json"}
            requests.post(url + path, data=content, headers=headers, timeout=20).raise_for_status()
        except requests.RequestException:
            failed.append(name)
    return failed


def stalling(body):
    """Half a body, and the rest after the demo's time for a body is over."""
    yield body[: len(body) // 2]
    time.sleep(3)
    yield body[len(body) // 2 :]


def by_node(url, path, key, names, half=False):
    command = ["node", SCRIPT, url, path, key, ",".join(names), *(["half"] if half else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["failed"]


@pytest.fixture(params=[(REQUESTS, by_requests), (NODE, by_node)], ids=["requests", "node"])
def post(request, api):
    """Posts items with names of their own, and compares the results with the page."""
    client, send = request.param
    batch = iter(range(100))

    def run(case, key, path="/items", count=NAMES, half=False):
        before = api.items()
        names = [f"{client} {case} {next(batch)}".replace(",", "") for _ in range(count)]
        failed = send(api.url, path, key, names, half)
        arrived = api.items() - before
        clients_page.check(client, case, set(names), arrived, set(failed))
        return arrived

    return run


def test_what_is_posted_arrives_and_is_charged(api, post):
    key = api.new_key()
    arrived = post("nothing in the way", key)
    assert api.used(key) == 2 * len(arrived)


def test_what_a_limit_denies_is_a_failure(api, post):
    # An item costs 2 units.
    key = api.new_key("--limit", "6 per month")
    post("3 requests per month", key)
    assert api.used(key) == 6


def test_what_a_maintenance_refuses_is_a_failure(api, post):
    key = api.new_key()
    api.command("maintenance", "on", "--for", "30m")
    try:
        post("maintenance of 30 minutes", key)
    finally:
        api.command("maintenance", "off")
    assert api.used(key) == 0


def test_a_slash_at_the_end_matches_the_page(api, post):
    key = api.new_key()
    post("a slash at the end", key, path="/items/")
    assert api.used(key) == 0


def test_half_an_upload_is_a_failure(api, post):
    key = api.new_key()
    post("a half-open upload", key, count=1, half=True)
    assert api.used(key) == 0
