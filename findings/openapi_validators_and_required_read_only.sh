#!/usr/bin/env bash
# A property that is `required` and `readOnly`, such as an `id` that the server gives: by OpenAPI 3.0 it should not be
# sent, and `required` holds for responses alone. express-openapi-validator refuses a request that has it,
# openapi-backend one that lacks it: no body satisfies both, so a client of one cannot be moved behind the other. A
# gateway that neither requires nor refuses it stands before either. Exits with 1 once they do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact \
    express@5.3.0 express-openapi-validator@5.6.2 openapi-backend@5.21.2

cat > validate.mjs << 'END'
import express from 'express';
import * as validator from 'express-openapi-validator';
import { OpenAPIBackend } from 'openapi-backend';

const schema = {
  type: 'object',
  required: ['id', 'name'],
  properties: { id: { type: 'integer', readOnly: true }, name: { type: 'string' } },
};
const document = () => structuredClone({
  openapi: '3.0.3',
  info: { title: 'Things', version: '1' },
  paths: { '/things': { post: {
    operationId: 'make',
    requestBody: { required: true, content: { 'application/json': { schema } } },
    responses: { 200: { description: 'Made.' } },
  } } },
});
const app = express();
app.use(express.json(), validator.middleware({ apiSpec: document() }));
app.post('/things', (_, response) => response.send('taken'));
app.use((error, _request, response, _next) => response.status(error.status).send(`refused: ${error.message}`));
const server = app.listen(0, '127.0.0.1');
await new Promise((ready) => server.on('listening', ready));

const backend = new OpenAPIBackend({ definition: document(), handlers: {
  make: () => 'taken',
  validationFail: ({ validation }) => `refused: ${validation.errors[0].message}`,
} });
await backend.init();
const results = [];
for (const body of [{ name: 'a' }, { id: 1, name: 'a' }]) {
  const headers = { 'content-type': 'application/json' };
  const url = `http://127.0.0.1:${server.address().port}/things`;
  const one = await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).text();
  const other = await backend.handleRequest({ method: 'POST', path: '/things', headers, body });
  console.log(`${JSON.stringify(body)}: express-openapi-validator: ${one}; openapi-backend: ${other}`);
  results.push(one.split(':')[0], other.split(':')[0]);
}
const asFound = results.join() === 'taken,refused,refused,taken';
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "express-openapi-validator 5.6.2, openapi-backend 5.21.2"
timeout 30 node validate.mjs
