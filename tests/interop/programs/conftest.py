"""Servers of a module, started once and ended after its last test."""

import pytest


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Starts a server by a function of its folder, and ends it after the last test."""
    running = []

    def start_one(function, *arguments, **named):
        server = function(tmp_path_factory.mktemp("server"), *arguments, **named)
        running.append(server)
        return server

    yield start_one
    for server in reversed(running):
        server.stop()
