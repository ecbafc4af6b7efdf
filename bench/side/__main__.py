"""The command line: options, what is installed, where results go."""

import argparse
import json
import os
import pathlib
import resource
import signal
import sys
import tempfile

from . import install, machine, publish
from .measures import GROUPS, IDLE, ROWS
from .processes import Failed, stop_all
from .proxies import PROXIES
from .rounds import Comparison

EPILOG = """
With no option it takes about a quarter of an hour and writes README.md (between its markers), docs/benchmark.md (the
same), docs/benchmark.svg and bench/results.json. A shorter run, or one of a part, writes below target/compare/results,
so that nothing half gets into the repository; --write writes them there all the same.
Let nothing else run on the machine meanwhile.
"""


def options():
    names = dict.fromkeys([*GROUPS, *ROWS, IDLE])
    parser = argparse.ArgumentParser(
        prog="bench/compare",
        description="CPU time, rates, latency and memory of Fairgate and other proxies on the same work.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="two rounds of a second each: to see that it works, not for figures")
    parser.add_argument("--smoke", action="store_true", help="seconds: one short round of a few rows, for tests")
    parser.add_argument("--rounds", type=int, help="rounds of the work and denials; latency has three times as many, the others three fifths (5)")
    parser.add_argument("--seconds", type=float, help="seconds of each of their measurements; the others have half (5)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"rows or groups of rows: {', '.join(names)}")
    parser.add_argument("--peers", nargs="+", metavar="PEER", help=f"proxies beside Fairgate: {', '.join(list(PROXIES)[1:])}")
    parser.add_argument("--fairgate-binary", type=pathlib.Path, help="in place of a build; or FAIRGATE_BIN")
    parser.add_argument("--no-install", action="store_true", help="install nothing; what is missing is left out and told")
    parser.add_argument("--out", type=pathlib.Path, help="a folder for the results")
    parser.add_argument("--write", action="store_true", help="write the README and docs also after a run of a part")
    parser.add_argument("--from", dest="results", type=pathlib.Path, help="measure nothing; draw results.json anew")
    given = parser.parse_args()
    unknown = set(given.only or ()) - set(names)
    unknown |= set(given.peers or ()) - set(PROXIES)
    if unknown:
        parser.error(f"nobody knows {', '.join(sorted(unknown))}")
    if given.smoke:
        given.only = given.only or ["main", "latency", "denied-429"]
        given.peers = given.peers or ["nginx"]
    given.rounds = given.rounds or (1 if given.smoke else 2 if given.quick else 5)
    given.seconds = given.seconds or (0.5 if given.smoke else 1 if given.quick else 5)
    return given


def chosen_rows(only):
    return [name for name, row in ROWS.items() if not only or name in only or row.group in only]


def prepare(given, target):
    """Installs and builds. Gives the programs of the proxies that are there, and what is wrong with the others."""
    tools = target / "compare"
    tools.mkdir(parents=True, exist_ok=True)
    peers = given.peers or list(PROXIES)
    proxies = {name: proxy for name, proxy in PROXIES.items() if name == "fairgate" or name in peers}
    wanted = install.packages(proxies)
    if wanted and not given.no_install:
        install.install_packages(wanted)
    install.compile_c(tools)
    absent = {}
    if "envoy" in proxies and not given.no_install:
        try:
            install.install_envoy(tools)
        except Failed as failure:
            absent["envoy"] = str(failure)
    binary = given.fairgate_binary or os.environ.get("FAIRGATE_BIN") or install.build_fairgate(target)
    if not os.access(binary, os.X_OK):
        raise Failed(f"{binary} is no program")
    programs = {"fairgate": str(pathlib.Path(binary).resolve())}
    for name, proxy in proxies.items():
        programs.setdefault(name, proxy.find(tools))
        if not programs[name]:
            absent.setdefault(name, "it is not installed")
    return tools, {name: program for name, program in programs.items() if program}, absent


def measured(given):
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", install.ROOT / "target")).resolve()
    tools, programs, absent = prepare(given, target)
    # On the disk that the target folder is on: Fairgate saves what it counts.
    with tempfile.TemporaryDirectory(prefix="work-", dir=tools, ignore_cleanup_errors=True) as folder:
        comparison = Comparison(tools, pathlib.Path(folder), programs, absent, given.rounds, given.seconds)
        try:
            comparison.run(chosen_rows(given.only), idle=not given.only or IDLE in given.only)
        finally:
            stop_all()
    results = comparison.results()
    results["machine"]["commit"] = machine.commit(install.ROOT)
    return results, tools / "results"


def main():
    given = options()
    # Whoever ends this ends all that it started.
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, lambda *_: sys.exit("bench/compare: ended by a signal"))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    try:
        if given.results:
            results, out = json.loads(given.results.read_text()), None
        else:
            results, out = measured(given)
    except Failed as failure:
        sys.exit(f"bench/compare: {failure}")
    except KeyboardInterrupt:
        sys.exit("bench/compare: interrupted, nothing was written")
    finally:
        stop_all()
    whole = not (given.quick or given.smoke or given.only or given.peers)
    if given.out:
        publish.into_folder(results, given.out)
    elif whole or given.write or given.results:
        publish.into_repository(results, install.ROOT)
    else:
        publish.into_folder(results, out)
    failed = [one for one in results["measurements"] if "error" in one]
    for one in failed:
        print(f"FAILED: {one['row']}, {one['proxy']}: {one['error']}", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
