"""httpbin describes itself in Swagger 2.0, at /spec.json: it is started by that document as it is."""

import json

import httpx
import pytest

import error_specification
from one_line_gateway import OneLineGateway
from two_ways import TwoWays


@pytest.fixture(scope="module")
def document(httpbin, tmp_path_factory):
    path = tmp_path_factory.mktemp("document") / "spec.json"
    path.write_bytes(httpx.get(f"{httpbin.url}/spec.json").raise_for_status().content)
    return path


@pytest.fixture(scope="module")
def gateway(start, document, httpbin):
    return start(OneLineGateway, document, httpbin.url)


@pytest.fixture
def ways(httpbin, gateway):
    two_ways = TwoWays(httpbin, gateway, gateway.new_key())
    yield two_ways
    two_ways.close()


@pytest.mark.parametrize("path", ["/json", "/xml", "/html", "/encoding/utf8", "/image/png", "/base64/SGVsbG8=", "/range/64"])
def test_answers_are_those_of_httpbin(ways, path):
    ways.assert_same("GET", path)


@pytest.mark.parametrize("method", ["DELETE", "GET", "PATCH", "POST", "PUT"])
def test_every_method_of_a_path_is_an_endpoint(ways, method):
    assert ways.assert_same_echo(method, "/anything/here?a=b")["method"] == method


def test_every_path_of_the_document_is_an_endpoint(gateway, document):
    # No key: an endpoint asks for one, and an unknown path is reported as such.
    with httpx.Client(base_url=gateway.url) as client:
        for path, item in json.loads(document.read_text())["paths"].items():
            for method in item:
                answer = client.request(method, path.replace("{", "").replace("}", ""))
                error_specification.check(answer, 403, "KEY_NOT_SET")
        error_specification.check(client.get("/spec"), 404, "ENDPOINT_NOT_FOUND")


def test_method_that_the_document_lacks_is_404_and_allow_names_the_others(ways):
    answer = ways.through_gateway("POST", "/get")
    assert (answer.status_code, error_specification.code_of(answer.content)) == (404, "METHOD_NOT_AVAILABLE")
    assert answer.headers["Allow"].startswith("GET")


def test_parameter_that_is_required_is_missed(ways):
    answer = ways.through_gateway("GET", "/redirect-to?status_code=302")
    assert (answer.status_code, error_specification.code_of(answer.content)) == (400, "PARAMETER_MISSING")
    assert [detail["name"] for detail in answer.json()["error"]["details"]] == ["url"]


def test_numbers_are_checked(ways):
    answer = ways.through_gateway("GET", "/drip?numbytes=many&duration=soon")
    assert (answer.status_code, error_specification.code_of(answer.content)) == (400, "PARAMETER_NOT_VALID")
    names = {detail["name"] for detail in answer.json()["error"]["details"]}
    assert names == {"numbytes", "duration"}
    assert ways.through_gateway("GET", "/drip?numbytes=3&duration=0&delay=0").status_code == 200


def test_forms_are_checked(ways):
    missing = ways.through_gateway("POST", "/redirect-to", data={"status_code": "302"})
    assert (missing.status_code, error_specification.code_of(missing.content)) == (422, "BODY_NOT_VALID")
    complete = ways.through_gateway("POST", "/redirect-to", data={"url": "/get", "status_code": "302"})
    assert complete.status_code == 302


def test_mistakes_of_the_document_are_warned_about_at_the_start(gateway):
    # It calls numbers `int`, which no version of the specification knows.
    assert 'Unknown type \\"int\\"' in gateway.written()
