"""pip and twine as their users run them: as commands, with the key in the places these commands have for it."""

import os
import subprocess
import sys

# A user's own pip.conf, .netrc or keyring must not affect the tests.
CLEAN = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_RETRIES": "0",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    "TWINE_NON_INTERACTIVE": "1",
    "NO_COLOR": "1",
    "COLUMNS": "1000",
    "no_proxy": "127.0.0.1",
}
INHERITED = {"PATH", "LANG", "TMPDIR", "SYSTEMROOT"}


def run(home, *words):
    """Runs a command with no settings but ours. Returns it with its output, both streams in one."""
    environment = {name: value for name, value in os.environ.items() if name in INHERITED}
    return subprocess.run(
        [str(word) for word in words],
        env={**environment, **CLEAN, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


def with_user(url, user, password=None):
    """A URL with credentials in it: `http://USER@host/`."""
    credentials = user if password is None else f"{user}:{password}"
    return url.replace("http://", f"http://{credentials}@", 1)


def pip(home, *words):
    """Runs the pinned pip."""
    return run(home, sys.executable, "-m", "pip", *words)


def pip_download(home, index, target, requirement="fairgate-sample"):
    """Downloads a package and nothing else from an index."""
    return pip(home, "download", "--no-deps", "--index-url", index, "--dest", target, requirement)


def pip_install(home, index, target, requirement="fairgate-sample"):
    """Installs a package into a new virtual environment, by its own interpreter's name."""
    done = run(home, sys.executable, "-m", "venv", "--without-pip", target)
    assert done.returncode == 0, done.stdout
    python = target / "bin" / "python"
    return pip(home, "--python", python, "install", "--no-deps", "--index-url", index, requirement)


def twine_upload(home, repository, user, password, *files):
    """Uploads packages."""
    words = ["upload", "--verbose", "--disable-progress-bar", "--repository-url", repository]
    return run(home, sys.executable, "-m", "twine", *words, "-u", user, "-p", password, *files)
