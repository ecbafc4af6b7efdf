#!/usr/bin/env bash
# redis-py repeats a command after a socket time-out by itself (10 times by default), INCR and scripts included,
# although the server carries out the one that timed out as well: half a second's stall of the server, and one incr()
# counts 2. So a limiter whose ledger is an increment charges for requests that nobody made; one that sets totals does
# not. `retry=None` raises TimeoutError, but the count rises all the same. Needs valkey-server or redis-server. Exits
# with 1 once redis-py does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ledger="$(command -v valkey-server || command -v redis-server)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check redis==8.1.0

cat > stall.py << 'END'
import signal, subprocess, sys, time
from pathlib import Path
from threading import Timer
import redis

def count(**options):
    with redis.Redis(unix_socket_path="socket", socket_timeout=0.2, **options) as client:
        client.ping()
        server.send_signal(signal.SIGSTOP)
        Timer(0.5, server.send_signal, (signal.SIGCONT,)).start()
        try:
            said = client.incr("requests")
        except redis.TimeoutError as error:
            said = type(error).__name__
    time.sleep(1)
    with redis.Redis(unix_socket_path="socket") as client:
        return said, int(client.getdel("requests"))

server = subprocess.Popen([sys.argv[1], "--port", "0", "--unixsocket", "socket", "--save", ""], stdout=subprocess.DEVNULL)
try:
    while not Path("socket").exists():
        time.sleep(0.05)
    by_default, without = count(), count(retry=None)
finally:
    server.kill()
print("one incr(), the server stalls for 0.5 seconds, socket_timeout 0.2")
print(f"by default: incr() returns {by_default[0]}, the counter is {by_default[1]}")
print(f"retry=None: incr() ends with {without[0]}, the counter is {without[1]}")
sys.exit(0 if by_default == (2, 2) and without == ("TimeoutError", 1) else "the behaviour has changed")
END
echo "redis-py 8.1.0, $("$ledger" --version | cut -d ' ' -f 1-3)"
venv/bin/python stall.py "$ledger"
