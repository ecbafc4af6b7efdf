"""HAProxy: maps of keys and limits, a stick table that counts each key's requests."""

import re
import shutil
import subprocess

from ..scene import LIMIT_REACHED, UNKNOWN_KEY, limit, names

LABEL = "HAProxy"
PACKAGE = "haproxy"
DOES = {"work", "wrk", "latency", "denied-403", "denied-429", "download", "upload", "http2", "tls", "tls-http2"}
DOES |= {"threads-1", "threads-2", "bare"}


def find(tools):
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/sbin")


def version(program):
    said = subprocess.run([program, "-v"], capture_output=True, text=True).stdout
    return re.search(r"version ([\d.]+)", said)[1]


def quoted(text):
    return '"' + text.replace('"', '\\"') + '"'


def command(scene, program):
    keys = scene.write("keys.map", "".join(f"{key} {name}\n" for key, name in names()))
    limits = scene.write("limits.map", "".join(f"{name} {limit(place)}\n" for place, (_, name) in enumerate(names())))
    both = scene.write("both.pem", scene.certificate.read_text() + scene.certificate_key.read_text())
    work = f"""
  http-request set-var(txn.owner) req.hdr(x-api-key),map_str({keys})
  http-request return status 403 content-type application/json string {quoted(UNKNOWN_KEY)} unless {{ var(txn.owner) -m found }}
  http-request track-sc0 var(txn.owner) table counted
  http-request set-var(txn.limit) var(txn.owner),map_str_int({limits},0)
  acl over sc_http_req_rate(0,counted),sub(txn.limit) gt 0
  http-request return status 429 content-type application/json hdr Retry-After 60 string {quoted(LIMIT_REACHED)} if over
  http-request del-header X-API-Key
"""
    configuration = scene.write("haproxy.cfg", f"""
global
  nbthread {scene.threads}
  maxconn 9000
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-keep-alive 300s
  http-reuse always
  option http-no-delay
backend counted
  stick-table type string len 16 size 10k expire 120s store http_req_rate(60s)
frontend clients
  bind 127.0.0.1:{scene.plain} backlog 4096
  bind 127.0.0.1:{scene.h2} proto h2 backlog 4096
  bind 127.0.0.1:{scene.tls} ssl crt {both} alpn h2,http/1.1 ssl-min-ver TLSv1.3 backlog 4096
{"" if scene.bare else work}
  default_backend api
backend api
  server api 127.0.0.1:{scene.upstream} pool-max-conn 512
""")
    return [program, "-db", "-f", configuration], {}
