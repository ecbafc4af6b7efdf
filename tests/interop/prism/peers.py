"""An upstream that accepts everything, and the two gateways before it: Prism and Fairgate."""

import dataclasses
import http.client
import http.server
import json
import pathlib
import subprocess
import threading

from gateway_process import binary
from server_process import HOST, ServerProcess, free_port

HERE = pathlib.Path(__file__).resolve().parent
PRISM = HERE / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
CASE = "X-Case"
# Both answer in milliseconds, or, in the case of Prism and malformed JSON, never.
PATIENCE = 5


class Upstream:
    """Answers 200 to every request, and knows which it has seen."""

    def __init__(self):
        seen = self.seen = set()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen.add(self.headers.get(CASE))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = _answer  # noqa: N815

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://{HOST}:{self._server.server_address[1]}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class Prism:
    """`prism proxy --errors`: it answers what breaks the document in the upstream's place. Some requests end it,
    so that it must be restarted."""

    def __init__(self, folder, document, upstream):
        self._folder = folder
        self.port = free_port()
        self._command = ["node", PRISM, "proxy", document, upstream.url, "--errors"]
        self._command += ["-p", self.port, "-h", HOST, "-v", "silent"]
        self._start()

    def _start(self):
        self._process = ServerProcess("prism", self._command, self.port, self._folder)

    def revive(self):
        """Starts it again if it has ended, or is about to."""
        try:
            self._process.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return
        self._start()

    def stop(self):
        self._process.stop()


class Fairgate:
    """`fairgate serve` with a document, and a key."""

    def __init__(self, folder, document, upstream):
        port = free_port()
        configuration = folder / "fairgate.toml"
        configuration.write_text(
            f"""openapi = {json.dumps(str(document))}

[api]
name = "Differential"

[listen]
address = "{HOST}:{port}"
threads = 1

[upstream]
url = "{upstream.url}"

[plans.free]
limits = ["1000000 per month"]

[abuse]
errors_per_key = "off"
errors_per_address = "off"

[log]
requests = "none"
"""
        )
        command = [binary(), "serve", "--config", configuration]
        self._process = ServerProcess("fairgate", command, port, folder)
        self.port = port
        self.stop = self._process.stop
        made = subprocess.run(
            [binary(), "keys", "create", "--plan", "free", "--json", "--config", configuration],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        self.key = json.loads(made.stdout)["key"]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """How a gateway handled a case. The status is 0 if it never answered."""

    accepted: bool
    status: int
    answer: str


def ask(gateway, number, case, upstream, credentials):
    """Sends a case through a gateway. It was accepted if the upstream has seen it, whatever the response."""
    marker = f"{gateway.port}-{number}"
    connection = http.client.HTTPConnection(HOST, gateway.port, timeout=PATIENCE)
    try:
        # Nothing is normalised: the target is sent as the case has it.
        connection.putrequest(case.method, case.target, skip_accept_encoding=True)
        for name, value in (*case.headers, ("Authorization", f"Bearer {credentials}"), (CASE, marker)):
            connection.putheader(name, value)
        body = None if case.body is None else case.body.encode()
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        return Verdict(marker in upstream.seen, answer.status, text)
    except OSError as error:
        return Verdict(False, 0, repr(error))
    finally:
        connection.close()
