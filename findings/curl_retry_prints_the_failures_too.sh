#!/usr/bin/env bash
# curl --retry writes the body of each failed try to its output before that of the success: `curl --retry 3 URL | jq`
# reads the 503's JSON first and the answer second, and curl exits with 0. --fail-with-body does not change that; --fail
# does, and so does -o FILE, which is written anew. POSTs are repeated like all else. So the error bodies of a gateway
# turn up as data in scripts that were made robust by --retry. Exits with 1 once curl does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq -o APT::Sandbox::User=root curl=7.88.1-10+deb12u15 libcurl4=7.88.1-10+deb12u15
for package in *.deb; do
    dpkg-deb --extract "$package" debian
done

cat > tries.py << 'END'
import glob, os, subprocess, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

asked = []

class Server(BaseHTTPRequestHandler):
    """Answers 503 at first and 200 then."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked.append(self.command)
        text = b'{"error":"away"}\n' if len(asked) == 1 else b'{"id":7}\n'
        self.send_response(503 if len(asked) == 1 else 200)
        if len(asked) == 1:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
Thread(target=server.serve_forever, daemon=True).start()
libraries = os.path.abspath(glob.glob("debian/usr/lib/*-linux-gnu*")[0])
results = []
for options in (["--retry", "3"], ["--retry", "3", "--data", "x"], ["--retry", "3", "--fail-with-body"],
        ["--retry", "3", "--fail"], ["--retry", "3", "--output", "file"]):
    asked.clear()
    ended = subprocess.run(["debian/usr/bin/curl", "--silent", *options, f"http://127.0.0.1:{server.server_port}/"],
        env={**os.environ, "LD_LIBRARY_PATH": libraries}, stdout=subprocess.PIPE, text=True, timeout=20)
    text = ended.stdout
    if "--output" in options:
        with open("file") as file:
            text = file.read()
    results.append((ended.returncode, len(text.splitlines()), len(asked)))
    print(f"curl {' '.join(options)}: {' '.join(asked)}, exit code {ended.returncode}, output: {' '.join(text.split())}")
sys.exit(0 if results == [(0, 2, 2), (0, 2, 2), (0, 2, 2), (0, 1, 2), (0, 1, 2)] else "the behaviour has changed")
END
echo "curl 7.88.1"
timeout 60 python3 tries.py
