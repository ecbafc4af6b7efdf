"""The figures as Markdown: one table for the README, all of them for docs/benchmark.md."""

from .figures import LABELS, by_row, of_fairgate
from .measures import TIMES
from .proxies import PROXIES

ABSENT = "–"
# A core that is busy for less of the time could have done more.
FULLY_BUSY = 0.9
# What a proxy leaves out of the work, in a word behind its name.
LEAVES_OUT = {"caddy": "no limits"}


def readme(results):
    rows = by_row(results)
    work = rows.get("work", {})
    lines = head("", "CPU, µs", "user", "system", "requests/s", "memory, MiB", f"p99 at {rate(results)}")
    for name, one in in_order(work):
        late = rows.get("latency", {}).get(name)
        words = label(name, work=True, version=results["versions"].get(name))
        lines.append(line(words, *times(one), requests(one), memory(one), percentile(late, "p99")))
    how = results["method"]
    told = f"One worker on a core of its own; medians of {how['rounds']} rounds of {how['seconds']:g} s, in which all took turns."
    return [*lines, "", f"{told} {where(results)}"]


def everything(results):
    rows = by_row(results)
    parts = [where(results), "", versions(results), "", method(results)]
    parts += section("The same work, as fast as it goes", saturated(rows))
    parts += section("Proxying alone, without keys and limits", alone(rows))
    parts += section(f"Latency at {rate(results)}", latencies(rows))
    parts += section("Denials", denials(rows))
    parts += section("A body of a megabyte", bodies(rows))
    parts += section("HTTP/2 and TLS", protocols(rows))
    parts += section("Two threads", threads(rows))
    parts += section("Memory of an idle connection", idle(results))
    parts += section("The same by wrk", generators(rows))
    errors = [f"- {one['row']}, {one['proxy']}: {one['error']}" for one in results["measurements"] if "error" in one]
    parts += section("What failed", errors)
    return parts


def section(title, lines):
    return ["", f"### {title}", "", *lines] if lines else []


def head(*names):
    return [line(*names), "|---|" + "---:|" * (len(names) - 1)]


def line(*cells):
    return "| " + " | ".join(cells) + " |"


def label(name, work=False, version=None):
    words = f"{LABELS[name]} {version}" if version else LABELS[name]
    return words + (f" ({LEAVES_OUT[name]})" if work and name in LEAVES_OUT else "")


def in_order(row):
    """The cheapest first; failures last."""
    return sorted(row.items(), key=lambda pair: (pair[1].error is not None, 0 if pair[1].error else pair[1].total))


def times(one):
    """CPU with its spread, user, system."""
    if not one or one.error:
        return ["failed" if one else ABSENT, ABSENT, ABSENT]
    return [cpu(one), f"{one.user:.1f}", f"{one.system:.1f}"]


def cpu(one):
    if not one or one.error:
        return "failed" if one else ABSENT
    return f"{one.total:.1f} ({one.least:.1f}–{one.most:.1f})"


def value(one, name):
    return None if not one or one.error else one[name]


def requests(one):
    """Requests a second: at least so many, if the proxy had time left."""
    number = value(one, "rps")
    if number is None:
        return ABSENT
    return f"{'≥ ' if one['busy'] < FULLY_BUSY else ''}{number:,.0f}"


def memory(one):
    number = value(one, "memory")
    return ABSENT if number is None else f"{number / 2**20:.1f}"


def busy(one):
    number = value(one, "busy")
    return ABSENT if number is None else f"{100 * number:.0f} %"


def percentile(one, name):
    number = value(one, name)
    if number is None:
        return ABSENT
    if not one.kept:
        return "too slow for it"
    return f"{number / 1000:.2f} ms" if number >= 1000 else f"{number:.0f} µs"


def rate(results):
    number = results["method"].get("rate")
    return f"{number:,.0f} requests/s" if number else "a fixed rate"


def saturated(rows):
    lines = head("", "CPU, µs", "user", "system", "of Fairgate", "requests/s", "core busy", "p50", "p99", "p99.9", "memory, MiB")
    work = rows.get("work", {})
    for name, one in in_order(work):
        ratio = of_fairgate(work, name)
        tail = [percentile(one, which) for which in ("p50", "p99", "p999")]
        share = f"{ratio:.2f}" if ratio else ABSENT
        lines.append(line(label(name, True), *times(one), share, requests(one), busy(one), *tail, memory(one)))
    for one in rows.get("validation", {}).values():
        tail = [percentile(one, which) for which in ("p50", "p99", "p999")]
        ours = work.get("fairgate")
        share = f"{one.total / ours.total:.2f}" if ours and not ours.error and not one.error else ABSENT
        lines.append(line("Fairgate, 3 parameters checked", *times(one), share, requests(one), busy(one), *tail, memory(one)))
    return lines if len(lines) > 2 else []


def latencies(rows):
    lines = head("", "p50", "p99", "p99.9", "CPU, µs")
    for name, one in rows.get("latency", {}).items():
        lines.append(line(label(name, True), *(percentile(one, which) for which in ("p50", "p99", "p999")), cpu(one)))
    return lines if len(lines) > 2 else []


def side(rows, columns, cell=cpu, more=lambda one: []):
    """A table with a proxy on each line and rows as columns."""
    there = [(name, title) for name, title in columns if rows.get(name)]
    proxies = [name for name in PROXIES if any(name in rows[row] for row, _ in there)]
    lines = []
    for name in proxies:
        cells = []
        for row, _ in there:
            one = rows[row].get(name)
            cells += [cell(one), *more(one)]
        lines.append(line(label(name), *cells))
    return there, lines


def with_rates(rows, columns, unit="request", units="requests"):
    there, lines = side(rows, columns, more=lambda one: [requests(one)])
    titles = [title for _, name in there for title in (f"{name}: CPU, µs per {unit}", f"{units}/s")]
    return [*head("", *titles), *lines] if lines else []


def alone(rows):
    return with_rates(rows, [("bare", "proxying alone"), ("work", "the whole work")]) if "bare" in rows else []


def denials(rows):
    return with_rates(rows, [("denied-403", "403, unknown key"), ("denied-429", "429, limit used up")])


def bodies(rows):
    return with_rates(rows, [("download", "download"), ("upload", "upload")], "MB", "MB")


def protocols(rows):
    return with_rates(rows, [("http2", "HTTP/2"), ("tls", "HTTP/1.1 over TLS"), ("tls-http2", "HTTP/2 over TLS")])


def threads(rows):
    return with_rates(rows, [("threads-1", "one thread"), ("threads-2", "two threads")])


def generators(rows):
    columns = [("work", "our generator"), ("wrk", "wrk")]
    if "wrk" not in rows:
        return []
    rows = {name: {proxy: one for proxy, one in rows.get(name, {}).items() if proxy in rows["wrk"]} for name, _ in columns}
    return with_rates(rows, columns)


def idle(results):
    found = results.get("idle") or {}
    lines = [line(LABELS.get(name, name), f"{number / 1024:.1f} KiB") for name, number in found.items()]
    return [*head("", "each"), *lines] if lines else []


def where(results):
    machine, ours = results["machine"], results["versions"].get("fairgate", "?")
    kind = "a virtual machine, " if machine.get("virtual") else ""
    return (
        f"Measured on {kind}{machine['cpu']}, {machine['cores']} cores, {machine['memory'] / 2**30:.0f} GiB, "
        f"{machine['system']}, Linux {machine['kernel']}, {machine['when'][:10]}; Fairgate {ours} at commit {machine.get('commit', '?')}."
    )


def versions(results):
    told = [f"{LABELS.get(name, name)} {number}" for name, number in results["versions"].items() if name != "fairgate"]
    return f"Versions: {', '.join(told)}."


def method(results):
    how = results["method"]
    return (
        f"{how['rounds']} rounds of {how['seconds']:g} s for the work and denials, {how['rounds'] * TIMES['latency']} for latency, "
        f"{how['rest'][0]} of {how['rest'][1]:g} s for the others; "
        f"{how['connections']} connections; {results['machine']['placement']}. Load of the machine before it began: "
        f"{results['machine']['load_before']:.2f}. In all it took {how['took'] / 60:.0f} minutes."
    )
