"""Processes: started on cores of their own, measured with all their children, and ended whatever happens."""

import ctypes
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

HOST = "127.0.0.1"
TICKS = os.sysconf("SC_CLK_TCK")
# Below the ports that the system gives to outgoing connections, so that none of them takes one.
PORTS = range(20_000, 32_000)
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)

running = []


class Failed(Exception):
    """A program did not do what it was started for. The text is for the reader of the results."""


def free_port():
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise Failed(f"no free port in {PORTS}")


class Process:
    """A running program in a process group of its own, so that it ends with all that it started."""

    def __init__(self, name, command, folder, cores=None, environment=None):
        self.name = name
        self.log = pathlib.Path(folder, f"{name}.log")

        def before_it_runs():
            # Should this script be killed, its children are as well.
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if cores:
                os.sched_setaffinity(0, cores)

        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=before_it_runs,
            )
        running.append(self)

    def wait_for(self, port, seconds=20):
        """Waits until it listens."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended with {self.process.returncode}: {self.said()}")
            try:
                socket.create_connection((HOST, port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise Failed(f"{self.name} does not listen after {seconds} s: {self.said()}")

    def said(self):
        """The end of what it wrote."""
        text = self.log.read_text(errors="replace").strip()
        return " / ".join(text.splitlines()[-3:])[-500:] or "it wrote nothing"

    def stop(self):
        if self in running:
            running.remove(self)
        for sign, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            try:
                # To the group, also when its leader is gone already.
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                break
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()

    def cpu(self):
        """Seconds of CPU that it and its children have used: user and system."""
        user = system = 0
        for pid in tree(self.process.pid):
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            user, system = user + int(fields[11]), system + int(fields[12])
        return user / TICKS, system / TICKS

    def memory(self):
        """Bytes of memory: its own, and its share of what it has in common with others (PSS)."""
        total = 0
        for pid in tree(self.process.pid):
            try:
                lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
        return total


def tree(pid):
    """A process and all that descend from it."""
    found = [pid]
    for one in found:
        try:
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def run(command, folder, cores=None, seconds=60):
    """Runs a program to its end and gives what it wrote to standard output."""

    def before_it_runs():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if cores:
            os.sched_setaffinity(0, cores)

    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, preexec_fn=before_it_runs
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{words[0]} took longer than {seconds} s") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-500:]
        raise Failed(f"{pathlib.Path(words[0]).name} ended with {done.returncode}: {said}")
    return done.stdout


def stop_all():
    for process in list(reversed(running)):
        process.stop()
