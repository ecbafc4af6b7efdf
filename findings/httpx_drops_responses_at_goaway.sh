#!/usr/bin/env bash
# httpx over HTTP/2 gives up the response in progress at any GOAWAY: at one with NO_ERROR whose last stream is the
# request's own, and at the notice of a graceful shutdown (last stream 2^31-1), though the server sends the rest (RFC
# 9113, section 6.8). Node's http2 reads it to its end. So a gateway that says GOAWAY before its streams have ended
# breaks, at each restart, calls that it completes and charges. Exits with 1 once httpx does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check httpx==0.28.1 httpcore==1.0.9 h2==4.4.1

cat > server.js << 'END'
const http2 = require('node:http2');
const server = http2.createServer();
server.on('sessionError', () => {});
server.on('stream', (stream, headers) => {
  const last = { '/notice': 2 ** 31 - 1, '/final': stream.id }[headers[':path']];
  stream.on('error', () => {});
  stream.respond({ ':status': 200 });
  stream.write('first, ');
  if (last !== undefined) setTimeout(() => stream.session.goaway(http2.constants.NGHTTP2_NO_ERROR, last), 100);
  setTimeout(() => stream.destroyed || stream.end('second'), 300);
});
server.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  for (const path of ['/notice', '/final']) {
    const session = http2.connect(url);
    let text = '';
    for await (const part of session.request({ ':path': path }).setEncoding('utf8')) text += part;
    console.log(`${path}: Node's http2 reads "${text}"`);
    session.close();
  }
  const { spawn } = require('node:child_process');
  spawn('venv/bin/python', ['client.py', url], { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));
});
END
cat > client.py << 'END'
import sys
import httpx

def read(path):
    with httpx.Client(http1=False, http2=True) as client:
        try:
            return client.get(sys.argv[1] + path).text
        except httpx.RemoteProtocolError as error:
            return error

whole, notice, final = (read(path) for path in ("/whole", "/notice", "/final"))
print(f"/whole: httpx reads {whole!r}")
print(f"/notice: httpx raises {notice!r}")
print(f"/final: httpx raises {final!r}")
broken = all("ConnectionTerminated error_code:0" in str(answer) for answer in (notice, final))
sys.exit(0 if whole == "first, second" and broken else "the behaviour has changed")
END
echo "httpx 0.28.1, httpcore 1.0.9, h2 4.4.1; Node $(node --version)"
timeout 30 node server.js
