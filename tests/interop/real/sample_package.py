"""A tiny Python package, built with the standard library alone: a wheel and a source archive."""

import base64
import hashlib
import io
import tarfile
import zipfile

NAME = "fairgate_sample"
PROJECT = "fairgate-sample"
MODULE = '"""A sample."""\n\nANSWER = {answer}\n'


def metadata(version):
    return f"Metadata-Version: 2.1\nName: {PROJECT}\nVersion: {version}\nSummary: A sample\nLicense: MIT\n"


def wheel(folder, version, answer, padding=0):
    """Builds a wheel whose module returns `answer`, with so many bytes that do not compress."""
    info = f"{NAME}-{version}.dist-info"
    files = {
        f"{NAME}/__init__.py": MODULE.format(answer=answer).encode(),
        f"{NAME}/padding.bin": hashlib.shake_256(b"padding").digest(padding),
        f"{info}/METADATA": metadata(version).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: by-hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={digest(content)},{len(content)}\n" for name, content in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = folder / f"{NAME}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


def source_archive(folder, version):
    """Builds a source archive, which here is only downloaded, never installed."""
    path = folder / f"{NAME}-{version}.tar.gz"
    files = {"PKG-INFO": metadata(version).encode(), "README": b"A sample.\n"}
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{NAME}-{version}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def digest(content):
    """A hash as wheels write it."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
