"""Prometheus behind Fairgate, with promtool in front; Fairgate between Prometheus and what it scrapes, and between a Prometheus
that writes and one that receives.
"""

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
    """The arguments of a query with the server's address where promtool expects it: before the query itself."""
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
        # This client has no option for a key header, but sends the user of a URL.
        plain = run(*command, *before(straight.url, query), folder=tmp_path)
        gated = run(*command, *before(f"http://{key.secret}:unused@{gateway.authority}", query), folder=tmp_path)
        assert (gated.returncode, gated.stdout) == (plain.returncode, plain.stdout)
        assert plain.returncode == 0, plain.stdout


def test_a_wrong_query_is_free_and_keeps_the_error_of_prometheus(gateway):
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


class Receiver:
    """A Prometheus that accepts remote writes, and scrapes nothing. It can be stopped and started again on the same port."""

    def __init__(self, folder):
        self._folder, self.port = folder, free_port()
        (folder / "prometheus.yml").write_text("")
        self.url = f"http://{HOST}:{self.port}"
        self.start()

    def start(self):
        command = [program("prometheus", "prometheus"), f"--config.file={self._folder / 'prometheus.yml'}"]
        command += [f"--storage.tsdb.path={self._folder / 'data'}", f"--web.listen-address={HOST}:{self.port}"]
        command += ["--web.enable-remote-write-receiver"]
        self._process = ServerProcess("receiver", command, self.port, self._folder)

    def stop(self):
        self._process.stop()


def writer(folder, url, key, more=""):
    """A Prometheus that scrapes itself and writes all that it scrapes to a URL."""
    port = free_port()
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        f"""
global:
  scrape_interval: 200ms
  external_labels:
    writer: "{port}"
scrape_configs:
  - job_name: it
    static_configs:
      - targets: ["{HOST}:{port}"]
remote_write:
  - url: "{url}"
    authorization:
      credentials: {key.secret}
    queue_config:
      max_shards: 1
      batch_send_deadline: 200ms
      max_backoff: 500ms
      {more}
"""
    )
    command = [program("prometheus", "prometheus"), f"--config.file={configuration}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={HOST}:{port}"]
    command += ["--storage.remote.flush-deadline=1s"]
    started = ServerProcess("writer", command, port, folder)
    started.label = port
    return started


def up_at(url, at, writer):
    """The times of all samples of `up` that a Prometheus has of a writer until a time."""
    selector = "up[5m]" if url == writer.url else f'up{{writer="{writer.label}"}}[5m]'
    answer = httpx.get(f"{url}/api/v1/query", params={"query": selector, "time": at})
    result = answer.json()["data"]["result"]
    return {time for row in result for time, _ in row["values"]}


def counter(url, name):
    """The value of a counter of a Prometheus's own."""
    text = httpx.get(f"{url}/metrics").text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + "{"))


SENT = "prometheus_remote_storage_samples_total"
FAILED = "prometheus_remote_storage_samples_failed_total"
RETRIED = "prometheus_remote_storage_samples_retried_total"
APPENDED = "prometheus_tsdb_head_samples_appended_total"


@pytest.fixture(scope="module")
def receiver(start):
    return start(Receiver)


@pytest.fixture(scope="module")
def before_receiver(start, receiver):
    return start(GatewayProcess, receiver.url, more='[plans.slow]\nlimits = ["1 per second"]')


@pytest.fixture
def write(start, before_receiver):
    """Starts a writer with a key of its own."""
    running = []

    def start_one(path="/api/v1/write", plan="free", more=""):
        key = before_receiver.new_key(plan=plan)
        running.append(start(writer, f"{before_receiver.url}{path}", key, more))
        running[-1].key = key
        return running[-1]

    yield start_one
    for process in running:
        process.stop()


def assert_all_arrive(receiver, writes):
    """What was scraped until now has arrived, or does so soon, and nothing was dropped."""
    at = time.time()
    scraped = up_at(writes.url, at, writes)
    assert len(scraped) > 5
    wait_until(lambda: scraped <= up_at(receiver.url, at + 1, writes), "all that was scraped has arrived")
    assert counter(writes.url, FAILED) == 0
    print(f"remote_write: scraped {len(scraped)} times, arrived {len(scraped)}, reported 0, lost 0")


def retries(writes, times=8):
    """Waits until the writer has scraped so often, and tries again to write."""
    wait_until(lambda: counter(writes.url, RETRIED) > 0, "the writer tries again")
    wait_until(lambda: len(up_at(writes.url, time.time(), writes)) > times, "the writer scrapes")


def test_samples_arrive_after_a_receiver_that_was_down(receiver, before_receiver, write):
    writes = write()
    wait_until(lambda: before_receiver.used(writes.key) > 0, "something was written")
    receiver.stop()
    try:
        retries(writes)
    finally:
        receiver.start()
    assert_all_arrive(receiver, writes)


def test_samples_arrive_after_a_maintenance(receiver, before_receiver, write):
    writes = write()
    before_receiver.command("maintenance", "on", "--for", "30m")
    try:
        retries(writes)
    finally:
        before_receiver.command("maintenance", "off")
    assert_all_arrive(receiver, writes)


def test_samples_that_a_limit_denies_are_reported_as_failed(receiver, before_receiver, write):
    before = counter(receiver.url, APPENDED)
    writes = write(plan="three")
    wait_until(lambda: counter(writes.url, FAILED) > 0, "the writer drops samples")

    def figures():
        sent, failed = counter(writes.url, SENT), counter(writes.url, FAILED)
        return sent, counter(receiver.url, APPENDED) - before, failed

    def accounted():
        sent, arrived, failed = figures()
        return arrived and sent == arrived + failed

    wait_until(accounted, "each sample has arrived or is reported")
    print("remote_write, 3 requests per month: sent {:.0f}, arrived {:.0f}, reported {:.0f}, lost 0".format(*figures()))
    assert before_receiver.used(writes.key) == 3


def test_samples_that_a_limit_denies_are_kept_where_the_writer_retries_429(receiver, write):
    writes = write(plan="slow", more="retry_on_http_429: true")
    retries(writes)
    assert_all_arrive(receiver, writes)


def test_samples_that_a_slash_turns_away_are_reported_as_failed(receiver, before_receiver, write):
    writes = write(path="/api/v1/write/")
    wait_until(lambda: counter(writes.url, FAILED) > 0, "the writer drops samples")
    wait_until(lambda: counter(writes.url, SENT) == counter(writes.url, FAILED), "each sample is reported")
    assert not up_at(receiver.url, time.time(), writes)
    # The writer's log names the remedy.
    assert "Send the request to /api/v1/write, without the slash." in writes.log.read_text()
    assert before_receiver.used(writes.key) == 0
