"""What the contract requires of every response, as checks of Schemathesis beside its own."""

import copy

import schemathesis
from schemathesis.specs.openapi.checks import negative_data_rejection

import error_specification

# The rows of the closed table.
TABLE = {301, 400, 401, 403, 404, 422, 429, 500, 503}
# The gateway's codes for data that the document does not allow.
REFUSALS = {
    "PARAMETER_MISSING",
    "PARAMETER_NOT_VALID",
    "HEADER_MISSING",
    "HEADER_NOT_VALID",
    "BODY_MALFORMED",
    "BODY_NOT_VALID",
    "MEDIA_TYPE_NOT_SUPPORTED",
}
# The codes that only the API causes.
OF_THE_API = {"RESOURCE_NOT_FOUND", "UNPROCESSABLE"}
# The members of a path that are operations.
METHODS = {"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "QUERY"}
# How the sample API begins when it cannot read a body that the gateway let through.
LOST = ("I do not understand this", "How many stars?")


def error_of(response):
    """The `error` member of an answer that is not a success; None for a success and where no body may be."""
    if response.status_code < 300 or response.request.method == "HEAD":
        return None
    return error_specification.check_body(
        response.content, response.status_code, error_specification.code_of(response.content)
    )


def is_of_the_api(response):
    """Whether the request reached the API and was answered by it."""
    error = error_of(response)
    return error is None or error["code"] in OF_THE_API or error["message"].startswith(LOST)


def methods_of(case):
    """The methods that the document names for the path of the request."""
    return {name.upper() for name in case.operation.schema[case.operation.path]} & METHODS


def is_other_method(case):
    """Whether the request has a method that the document does not name for its path."""
    return case.method.upper() not in methods_of(case)


@schemathesis.check
def every_error_follows_the_specification(ctx, response, case):
    """An error has a status of the table and the body, the code and the headers of the contract."""
    error = error_of(response)
    if error is None:
        return
    assert response.status_code in TABLE, f"{response.status_code} is not in the table"
    assert response.headers["cache-control"] == ["no-store"]
    assert response.headers["x-request-id"] == [error["request_id"]]
    if error["code"] in REFUSALS - {"BODY_MALFORMED", "MEDIA_TYPE_NOT_SUPPORTED"}:
        assert error["details"], "no details"
        assert all(detail["message"].endswith((".", "?")) for detail in error["details"]), error["details"]


@schemathesis.check
def valid_data_passes_the_gateway(ctx, response, case):
    """What the document allows is never refused by the gateway, and the API can read it."""
    if case.meta is None or case.meta.generation.mode.is_negative or is_other_method(case):
        return
    error = error_of(response)
    if error is not None:
        assert error["code"] not in REFUSALS, f"valid data is refused: {error}"
        assert not error["message"].startswith(LOST), f"the sample API cannot read valid data: {error}"


@schemathesis.check
def invalid_data_stays_out(ctx, response, case):
    """What the document does not allow never reaches the API, not even to be refused there."""
    if case.meta is None or is_other_method(case) or not is_of_the_api(response):
        return
    # Schemathesis knows which of its changes are undone on the wire. To its check, an answer of the API
    # is the same as a success: the data was not refused before.
    passed = copy.copy(response)
    passed.status_code = 200
    negative_data_rejection(ctx, passed, case)


@schemathesis.check
def method_is_not_available(ctx, response, case):
    """A method that a path does not have is 404 METHOD_NOT_AVAILABLE, and Allow names those that it has."""
    if not is_other_method(case) or response.request.method in ("OPTIONS", "HEAD"):
        return
    error = error_of(response)
    assert error is not None, f"{case.method} is answered by {response.status_code}"
    if error["code"] == "ENDPOINT_NOT_FOUND" and case.meta.generation.mode.is_negative:
        return
    assert (response.status_code, error["code"]) == (404, "METHOD_NOT_AVAILABLE"), error
    [allow] = response.headers["allow"]
    allowed = {method.strip() for method in allow.split(",")}
    # HEAD goes wherever GET does.
    declared = methods_of(case) | ({"HEAD"} if "GET" in methods_of(case) else set())
    assert allowed == declared, f"Allow: {allow}, but the document has {declared}"
