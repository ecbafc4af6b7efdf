#!/usr/bin/env bash
# ratelimit-header-parser finds the header `RateLimit` of the IETF draft in its present form ("name";r=4;t=60) and takes
# it for the older one: limit, remaining and reset are all NaN, without an error, though the response has what it could
# read as X-RateLimit-* besides. express-rate-limit sends this form as `draft-8`. `remaining < 1` is then never true, so
# a client that paces itself by the parser never waits. Exits with 1 once they do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact \
    express@5.3.0 express-rate-limit@8.7.5 ratelimit-header-parser@0.1.0

cat > read.mjs << 'END'
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { parseRateLimit } from 'ratelimit-header-parser';

const seen = {};
for (const standardHeaders of ['draft-6', 'draft-7', 'draft-8']) {
  const app = express();
  app.use(rateLimit({ windowMs: 60_000, limit: 1, standardHeaders, legacyHeaders: true, keyGenerator: () => 'key' }));
  app.get('/', (_, response) => response.send('ok'));
  const server = await new Promise((ready) => { const one = app.listen(0, '127.0.0.1', () => ready(one)); });
  const response = await fetch(`http://127.0.0.1:${server.address().port}/`);
  const { limit, remaining } = seen[standardHeaders] = parseRateLimit(response);
  const sent = standardHeaders === 'draft-6' ? 'ratelimit-remaining' : 'ratelimit';
  console.log(`${standardHeaders}, ${sent}: ${response.headers.get(sent)}: limit ${limit}, remaining ${remaining}, remaining < 1: ${remaining < 1}`);
  server.close();
}
const asFound = ['draft-6', 'draft-7'].every((draft) => seen[draft].limit === 1 && seen[draft].remaining === 0)
  && Number.isNaN(seen['draft-8'].remaining) && Number.isNaN(seen['draft-8'].limit);
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "ratelimit-header-parser 0.1.0, express-rate-limit 8.7.5, Node $(node --version)"
timeout 30 node read.mjs
