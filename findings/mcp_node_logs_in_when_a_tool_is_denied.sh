#!/usr/bin/env bash
# MCP's SDK for Node takes a 401 on a single tool call for a lost login, although its token was good for all calls
# before: with an `authProvider` it looks for an authorization server at four addresses and registers a new client, five
# more requests, and the caller gets an OAuth error in place of the server's reason. A 403 reaches the caller as it is.
# So whoever denies one tool has to say 403. Exits with 1 once it does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact @modelcontextprotocol/sdk@1.32.2

cat > call.mjs << 'END'
import http from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

const REASON = 'This key may not add.';
const authProvider = {
  redirectUrl: 'http://127.0.0.1/back',
  clientMetadata: { redirect_uris: ['http://127.0.0.1/back'] },
  clientInformation: () => undefined,
  saveClientInformation: () => {},
  tokens: () => ({ access_token: 'good', token_type: 'bearer' }),
  saveTokens: () => {},
  redirectToAuthorization: () => {},
  saveCodeVerifier: () => {},
  codeVerifier: () => 'verifier',
};
let asFound = true;
for (const status of [401, 403]) {
  const after = [];
  let denied = false;
  const server = http.createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    if (denied) after.push(`${request.method} ${request.url}`);
    if (text.includes('"tools/call"')) {
      denied = true;
      response.writeHead(status, { 'Content-Type': 'application/json', ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }) });
      response.end(JSON.stringify({ error: { message: REASON } }));
    } else if (request.url !== '/mcp' || request.method !== 'POST') {
      response.writeHead(request.url === '/mcp' ? 405 : 404).end();
    } else {
      const mcp = new McpServer({ name: 'finding', version: '1' });
      mcp.registerTool('add', {}, () => ({ content: [{ type: 'text', text: '3' }] }));
      const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
      await mcp.connect(transport);
      await transport.handleRequest(request, response, JSON.parse(text));
    }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const client = new Client({ name: 'finding', version: '1' });
  const url = new URL(`http://127.0.0.1:${server.address().port}/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider }));
  const told = await client.callTool({ name: 'add' }).then(() => 'success', (error) => error.message);
  console.log(`tools/call answered with ${status}: the caller reads: ${told}`);
  console.log(`  requests after that: ${after.join(', ') || 'none'}`);
  asFound &&= status === 401 ? after.length === 5 && !told.includes(REASON) : after.length === 0 && told.includes(REASON);
  await client.close();
  server.closeAllConnections();
}
if (!asFound) console.error('the behaviour has changed');
process.exit(asFound ? 0 : 1);
END
echo "@modelcontextprotocol/sdk 1.32.2, Node $(node --version)"
timeout 40 node call.mjs
