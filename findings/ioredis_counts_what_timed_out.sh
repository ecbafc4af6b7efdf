#!/usr/bin/env bash
# ioredis keeps commands for a server that is away and sends them when it is back, also those whose `commandTimeout` is
# long over and whose callers were told so: ten INCRs fail while the server is down, and the counter rises by ten once
# it is up. A limiter that lets requests pass without its ledger, or denies them, so charges both for an outage later.
# node-redis takes a command back that ran into its `timeout`; `enableOfflineQueue: false` does it for ioredis. Exits
# with 1 once they do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ledger="$(command -v valkey-server || command -v redis-server)"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact ioredis@6.0.0 redis@6.3.1

cat > outage.mjs << 'END'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Redis from 'ioredis';
import { createClient } from 'redis';

async function start() {
  const options = ['--port', '0', '--unixsocket', 'socket', '--save', ''];
  const server = spawn(process.argv[2], options, { stdio: 'ignore' });
  process.once('exit', () => server.kill());
  while (!existsSync('socket')) await sleep(50);
  return server;
}
async function stop(server) {
  server.kill();
  await once(server, 'exit');
}
async function byIoredis(options) {
  const client = new Redis({ path: 'socket', commandTimeout: 300, ...options });
  await once(client, 'ready');
  return { client, close: () => client.disconnect() };
}
const clients = {
  ioredis: () => byIoredis({}),
  'ioredis, enableOfflineQueue: false': () => byIoredis({ enableOfflineQueue: false }),
  'node-redis': async () => {
    const client = createClient({ socket: { path: 'socket' }, commandOptions: { timeout: 300 } });
    client.on('error', () => {});
    await client.connect();
    return { client, close: () => client.destroy() };
  },
};
const results = {};
for (const [name, open] of Object.entries(clients)) {
  let server = await start();
  const { client, close } = await open();
  client.on('error', () => {});
  await stop(server);
  await sleep(100);
  const ends = await Promise.all(Array.from({ length: 10 }, () => client.incr('requests').then(() => true, () => false)));
  const failed = ends.filter((done) => !done).length;
  server = await start();
  await sleep(3500);
  const direct = new Redis({ path: 'socket' });
  const counter = Number(await direct.get('requests'));
  direct.disconnect();
  close();
  await stop(server);
  results[name] = [failed, counter];
  console.log(`${name}: ${failed} of 10 incr() failed during the outage; the counter afterwards: ${counter}`);
}
const asFound = JSON.stringify(Object.values(results)) === '[[10,10],[10,0],[10,0]]';
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "ioredis 6.0.0, redis 6.3.1 for Node, $("$ledger" --version | cut -d ' ' -f 1-3)"
timeout 60 node outage.mjs "$ledger"
