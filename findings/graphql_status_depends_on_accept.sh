#!/usr/bin/env bash
# Whether an invalid GraphQL query is a success is up to the client's Accept: graphql-yoga and graphql-http answer the
# same query 400 to `application/graphql-response+json` and 200 to `application/json` or */* (the draft GraphQL over HTTP
# asks for it). So who counts, charges, retries or alarms by status sees two rates of errors for one behaviour, and a
# client that changes a header pays for its mistakes; the member `data`, absent in both, tells. Exits with 1 once they
# do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact \
    graphql@16.15.0 graphql-yoga@5.24.1 graphql-http@1.23.1

cat > ask.mjs << 'END'
import http from 'node:http';
import { buildSchema } from 'graphql';
import { createHandler } from 'graphql-http/lib/use/http';
import { createSchema, createYoga } from 'graphql-yoga';

const TYPES = 'type Query { price: Int }';
const servers = {
  'graphql-yoga': createYoga({ schema: createSchema({ typeDefs: TYPES }), logging: false }),
  'graphql-http': createHandler({ schema: buildSchema(TYPES) }),
};
let asFound = true;
for (const [name, handler] of Object.entries(servers)) {
  const server = http.createServer(handler);
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  for (const [accept, expected] of [['application/graphql-response+json', 400], ['application/json', 200], ['*/*', 200]]) {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: accept },
      body: JSON.stringify({ query: '{ cost }' }),
    });
    const result = await response.json();
    console.log(`${name}, Accept: ${accept}: ${response.status}, errors: ${result.errors.length}, has data: ${'data' in result}`);
    asFound &&= response.status === expected && result.errors.length === 1 && !('data' in result);
  }
  server.close();
}
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "graphql-yoga 5.24.1, graphql-http 1.23.1, Node $(node --version)"
timeout 30 node ask.mjs
