#!/usr/bin/env bash
# tus-js-client (of Uppy) that finds its upload locked by the connection which just broke (423) waits and goes on where
# it was. Any other 4xx at that point makes it give the upload up and send all of it again under a new address, without
# an error. So a gateway that turns the 423 of a tus server into 400 or 409 makes each interrupted upload begin anew,
# and its first half is left behind at the server. Exits with 1 once tus-js-client does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact \
    tus-js-client@4.3.1 @tus/server@2.4.5 @tus/file-store@2.1.1

cat > upload.mjs << 'END'
import http from 'node:http';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import * as tus from 'tus-js-client';

const SIZE = 1_000_000;
const store = new Server({ path: '/files', datastore: new FileStore({ directory: 'files' }) });
let asFound = true;
for (const status of [423, 409, 400]) {
  const asked = [];
  let breakOff = true, locked = true;
  const server = http.createServer((request, response) => {
    asked.push(request.method);
    if (request.method === 'PATCH' && breakOff) {
      breakOff = false;
      let taken = 0;
      request.on('data', (part) => { taken += part.length; if (taken >= SIZE / 2) request.socket.destroy(); });
    } else if (request.method === 'HEAD' && locked) {
      locked = false;
      response.writeHead(status, { 'Tus-Resumable': '1.0.0' }).end();
      return;
    }
    store.handle(request, response).catch(() => {});
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const end = await new Promise((done) => new tus.Upload(Buffer.alloc(SIZE), {
    endpoint: `http://127.0.0.1:${server.address().port}/files`,
    retryDelays: [100, 100, 100],
    onSuccess: () => done('success'),
    onError: (error) => done(error.message),
  }).start());
  const created = asked.filter((method) => method === 'POST').length;
  console.log(`HEAD answered with ${status}: ${asked.join(' ')}; ${end}, uploads created: ${created}`);
  asFound &&= end === 'success' && created === (status === 423 ? 1 : 2);
  server.closeAllConnections();
}
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "tus-js-client 4.3.1, Node $(node --version)"
timeout 30 node upload.mjs
