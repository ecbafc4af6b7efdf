"""The proxies. Each module has:

    LABEL                    what it is called in tables
    PACKAGE                  the Debian package that brings it, or None
    DOES                     the names of the rows of `measures` that it can take part in
    find(tools)              its program; `tools` is the folder of what was installed for this comparison alone
    version(program)         its version
    command(scene, program)  writes its configuration and gives what starts it: words, and variables of the environment
"""

from . import caddy, envoy, fairgate, haproxy, nginx

PROXIES = {
    "fairgate": fairgate,
    "nginx": nginx,
    "haproxy": haproxy,
    "envoy": envoy,
    "caddy": caddy,
}
