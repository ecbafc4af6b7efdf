"""A package index behind Fairgate, with pip and twine in front: a common use of a gateway and a key."""

import json

import httpx
import pytest

import error_specification
import sample_package
import upstream_servers
from gateway_process import GatewayProcess
from package_clients import pip_download, pip_install, run, twine_upload, with_user

UNKNOWN_KEY = "fg_bt6SeeOarZ4M2vlsAZjIVsMHgKdR2Wt11LBiRt"
NOT_A_KEY = "letmein"

# Reading is one permission, uploading another. Other paths do not exist.
ENDPOINTS = """
[[endpoints]]
method = "GET"
path = "/simple/"
permission = "packages:read"

[[endpoints]]
method = "GET"
path = "/simple/{project}/"
permission = "packages:read"

[[endpoints]]
method = "GET"
path = "/packages/{file}"
permission = "packages:read"

[[endpoints]]
method = "POST"
path = "/"
permission = "packages:write"
max_body_size = "20MB"
"""


@pytest.fixture
def index(start):
    return start(upstream_servers.pypiserver)


@pytest.fixture
def gateway(start, index):
    return start(GatewayProcess, index.url, top='trailing_slash = "keep"', more=ENDPOINTS)


@pytest.fixture
def reader(gateway):
    return gateway.new_key("packages:read")


@pytest.fixture
def writer(gateway):
    return gateway.new_key("packages:write")


@pytest.fixture
def wheel(tmp_path):
    return sample_package.wheel(tmp_path, "1.0", answer=42, padding=3_000_000)


@pytest.fixture
def published(index, tmp_path, wheel):
    """The wheel, uploaded straight to the index."""
    done = twine_upload(tmp_path, f"{index.url}/", "nobody", "nothing", wheel)
    assert done.returncode == 0, done.stdout
    return wheel


# Run by the interpreter that the package was installed for.
REPORT = """
import fairgate_sample, importlib.metadata, json
files = importlib.metadata.files("fairgate-sample")
installed = sorted([str(file), file.hash and file.hash.value, file.size] for file in files if file.suffix != ".pyc")
print(json.dumps([fairgate_sample.ANSWER, installed]))
"""


def answer_of(home, environment):
    """What the installed package returns, and the files that pip installed."""
    done = run(home, environment / "bin" / "python", "-c", REPORT)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)


def test_uploaded_by_twine_installed_by_pip_imported_and_equal_to_a_straight_install(
    gateway, index, reader, writer, wheel, tmp_path
):
    source = sample_package.source_archive(tmp_path, "1.0")
    uploaded = twine_upload(tmp_path, f"{gateway.url}/", "__token__", writer.secret, wheel, source)
    assert uploaded.returncode == 0, uploaded.stdout
    assert gateway.used(writer) == 2  # one a file

    through = pip_install(tmp_path, with_user(f"{gateway.url}/simple/", reader.secret), tmp_path / "through")
    assert through.returncode == 0, through.stdout
    assert gateway.used(reader) == 2  # the page of the project, the wheel

    straight = pip_install(tmp_path, f"{index.url}/simple/", tmp_path / "straight")
    assert straight.returncode == 0, straight.stdout
    answer, files = answer_of(tmp_path, tmp_path / "through")
    assert answer == 42
    assert [answer, files] == answer_of(tmp_path, tmp_path / "straight")


@pytest.mark.parametrize("user, password", [("KEY", None), ("KEY", ""), ("__token__", "KEY"), ("KEY", "x")])
def test_pip_downloads_the_same_bytes_with_the_key_as_user_or_password(
    gateway, reader, published, tmp_path, user, password
):
    user, password = (part and part.replace("KEY", reader.secret) for part in (user, password))
    done = pip_download(tmp_path, with_user(f"{gateway.url}/simple/", user, password), tmp_path / "got")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "got" / published.name).read_bytes() == published.read_bytes()
    assert gateway.used(reader) == 2


def test_twine_takes_the_key_also_as_user(gateway, writer, wheel, tmp_path):
    done = twine_upload(tmp_path, f"{gateway.url}/", writer.secret, "x", wheel)
    assert done.returncode == 0, done.stdout
    assert gateway.used(writer) == 1


def test_key_is_never_seen_by_the_index(gateway, index, reader, published, tmp_path):
    done = pip_download(tmp_path, with_user(f"{gateway.url}/simple/", reader.secret), tmp_path / "got")
    assert done.returncode == 0, done.stdout
    assert reader.secret not in index.log.read_text()


@pytest.mark.parametrize(
    "key, http_code, code, permissions",
    [
        (UNKNOWN_KEY, 403, "KEY_NOT_VALID", None),
        (NOT_A_KEY, 400, "KEY_FORMAT_INCORRECT", None),
        (None, 401, "PERMISSION_DENIED", "packages:read"),
    ],
)
def test_twine_with_a_key_that_may_not_upload_fails_shows_the_error_and_stores_nothing(
    gateway, index, wheel, tmp_path, key, http_code, code, permissions
):
    made = None if permissions is None else gateway.new_key(permissions)
    done = twine_upload(tmp_path, f"{gateway.url}/", "__token__", key or made.secret, wheel)
    assert done.returncode != 0
    assert str(http_code) in done.stdout
    assert f'"code":"{code}"' in "".join(done.stdout.split())
    assert httpx.get(f"{index.url}/simple/fairgate-sample/").status_code == 404
    if made:
        assert gateway.used(made) == 0


@pytest.mark.parametrize(
    "key, http_code, code, permissions",
    [
        (UNKNOWN_KEY, 403, "KEY_NOT_VALID", None),
        (NOT_A_KEY, 400, "KEY_FORMAT_INCORRECT", None),
        (None, 401, "PERMISSION_DENIED", "packages:write"),
    ],
)
def test_pip_with_a_key_that_may_not_read_fails_and_gets_nothing(
    gateway, published, tmp_path, key, http_code, code, permissions
):
    made = None if permissions is None else gateway.new_key(permissions)
    url = with_user(f"{gateway.url}/simple/", key or made.secret)
    done = pip_download(tmp_path, url, tmp_path / "got")
    assert done.returncode != 0
    assert not list(tmp_path.glob("got/*"))
    # pip does not print bodies, so the same request by another client shows the error.
    shown = httpx.get(f"{url}fairgate-sample/")
    error_specification.check(shown, http_code, code)
    if made:
        assert gateway.used(made) == 0


def test_upload_of_a_file_that_is_there_already_fails_with_the_message_of_the_index_and_is_free(
    gateway, writer, published, tmp_path
):
    done = twine_upload(tmp_path, f"{gateway.url}/", "__token__", writer.secret, published)
    assert done.returncode != 0
    assert '"code":"REQUEST_MALFORMED"' in "".join(done.stdout.split())
    assert gateway.used(writer) == 0


def test_unknown_package_is_404_and_free(gateway, reader, tmp_path):
    done = pip_download(tmp_path, with_user(f"{gateway.url}/simple/", reader.secret), tmp_path / "got")
    assert done.returncode != 0
    headers = {"X-API-Key": reader.secret}
    shown = httpx.get(f"{gateway.url}/simple/fairgate-sample/", headers=headers)
    error_specification.check(shown, 404, "RESOURCE_NOT_FOUND")
    assert gateway.used(reader) == 0


def test_pip_gets_a_package_by_any_spelling_of_its_name(gateway, reader, published, tmp_path):
    # The index redirects other spellings by 301. pip normalises them itself, so other clients must follow.
    headers = {"X-API-Key": reader.secret}
    moved = httpx.get(f"{gateway.url}/simple/Fairgate_Sample/", headers=headers)
    error = error_specification.check(moved, 301, "ENDPOINT_MOVED")
    assert error["location"].endswith("/simple/fairgate-sample/")
    page = httpx.get(f"{gateway.url}/simple/Fairgate_Sample/", headers=headers, follow_redirects=True)
    assert published.name in page.text
    done = pip_download(
        tmp_path, with_user(f"{gateway.url}/simple/", reader.secret), tmp_path / "got", "Fairgate.Sample==1.0"
    )
    assert done.returncode == 0, done.stdout
    assert gateway.used(reader) == 1 + 2


def test_via_names_the_version_that_the_index_answered_by(gateway, reader, published):
    # RFC 9110 section 7.6.3: the received protocol; this index answers by HTTP/1.0.
    answer = httpx.get(f"{gateway.url}/simple/", headers={"X-API-Key": reader.secret})
    assert answer.headers["Via"] == "1.0 fairgate"


def test_limit_that_is_used_up_stops_pip_and_counts_no_more(gateway, published, tmp_path):
    key = gateway.new_key("packages:read", plan="three")
    url = with_user(f"{gateway.url}/simple/", key.secret)
    assert pip_download(tmp_path, url, tmp_path / "first").returncode == 0
    # One unit is left: enough for the page of the project, not for the wheel.
    second = pip_download(tmp_path, url, tmp_path / "second")
    assert second.returncode != 0
    assert "429" in second.stdout
    assert gateway.used(key) == 3
