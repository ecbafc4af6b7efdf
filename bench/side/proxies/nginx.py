"""nginx: a map of keys, `limit_req` with a zone for each class of limits, kept connections to the upstream."""

import os
import re
import shutil
import subprocess

from ..scene import LIMIT_REACHED, UNKNOWN_KEY, limit, names

LABEL = "nginx"
PACKAGE = "nginx"
DOES = {"work", "wrk", "latency", "denied-403", "denied-429", "download", "upload", "http2", "tls", "tls-http2"}
DOES |= {"threads-1", "threads-2", "bare"}


WORK = f"""
      if ($owner = "") {{ return 403 '{UNKNOWN_KEY}'; }}
      limit_req zone=large burst=1000000 nodelay;
      limit_req zone=small;
"""


def find(tools):
    # Debian has it where only root looks.
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")


def version(program):
    said = subprocess.run([program, "-v"], capture_output=True, text=True).stderr
    return re.search(r"nginx/(\S+)", said)[1]


def command(scene, program):
    folder = scene.folder
    scene.write("keys.map", "".join(f'"{key}" {name};\n' for key, name in names()))
    # A limit counts the requests for which its key is not empty, so that each class of limits is one map.
    scene.write("small.map", "".join(f"{name} {name};\n" for place, (_, name) in enumerate(names()) if limit(place) == 1))
    configuration = scene.write("nginx.conf", f"""
{"user root;" if os.geteuid() == 0 else ""}
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
worker_processes {scene.threads}; worker_rlimit_nofile 20000;
events {{ worker_connections 9000; }}
http {{
  access_log off; server_tokens off; default_type application/json;
  keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; client_max_body_size 10m;
  client_body_buffer_size 128k; proxy_buffers 16 64k;
  ssl_certificate {scene.certificate}; ssl_certificate_key {scene.certificate_key};
  ssl_protocols TLSv1.3; ssl_session_cache shared:tls:4m;
  map_hash_max_size 8192; map_hash_bucket_size 128;
  map $http_x_api_key $owner {{ default ""; include {folder}/keys.map; }}
  map $owner $small {{ default ""; include {folder}/small.map; }}
  map $small $large {{ default ""; "" $owner; }}
  limit_req_zone $large zone=large:8m rate=1000000r/s;
  limit_req_zone $small zone=small:8m rate=1r/m;
  limit_req_status 429;
  upstream api {{
    server 127.0.0.1:{scene.upstream};
    keepalive 512; keepalive_requests 1000000000; keepalive_timeout 300s;
  }}
  server {{
    listen 127.0.0.1:{scene.plain} reuseport backlog=4096;
    listen 127.0.0.1:{scene.h2} http2 reuseport backlog=4096;
    listen 127.0.0.1:{scene.tls} ssl http2 reuseport backlog=4096;
    error_page 429 @limited;
    location / {{
{"" if scene.bare else WORK}
      proxy_pass http://api; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header X-API-Key "";
      # Bodies go on as they come, as with all others here; without this they go by way of the disk.
      proxy_request_buffering off; proxy_max_temp_file_size 0;
    }}
    location @limited {{ return 429 '{LIMIT_REACHED}'; }}
  }}
}}
""")
    return [program, "-e", "stderr", "-p", folder, "-c", configuration], {}
