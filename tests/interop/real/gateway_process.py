"""Fairgate as an operator runs it: a configuration file, the binary, and its command line for keys."""

import dataclasses
import functools
import json
import os
import pathlib
import subprocess

import httpx

from server_process import HOST, ServerProcess, free_port

ROOT = pathlib.Path(__file__).resolve().parents[3]
SUPPORT_EMAIL = "help@example.com"


@functools.cache
def binary():
    """The program under test: FAIRGATE_BIN, or what cargo builds from this source."""
    given = os.environ.get("FAIRGATE_BIN")
    if given:
        return pathlib.Path(given).resolve(strict=True)
    build = subprocess.run(
        ["cargo", "build", "--package", "fairgate", "--message-format", "json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    messages = map(json.loads, build.stdout.splitlines())
    [path] = [message["executable"] for message in messages if message.get("executable")]
    return pathlib.Path(path)


@dataclasses.dataclass(frozen=True)
class Key:
    """An API key and the id under which lists and upstreams know it."""

    secret: str
    id: str


class GatewayProcess:
    """A running gateway in a folder of its own."""

    def __init__(self, folder, upstream, top="", more="", upstream_table=""):
        """`top` goes before the first table of the configuration, `more` after the last."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.configuration = folder / "fairgate.toml"
        self.configuration.write_text(
            f"""{top}
[api]
name = "Real"
support_email = "{SUPPORT_EMAIL}"

[listen]
address = "{HOST}:{port}"
threads = 2

[upstream]
url = "{upstream}"
{upstream_table}

[plans.free]
limits = ["1000000 per month"]

[plans.three]
limits = ["3 per month"]

[log]
format = "json"
{more}
"""
        )
        command = [binary(), "serve", "--config", self.configuration]
        self._process = ServerProcess("fairgate", command, port, folder)
        self.url = self._process.url
        self.authority = self._process.authority
        self.process_id = self._process.process.pid
        self.stop = self._process.stop

    def command(self, *words):
        """Runs a command of Fairgate's on this gateway's configuration. Returns its JSON."""
        done = subprocess.run(
            [binary(), *words, "--json", "--config", self.configuration],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def new_key(self, *permissions, plan="free"):
        """Makes a key as an operator does while the gateway runs."""
        words = [word for permission in permissions for word in ("--permission", permission)]
        made = self.command("keys", "create", "--plan", plan, *words)
        return Key(made["key"], made["id"])

    def used(self, key):
        """How many units the key has been charged, as its owner sees it."""
        answer = httpx.get(f"{self.url}/_limits", headers={"X-API-Key": key.secret})
        assert answer.status_code == 200, answer.text
        [limit] = answer.json()["limits"]
        return limit["used"]

    def log(self):
        """What the gateway has written so far."""
        return self._process.log.read_text()
