#!/usr/bin/env bash
# An event stream of a language model may fail within its 200, by an event `error` (an overloaded model does). The SDKs
# of OpenAI and Anthropic for Python raise then, as an API error without a status or with the status 200, and do not ask
# again. So whoever counts by status (a gateway's charges, success rates, alarms) takes for a success what the caller
# sees as a failure; the outcome is in the last event. Exits with 1 once they do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openai==3.57.0 anthropic==2.14.0

cat > overloaded.py << 'END'
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
import anthropic, openai

ERROR = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
requests = []

class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        requests.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(ERROR)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
calls = {
    "openai": lambda: openai.OpenAI(base_url=url, api_key="key").chat.completions.create(model="m", messages=[], stream=True),
    "anthropic": lambda: anthropic.Anthropic(base_url=url, api_key="key").messages.create(
        model="m", messages=[], max_tokens=9, stream=True),
}
results = {}
for name, call in calls.items():
    requests.clear()
    try:
        list(call())
        results[name] = "no exception"
    except (openai.APIError, anthropic.APIError) as error:
        results[name] = (type(error).__name__, getattr(error, "status_code", None), len(requests))
    print(f"{name}: {results[name]} (exception, its status, requests made)")
as_found = results == {"openai": ("APIError", None, 1), "anthropic": ("APIStatusError", 200, 1)}
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "openai 3.57.0, anthropic 2.14.0"
timeout 40 venv/bin/python overloaded.py
