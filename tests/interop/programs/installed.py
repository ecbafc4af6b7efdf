"""Programs of the system that these tests run. ./test installs their packages."""

import shutil
import subprocess


def program(name, package):
    """The path of a program; says which Debian package brings it if it is missing."""
    # Debian has some servers where only root looks for them.
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert path, f"{name} is missing; Debian's package {package} has it, and ./test installs it"
    return path


def run(*words, folder, seconds=120, environment=None):
    """Runs a client to its end. Gives what it did, whatever came of it."""
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
