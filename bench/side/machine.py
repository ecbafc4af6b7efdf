"""What was measured on: the machine, its cores and who gets which, the versions of all that took part."""

import datetime
import os
import pathlib
import platform
import re
import subprocess


def described():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) * 1024
    return {
        "cpu": cpu[1].strip() if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": memory,
        "kernel": platform.release(),
        "system": system(),
        "virtual": "hypervisor" in pathlib.Path("/proc/cpuinfo").read_text(),
        "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes"),
    }


def system():
    try:
        return re.search(r'^PRETTY_NAME="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text(), re.MULTILINE)[1]
    except (OSError, TypeError):
        return platform.system()


def load_average():
    return os.getloadavg()[0]


def commit(folder):
    """The commit that is checked out, with a star if files differ from it."""
    done = subprocess.run(["git", "describe", "--always", "--dirty=*"], cwd=folder, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def whole_cores(cores):
    """Of the cores that are two faces of one, the first: they would slow each other. All, if that leaves a single one."""
    chosen, seen = [], set()
    for core in cores:
        path = pathlib.Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
        face = path.read_text() if path.exists() else str(core)
        if face not in seen:
            chosen.append(core)
            seen.add(face)
    return chosen if len(chosen) > 1 else cores


class Cores:
    """Who runs where: the proxy alone on a core, if there are two."""

    def __init__(self):
        self.all = whole_cores(sorted(os.sched_getaffinity(0)))
        count = len(self.all)
        if count == 1:
            self.proxy = self.load = self.upstream = set(self.all)
            self.text = "one core for all, so that rates are those of everything together"
        elif count < 4:
            self.proxy, self.load = {self.all[0]}, {self.all[1]}
            self.upstream = self.load
            self.text = f"the proxy alone on core {self.all[0]}; the load and the upstream share core {self.all[1]}"
        else:
            self.proxy, self.load, self.upstream = ({core} for core in self.all[:3])
            self.text = "the proxy alone on core {}, the load on core {}, the upstream on core {}".format(*self.all)

    def spread(self):
        """For the proxy and for the load, when threads are compared: apart, as far as there is room for it."""
        if len(self.all) < 4:
            return set(self.all), set(self.all)
        return set(self.all[:2]), set(self.all[2:])
