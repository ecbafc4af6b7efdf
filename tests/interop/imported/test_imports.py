"""Documents that others wrote are imported within bounds, and those that are refused are known.

`packages.json` pins where they come from, `refused.json` lists which are refused and for which fault.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys

import httpx
import pytest

import fetch
from gateway_process import binary
from server_process import HOST, ServerProcess, free_port

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
CACHE = TARGET / "imported"
# For the whole run, and so for each document in it as well: the largest has 78 MB.
ADDRESS_SPACE = 8 << 30
LONGEST_RUN = 280
LONGEST_START = 90
# Each document: a share for the program itself, and so much for each byte of the text.
KIBIBYTES, BYTES_PER_BYTE = 64 << 10, 24
MILLISECONDS, MILLISECONDS_PER_MEGABYTE = 400, 400


@pytest.fixture(scope="module")
def documents():
    found = fetch.documents(CACHE)
    assert len(found) > 2_800
    # Small ones first: a process keeps some of the memory that it once had.
    return sorted(found, key=lambda path: (path.stat().st_size, path))


@pytest.fixture(scope="module")
def reports(documents):
    """The report of importing each document in one process, by its path below the cache."""
    names = "".join(f"{path}\n" for path in documents)
    done = subprocess.run(
        [importer()],
        input=names,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_RUN,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE)),
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"{lines[-1]} ended it with {done.returncode}: {done.stderr[-3000:]}"
    found = {name(line["path"]): report for line, report in zip(lines[::2], lines[1::2], strict=True)}
    assert len(found) == len(documents)
    return found


def importer():
    given = os.environ.get("FAIRGATE_IMPORTER")
    if given:
        return pathlib.Path(given).resolve(strict=True)
    command = ["cargo", "build", "--locked", "--package", "fairgate-openapi", "--example", "import_each"]
    subprocess.run(command, cwd=ROOT, check=True)
    return TARGET / "debug" / "examples" / "import_each"


def name(path):
    return pathlib.Path(path).relative_to(CACHE).as_posix()


def test_refused_documents_are_known(reports):
    groups = json.loads((HERE / "refused.json").read_text())
    known = {entry["document"]: entry for group in groups for entry in group["documents"]}
    refused = {document: report["faults"] for document, report in reports.items() if "faults" in report}
    new = [f"{document}\n    " + "\n    ".join(faults[:3]) for document, faults in refused.items() if document not in known]
    assert not new, "refused, but not in refused.json:\n" + "\n".join(new)
    assert not [document for document in known if document not in refused], "in refused.json, but not refused"
    for document, entry in known.items():
        text = "\n".join(refused[document])
        assert entry["fault"] in text, f"{document} is refused for another reason:\n{text}"


def test_most_documents_have_operations(reports):
    counted = sum(report.get("operations", 0) for report in reports.values())
    assert counted > 100_000


def test_time_is_bounded(reports):
    slow = [
        f"{document}: {report['milliseconds']} ms for {size(document) / 1e6:.2f} MB"
        for document, report in reports.items()
        if report["milliseconds"] > MILLISECONDS + MILLISECONDS_PER_MEGABYTE * size(document) / 1e6
    ]
    assert not slow, "\n".join(slow)


def test_memory_is_bounded(reports):
    large = [
        f"{document}: {report['kibibytes'] / 1024:.0f} MiB for {size(document) / 1e6:.2f} MB"
        for document, report in reports.items()
        if report["kibibytes"] > KIBIBYTES + BYTES_PER_BYTE * size(document) / 1024
    ]
    assert not large, "\n".join(large)


def size(document):
    return (CACHE / document).stat().st_size


def test_the_largest_starts_and_validates(documents, tmp_path):
    [largest] = [path for path in documents if path.as_posix().endswith("microsoft.com/graph-beta.json")]
    assert largest.stat().st_size > 47_000_000
    other = free_port()
    serving = [sys.executable, "-m", "http.server", "--bind", HOST, other]
    upstream = ServerProcess("upstream", serving, other, tmp_path)
    try:
        port = free_port()
        command = [binary(), "serve", "--openapi", largest, "--upstream", upstream.url, "--listen", f"{HOST}:{port}"]
        output = tmp_path / "output"
        gateway = ServerProcess("fairgate", command, port, tmp_path, output=output, patience=LONGEST_START)
        try:
            headers = {"X-API-Key": first_key(output.read_text())}
            refused = httpx.get(f"{gateway.url}/beta/users?$top=-1", headers=headers)
            assert refused.status_code == 400, refused.text
            [detail] = refused.json()["error"]["details"]
            assert (detail["in"], detail["name"]) == ("query", "$top")
            # The upstream serves nothing, but this request reaches it.
            passed = httpx.get(f"{gateway.url}/beta/users?$top=1", headers=headers)
            assert passed.json()["error"]["code"] == "RESOURCE_NOT_FOUND"
        finally:
            gateway.stop()
    finally:
        upstream.stop()


def first_key(text):
    """The one-line start prints it before the sentence that explains it."""
    before, found, _ = text.partition("\n\nThis is the first key.")
    assert found, text
    return before.splitlines()[-1]
