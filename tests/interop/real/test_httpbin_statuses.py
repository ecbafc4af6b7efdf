"""Each status that the upstream can send is mapped as in docs/contract.md, and errors cost nothing."""

import httpx
import pytest

import contract_page
import error_specification
from gateway_process import GatewayProcess

ROWS = contract_page.rows()


def test_the_page_decides_each_status_exactly_once():
    statuses = [status for row in ROWS for status in row.statuses]
    assert len(statuses) == len(set(statuses))
    undecided = set(range(200, 600)) - set(statuses)
    assert not undecided, f"docs/contract.md does not mention {sorted(undecided)}"


@pytest.mark.parametrize("row", [row for row in ROWS if row.becomes is None], ids=str)
def test_success_passes_as_it_is_and_costs_one_unit(ways, httpbin_gateway, key, row):
    for status in row.statuses:
        ways.assert_same("GET", f"/status/{status}")
    assert httpbin_gateway.used(key) == len(row.statuses)


@pytest.mark.parametrize("row", [row for row in ROWS if row.becomes is not None], ids=str)
def test_error_becomes_the_one_of_the_page_and_is_free(ways, httpbin_gateway, key, row):
    for status in row.statuses:
        answer = ways.through_gateway("GET", f"/status/{status}")
        error = error_specification.check(answer, row.becomes, row.code)
        assert ("contact" in error) == (row.becomes == 500)
        assert answer.headers["X-Rate-Limit-Remaining"] == answer.headers["X-Rate-Limit-Limit"]
    assert httpbin_gateway.used(key) == 0


def test_error_to_head_has_the_status_and_no_body(ways, httpbin_gateway, key):
    answer = ways.through_gateway("HEAD", "/status/404")
    assert (answer.status_code, answer.content) == (404, b"")
    assert answer.headers["Content-Type"] == "application/json"
    assert httpbin_gateway.used(key) == 0


def test_method_that_the_upstream_does_not_have_is_404_and_keeps_allow(ways):
    straight, proxied = ways.both("DELETE", "/get")
    assert straight.status_code == 405
    error_specification.check(proxied, 404, "METHOD_NOT_AVAILABLE")
    assert proxied.headers["Allow"] == straight.headers["Allow"]


def test_page_of_html_is_replaced_by_the_error_specification(ways):
    straight, proxied = ways.both("GET", "/no-such-page")
    assert straight.headers["Content-Type"].startswith("text/html")
    error_specification.check(proxied, 404, "RESOURCE_NOT_FOUND")
    assert b"<" not in proxied.content


def test_human_message_of_a_json_error_is_kept(ways):
    straight, proxied = ways.both("GET", "/image", headers={"Accept": "text/plain"})
    assert straight.status_code == 406
    error = error_specification.check(proxied, 400, "HEADER_NOT_VALID")
    assert error["message"] == straight.json()["message"]


def test_failed_precondition_is_422(ways):
    answer = ways.through_gateway("GET", "/etag/abc", headers={"If-Match": '"other"'})
    error_specification.check(answer, 422, "UNPROCESSABLE")


def test_range_outside_of_the_entity_is_400(ways):
    straight, proxied = ways.both("GET", "/range/100", headers={"Range": "bytes=500-600"})
    assert straight.status_code == 416
    error_specification.check(proxied, 400, "REQUEST_MALFORMED")


def test_answer_that_does_not_come_in_time_is_500_and_free(start, httpbin):
    gateway = start(GatewayProcess, httpbin.url, more='[timeouts]\nfirst_byte = "500ms"')
    key = gateway.new_key()
    answer = httpx.get(f"{gateway.url}/delay/2", headers={"X-API-Key": key.secret})
    error = error_specification.check(answer, 500, "UNEXPECTED_ERROR")
    assert gateway.used(key) == 0
    [incident] = gateway.command("incidents", "list", "--each")
    assert incident["request_id"] == error["request_id"]


def test_client_that_accepts_problem_json_gets_rfc_9457(ways):
    answer = ways.through_gateway("GET", "/status/404", headers={"Accept": "application/problem+json"})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 404
    assert problem["type"].endswith("/_docs/errors/RESOURCE_NOT_FOUND")
    assert problem["instance"] == answer.headers["X-Request-Id"]
    assert problem["title"] and problem["detail"]


def test_link_of_an_error_leads_to_a_page_about_it(ways):
    error = error_specification.check(ways.through_gateway("GET", "/status/409"), 422, "UNPROCESSABLE")
    page = httpx.get(error["check"], headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "UNPROCESSABLE" in page.text
