#!/usr/bin/env bash
# A Python client that OpenAPI Generator makes sleeps within the call when a GET, PUT or DELETE is answered 429 or 503
# with Retry-After, and asks three times more: it sets no `retries`, and urllib3's default obeys Retry-After, up to 6
# hours each time. `_request_timeout` does not end the sleep. So a daily limit stops the thread of a caller that never
# asked for retries; a POST gets its error at once. `Configuration(retries=False)` is the way out. Needs Java. Exits
# with 1 once it does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    openapi-generator-cli==7.26.0 urllib3==2.8.0 pydantic==2.13.4 python-dateutil==2.9.0.post0

cat > api.yaml << 'END'
openapi: 3.0.3
info: { title: Items, version: "1" }
paths:
  /items:
    get: { operationId: read, responses: { "200": { description: read } } }
    post: { operationId: write, responses: { "200": { description: written } } }
END
venv/bin/openapi-generator-cli generate --input-spec api.yaml --generator-name python --output client > generator.log 2>&1
cat > call.py << 'END'
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
sys.path.insert(0, "client")
import openapi_client, urllib3

asked = []

class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked.append(self.command)
        self.send_response(429)
        self.send_header("Retry-After", "2")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
Thread(target=server.serve_forever, daemon=True).start()
results = []
for retries in (None, False):
    host = f"http://127.0.0.1:{server.server_port}"
    api = openapi_client.DefaultApi(openapi_client.ApiClient(openapi_client.Configuration(host=host, retries=retries)))
    for method, call in (("GET", api.read), ("POST", api.write)):
        asked.clear()
        begun = time.monotonic()
        try:
            call(_request_timeout=1)
        except openapi_client.ApiException as error:
            results.append((error.status, len(asked), round((time.monotonic() - begun) / 2)))
            how = "by default" if retries is None else "with retries=False"
            print(f"{how}, {method}: 429 with Retry-After: 2, _request_timeout=1: {type(error).__name__} {error.status} "
                f"after {time.monotonic() - begun:.1f} seconds and {len(asked)} requests")
longest = urllib3.Retry.DEFAULT_RETRY_AFTER_MAX
print(f"longest single sleep by default: {longest} seconds")
as_found = results == [(429, 4, 3), (429, 1, 0), (429, 1, 0), (429, 1, 0)] and longest == 21600
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "OpenAPI Generator 7.26.0, urllib3 2.8.0"
timeout 60 venv/bin/python call.py
