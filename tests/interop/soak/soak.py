#!/usr/bin/env python3
"""A gateway under mixed load for long: nothing may grow, and no request may be lost.

    python soak.py PROGRAM [--seconds 3600]

Clients by HTTP/1.1 and HTTP/2, with TLS and without: requests one after the other and many at once, events, tunnels, slow
ones, errors, denials, clients that leave. Meanwhile the configuration changes again and again, and three times another
gateway takes over. What the process holds is compared from two fifths of the time on, when all is warm and the last
gateway has taken over. At the end the counters must match exactly the responses that clients got.
"""

import argparse
import asyncio
import collections
import json
import logging
import pathlib
import ssl
import sys
import tempfile
import time

import http1
import http2
from gateway import Gateway
from tally import Lost, Sample, Tally, growth, table

SUCCESSIONS = (0.1, 0.2, 0.3)
WARM = 0.4
# Fewer samples prove nothing; a busy machine takes longer for them.
LEAST_SAMPLES = 12
# How long connections may take to end when all clients have left.
QUIET_SECONDS = 90


async def client(tally, failed, function, *arguments):
    """Runs a client to the end of the soak. What it lost is reported, and others continue."""
    while not tally.is_over:
        try:
            await function(tally, *arguments)
        except Lost as lost:
            failed.append(str(lost))
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, TimeoutError) as error:
            failed.append(f"{function.__module__}.{function.__name__}: {error!r}")


async def clients(gateway, tally, failed):
    """Starts all clients. Returns their tasks, and the key of those whose every success is counted."""
    free, left, few = [await gateway.new_key(plan) for plan in ("free", "free", "few")]
    trusting = ssl.create_default_context(cafile=gateway.folder / "certificate.pem")
    by_h2 = ssl.create_default_context(cafile=gateway.folder / "certificate.pem")
    by_h2.set_alpn_protocols(["h2"])
    plain, tls = gateway.plain, gateway.tls
    wanted = [
        *[(http1.steady, free, plain)] * 4,
        *[(http1.steady, free, tls, trusting)] * 3,
        *[(http2.steady, free, plain)] * 2,
        *[(http2.steady, free, tls, by_h2)] * 2,
        (http1.events, free, plain),
        (http1.events, free, tls, trusting),
        *[(http1.tunnels, free, plain)] * 2,
        *[(http1.slow, free, plain)] * 2,
        (http1.errors, free, plain),
        (http1.denials, few, plain),
        *[(http1.aborts, left, plain)] * 2,
        (http1.aborts, left, tls, trusting),
        (http2.resets, left, plain),
        (http2.resets, left, tls, by_h2),
    ]
    return [asyncio.create_task(client(tally, failed, *one)) for one in wanted], free


async def sample(gateway):
    return Sample(*gateway.held(), *await gateway.status())


async def disturb(gateway, begun, seconds, tally):
    """Reloads the configuration and makes hot restarts, again and again."""
    due = collections.deque(begun + seconds * part for part in SUCCESSIONS)
    pause = max(1.0, seconds / 200)
    while not tally.is_over:
        await asyncio.sleep(pause)
        if due and time.monotonic() > due[0]:
            due.popleft()
            await gateway.succeed()
        else:
            await gateway.reload()


async def load(gateway, seconds):
    """The load and everything during it. Returns the samples, the tally, the key that was counted, and what failed."""
    tally, failed, samples = Tally(), [], []
    tasks, key = await clients(gateway, tally, failed)
    begun = time.monotonic()
    disturbing = asyncio.create_task(disturb(gateway, begun, seconds, tally))
    while time.monotonic() < begun + seconds or len(samples) < LEAST_SAMPLES and time.monotonic() < begun + 5 * seconds:
        await asyncio.sleep(max(0.25, seconds / 1000))
        if disturbing.done():
            disturbing.result()
        is_warm = gateway.successions == len(SUCCESSIONS) and time.monotonic() > begun + seconds * WARM
        if is_warm:
            samples.append(await sample(gateway))
        if len(failed) > 20:
            break
    tally.is_over = True
    await disturbing
    await asyncio.wait_for(asyncio.gather(*tasks), 120)
    return samples, tally, key, failed


async def until_quiet(gateway):
    """The resources in use when all clients have left, as soon as nothing is in flight."""
    end = time.monotonic() + QUIET_SECONDS
    while True:
        quiet = await sample(gateway)
        if quiet.connections == 0 and quiet.requests == 0 or time.monotonic() > end:
            return quiet
        await asyncio.sleep(0.5)


async def used(gateway, key):
    connection = await http1.Connection.open(gateway.plain)
    connection.writer.write(http1.head("GET", "/_limits", key))
    status, body, _ = await connection.answer()
    connection.close()
    assert status == 200, body
    return json.loads(body)["limits"][0]["used"]


async def soak(binary, seconds):
    """Runs everything, and returns whether it passed."""
    with tempfile.TemporaryDirectory(prefix="fairgate-soak-") as folder:
        gateway = Gateway(binary, pathlib.Path(folder))
        try:
            await gateway.start()
            samples, tally, key, failed = await load(gateway, seconds)
            quiet = await until_quiet(gateway)
            counted, successes = await used(gateway, key), tally.answered[200] + tally.answered[101]
        finally:
            gateway.stop()
    if len(samples) < LEAST_SAMPLES:
        failed.append(f"only {len(samples)} samples")
    else:
        print(table(samples, quiet))
        failed += growth(samples)
    print(f"answered: {dict(sorted(tally.answered.items()))}, denied: {tally.denied}, left: {tally.aborted}")
    print(f"repeated: {tally.repeated}, reloads: {gateway.reloads}, successions: {gateway.successions}")
    if counted != successes:
        failed.append(f"{successes} successes were received, {counted} charged")
    if quiet.connections or quiet.requests:
        failed.append(f"{quiet.connections} connections and {quiet.requests} requests are left without a client")
    for line in failed[:20]:
        print(f"FAILED: {line}")
    return not failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=3600)
    wanted = parser.parse_args()
    # It warns of every connection under TLS that a client of ours has cut on purpose.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    sys.exit(0 if asyncio.run(soak(wanted.program, wanted.seconds)) else 1)


if __name__ == "__main__":
    main()
