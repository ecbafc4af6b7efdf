#!/usr/bin/env bash
# requests (by urllib3 and Python's http.client, 3.11 to 3.13) skips no interim response but 100: it returns a 103 Early
# Hints, or a 102, as the response itself, with `ok` true and an empty body. httpx waits for the final one. So a server
# or a gateway that sends or passes on 1xx over HTTP/1.1 answers these programs with nothing, and they take it for a
# success (RFC 8297, section 3, warns of such clients). Exits with 1 once requests does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check requests==2.34.2 urllib3==2.8.0 httpx==0.28.1

cat > hints.py << 'END'
import platform, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
import httpx, requests

class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response_only(int(self.path[1:]))
        self.end_headers()
        self.send_response(200)
        self.send_header("Content-Length", "11")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"the content")

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
Thread(target=server.serve_forever, daemon=True).start()
as_found = True
print(f"Python {platform.python_version()}, requests {requests.__version__}, httpx {httpx.__version__}")
for status in (100, 102, 103):
    url = f"http://127.0.0.1:{server.server_port}/{status}"
    one, other = requests.get(url), httpx.get(url)
    print(f"{status}, then 200: requests returns {one.status_code}, ok {one.ok}, {one.text!r}; "
        f"httpx {other.status_code}, {other.text!r}")
    as_found &= one.status_code == (200 if status == 100 else status) and one.ok and other.status_code == 200
sys.exit(0 if as_found else "the behaviour has changed")
END
venv/bin/python hints.py
