# The commands that everybody needs. `just` lists them.

_list:
    @just --list --unsorted

# Build the gateway
build:
    cargo build

# Run all tests, also those with real servers and clients
test:
    ./test

# Run all tests but those with real servers
fast:
    ./test --fast

# Run the tests with real servers that match a pattern: just real pip
real pattern="":
    target/python-real/bin/python -m pytest tests/interop/real -k '{{ pattern }}'

# Format the code
fmt:
    cargo fmt --all

# What a reviewer would complain about
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Fairgate beside nginx, HAProxy, Envoy and Caddy: a quarter of an hour, two minutes with --quick
compare *options:
    bench/compare {{ options }}

# A sample API with the gateway in front of it, and curl lines to paste
demo:
    cargo run --release -- demo
