"""The demo with its sample API, and a gateway before that API with the demo's own configuration and document."""

import json
import pathlib
import re
import signal
import subprocess

from gateway_process import Key, binary
from server_process import HOST, ServerProcess, free_port

PLAN = "thousands"


class Demo:
    """`fairgate demo --json`: it prints where everything is."""

    def __init__(self, folder):
        self._log = open(folder / "demo.log", "wb")
        self._process = subprocess.Popen(
            [binary(), "demo", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        text = ""
        for line in self._process.stdout:
            text += line
            if line == "}\n":
                break
        assert text.endswith("}\n"), (folder / "demo.log").read_text()
        printed = json.loads(text)
        self.gateway = printed["gateway"]
        self.sample_api = printed["sample_api"]
        self.configuration = pathlib.Path(printed["config"])

    def stop(self):
        """Ends it, as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=20)
        self._log.close()


class DemoGateway:
    """A gateway as the demo configures it, without the limits that stop thousands of requests."""

    def __init__(self, folder, demo, top="", document=()):
        """`top` is the beginning of the configuration; `document` are pairs of texts, of which the
        first is replaced by the second in the document."""
        self.folder, port = folder, free_port()
        text = demo.configuration.with_name("openapi.yaml").read_text()
        for old, new in document:
            assert old in text, f"{old} is not in the demo's document"
            text = text.replace(old, new)
        (folder / "openapi.yaml").write_text(text)
        text = demo.configuration.read_text()
        for pattern, replacement in [
            (r'address = ".*"', f'address = "{HOST}:{port}"'),
            # Most requests here must fail.
            (r"errors_per_key = \d+", 'errors_per_key = "off"'),
            # A wrong key must be refused as unknown: a refusal for its form, by
            # 400, is not a refusal of a key to Schemathesis.
            (r"pattern = '.*'", "pattern = 'SCHEMATHESIS-INVALID-VALUE'"),
            # The API responds at once, except for an operation that never does.
            (r'first_byte = ".*"', 'first_byte = "500ms"'),
            (r"(?=\[plans\.free\])", f'[plans.{PLAN}]\nlimits = ["100000000 per month"]\n\n'),
            (r"\A", f"{top}\n"),
        ]:
            text, changed = re.subn(pattern, replacement, text, count=1)
            assert changed == 1, f"{pattern} is not in the demo's configuration"
        self.configuration = folder / "fairgate.toml"
        self.configuration.write_text(text)
        command = [binary(), "serve", "--config", self.configuration]
        self._process = ServerProcess("fairgate", command, port, folder)
        self.url = self._process.url
        self.stop = self._process.stop

    def command(self, *words):
        """Runs a command of Fairgate's on this gateway. Returns its JSON."""
        command = [binary(), *words, "--json", "--config", self.configuration]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def new_key(self, *permissions):
        """A key with these permissions and without limits."""
        words = [word for permission in permissions for word in ("--permission", permission)]
        made = self.command("keys", "create", "--plan", PLAN, *words)
        return Key(made["key"], made["id"])
