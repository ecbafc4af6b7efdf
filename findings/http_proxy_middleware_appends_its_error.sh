#!/usr/bin/env bash
# http-proxy-middleware meets an upstream that dies within a chunked response (its connection is reset) by writing a
# sentence of its own behind what it has sent, and ends the body in order: a 200 whose lines are cut off and followed by
# "Error occurred while trying to proxy" and the upstream's address. No HTTP client can notice; one that asks the
# upstream itself gets an error. Exits with 1 once it does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact express@5.3.0 http-proxy-middleware@3.0.11

cat > proxy.mjs << 'END'
import http from 'node:http';
import net from 'node:net';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

const LINES = '{"id":1}\n{"id":2}\n';
const upstream = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write(`${LINES.length.toString(16)}\r\n${LINES}\r\n`);
    setTimeout(() => socket.resetAndDestroy(), 300);
  });
});
const listen = (server) => new Promise((ready) => server.listen(0, '127.0.0.1', () => ready(server.address().port)));
const target = `http://127.0.0.1:${await listen(upstream)}`;

const app = express();
app.use(createProxyMiddleware({ target }));
const server = http.createServer(app);
const middle = `http://127.0.0.1:${await listen(server)}`;
const read = (url) => fetch(url).then(async (got) => `${got.status} ${await got.text()}`).catch((error) => error.message);
const [direct, through] = [await read(`${target}/items`), await read(`${middle}/items`)];
console.log(`fetch() of the upstream: ${direct}`);
console.log(`through http-proxy-middleware: ${JSON.stringify(through)}`);
const asFound = through.startsWith(`200 ${LINES}Error occurred while trying to proxy`) && direct === 'terminated';
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "http-proxy-middleware 3.0.11, Node $(node --version)"
timeout 30 node proxy.mjs
