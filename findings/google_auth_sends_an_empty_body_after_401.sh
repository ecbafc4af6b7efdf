#!/usr/bin/env bash
# google-auth's AuthorizedSession answers a 401 by a new token and the same request again, but does not rewind a file
# and cannot rewind a generator: the second request has an empty body, and its 200 is the caller's result, so the upload
# is an empty object. So a 401 must mean nothing but "other credentials would help" (a lack of permission is 403), or
# come before such a client sends its body. Bytes are repeated whole. Exits with 1 once google-auth does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check google-auth==2.63.0 requests==2.34.2 urllib3==2.8.0

cat > upload.py << 'END'
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession

bodies = []

class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        size = int(self.headers.get("Content-Length", 0))
        self.rfile.read(size)
        while self.headers.get("Transfer-Encoding") == "chunked":
            chunk = int(self.rfile.readline(), 16)
            self.rfile.read(chunk + 2)
            size += chunk
            if chunk == 0:
                break
        bodies.append(size)
        self.send_response(401 if self.headers["Authorization"] == "Bearer 0" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

class Tokens(Credentials):
    def __init__(self):
        super().__init__()
        self.token = "0"

    def refresh(self, _):
        self.token = "1"

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/object"
with open("file", "wb") as file:
    file.write(bytes(1000))
results = []
for name, data in (("bytes", bytes(1000)), ("a file", open("file", "rb")), ("a generator", (bytes(100) for _ in range(10)))):
    bodies.clear()
    status = AuthorizedSession(Tokens()).put(url, data=data).status_code
    results.append((status, *bodies))
    print(f"PUT of 1000 bytes from {name}, 401 at first: the caller gets {status}, bodies received: {bodies}")
as_found = results == [(200, 1000, 1000), (200, 1000, 0), (200, 1000, 0)]
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "google-auth 2.63.0, requests 2.34.2"
timeout 30 venv/bin/python upload.py
