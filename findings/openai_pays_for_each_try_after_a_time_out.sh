#!/usr/bin/env bash
# openai for Python repeats a POST that ran into its time-out, twice by default, without an Idempotency-Key: a slow
# model does the work three times, and the caller gets an APITimeoutError. Only X-Stainless-Retry-Count tells the tries
# apart. So whoever charges a success that the client left charges three for one call that failed; the header is what a
# gateway or a server can go by. Exits with 1 once it does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openai==3.57.0

cat > slow.py << 'END'
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
import openai

begun, done = [], []

class Model(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        begun.append((self.headers["X-Stainless-Retry-Count"], self.headers["Idempotency-Key"]))
        time.sleep(1)
        done.append(self.path)
        self.close_connection = True

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}", api_key="key", timeout=0.5)
try:
    client.chat.completions.create(model="m", messages=[])
    result = "no exception"
except openai.APITimeoutError as error:
    result = type(error).__name__
for _ in range(50):
    if len(done) < 3:
        time.sleep(0.1)
print(f"one call of create(): {result}; (X-Stainless-Retry-Count, Idempotency-Key): {begun}; calls of the model done: {len(done)}")
as_found = result == "APITimeoutError" and begun == [("0", None), ("1", None), ("2", None)] and len(done) == 3
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "openai 3.57.0"
timeout 40 venv/bin/python slow.py
