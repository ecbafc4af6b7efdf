#!/usr/bin/env bash
# Which texts are an integer in a query, by one and the same `type: integer`? 7, +7 and 07 for all. Fastify and
# express-openapi-validator (both by ajv's coercion) also take 7.0, 7e0 and 0x10, which is 16; FastAPI takes 7.0 and
# 1_000, openapi-core 1_000 and not 7.0. So a gateway that passes on what it found valid may hand the server behind it a
# text that it refuses; only digits and a sign mean the same everywhere. Exits with 1 once they do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact \
    express@5.3.0 express-openapi-validator@5.6.2 fastify@5.12.8
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    fastapi==0.165.0 uvicorn==0.54.0 openapi-core==0.23.1 requests==2.34.2

cat > servers.mjs << 'END'
import express from 'express';
import * as validator from 'express-openapi-validator';
import Fastify from 'fastify';

const app = express();
app.use(validator.middleware({ apiSpec: 'api.json', validateSecurity: false }));
app.get('/items', (request, response) => response.json(request.query.size));
app.use((error, _request, response, _next) => response.status(error.status).send(error.message));
const listener = await new Promise((ready) => { const one = app.listen(0, '127.0.0.1', () => ready(one)); });
const fastify = Fastify();
const schema = { querystring: { type: 'object', properties: { size: { type: 'integer' } } } };
fastify.get('/items', { schema }, async (request) => JSON.stringify(request.query.size));
console.log(`http://127.0.0.1:${listener.address().port} ${await fastify.listen({ port: 0, host: '127.0.0.1' })}`);
END
cat > ask.py << 'END'
import json, socket, subprocess, sys
from threading import Thread
import requests, uvicorn
from fastapi import FastAPI
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest

app = FastAPI()

@app.get("/items")
def items(size: int) -> int:
    return size

listener = socket.create_server(("127.0.0.1", 0))
Thread(target=uvicorn.Server(uvicorn.Config(app, log_level="error")).run, args=([listener],), daemon=True).start()
urls = {"FastAPI": f"http://127.0.0.1:{listener.getsockname()[1]}"}
document = requests.get(urls["FastAPI"] + "/openapi.json", timeout=10).json()
with open("api.json", "w") as file:
    json.dump(document, file)
api = OpenAPI.from_dict(document)
node = subprocess.Popen(["node", "servers.mjs"], stdout=subprocess.PIPE, text=True)
urls["express-openapi-validator"], urls["Fastify"] = node.stdout.readline().split()

def by_openapi_core(text):
    request = requests.Request("GET", urls["FastAPI"] + "/items", params={"size": text})
    result = api.unmarshal_request(RequestsOpenAPIRequest(request))
    return "refused" if result.errors else result.parameters.query["size"]

def by(url, text):
    response = requests.get(url + "/items", params={"size": text}, timeout=10)
    return response.json() if response.ok else "refused"

seen = {}
try:
    for text in ("7", "+7", "07", "7.0", "7e0", "0x10", "1_000", "7.5"):
        read = {name: by(url, text) for name, url in urls.items()}
        read["openapi-core"] = by_openapi_core(text)
        seen[text] = tuple(read.values())
        print(f"size={text!r}: {', '.join(f'{name} {value}' for name, value in read.items())}")
finally:
    node.kill()
no = "refused"
as_found = seen == {
    **dict.fromkeys(("7", "+7", "07"), (7, 7, 7, 7)),
    "7.0": (7, 7, 7, no), "7e0": (no, 7, 7, no), "0x10": (no, 16, 16, no), "1_000": (1000, no, no, 1000), "7.5": (no, no, no, no),
}
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "FastAPI 0.165.0, openapi-core 0.23.1, express-openapi-validator 5.6.2, Fastify 5.12.8"
timeout 60 venv/bin/python ask.py
