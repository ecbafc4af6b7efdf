#!/usr/bin/env bash
# Limiters with fixed windows that count first and compare afterwards charge a denied request that costs more than what
# is left: of 10 units 8 are used, 5 are refused, and then 1 is refused, too, though 2 were left. `limits` (behind
# slowapi and Flask-Limiter) does so in its fixed window but not in its moving or sliding one. With costs, a client has
# to know which strategy it meets: one call that is too large ends the window for small ones. Exits with 1 once it does
# otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check limits==5.8.0

cat > costs.py << 'END'
import sys
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

item, results = parse("10/minute"), []
for strategy in (FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter):
    limiter = strategy(MemoryStorage())
    granted = [limiter.hit(item, "key", cost=cost) for cost in (8, 5, 1)]
    results.append(granted)
    print(f"{strategy.__name__}: costs 8, 5, 1 of 10: {['granted' if one else 'denied' for one in granted]}")
fixed, moving, sliding = results
as_found = fixed == [True, False, False] and moving == sliding == [True, False, True]
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "limits 5.8.0"
venv/bin/python costs.py
