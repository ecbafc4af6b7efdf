"""Reads docs/contract.md: the table that maps each status of the upstream."""

import dataclasses
import re

from gateway_process import ROOT

TITLE = "## What the upstream's answer becomes"


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the table. `becomes` is None where the response passes unchanged."""

    upstream: str
    statuses: tuple
    becomes: int | None
    code: str | None

    def __str__(self):
        return self.upstream.replace(" ", "_")


def rows():
    """The table's rows, which together name each status from 200 to 599 once."""
    text = (ROOT / "docs" / "contract.md").read_text()
    section = text.split(TITLE, 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]  # below the table's head
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    named = {status for upstream, _, _ in cells for status in explicit(upstream)}
    return [
        Row(
            upstream,
            tuple(sorted(explicit(upstream) | rest(upstream, named))),
            None if becomes == "the same" else int(becomes),
            None if becomes == "the same" else re.search(r"`(\w+)`", code)[1],
        )
        for upstream, becomes, code in cells
    ]


def explicit(upstream):
    """The statuses that a row names: `300, 302 to 308`."""
    ranges = re.findall(r"\b(\d{3}) to (\d{3})\b", upstream)
    listed = {int(status) for status in re.findall(r"(?<!below )(?<!above )\b\d{3}\b", upstream)}
    return listed.union(*(range(int(first), int(last) + 1) for first, last in ranges))


def rest(upstream, named):
    """The statuses of the classes of a row, `other 4xx`, that no row names, and one above 599 if the row includes it."""
    classes = [int(digit) for digit in re.findall(r"\b(\d)xx\b", upstream) if f"not {digit}xx" not in upstream]
    of_classes = {status for digit in classes for status in range(digit * 100, digit * 100 + 100)}
    return (of_classes - named) | ({600, 799, 999} if "above 599" in upstream else set())
