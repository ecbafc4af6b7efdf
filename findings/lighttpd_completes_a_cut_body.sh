#!/usr/bin/env bash
# lighttpd, whose proxy by default reads a response to its end before it sends a byte, takes a chunked one that broke
# off for complete: the client gets a 200 with half of it, as if that were all. It could have answered 502. Whoever asks
# the upstream itself gets an error. So a cut answer of an API behind lighttpd cannot be told from a short one, unless
# the body itself says where it ends. Needs Debian 12. Exits with 1 once it does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq -o APT::Sandbox::User=root lighttpd=1.4.69-1
dpkg-deb --extract lighttpd_*.deb debian
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check requests==2.34.2

cat > cut.py << 'END'
import socket, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
import requests

class Upstream(BaseHTTPRequestHandler):
    """Breaks off after the first of its chunks."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"3e8\r\n" + 1000 * b"x" + b"\r\n")
        time.sleep(0.3)
        self.close_connection = True

    def log_message(self, *_):
        pass

upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
Thread(target=upstream.serve_forever, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as taken:
    port = taken.getsockname()[1]
with open("lighttpd.conf", "w") as file:
    file.write(f"""server.modules = ("mod_proxy")
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "/"
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {upstream.server_port})))
""")
modules = subprocess.run(["find", "debian", "-name", "mod_proxy.so"], stdout=subprocess.PIPE, text=True).stdout
lighttpd = subprocess.Popen(["debian/usr/sbin/lighttpd", "-D", "-m", modules.rpartition("/")[0], "-f", "lighttpd.conf"],
    stderr=subprocess.DEVNULL)
results = []
try:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    for name, at in (("the upstream itself", upstream.server_port), ("lighttpd before it", port)):
        try:
            got = requests.get(f"http://127.0.0.1:{at}/items", timeout=10)
            results.append((got.status_code, len(got.content), got.headers.get("Content-Length")))
            print(f"{name}: {got.status_code}, {len(got.content)} bytes, Content-Length: {results[-1][2]}")
        except requests.RequestException as error:
            results.append(type(error).__name__)
            print(f"{name}: {results[-1]}")
finally:
    lighttpd.terminate()
    lighttpd.wait()
sys.exit(0 if results == ["ChunkedEncodingError", (200, 1000, "1000")] else "the behaviour has changed")
END
echo "lighttpd 1.4.69, requests 2.34.2"
timeout 60 venv/bin/python cut.py
