"""The schema of the configuration, in the editors' own tool: taplo, behind the usual extensions for TOML."""

import re
import subprocess
from pathlib import Path

import pytest

from conftest import NODE, place

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def schema(tmp_path_factory) -> Path:
    program = place("FAIRGATE_BIN", "the built program")
    path = tmp_path_factory.mktemp("schema") / "schema.json"
    path.write_bytes(subprocess.run([program, "config", "schema"], capture_output=True, check=True).stdout)
    return path


def taplo(schema: Path, *files: Path) -> subprocess.CompletedProcess:
    cli = place("FAIRGATE_TAPLO", "taplo's cli.js", NODE / ".bin" / "taplo")
    words = ["node", cli, "lint", "--schema", schema.as_uri(), *files]
    return subprocess.run(words, capture_output=True, text=True, timeout=300, cwd=schema.parent, check=False)


def test_the_examples_and_the_file_of_the_readme_fit_the_schema(schema, tmp_path):
    examples = sorted((ROOT / "examples").glob("*.toml"))
    assert len(examples) >= 4
    [readme] = re.findall(r"```toml\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "readme.toml").write_text(readme)
    done = taplo(schema, *examples, tmp_path / "readme.toml")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "line, fault", [('adress = "127.0.0.1:80"', "'adress' was unexpected"), ("threads = true", "true is not")]
)
def test_a_slip_is_found_while_it_is_written(schema, tmp_path, line, fault):
    path = tmp_path / "slip.toml"
    text = (ROOT / "examples" / "minimal.toml").read_text()
    assert "[listen]\n" in text
    path.write_text(text.replace("[listen]\n", f"[listen]\n{line}\n"))
    done = taplo(schema, path)
    assert done.returncode != 0
    assert fault in done.stderr
