"""Where results go: files of a folder, or the repository's documents, between their markers."""

import json
import sys

from . import picture, table

BEGIN = "<!-- Made by bench/compare: begin -->"
END = "<!-- Made by bench/compare: end -->"


def into_folder(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "results.json", raw(results))
    write(folder / "benchmark.svg", picture.draw(results))
    write(folder / "readme.md", text(table.readme(results)))
    write(folder / "benchmark.md", text(table.everything(results)))


def into_repository(results, root):
    write(root / "bench" / "results.json", raw(results))
    write(root / "docs" / "benchmark.svg", picture.draw(results))
    image = "![CPU time per request of Fairgate, nginx, HAProxy, Envoy and Caddy; the table below has the figures](benchmark.svg)"
    between(root / "README.md", table.readme(results))
    between(root / "docs" / "benchmark.md", [image, "", *table.everything(results)])


def raw(results):
    """Each measurement on a line of its own, so that a change of one can be read."""
    rest = {name: value for name, value in results.items() if name != "measurements"}
    lines = ",\n  ".join(json.dumps(one, ensure_ascii=False) for one in results["measurements"])
    opened = json.dumps(rest, indent=1, ensure_ascii=False).removesuffix("\n}")
    return f'{opened},\n "measurements": [\n  {lines}\n ]\n}}\n'


def text(lines):
    return "\n".join(lines) + "\n"


def between(path, lines):
    """Replaces what stands between the markers of a document."""
    whole = path.read_text()
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"bench/compare: {path} has lost its markers, {BEGIN} and {END}")
    write(path, f"{before}{BEGIN}\n\n{text(lines)}\n{END}{after}")


def write(path, content):
    path.write_text(content)
    print(path)
