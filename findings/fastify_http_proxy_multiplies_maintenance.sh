#!/usr/bin/env bash
# @fastify/http-proxy answers a 503 of its upstream to a GET by asking again, ten times by default, and takes the seconds
# of Retry-After for milliseconds: "come back in 2 seconds" is followed by ten more requests within a fraction of a
# second. So maintenance or overload behind it brings 11 times the load, at the worst moment. `maxRetriesOn503: 0` means
# 10 as well; `retryDelay: () => null` ends it. POST is sent once. Exits with 1 once it does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact fastify@5.12.8 @fastify/http-proxy@11.6.3

cat > proxy.mjs << 'END'
import http from 'node:http';
import proxy from '@fastify/http-proxy';
import Fastify from 'fastify';

let asked = 0;
const upstream = http.createServer((request, response) => {
  asked += 1;
  response.writeHead(503, { 'Content-Type': 'application/json', 'Retry-After': '2' });
  request.resume().on('end', () => response.end('{}'));
});
await new Promise((ready) => upstream.listen(0, '127.0.0.1', ready));

async function ask(method, replyOptions) {
  asked = 0;
  const gateway = Fastify();
  gateway.register(proxy, { upstream: `http://127.0.0.1:${upstream.address().port}`, replyOptions });
  const url = await gateway.listen({ port: 0, host: '127.0.0.1' });
  const begun = performance.now();
  const { status } = await fetch(`${url}/items`, { method });
  const milliseconds = Math.round(performance.now() - begun);
  console.log(`one ${method}${replyOptions ? `, ${Object.keys(replyOptions)}: ${Object.values(replyOptions)}` : ''}: the upstream gets ${asked}, the client ${status} after ${milliseconds} ms`);
  await gateway.close();
  return { asked, status, milliseconds };
}
const results = [await ask('GET'), await ask('POST'), await ask('GET', { maxRetriesOn503: 0 }),
  await ask('GET', { retryDelay: () => null })];
const asFound = results.map(({ asked }) => asked).join() === '11,1,11,1' && results[0].milliseconds < 2000
  && results.every(({ status }) => status === 503);
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "@fastify/http-proxy 11.6.3, Node $(node --version)"
timeout 40 node proxy.mjs
