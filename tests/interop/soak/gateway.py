"""The gateway of the soak: started, reloaded, replaced by hot restarts; and its use of resources."""

import asyncio
import json
import os
import pathlib
import random
import socket
import subprocess
import sys

HOST = "127.0.0.1"
# Fixed words between the parts that change: a plan's number, and the largest body.
CONFIGURATION = """
reload = "on_signal"
upgrades = ["websocket"]
[api]
name = "Soak"
support_email = "help@example.com"
[listen]
address = "{host}:{plain}"
threads = 2
[tls]
address = "{host}:{tls}"
certificate = "certificate.pem"
key = "key.pem"
[upstream]
url = "http://{host}:{upstream}"
[store]
path = "data"
[log]
format = "json"
requests = "none"
[abuse]
errors_per_key = "off"
errors_per_address = "off"
[timeouts]
header = "5s"
body = "5s"
[plans.free]
limits = ["1000000000 per month"]
[plans.few]
limits = ["{few} per second"]
[sizes]
max_body_size = "{body}MiB"
"""


def free_port():
    """A port on which nothing listens now, below those that the system gives to outgoing connections."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


class Gateway:
    """A gateway and its successors, in a folder of their own."""

    def __init__(self, binary, folder):
        self.binary, self.folder = pathlib.Path(binary).resolve(strict=True), folder
        self.plain, self.tls, self.upstream = (free_port() for _ in range(3))
        self.reloads = self.successions = 0
        self._configure()
        certify = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        certify += ["-days", "2", "-subj", "/CN=soak", "-addext", f"subjectAltName=IP:{HOST}"]
        certify += ["-keyout", "key.pem", "-out", "certificate.pem"]
        subprocess.run(certify, cwd=folder, check=True, capture_output=True)
        here = pathlib.Path(__file__).resolve().parent
        self._upstream = subprocess.Popen([sys.executable, here / "upstream.py", str(self.upstream)])
        self.process = None

    def _configure(self):
        text = CONFIGURATION.format(
            host=HOST,
            plain=self.plain,
            tls=self.tls,
            upstream=self.upstream,
            few=5 + self.reloads % 2,
            body=1 + self.reloads % 3,
        )
        # At once, because commands read it at any moment.
        aside = self.folder / "fairgate.toml.new"
        aside.write_text(text)
        aside.rename(self.folder / "fairgate.toml")

    async def command(self, *words):
        """Runs a command on the gateway's configuration. Gives its JSON."""
        words = [self.binary, *words, "--json", "--config", "fairgate.toml"]
        pipe = asyncio.subprocess.PIPE
        done = await asyncio.create_subprocess_exec(*words, cwd=self.folder, stdout=pipe, stderr=pipe)
        out, err = await done.communicate()
        assert done.returncode == 0, (words, err.decode())
        return json.loads(out) if out.strip() else None

    async def new_key(self, plan):
        return (await self.command("keys", "create", "--plan", plan))["key"]

    async def start(self, *words):
        """Starts a gateway, and waits until it and its upstream are ready."""
        await self._upstream_listens()
        log = self.folder / f"log-{len(words)}-{self.successions}"
        with open(log, "wb") as file:
            process = await asyncio.create_subprocess_exec(
                self.binary, "serve", *words, "--config", "fairgate.toml", cwd=self.folder, stderr=file
            )
        while b'"event":"listening"' not in log.read_bytes():
            assert process.returncode is None, log.read_text()
            await asyncio.sleep(0.02)
        self.process = process

    async def _upstream_listens(self):
        while True:
            assert self._upstream.poll() is None, "the upstream of the soak has ended"
            try:
                _, writer = await asyncio.open_connection(HOST, self.upstream)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return

    async def reload(self):
        self.reloads += 1
        self._configure()
        result = await self.command("config", "reload")
        assert result["changed"], result

    async def succeed(self):
        """A hot restart: the new gateway takes over, and the old one exits cleanly."""
        old = self.process
        await self.start("--take-over")
        assert await asyncio.wait_for(old.wait(), 60) == 0, "the old gateway did not exit cleanly"
        self.successions += 1

    async def status(self):
        """Connections and requests in flight, as the gateway reports them."""
        threads = (await self.command("status"))["threads"]
        return sum(one["connections"] for one in threads), sum(one["requests"] for one in threads)

    def held(self):
        """Memory in KiB, descriptors and threads of the process."""
        place = pathlib.Path("/proc", str(self.process.pid))
        lines = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
        return int(lines["RssAnon"].split()[0]), len(os.listdir(place / "fd")), int(lines["Threads"])

    def stop(self):
        for process in (self.process, self._upstream):
            if process is not None and process.returncode is None:
                process.kill()
