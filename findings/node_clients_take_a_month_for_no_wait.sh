#!/usr/bin/env bash
# A Retry-After above 2,147,483 seconds (24.8 days; a monthly limit says up to 31) overflows the timers of Node, which
# then wait 1 ms: got, axios-retry and the SDK of OpenAI spend all their tries within a second, on a server that asked
# for a month without them. At 24.8 days they wait, and ky does at both. So a server must not send more than that. Exits
# with 1 once they do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact \
    got@14.6.6 axios@1.21.1 axios-retry@4.5.0 openai@6.49.0 ky@1.14.3

cat > month.mjs << 'END'
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import axios from 'axios';
import axiosRetry from 'axios-retry';
import got from 'got';
import ky from 'ky';
import OpenAI from 'openai';

const withRetry = axios.create();
axiosRetry(withRetry, { retryCondition: (error) => error.response?.status === 429 });
const clients = {
  got: (url) => got(url),
  'axios-retry': (url) => withRetry.get(url),
  openai: (url) => new OpenAI({ baseURL: url, apiKey: 'key' }).chat.completions.create({ model: 'm', messages: [] }),
  ky: (url) => ky(url),
};
process.on('warning', () => {});

async function tries(call, seconds) {
  let asked = 0;
  const server = http.createServer((request, response) => {
    asked += 1;
    response.writeHead(429, { 'Content-Type': 'application/json', 'Retry-After': seconds });
    request.resume().on('end', () => response.end('{"error":{"message":"The month is used up."}}'));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const failed = call(`http://127.0.0.1:${server.address().port}/`).then(() => false, () => true);
  const gaveUp = await Promise.race([failed, sleep(2500, false)]);
  server.close();
  return { asked, gaveUp };
}
let asFound = true;
for (const [name, call] of Object.entries(clients)) {
  const [below, month] = [await tries(call, 2_147_483), await tries(call, 31 * 86_400)];
  const tell = ({ asked, gaveUp }) => `${asked} ${asked === 1 ? 'request' : 'requests'}, ${gaveUp ? 'then an error' : 'waiting'}`;
  console.log(`${name}, after 2.5 seconds: Retry-After 2147483: ${tell(below)}; 2678400: ${tell(month)}`);
  const waits = ({ asked, gaveUp }) => asked === 1 && !gaveUp;
  asFound &&= waits(below) && (name === 'ky' ? waits(month) : month.asked >= 3 && month.gaveUp);
}
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "got 14.6.6, axios 1.21.1 with axios-retry 4.5.0, openai 6.49.0, ky 1.14.3, Node $(node --version)"
timeout 60 node --no-warnings month.mjs
