#!/usr/bin/env bash
# undici, the engine of Node's fetch, closes an idle HTTP/1.1 connection after 4 seconds, unless the server names a
# longer time in `Keep-Alive: timeout=…`, a header that no current RFC defines. Without it, a client that calls every 5
# seconds opens a connection (and does a TLS handshake) for each call, whatever the server's own time-out is. So a
# server or a gateway that keeps connections longer should say so. Exits with 1 once undici does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact undici@7.30.2

cat > idle.mjs << 'END'
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetch } from 'undici';

async function connections(header) {
  let opened = 0;
  const server = net.createServer((socket) => {
    opened += 1;
    socket.on('error', () => {});
    socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${header}\r\nok`));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  for (let call = 0; call < 3; call += 1) {
    if (call > 0) await sleep(5500);
    await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text();
  }
  return opened;
}
const [silent, said] = await Promise.all([connections(''), connections('Keep-Alive: timeout=75\r\n')]);
console.log(`3 calls, 5.5 seconds apart: ${silent} connections; with "Keep-Alive: timeout=75": ${said}`);
const asFound = silent === 3 && said === 1;
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "undici 7.30.2, Node $(node --version)"
node idle.mjs
