#!/usr/bin/env bash
# GET /users/{id} and POST /users/me, a usual pair: does GET /users/me belong to the first? By OpenAPI's rule (a
# concrete path is matched before a templated one) it does not exist, and express-openapi-validator answers 405.
# FastAPI, from which such documents come, and openapi-core serve it as the user "me". So a gateway that follows the
# rule closes calls that work without it; it should say so when it reads the document. Exits with 1 once they do
# otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact express@5.3.0 express-openapi-validator@5.6.2
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    fastapi==0.165.0 uvicorn==0.54.0 openapi-core==0.23.1 requests==2.34.2

cat > users.py << 'END'
import json, socket
from threading import Thread
from urllib.request import urlopen
import uvicorn
from fastapi import FastAPI
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest
from requests import Request

app = FastAPI()

@app.post("/users/me")
def renew() -> str:
    return "renewed"

@app.get("/users/{id}")
def read(id: str) -> str:
    return f"user {id}"

listener = socket.create_server(("127.0.0.1", 0))
Thread(target=uvicorn.Server(uvicorn.Config(app, log_level="error")).run, args=([listener],), daemon=True).start()
url = f"http://127.0.0.1:{listener.getsockname()[1]}"
with urlopen(f"{url}/openapi.json", timeout=10) as response:
    document = response.read()
with open("api.json", "wb") as file:
    file.write(document)
with urlopen(f"{url}/users/me", timeout=10) as response:
    served = f"{response.status}, {response.read().decode()}"
print(f"FastAPI 0.165.0 answers GET /users/me with {served}")
request = RequestsOpenAPIRequest(Request("GET", f"{url}/users/me"))
read_as = OpenAPI.from_dict(json.loads(document)).unmarshal_request(request).parameters.path
print(f"openapi-core 0.23.1 reads it from FastAPI's document as {read_as}")
raise SystemExit(0 if served == '200, "user me"' and read_as == {"id": "me"} else "the behaviour has changed")
END
cat > validate.mjs << 'END'
import express from 'express';
import * as validator from 'express-openapi-validator';

const app = express();
app.use(validator.middleware({ apiSpec: 'api.json', validateSecurity: false }));
app.get('/users/:id', (request, response) => response.send(`user ${request.params.id}`));
app.use((error, _request, response, _next) => response.status(error.status).send(error.message));
const server = app.listen(0, '127.0.0.1', async () => {
  const at = (path) => fetch(`http://127.0.0.1:${server.address().port}${path}`);
  const [other, me] = [await at('/users/7'), await at('/users/me')];
  console.log(`express-openapi-validator 5.6.2: /users/7: ${other.status}; /users/me: ${me.status}, ${await me.text()}`);
  const asFound = other.status === 200 && me.status === 405;
  if (!asFound) console.error('the behaviour has changed');
  process.exit(asFound ? 0 : 1);
});
END
timeout 30 venv/bin/python users.py
timeout 30 node validate.mjs
