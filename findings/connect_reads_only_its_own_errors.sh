#!/usr/bin/env bash
# A Connect client reads an error only in Connect's own JSON ({"code":…,"message":…} at the top). Any other body is
# dropped, and the status decides: 429 becomes `unavailable`, the code that callers retry, 400 `internal`, the one that
# rings alarms, 404 `unimplemented`, and 422 and 500 alike `unknown`, all without a message. So what stands before a
# Connect server has to answer in its form, or its limits look like an outage and its hints like a defect. Exits with 1
# once it does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact \
    @connectrpc/connect@2.1.2 @connectrpc/connect-node@2.1.2 @bufbuild/protobuf@2.17.0

cat > call.mjs << 'END'
import http from 'node:http';
import { create, createFileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, file_google_protobuf_wrappers } from '@bufbuild/protobuf/wkt';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';

const TEXT = 'All 10 requests are used.';
const type = '.google.protobuf.StringValue';
const file = create(FileDescriptorProtoSchema, {
  name: 'finding.proto',
  syntax: 'proto3',
  dependency: ['google/protobuf/wrappers.proto'],
  service: [{ name: 'Finding', method: [{ name: 'Get', inputType: type, outputType: type }] }],
});
const files = create(FileDescriptorSetSchema, { file: [file_google_protobuf_wrappers.proto, file] });
const service = createFileRegistry(files).getService('Finding');

const bodies = {
  'of another form': (code) => ({ error: { code, message: TEXT } }),
  "of Connect's form": (code) => ({ code, message: TEXT }),
};
let body;
const server = http.createServer((request, response) => {
  const [status, code] = request.headers['x-answer'].split(' ');
  response.writeHead(Number(status), { 'Content-Type': 'application/json', 'Retry-After': '7' });
  request.resume().on('end', () => response.end(JSON.stringify(body(code))));
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const baseUrl = `http://127.0.0.1:${server.address().port}`;
const client = createClient(service, createConnectTransport({ baseUrl, httpVersion: '1.1' }));
const answers = ['429 resource_exhausted', '400 invalid_argument', '404 not_found', '422 invalid_argument', '500 internal'];
const results = {};
for (const [name, form] of Object.entries(bodies)) {
  body = form;
  results[name] = [];
  for (const answer of answers) {
    const error = await client.get({}, { headers: { 'X-Answer': answer } }).catch((failed) => failed);
    results[name].push(Code[error.code]);
    console.log(`${answer.split(' ')[0]} with a body ${name}: ${Code[error.code]}, message: ${JSON.stringify(error.rawMessage)}`);
    if ((error.rawMessage === TEXT) !== (name === "of Connect's form")) results[name].push(error.rawMessage);
  }
}
const asFound = results['of another form'].join() === 'Unavailable,Internal,Unimplemented,Unknown,Unknown'
  && results["of Connect's form"].join() === 'ResourceExhausted,InvalidArgument,NotFound,InvalidArgument,Internal';
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "@connectrpc/connect 2.1.2, Node $(node --version)"
timeout 30 node call.mjs
