"""The error specification: the required body and headers of an error."""

import json
import re

REQUEST_ID = re.compile(r"req_[0-9a-z]{26}")


def check(answer, http_code, code):
    """Fails unless `answer` is the error `code`, complete and true. Returns its `error` member."""
    assert answer.status_code == http_code, f"{answer.status_code}: {answer.content[:300]!r}"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    error = check_body(answer.content, http_code, code)
    assert error["request_id"] == answer.headers["X-Request-Id"]
    return error


def check_body(body, http_code, code):
    """As `check`, of a body alone."""
    specification = json.loads(body)
    assert list(specification) == ["success", "error"]
    assert specification["success"] is False
    error = specification["error"]
    assert (error["code"], error["http_code"]) == (code, http_code)
    assert error["message"].strip()
    assert error["check"].endswith(f"/_docs/errors/{code}")
    assert REQUEST_ID.fullmatch(error["request_id"])
    return error


def code_of(body):
    """The error code that a body names."""
    return json.loads(body)["error"]["code"]
