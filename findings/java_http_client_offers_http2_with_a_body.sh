#!/usr/bin/env bash
# Java's HttpClient offers HTTP/2 (`Upgrade: h2c`) with the first request on each cleartext connection, a POST included.
# Servers may ignore that; two do not. uvicorn with httptools, its default, hands the program an empty body, and the
# caller gets a 200. Node's server lets a listener for upgrades, such as that of ws, answer in place of the API: 405.
# A gateway that drops the offer cures both; so does `version(HTTP_1_1)`. Needs Java 11 or later. Exits with 1 once they
# do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact ws@8.23.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0

cat > Post.java << 'END'
import java.net.URI;
import java.net.http.*;

public class Post {
    public static void main(String[] arguments) throws Exception {
        for (var version : new HttpClient.Version[] {HttpClient.Version.HTTP_2, HttpClient.Version.HTTP_1_1}) {
            var request = HttpRequest.newBuilder(URI.create(arguments[0])).version(version)
                .POST(HttpRequest.BodyPublishers.ofString("seven7!")).build();
            var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
            System.out.print((version == HttpClient.Version.HTTP_2 ? "" : "; with version(HTTP_1_1) ")
                + response.statusCode() + " " + response.body().strip());
        }
        System.exit(0);
    }
}
END
cat > app.py << 'END'
import socket, subprocess, sys
from threading import Thread
import uvicorn

async def app(scope, receive, send):
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"%d bytes" % size})

listener = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(app, http=sys.argv[1], ws="none", lifespan="off", log_level="critical"))
Thread(target=server.run, args=([listener],), daemon=True).start()
subprocess.run(["java", "Post.java", f"http://127.0.0.1:{listener.getsockname()[1]}/"], check=True)
END
cat > server.mjs << 'END'
import { spawn } from 'node:child_process';
import http from 'node:http';
import { WebSocketServer } from 'ws';

const server = http.createServer(async (request, response) => {
  let size = 0;
  for await (const part of request) size += part.length;
  response.end(`${size} bytes`);
});
if (process.argv[2] === 'ws') new WebSocketServer({ server, path: '/live' });
server.listen(0, '127.0.0.1', () => {
  spawn('java', ['Post.java', `http://127.0.0.1:${server.address().port}/`], { stdio: 'inherit' })
    .on('exit', (code) => process.exit(code));
});
END
echo "uvicorn 0.54.0 with httptools 0.9.0, ws 8.23.0, Node $(node --version), Java $(java --version | sed -n '1s/[^ ]* //p')"
as_found=true
check() {
    local result
    result="$(timeout 40 "${@:3}")"
    echo "$1: a POST of 7 bytes gets $result"
    [ "$result" = "$2" ] || as_found=false
}
fine="200 7 bytes; with version(HTTP_1_1) 200 7 bytes"
check "uvicorn, httptools" "200 0 bytes; with version(HTTP_1_1) 200 7 bytes" venv/bin/python app.py httptools
check "uvicorn, h11" "$fine" venv/bin/python app.py h11
check "Node with ws for /live" "405 Invalid HTTP method; with version(HTTP_1_1) 200 7 bytes" node server.mjs ws
check "Node without" "$fine" node server.mjs
"$as_found" || { echo "the behaviour has changed" >&2; exit 1; }
