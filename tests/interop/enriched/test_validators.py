"""Enriched documents pass the validators that client tools are built on, and two YAML parsers."""

import json
from pathlib import Path

import pytest
import yaml
from openapi_spec_validator import validate
from ruamel.yaml import YAML

HERE = Path(__file__).parent
OWN = sorted(
    [*(HERE / "documents").glob("*.yaml"), HERE / "documents" / "several" / "library.yaml"]
)
REAL = (HERE / "real_documents.txt").read_text().splitlines()


def read(path: Path) -> dict:
    """A document. JSON is YAML, but PyYAML accepts no tabs, and takes minutes for large files."""
    return json.loads(path.read_bytes()) if path.suffix == ".json" else yaml.safe_load(path.read_bytes())


def assert_read_alike(enriched) -> None:
    document = enriched.document
    # PyYAML reads YAML 1.1, ruamel YAML 1.2: what is a string to one must not be a date or a boolean to the other.
    assert yaml.load(enriched.as_yaml.read_bytes(), Loader=yaml.CSafeLoader) == document
    assert YAML(typ="safe").load(enriched.as_yaml.read_bytes()) == document


def assert_complete(document: dict) -> None:
    """Every operation documents the errors that can happen everywhere."""
    methods = {"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"}
    operations = [
        operation for item in document["paths"].values() for name, operation in item.items() if name in methods
    ]
    assert operations
    for operation in operations:
        assert {"301", "400", "429", "500", "503"} <= operation["responses"].keys()
        assert not {"405", "410", "415", "502", "4XX", "5XX"} & operation["responses"].keys()


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_own_documents_pass_all_that_is_recommended(enrich, lint, path):
    enriched = enrich(path)
    validate(enriched.document)
    assert_read_alike(enriched)
    assert_complete(enriched.document)
    for rules in ["minimal", "recommended", "spec"]:
        for form in [enriched.as_json, enriched.as_yaml]:
            _, places = lint(form, rules)
            assert places == [], rules


@pytest.mark.parametrize("name", REAL)
def test_real_documents_stay_as_valid_as_they_were(enrich, lint, real_documents, name):
    original = real_documents / name
    validate(read(original))
    enriched = enrich(original)
    validate(enriched.document)
    assert_read_alike(enriched)
    assert_complete(enriched.document)
    for rules in ["minimal", "recommended"]:
        before, _ = lint(original, rules)
        after, places = lint(enriched.as_json, rules)
        added = after - before
        assert not added, [place for place in places if place.split(" ")[0] in added]
        assert not [place for place in places if "Fairgate" in place or "_limits" in place]


def test_the_documents_are_of_every_version():
    versions = {read(path).get("openapi", read(path).get("swagger"))[:3] for path in OWN}
    assert versions == {"2.0", "3.0", "3.1", "3.2"}


def test_what_is_enriched_can_be_enriched_again(enrich):
    for path in OWN:
        once = enrich(path)
        twice = enrich(once.as_yaml)
        validate(twice.document)
        assert twice.document["components" if "openapi" in twice.document else "definitions"].keys() == (
            once.document["components" if "openapi" in once.document else "definitions"].keys()
        )
