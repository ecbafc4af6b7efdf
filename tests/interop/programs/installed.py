"""Programs of the system that these tests run. ./test installs their packages."""

import shutil
import subprocess


def program(name, package):
    """The path of a program; names its Debian package if it is missing."""
    # Debian installs some servers in folders that are on root's path only.
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert path, f"{name} is missing; Debian's package {package} has it, and ./test installs it"
    return path


def run(*words, folder, seconds=120, environment=None):
    """Runs a client to its end. Returns its result, successful or not."""
    return subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
