"""Clients generated from enriched documents: they compile, and have the names of the API and of the gateway."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import NODE

HERE = Path(__file__).parent
CLASHES = HERE / "documents" / "clashes.yaml"
SMALL = [CLASHES, HERE / "documents" / "identities.yaml", HERE.parents[2] / "examples" / "openapi.yaml"]
# The API's own members in `clashes.yaml`: one of each schema whose name could be one of the gateway's.
OWN_MEMBERS = ["kilometres", "proof", "blueprint", "depth", "hinges"]
OUR_MEMBERS = ["request_id", "instance", "remaining", "pointer"]


def run(*command: object, cwd: Path) -> str:
    environment = {**os.environ, "CI": "true", "DO_NOT_TRACK": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=120, cwd=cwd, env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def compiles(folder: Path) -> None:
    """Runs TypeScript's compiler on all files in a folder."""
    options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext"]
    options += ["--moduleResolution", "bundler", "--lib", "es2022,dom,dom.iterable"]
    run("node", NODE / "typescript" / "bin" / "tsc", *options, *folder.rglob("*.ts"), cwd=folder)


def members_of(text: str) -> None:
    for member in OWN_MEMBERS + OUR_MEMBERS:
        assert f"{member}:" in text or f"{member}?:" in text, member


@pytest.mark.parametrize("original", SMALL, ids=lambda path: path.stem)
def test_orval_makes_a_client_that_compiles(enrich, tmp_path, original):
    config = {"api": {"input": {"target": str(enrich(original).as_json)},
                      "output": {"target": "client.ts", "client": "fetch", "mode": "single"}}}
    (tmp_path / "orval.config.cjs").write_text(f"module.exports = {json.dumps(config)};")
    run("node", NODE / "orval" / "dist" / "bin" / "orval.js", "--config", "orval.config.cjs", cwd=tmp_path)
    compiles(tmp_path)
    text = (tmp_path / "client.ts").read_text()
    if original == CLASHES:
        members_of(text)
        for function in ["getLimits", "fairgateLimits", "fairgateLimits2"]:
            assert f"export const {function} =" in text, function


@pytest.mark.parametrize("original", SMALL, ids=lambda path: path.stem)
def test_hey_api_makes_a_client_that_compiles_and_sends_the_key_once(enrich, tmp_path, original):
    run("node", NODE / "@hey-api" / "openapi-ts" / "bin" / "run.js", "--input", enrich(original).as_json, "--output",
        tmp_path / "client", "--client", "@hey-api/client-fetch", cwd=tmp_path)
    compiles(tmp_path / "client")
    functions = (tmp_path / "client" / "sdk.gen.ts").read_text()
    if original == CLASHES:
        members_of((tmp_path / "client" / "types.gen.ts").read_text())
        for function in ["getLimits", "fairgateLimits", "fairgateLimits2"]:
            assert f"export const {function} =" in functions, function
        assert "X-API-Key" in functions
        # Another scheme would make it send the key twice.
        assert "'bearer'" not in functions and "'basic'" not in functions


@pytest.mark.parametrize("original", SMALL, ids=lambda path: path.stem)
def test_openapi_python_client_makes_a_package_with_all_of_both(enrich, tmp_path, original, monkeypatch):
    (tmp_path / "config.yaml").write_text("post_hooks: []\npackage_name_override: made\n")
    output = run(sys.executable, "-m", "openapi_python_client", "generate", "--path", enrich(original).as_json,
               "--output-path", tmp_path / "out", "--config", tmp_path / "config.yaml", cwd=tmp_path)
    assert "Unable to" not in output and "duplicate" not in output.lower(), output
    if original != CLASHES:
        return
    monkeypatch.syspath_prepend(tmp_path / "out")
    models = importlib.import_module("made.models")
    members = {name for model in models.__all__ for name in getattr(getattr(models, model), "__annotations__", {})}
    assert not set(OWN_MEMBERS + OUR_MEMBERS) - members
    modules = {path.stem for path in (tmp_path / "out" / "made" / "api").rglob("*.py")}
    assert {"get_limits", "fairgate_limits", "get_problems", "fairgate_limits_2"} <= modules, modules
    for path in (tmp_path / "out" / "made" / "api").rglob("[a-z]*.py"):
        importlib.import_module(f"made.api.{path.parent.name}.{path.stem}")
