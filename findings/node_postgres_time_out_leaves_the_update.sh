#!/usr/bin/env bash
# node-postgres's `query_timeout` ends the wait and not the statement: the caller gets an error, and the update that
# waited for a lock is made afterwards. asyncpg's time-out and a cancelled call of psycopg cancel the statement. So a
# ledger that takes such an error for "nothing was granted" gives out the same units twice, unless `statement_timeout`
# ends the statement first. Needs PostgreSQL's server and, for root, its user. Exits with 1 once they do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
as_owner=()
if [ "$(id -u)" = 0 ]; then
    as_owner=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    chown postgres "$folder"
fi
PATH="$PATH:$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)"
trap '"${as_owner[@]}" pg_ctl --pgdata="$folder/data" --mode=immediate stop > /dev/null 2>&1 || true; rm -rf "$folder"' EXIT
cd "$folder"
chmod 755 .
npm init --yes > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact pg@8.23.1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check asyncpg==0.32.0 psycopg==3.3.9 psycopg-binary==3.3.9
"${as_owner[@]}" initdb --pgdata=data --auth=trust --username=finding --no-sync > /dev/null
"${as_owner[@]}" pg_ctl --pgdata=data --log=data/log --wait start \
    --options="-c listen_addresses= -c unix_socket_directories=$folder" > /dev/null

cat > update.mjs << 'END'
import pg from 'pg';

const client = new pg.Client({ host: process.cwd(), user: 'finding', database: 'postgres', query_timeout: 300 });
await client.connect();
await client.query(process.argv[2]).then(() => console.log('no error'), (error) => console.log(error.message));
await client.end();
END
cat > ledger.py << 'END'
import asyncio, os, sys
import asyncpg, psycopg

UPDATE = "UPDATE ledger SET granted = granted + 1"

async def by_node_postgres():
    node = await asyncio.create_subprocess_exec("node", "update.mjs", UPDATE, stdout=asyncio.subprocess.PIPE)
    return (await node.stdout.readline()).decode().strip()

async def by_asyncpg():
    client = await asyncpg.connect(host=os.getcwd(), user="finding", database="postgres")
    try:
        return await client.execute(UPDATE, timeout=0.3)
    except TimeoutError as error:
        return type(error).__name__

async def by_psycopg():
    client = await psycopg.AsyncConnection.connect(f"host={os.getcwd()} user=finding dbname=postgres", autocommit=True)
    try:
        return await asyncio.wait_for(client.execute(UPDATE), 0.3)
    except TimeoutError as error:
        return type(error).__name__

async def main():
    direct = await asyncpg.connect(host=os.getcwd(), user="finding", database="postgres")
    await direct.execute("CREATE TABLE ledger (granted int)")
    counts = []
    for call in (by_node_postgres, by_asyncpg, by_psycopg):
        await direct.execute("DELETE FROM ledger")
        await direct.execute("INSERT INTO ledger VALUES (0)")
        async with direct.transaction():
            await direct.fetch("SELECT FROM ledger FOR UPDATE")
            said = await call()
            await asyncio.sleep(1.5)
        await asyncio.sleep(0.5)
        counts.append(await direct.fetchval("SELECT granted FROM ledger"))
        print(f"{call.__name__.removeprefix('by_')}: the caller gets {said}; the lock ends 1.5 s later, the ledger: {counts[-1]}")
    return counts

sys.exit(0 if asyncio.run(main()) == [1, 0, 0] else "the behaviour has changed")
END
echo "pg 8.23.1 for Node, asyncpg 0.32.0, psycopg 3.3.9, $(postgres --version | cut -d ' ' -f 1-3)"
timeout 40 venv/bin/python ledger.py
