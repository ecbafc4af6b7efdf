"""The same work on Fairgate and on other proxies, side by side. `bench/compare` runs it."""
