"""Waiting for a condition, with a deadline. Nothing else in these tests sleeps."""

import time

DEADLINE_SECONDS = 30
INTERVAL_SECONDS = 0.02


def wait_until(condition, what, seconds=DEADLINE_SECONDS):
    """Returns the first true answer of `condition`; fails once `seconds` are over."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} seconds: {what}")
        time.sleep(INTERVAL_SECONDS)
