#!/usr/bin/env bash
# orval writes the values of an enum of a path parameter between single quotes as they are: with a line break in
# one, which JSON and OpenAPI allow, the client that it makes is no TypeScript. It exits with 0 all the same.
# So tests/interop/enriched gives it documents without such values. Exits with 1 once orval does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact orval@7.13.2 typescript@5.9.3

cat > api.json << 'END'
{
  "openapi": "3.0.3",
  "info": { "title": "Kinds", "version": "1" },
  "paths": { "/kinds/{kind}": { "get": {
    "operationId": "read",
    "parameters": [{ "name": "kind", "in": "path", "required": true,
      "schema": { "type": "string", "enum": ["one line", "two\nlines"] } }],
    "responses": { "200": { "description": "Fine." } }
  } } }
}
END
cat > orval.config.cjs << 'END'
module.exports = { api: { input: { target: 'api.json' }, output: { target: 'client.ts', client: 'fetch' } } };
END
npx orval --config orval.config.cjs > orval.log 2>&1
echo "orval 7.13.2 exits with $?"
if npx tsc --noEmit --target es2022 --lib es2022,dom client.ts > tsc.log; then
    echo "its client compiles: the behaviour has changed"
    exit 1
fi
echo "TypeScript 5.9.3 says of its client:"
head -n 2 tsc.log
