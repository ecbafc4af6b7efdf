"""Slashes at the end of a path: Fairgate strips them, some upstreams add them again, and no redirect loops."""

import httpx
import pytest

import error_specification
import sample_package
import upstream_servers
from gateway_process import GatewayProcess
from package_clients import pip_download, twine_upload, with_user


@pytest.fixture(scope="module")
def application(start):
    return start(upstream_servers.slash_adding_application)


@pytest.fixture(scope="module")
def gateway(start, application):
    return start(GatewayProcess, application.url)


def ask(gateway, key, method, path, **request):
    """One request, and whatever it is redirected to."""
    headers = {"X-API-Key": key.secret}
    return httpx.request(method, gateway.url + path, headers=headers, follow_redirects=True, **request)


def test_upstream_that_adds_the_slash_back_makes_no_circle(gateway, application):
    assert httpx.get(f"{application.url}/items").status_code == 308
    key = gateway.new_key()
    answer = ask(gateway, key, "GET", "/items/?a=b")
    assert answer.json() == {"path": "/items/", "query": {"a": "b"}}
    [redirect] = answer.history
    assert redirect.headers["Location"] == "/items?a=b"
    error_specification.check(redirect, 301, "TRAILING_SLASH")
    assert gateway.used(key) == 1  # the redirect was free, and the upstream's own is followed internally


def test_path_without_the_slash_is_answered_at_once(gateway):
    key = gateway.new_key()
    answer = ask(gateway, key, "GET", "/items?a=b&a=c%2Fd")
    assert not answer.history
    assert answer.json()["path"] == "/items/"
    assert gateway.used(key) == 1


def test_head_is_answered_at_once_too(gateway):
    key = gateway.new_key()
    answer = ask(gateway, key, "HEAD", "/items")
    assert (answer.status_code, answer.history, answer.content) == (200, [], b"")


def test_body_that_the_upstream_redirects_so_is_500_and_the_incident_says_what_to_change(gateway):
    key = gateway.new_key()
    answer = ask(gateway, key, "POST", "/items", content=b"x")
    error = error_specification.check(answer, 500, "UNEXPECTED_ERROR")
    assert gateway.used(key) == 0
    incident = gateway.command("incidents", "show", error["request_id"])
    assert "slash" in str(incident)


def test_slashes_at_the_beginning_lead_to_no_other_host(gateway):
    key = gateway.new_key()
    answer = httpx.get(f"{gateway.url}//evil.example/", headers={"X-API-Key": key.secret})
    assert error_specification.check(answer, 301, "TRAILING_SLASH")["location"] == "/evil.example"


def test_kept_slashes_reach_the_upstream_as_they_are(start, application):
    gateway = start(GatewayProcess, application.url, top='trailing_slash = "keep"')
    key = gateway.new_key()
    answer = ask(gateway, key, "GET", "/items/")
    assert (answer.json()["path"], answer.history) == ("/items/", [])
    posted = ask(gateway, key, "POST", "/items/", content=b"x")
    assert posted.status_code == 200
    assert gateway.used(key) == 2


def test_pip_and_twine_work_even_where_slashes_are_taken_away(start, tmp_path):
    index = start(upstream_servers.pypiserver)
    gateway = start(GatewayProcess, index.url)
    key = gateway.new_key()
    wheel = sample_package.wheel(tmp_path, "1.0", answer=1)
    uploaded = twine_upload(tmp_path, f"{gateway.url}/", "__token__", key.secret, wheel)
    assert uploaded.returncode == 0, uploaded.stdout
    done = pip_download(tmp_path, with_user(f"{gateway.url}/simple/", key.secret), tmp_path / "got")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "got" / wheel.name).read_bytes() == wheel.read_bytes()
    assert gateway.used(key) == 1 + 2
