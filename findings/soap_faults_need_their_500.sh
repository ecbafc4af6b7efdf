#!/usr/bin/env bash
# SOAP 1.1 sends every fault with 500, also one that is the client's own (Client, "there is no such order"): spyne does.
# zeep reads the fault from the body; if a gateway replaces the body of a 500 by its own, in JSON, the caller gets a
# TransportError about invalid XML in place of the fault's code and text. So for a SOAP service a 500 with an envelope
# is an answer, and no incident. Exits with 1 once they do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check spyne==2.14.0 zeep==4.3.3 lxml==6.1.3 requests==2.34.2

cat > orders.py << 'END'
import logging, sys
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server
import requests, zeep
from spyne import Application, Fault, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

logging.disable(logging.CRITICAL)
replaced = False

class Orders(ServiceBase):
    @rpc(Unicode, _returns=Unicode)
    def get(ctx, order):
        raise Fault("Client", "There is no such order.")

class Silent(WSGIRequestHandler):
    def log_message(self, *_):
        pass

service = WsgiApplication(Application([Orders], "urn:orders", in_protocol=Soap11(validator="lxml"), out_protocol=Soap11()))

def before(environ, start_response):
    """Replaces the body of a 500, where it is told to."""
    def start(status, headers, *more):
        return start_response(status, [("Content-Type", "application/json")] if replaced else headers, *more)
    body = b"".join(service(environ, start))
    return [b'{"error":{"message":"Something went wrong."}}' if replaced else body]

server = make_server("127.0.0.1", 0, before, handler_class=Silent)
Thread(target=server.serve_forever, daemon=True).start()
statuses, results = [], []
session = requests.Session()
session.hooks["response"].append(lambda response, **_: statuses.append(response.status_code))
client = zeep.Client(f"http://127.0.0.1:{server.server_port}/?wsdl", transport=zeep.Transport(session=session))
for replaced in (False, True):
    try:
        client.service.get("7")
    except zeep.exceptions.Error as error:
        results.append((statuses[-1], type(error).__name__))
        body, text = "replaced" if replaced else "as sent", error.message.splitlines()[0]
        print(f"{statuses[-1]}, body {body}: zeep raises {results[-1][1]}: {text}")
sys.exit(0 if results == [(500, "Fault"), (500, "TransportError")] else "the behaviour has changed")
END
echo "spyne 2.14.0, zeep 4.3.3"
timeout 30 venv/bin/python -W ignore orders.py
