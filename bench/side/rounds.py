"""The order of it all: groups of rows, rounds within them, and in each round every proxy in turn, started anew.

Proxies take turns so that a machine whose speed drifts drifts for all, and who begins changes from round to round.
"""

import json
import statistics
import sys
import time

from . import install, load, machine
from .checks import check
from .measures import FULL, GROUPS, REST_OF_ROUNDS, REST_OF_SECONDS, ROWS, THE_THREE, TIMES, Place
from .processes import Failed, Process, free_port, run
from .proxies import PROXIES
from .scene import Scene, make_certificate


class Comparison:
    def __init__(self, tools, folder, programs, absent, rounds, seconds):
        self.tools, self.folder, self.programs, self.absent = tools, folder, programs, absent
        self.rounds, self.seconds = rounds, seconds
        self.cores = machine.Cores()
        self.certificate = make_certificate(folder)
        self.measurements = []
        self.idle = None
        self.rate = 0
        self.began = time.monotonic()
        self.busy_before = machine.load_average()

    def run(self, names, idle):
        plan = {group: self.cases(group, names) for group in GROUPS}
        self.expected = sum(len(cases) * self.rounds_of(cases) for cases in plan.values() if cases)
        self.done = 0
        for name, reason in self.absent.items():
            self.note({"row": "work", "proxy": name, "error": reason})
        for cases in filter(None, plan.values()):
            for turn in range(self.rounds_of(cases)):
                for place in range(len(cases)):
                    self.one(*cases[(place + turn) % len(cases)], turn)
        if idle:
            self.measure_idle()

    def cases(self, group, names):
        """Each row of a group with each proxy that takes part in it."""
        rows = [(name, row) for name, row in ROWS.items() if name in names and row.group == group]
        found = []
        for proxy in self.programs:
            for name, row in rows:
                if name in PROXIES[proxy].DOES and (not row.only or proxy in row.only):
                    found.append((name, proxy))
        return found

    def rounds_of(self, cases):
        group = ROWS[cases[0][0]].group
        return self.rounds * TIMES.get(group, 1) if group in FULL else rest(self.rounds, self.seconds)[0]

    def seconds_of(self, row):
        return self.seconds if row.group in FULL else rest(self.rounds, self.seconds)[1]

    def one(self, name, proxy, turn):
        """One measurement. After a failure a case is not tried again: its row is void anyway."""
        self.done += 1
        if any("error" in one for one in self.measurements if (one["row"], one["proxy"]) == (name, proxy)):
            return
        found = {"row": name, "proxy": proxy, "round": turn}
        try:
            if name == "latency" and not self.rate:
                self.rate = self.choose_rate()
            found.update(self.figures(name, proxy, self.seconds_of(ROWS[name])))
        except Failed as failure:
            found["error"] = str(failure)
        except Exception as failure:  # a fault of one measurement must not lose the others
            found["error"] = f"{type(failure).__name__}: {failure}"
        self.note(found)

    def figures(self, name, proxy, seconds):
        """Starts an upstream and the proxy, sees that it does the work, and measures."""
        row = ROWS[name]
        folder = self.folder / (f"{proxy}-validation" if row.validation else proxy)
        folder.mkdir(exist_ok=True)
        proxy_cores, load_cores = self.cores.spread() if row.spread else (self.cores.proxy, self.cores.load)
        upstream_cores = load_cores if row.spread else self.cores.upstream
        port = free_port()
        upstream = process = None
        try:
            upstream = Process("upstream", [self.tools / "upstream", port], self.folder, upstream_cores)
            upstream.wait_for(port)
            scene = Scene(folder, port, *self.certificate, threads=row.threads, validation=row.validation, bare=row.bare)
            words, environment = PROXIES[proxy].command(scene, self.programs[proxy])
            process = Process(proxy, words, folder, proxy_cores, environment)
            process.wait_for(scene.plain)
            check(scene, PROXIES[proxy])
            figures = row.measure(Place(folder, self.tools, load_cores, seconds, self.rate), process, scene)
            return {**figures, "busy": figures["busy"] / row.threads}
        except Failed as failure:
            if process and process.process.poll() is not None and "ended with" not in str(failure):
                raise Failed(f"{failure}; it ended with {process.process.returncode}: {process.said()}") from None
            raise
        finally:
            for started in (process, upstream):
                if started:
                    started.stop()

    def choose_rate(self):
        """For the row `latency`: half of what the slowest of the three carried, as a round number."""
        carried = []
        for proxy in THE_THREE:
            rates = [one["rps"] for one in self.measurements if (one["row"], one["proxy"]) == ("work", proxy) and "rps" in one]
            try:
                if not rates and proxy in self.programs:
                    rates = [self.figures("work", proxy, 1)["rps"]]
            except Failed:
                continue  # its own rows will say why
            carried += [statistics.median(rates)] if rates else []
        if not carried:
            raise Failed("no rate could be chosen, since nothing could be measured before")
        return max(100, int(min(carried) / 2 / 100) * 100)

    def measure_idle(self):
        """What a waiting connection costs, by the program that the house has for it. With --json it is to print the bytes
        of one connection of each proxy, {"fairgate": 2000, "nginx": 500}."""
        print("idle connections …", file=sys.stderr, flush=True)
        script = install.ROOT / "bench" / "idle.py"
        command = [sys.executable, script, self.programs["fairgate"]]
        try:
            self.idle = json.loads(run([*command, "--json"], self.folder, seconds=300))
        except (Failed, ValueError, TypeError, KeyError) as failure:
            self.note({"row": "idle", "proxy": "fairgate", "error": str(failure)})

    def note(self, found):
        self.measurements.append(found)
        if "error" in found:
            said = f"FAILED: {found['error']}"
        else:
            said = f"{found['user'] + found['system']:.1f} µs of CPU, {found['rps']:.0f}/s, core {100 * found['busy']:.0f} % busy"
        passed = time.monotonic() - self.began
        left = passed / self.done * (self.expected - self.done) if self.done else 0
        head = f"[{self.done}/{self.expected}, {minutes(passed)}, {minutes(left)} left] "
        head += f"round {found['round'] + 1}: " if "round" in found else ""
        print(f"{head}{found['row']}, {found['proxy']}: {said}", file=sys.stderr, flush=True)

    def results(self):
        versions = {name: PROXIES[name].version(program) for name, program in self.programs.items()}
        return {
            "machine": {**machine.described(), "placement": self.cores.text, "load_before": self.busy_before},
            "versions": {**versions, **load.versions()},
            "method": {
                "rounds": self.rounds,
                "seconds": self.seconds,
                "rest": rest(self.rounds, self.seconds),
                "connections": load.CONNECTIONS,
                "rate": self.rate,
                "took": round(time.monotonic() - self.began),
            },
            "idle": self.idle,
            "measurements": self.measurements,
        }


def rest(rounds, seconds):
    """Rounds and seconds of what is not to be known as well."""
    return max(1, round(rounds * REST_OF_ROUNDS)), max(0.5, seconds * REST_OF_SECONDS)


def minutes(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
