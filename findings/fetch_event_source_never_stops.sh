#!/usr/bin/env bash
# @microsoft/fetch-event-source, with which pages read event streams by POST, repeats a denied request each second
# without end, whatever the status (401, 429) and Retry-After say: by default it takes any response that is no event
# stream for a lost connection. So a page whose key has used up its limit asks all day, and each try costs the server. A
# program has to throw in `onopen` and `onerror`; a gateway needs denials that are cheap. Exits with 1 once it does
# otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact @microsoft/fetch-event-source@2.0.1 jsdom@26.1.0

cat > page.mjs << 'END'
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { JSDOM } from 'jsdom';

const { window } = new JSDOM('');
Object.assign(globalThis, { window, document: window.document });
window.fetch = fetch;
const { fetchEventSource } = await import('@microsoft/fetch-event-source');

const tries = { 401: 0, 429: 0 };
const server = http.createServer((request, response) => {
  const status = Number(request.url.slice(1));
  tries[status] += 1;
  response.writeHead(status, { 'Content-Type': 'application/json', 'Retry-After': '3600' });
  response.end('{"error":"denied"}');
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
for (const status of Object.keys(tries)) {
  const ended = () => { tries[status] = NaN; };
  fetchEventSource(`http://127.0.0.1:${server.address().port}/${status}`, { method: 'POST', body: '{}' }).then(ended, ended);
}
await sleep(5600);
for (const status in tries) console.log(`${status} with Retry-After: 3600: ${tries[status]} POSTs in 5.6 seconds`);
const asFound = Object.values(tries).every((count) => count >= 4);
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "@microsoft/fetch-event-source 2.0.1, Node $(node --version)"
node page.mjs
