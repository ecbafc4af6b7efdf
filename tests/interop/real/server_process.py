"""A server that a test starts as a process of its own, on a free port, and ends again."""

import os
import random
import signal
import socket
import subprocess

from polling import DEADLINE_SECONDS, wait_until

HOST = "127.0.0.1"
# Five digits, so that two addresses are equally long, and below the ports that the system gives to
# outgoing connections, so that none of them takes the port between the choice and the start.
PORTS = range(20_000, 32_000)


def free_port():
    """A port on which nothing listens now."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port found in {PORTS}")


class ServerProcess:
    """One running server. What it writes goes to a file, which a failing start shows."""

    def __init__(self, name, command, port, folder, environment=None, output=None, patience=DEADLINE_SECONDS):
        """`output` is a file for what it writes to standard output alone, `patience` the seconds of a start."""
        self.name = name
        self.port = port
        self.authority = f"{HOST}:{port}"
        self.url = f"http://{self.authority}"
        self.log = folder / f"{name}.log"
        with open(self.log, "wb") as log, open(output or os.devnull, "wb") as out:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=out if output else log,
                stderr=log if output else subprocess.STDOUT,
            )
        try:
            wait_until(self.listens, f"{name} does not listen on {self.authority}", patience)
        except AssertionError as error:
            self.stop()
            raise AssertionError(f"{error}\n{self.log.read_text(errors='replace')}") from None

    def listens(self):
        """Whether a connection is taken."""
        if self.process.poll() is not None:
            text = self.log.read_text(errors="replace")
            raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{text}")
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self):
        """Ends the server, politely first. Returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=10)
        return self.process.returncode
