"""Results as they are told: of each row and proxy the median of the rounds and how far they lie apart."""

import statistics

from .proxies import PROXIES

# The name under which Fairgate with checked parameters stands beside the others of the main row.
LABELS = {name: proxy.LABEL for name, proxy in PROXIES.items()}
DETAILS = ("user", "system", "rps", "busy", "memory", "p50", "p99", "p999", "max")


class Figures:
    """One row of one proxy."""

    def __init__(self, rounds):
        self.error = next((one["error"] for one in rounds if "error" in one), None)
        good = [one for one in rounds if "error" not in one]
        if self.error or not good:
            self.error = self.error or "not measured"
            return
        totals = [one["user"] + one["system"] for one in good]
        self.total, self.least, self.most = statistics.median(totals), min(totals), max(totals)
        self.rounds = len(good)
        self.kept = all(one.get("kept", True) for one in good)
        self.medians = {}
        for name in DETAILS:
            values = [one[name] for one in good if name in one]
            if values:
                self.medians[name] = statistics.median(values)
        # Shares of the median total: the medians of two parts need not add up to that of the whole.
        parts = self.medians["user"] + self.medians["system"]
        self.user = self.total * self.medians["user"] / parts
        self.system = self.total - self.user

    def __getitem__(self, name):
        return self.medians.get(name)


def by_row(results):
    """{row: {proxy: Figures}}, proxies in the order in which they are told."""
    found = {}
    for one in results["measurements"]:
        found.setdefault(one["row"], {}).setdefault(one["proxy"], []).append(one)
    order = list(PROXIES)
    return {
        row: {name: Figures(proxies[name]) for name in sorted(proxies, key=order.index)} for row, proxies in found.items()
    }


def of_fairgate(row, name):
    """How much more or less than Fairgate's a proxy's time is, or None."""
    ours, theirs = row.get("fairgate"), row.get(name)
    if name == "fairgate" or not ours or not theirs or ours.error or theirs.error:
        return None
    return theirs.total / ours.total
