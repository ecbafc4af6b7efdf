"""Fairgate for users with a document, a server and nothing else: one line, in an empty folder."""

import json
import re
import subprocess

from gateway_process import Key, binary
from server_process import HOST, ServerProcess, free_port

KEY = re.compile(r"\bfg_[0-9A-Za-z]+")


class OneLineGateway:
    """`fairgate serve --openapi FILE --upstream URL`, without a configuration file."""

    def __init__(self, folder, document, upstream):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.document, self.upstream, self.port = document, upstream, free_port()
        self.url, self.authority = f"http://{HOST}:{self.port}", f"{HOST}:{self.port}"
        self.configuration = folder / "fairgate-data" / "fairgate.toml"
        self._start()

    def _start(self):
        self._output = self.folder / "output.txt"
        command = [binary(), "serve", "--openapi", self.document, "--upstream", self.upstream]
        command += ["--listen", self.authority]
        self._process = ServerProcess("fairgate", command, self.port, self.folder, output=self._output)

    def stop(self):
        """Ends it."""
        return self._process.stop()

    def restart(self):
        """Ends it and starts it again by the same line."""
        assert self.stop() == 0
        self._start()

    def keys_on_standard_output(self):
        """The keys that it has printed since it was started last."""
        return set(KEY.findall(self._output.read_text()))

    def written(self):
        """What it has written since then, on both streams."""
        return self._output.read_text() + self._process.log.read_text()

    def command(self, *words):
        """Runs a command of Fairgate's on this gateway. Returns its JSON."""
        done = subprocess.run(
            [binary(), *words, "--json", "--config", self.configuration],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def first_key(self):
        """The key that it printed at its first start, and the id under which lists know it."""
        [secret] = self.keys_on_standard_output()
        [listed] = self.command("keys", "list")
        return Key(secret, listed["id"])

    def new_key(self, *permissions):
        """Makes another key, by the command that it prints."""
        words = [word for permission in permissions for word in ("--permission", permission)]
        made = self.command("keys", "create", "--plan", "default", *words)
        return Key(made["key"], made["id"])
