"""The table of docs/clients.md: what happens to what a client sent."""

import re

from gateway_process import ROOT


def check(client, case, sent, arrived, reported):
    """Prints the figures of a client in a case, and fails unless the page has the same. What was sent and neither arrived nor was
    reported to the client's user as failed is lost in silence.
    """
    assert arrived <= sent and reported <= sent
    assert not arrived & reported, "reported as failed, but arrived"
    figures = tuple(map(len, (sent, arrived, reported, sent - arrived - reported)))
    print("{}, {}: sent {}, arrived {}, reported {}, lost {}".format(client, case, *figures))
    text = (ROOT / "docs" / "clients.md").read_text().replace("`", "").replace("**", "")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", text, re.MULTILINE)
    found = [tuple(map(int, row[2:])) for row in rows if row[:2] == (client, case)]
    assert found == [figures], f"docs/clients.md has {found} for {client}, {case}"
