"""The comparison with other proxies, as short as possible: it measures something, and reports it in a readable form."""

import json
import os
import pathlib
import xml.etree.ElementTree as xml

from installed import program, run

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROXIES = {"fairgate", "nginx", "haproxy"}


def compare(out, *options):
    """Runs it without installing anything. Its own folder keeps it apart from a real run."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(out / "target")}
    return run(ROOT / "bench" / "compare", *options, "--out", out, folder=out, environment=environment)


def numbers(line):
    return [cell for cell in line.split("|")[2:-1] if any(letter.isdigit() for letter in cell)]


def test_it_measures_and_reports_what_it_measured(tmp_path):
    for name in ("nginx", "haproxy"):
        program(name, name)
    done = compare(tmp_path, "--smoke", "--no-install", "--peers", "nginx", "haproxy", "--only", "work", "latency", "denied-429")
    assert done.returncode == 0, done.stdout

    results = json.loads((tmp_path / "results.json").read_text())
    seen = {(one["row"], one["proxy"]) for one in results["measurements"]}
    rows = {"work", "latency", "denied-429"}
    assert seen == {(row, proxy) for row in rows for proxy in PROXIES}, done.stdout
    for one in results["measurements"]:
        assert one["requests"] > 100 and one["bad"] == 0, one
        assert one["user"] + one["system"] > 1 and one["memory"] > 1e6, one
        wanted = {"429"} if one["row"] == "denied-429" else {"200"}
        assert set(one["statuses"]) == wanted, one
        assert 0 < one["p50"] <= one["p99"] <= one["p999"] <= one["max"], one

    table = [line for line in (tmp_path / "readme.md").read_text().splitlines() if line.startswith("| ")]
    assert len({line.count("|") for line in table}) == 1 and len(table) == 1 + len(PROXIES), table
    assert all(len(numbers(line)) >= 5 for line in table[1:]), table

    picture = xml.fromstring((tmp_path / "benchmark.svg").read_text())
    words = " ".join(picture.itertext())
    assert all(name in words for name in ("Fairgate", "nginx", "HAProxy", "microseconds")), words
    bars = [one for one in picture.iter("{http://www.w3.org/2000/svg}rect") if one.get("class") in ("user", "system")]
    assert len(bars) == 2 + 2 * (2 * len(PROXIES)), len(bars)


def test_results_are_reported_again_with_the_failures(tmp_path):
    figures = {"row": "work", "proxy": "fairgate", "round": 0, "user": 4.0, "system": 9.0, "rps": 50000.0, "busy": 0.99}
    results = {
        "machine": {"cpu": "<&>", "cores": 2, "memory": 2**33, "kernel": "6.1", "system": "Debian", "when": "2026-01-01T00:00+00:00"},
        "versions": {"fairgate": "0.1.0", "nginx": "1.22.1"},
        "method": {"rounds": 1, "seconds": 1, "rest": [1, 0.5], "connections": 64, "rate": 1000, "took": 60},
        "idle": None,
        "measurements": [figures, {"row": "work", "proxy": "nginx", "round": 0, "error": "it did not start"}],
    }
    results["machine"].update(placement="one core", load_before=0.0)
    (tmp_path / "given.json").write_text(json.dumps(results))
    done = compare(tmp_path, "--from", tmp_path / "given.json")
    assert done.returncode == 1 and "it did not start" in done.stdout, done.stdout
    everything = (tmp_path / "benchmark.md").read_text()
    assert "13.0 (13.0–13.0)" in everything and "| nginx | failed |" in everything, everything
    assert "- work, nginx: it did not start" in everything, everything
    xml.fromstring((tmp_path / "benchmark.svg").read_text())
