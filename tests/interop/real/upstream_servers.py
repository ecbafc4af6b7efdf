"""The servers behind the gateway: third-party programs."""

import importlib.util
import pathlib
import sys

from server_process import HOST, ServerProcess, free_port

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = pathlib.Path(sys.executable)
# Found without an import: the server runs in a separate process.
JUPYTER_DOCUMENT = (
    pathlib.Path(importlib.util.find_spec("jupyter_server").origin).parent / "services" / "api" / "api.yaml"
)


def gunicorn(name, application, folder):
    """A WSGI application under gunicorn, which keeps its connections open between requests."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [PYTHON, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--worker-class", "gthread"]
    command += ["--workers", "1", "--threads", "8", "--keep-alive", "60", "--pythonpath", HERE, application]
    return ServerProcess(name, command, port, folder)


def httpbin(folder):
    """httpbin: an endpoint for everything that HTTP/1.1 has."""
    return gunicorn("httpbin", "httpbin:app", folder)


def slash_adding_application(folder):
    """A Flask application whose pages end in a slash, which redirects paths without it."""
    return gunicorn("slash_adding_application", "slash_adding_application:app", folder)


def pypiserver(folder):
    """An index of Python packages to which everybody may upload. Answers by HTTP/1.0."""
    packages = folder / "packages"
    packages.mkdir(parents=True)
    port = free_port()
    command = [PYTHON.parent / "pypi-server", "run", "--interface", HOST, "--port", port]
    # No password here: authorization is left to the gateway. And an unknown
    # package is an error, not a redirect to the public index.
    command += ["--authenticate", ".", "--passwords", ".", "--disable-fallback", packages]
    return ServerProcess("pypiserver", command, port, folder, {"PYTHONUNBUFFERED": "1"})


def jupyter(folder, *more):
    """Jupyter's server over a folder of files, with `more` options. Ships the document that describes it (`JUPYTER_DOCUMENT`)."""
    files = folder / "files"
    files.mkdir(parents=True)
    port = free_port()
    command = [PYTHON, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.port_retries=0"]
    command += [f"--ServerApp.ip={HOST}", f"--ServerApp.port={port}", f"--ServerApp.root_dir={files}"]
    # Authorization is left to the gateway; and there is no browser whose forms could be forged.
    command += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", *more]
    # A user's own settings must not affect the tests.
    home = {"HOME": str(folder), "JUPYTER_NO_CONFIG": "1", "JUPYTER_PLATFORM_DIRS": "1"}
    return ServerProcess("jupyter", command, port, folder, home)


def websockets_echo(folder):
    """An echo of messages by the Python package websockets."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    return ServerProcess("websockets", [PYTHON, HERE / "websocket_echo.py", HOST, port], port, folder)


def ws_echo(folder):
    """An echo of messages by the npm package ws."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    return ServerProcess("ws", ["node", HERE / "websocket_echo.mjs", HOST, port], port, folder)


def grpc_over_http1(folder):
    """A service of gRPC that speaks HTTP/1.1."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    return ServerProcess("grpc_over_http1", [PYTHON, HERE / "grpc_over_http1.py", HOST, port], port, folder)
