"""Caddy: a `map` of keys. Its standard build has no rate limiting."""

import shutil
import subprocess

from ..scene import UNKNOWN_KEY, names

LABEL = "Caddy"
PACKAGE = "caddy"
DOES = {"work", "bare", "wrk", "latency", "denied-403", "download", "upload", "http2", "tls", "tls-http2"}


def find(tools):
    return shutil.which("caddy")


def version(program):
    return subprocess.run([program, "version"], capture_output=True, text=True).stdout.split()[0].lstrip("v")


def command(scene, program):
    scene.h2 = scene.plain
    known = "".join(f"    {key} {name}\n" for key, name in names())
    work = f"""
  map {{header.X-API-Key}} {{owner}} {{
{known}    default nobody
  }}
  @unknown vars {{owner}} nobody
  handle @unknown {{
    header Content-Type application/json
    respond `{UNKNOWN_KEY}` 403
  }}
"""
    configuration = scene.write("Caddyfile", f"""
{{
  admin off
  auto_https off
  log {{
    level ERROR
  }}
  servers {{
    protocols h1 h2 h2c
  }}
}}
(gateway) {{
  bind 127.0.0.1
{"" if scene.bare else work}
  handle {{
    reverse_proxy 127.0.0.1:{scene.upstream} {{
      header_up -X-API-Key
      transport http {{
        versions 1.1
        compression off
        keepalive_idle_conns 1024
        keepalive_idle_conns_per_host 512
      }}
    }}
  }}
}}
http://:{scene.plain} {{
  import gateway
}}
https://:{scene.tls} {{
  tls {scene.certificate} {scene.certificate_key} {{
    protocols tls1.3
  }}
  import gateway
}}
""")
    # Go's threads that run at the same time.
    places = {"GOMAXPROCS": str(scene.threads), "XDG_DATA_HOME": str(scene.folder), "XDG_CONFIG_HOME": str(scene.folder)}
    return [program, "run", "--adapter", "caddyfile", "--config", configuration], places
