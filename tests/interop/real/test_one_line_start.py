"""The one-line start: a third-party document, the server that it describes, nothing else."""

import httpx
import pytest

import error_specification
import upstream_servers
from one_line_gateway import OneLineGateway
from two_ways import TwoWays


@pytest.fixture(scope="module")
def jupyter(start):
    return start(upstream_servers.jupyter)


@pytest.fixture
def gateway(start, jupyter):
    return start(OneLineGateway, upstream_servers.JUPYTER_DOCUMENT, jupyter.url)


def status(gateway, key):
    """The response to this key when it reads the state of the server."""
    return httpx.get(f"{gateway.url}/api/status", headers={"X-API-Key": key.secret})


def test_first_key_is_printed_once_and_works_after_a_restart(gateway):
    key = gateway.first_key()
    assert status(gateway, key).json()["kernels"] == 0
    gateway.restart()
    assert gateway.keys_on_standard_output() == set()
    assert key.secret not in gateway.written()
    assert status(gateway, key).status_code == 200


def test_nobody_gets_in_without_a_key(gateway):
    # The document does not declare who may use the API.
    error_specification.check(httpx.get(f"{gateway.url}/api/status"), 403, "KEY_NOT_SET")


def test_keys_are_made_while_it_runs_and_their_limits_are_those_of_the_default_plan(gateway):
    key = gateway.new_key()
    answer = status(gateway, key)
    assert answer.status_code == 200
    limits = httpx.get(f"{gateway.url}/_limits", headers={"X-API-Key": key.secret}).json()["limits"]
    day = max(limits, key=lambda limit: limit["quota"])
    assert day["used"] == 1
    assert len(gateway.command("keys", "list")) == 2


def test_the_folder_holds_nothing_but_its_data(gateway):
    made = {path.name for path in gateway.folder.iterdir()}
    assert made == {"fairgate-data", "output.txt", "fairgate.log"}


def test_the_document_is_served_with_the_contract_in_it(gateway):
    served = httpx.get(f"{gateway.url}/_docs/openapi.json")
    assert served.status_code == 200
    document = served.json()
    rename = document["paths"]["/api/contents/{path}"]["patch"]
    assert {"200", "400", "401", "403", "404", "422", "429", "500", "503"} <= set(rename["responses"])
    # Clients send requests to where they found the document: the gateway.
    assert document["host"] == gateway.url.removeprefix("http://")
    assert gateway.upstream not in served.text


@pytest.fixture(scope="module")
def running(start, jupyter):
    return start(OneLineGateway, upstream_servers.JUPYTER_DOCUMENT, jupyter.url)


@pytest.fixture
def files(jupyter, running):
    """Both ways to Jupyter, with a key of the test's own."""
    ways = TwoWays(jupyter, running, running.new_key())
    # Jupyter gives each new visitor a name in a cookie. Afterwards both are known and get none.
    ways.both("GET", "/api/status")
    yield ways
    ways.close()


def test_files_are_written_read_renamed_and_deleted(files, running):
    def ask(method, path, expected, **request):
        answer = files.through_gateway(method, path, **request)
        assert answer.status_code == expected, answer.content
        return answer

    text = {"type": "file", "format": "text", "content": "Grüße"}
    made = ask("PUT", "/api/contents/greeting.txt", 201, json=text)
    assert made.headers["Location"].endswith("/api/contents/greeting.txt")
    assert ask("GET", "/api/contents/greeting.txt", 200).json()["content"] == "Grüße"
    renamed = ask("PATCH", "/api/contents/greeting.txt", 200, json={"path": "grüße.txt"})
    assert renamed.json()["path"] == "grüße.txt"
    assert ask("GET", "/api/contents/gr%C3%BC%C3%9Fe.txt?content=0", 200).json()["content"] is None
    ask("POST", "/api/contents/gr%C3%BC%C3%9Fe.txt/checkpoints", 201)
    [checkpoint] = ask("GET", "/api/contents/gr%C3%BC%C3%9Fe.txt/checkpoints", 200).json()
    ask("POST", f"/api/contents/gr%C3%BC%C3%9Fe.txt/checkpoints/{checkpoint['id']}", 204)
    ask("DELETE", "/api/contents/gr%C3%BC%C3%9Fe.txt", 204)
    gone = files.through_gateway("GET", "/api/contents/gr%C3%BC%C3%9Fe.txt")
    assert gone.status_code == 404
    assert error_specification.code_of(gone.content) == "RESOURCE_NOT_FOUND"


def test_a_slash_within_a_name_is_refused_because_servers_read_it_in_two_ways(files):
    directory = files.through_gateway("PUT", "/api/contents/notes", json={"type": "directory"})
    assert directory.status_code in (200, 201)
    made = files.through_gateway("POST", "/api/contents/notes", json={"type": "file", "ext": ".md"})
    assert made.status_code == 201
    path = made.json()["path"].replace("/", "%2F")
    assert path.startswith("notes%2F")
    # A server that decodes before it routes would find a path that the document does not have. For a server that does
    # not, set `ambiguous_paths`.
    error = files.through_gateway("GET", f"/api/contents/{path}")
    assert (error.status_code, error_specification.code_of(error.content)) == (400, "REQUEST_MALFORMED")
    # Two segments are another path, and the document has none like it.
    error = files.through_gateway("GET", f"/api/contents/{path.replace('%2F', '/')}")
    assert (error.status_code, error_specification.code_of(error.content)) == (404, "ENDPOINT_NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "/api/contents/same.txt",
        "/api/contents/same.txt?type=file&format=base64",
        "/api/contents/same.txt?content=0&hash=1",
        "/api/resolvePath?path=same.txt",
        "/api/kernels",
        "/api/sessions",
        "/api/kernelspecs",
        "/api/spec.yaml",
        "/api/config/notebook",
    ],
)
def test_what_the_document_allows_is_answered_as_without_the_gateway(files, path):
    text = {"type": "file", "format": "text", "content": "the same"}
    assert files.straight("PUT", "/api/contents/same.txt", json=text).status_code in (200, 201)
    files.assert_same("GET", path)


@pytest.mark.parametrize(
    ("path", "code", "name"),
    [
        ("/api/contents/same.txt?type=photo", "PARAMETER_NOT_VALID", "type"),
        ("/api/contents/same.txt?content=maybe", "PARAMETER_NOT_VALID", "content"),
        ("/api/resolvePath", "PARAMETER_MISSING", "path"),
        ("/api/resolvePath?path=a&kernel=not-a-uuid", "PARAMETER_NOT_VALID", "kernel"),
        ("/api/kernels/not-a-uuid", "PARAMETER_NOT_VALID", "kernel_id"),
    ],
)
def test_parameters_that_the_document_does_not_allow_are_400_with_their_names(files, jupyter, path, code, name):
    reached = jupyter.log.read_text().count("not-a-uuid")
    answer = files.through_gateway("GET", path)
    assert (answer.status_code, error_specification.code_of(answer.content)) == (400, code)
    [detail] = answer.json()["error"]["details"]
    assert detail["name"] == name
    assert detail["message"]
    assert jupyter.log.read_text().count("not-a-uuid") == reached, "the server saw it"


def test_several_parameters_are_reported_at_once(files):
    answer = files.through_gateway("GET", "/api/contents/a?type=photo&format=html&hash=x")
    assert [detail["name"] for detail in answer.json()["error"]["details"]] == ["type", "format", "hash"]


@pytest.mark.parametrize(
    ("method", "path", "body", "http_code", "code", "pointers"),
    [
        ("PATCH", "/api/contents/a", {"path": 5}, 422, "BODY_NOT_VALID", ["/path"]),
        ("PUT", "/api/contents/a", {"name": [], "type": 1}, 422, "BODY_NOT_VALID", ["/name", "/type"]),
        ("PUT", "/api/contents/a", ["a"], 422, "BODY_NOT_VALID", [""]),
        ("PATCH", "/api/sessions/a3bb189e-8bf9-3888-9912-ace4e6543002", {"id": "x"}, 422, "BODY_NOT_VALID", ["/id"]),
    ],
)
def test_bodies_that_the_document_does_not_allow_are_422_with_pointers(
    files, method, path, body, http_code, code, pointers
):
    answer = files.through_gateway(method, path, json=body)
    assert (answer.status_code, error_specification.code_of(answer.content)) == (http_code, code)
    assert [detail["pointer"] for detail in answer.json()["error"]["details"]] == pointers


def test_invalid_bodies_are_400(files):
    def code(**request):
        answer = files.through_gateway("PATCH", "/api/contents/a", **request)
        assert answer.status_code == 400
        return error_specification.code_of(answer.content)

    as_json = {"Content-Type": "application/json"}
    assert code(content=b'{"path": ', headers=as_json) == "BODY_MALFORMED"
    assert code(content=b'{"path": "a", "path": "b"}', headers=as_json) == "BODY_MALFORMED"
    assert code(content=b"", headers=as_json) == "BODY_MALFORMED"
    assert code(content=b"<path/>", headers={"Content-Type": "text/xml"}) == "MEDIA_TYPE_NOT_SUPPORTED"


def test_errors_cost_nothing(files, running):
    headers = {"X-API-Key": files.key.secret}

    def used():
        return [one["used"] for one in httpx.get(f"{running.url}/_limits", headers=headers).json()["limits"]]

    before = max(used())
    files.through_gateway("GET", "/api/contents/a?type=photo")
    files.through_gateway("PATCH", "/api/contents/a", json={"path": 5})
    files.through_gateway("GET", "/api/contents/missing.txt")
    files.through_gateway("GET", "/nowhere")
    assert max(used()) == before
    files.through_gateway("GET", "/api/status")
    assert max(used()) == before + 1
