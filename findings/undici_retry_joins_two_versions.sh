#!/usr/bin/env bash
# undici's RetryAgent asks for the rest of a response that broke off by Range, without If-Match if there was no ETag,
# and joins what comes: if the resource was replaced by one of the same length in between, the caller gets a 200 with
# half of each. With a strong ETag it notices. So an API whose server supports Range needs ETags, and a gateway that
# closes a connection within a response (which is right) may be answered with such a request. Exits with 1 once undici
# does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact undici@7.30.2 send@1.2.1

cat > halves.mjs << 'END'
import http from 'node:http';
import { writeFileSync } from 'node:fs';
import send from 'send';
import { Agent, RetryAgent, request } from 'undici';

const ranges = [];
const server = http.createServer((incoming, response) => {
  ranges.push(incoming.headers.range);
  const etag = incoming.url === '/etag';
  if (ranges.length === 1) {
    const head = { 'Content-Length': 1000, 'Accept-Ranges': 'bytes' };
    response.writeHead(200, etag ? { ...head, ETag: '"version 1"' } : head);
    response.write('1'.repeat(400));
    writeFileSync('file', '2'.repeat(1000));
    setTimeout(() => response.destroy(), 100);
  } else {
    if (etag) response.setHeader('ETag', '"version 2"');
    send(incoming, 'file', { root: process.cwd(), etag: false, lastModified: false }).pipe(response);
  }
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

async function read(path) {
  ranges.length = 0;
  const dispatcher = new RetryAgent(new Agent());
  try {
    const { statusCode, body } = await request(`http://127.0.0.1:${server.address().port}${path}`, { dispatcher });
    const text = await body.text();
    const of = (version) => text.split(version).length - 1;
    return `${statusCode}, ${text.length} bytes: ${of('1')} of version 1, ${of('2')} of version 2`;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}
const without = await read('/none');
console.log(`without ETag, ranges asked for: ${ranges.slice(1)}; ${without}`);
const guarded = await read('/etag');
console.log(`with ETag: ${guarded}`);
const asFound = without === '200, 1000 bytes: 400 of version 1, 600 of version 2' && !guarded.startsWith('200');
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "undici 7.30.2, Node $(node --version)"
timeout 30 node halves.mjs
