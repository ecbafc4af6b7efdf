"""Debian's docker-registry behind Fairgate, with skopeo in front: an image goes in and comes out again, byte for byte.

Chunked uploads, absolute Location headers that lead back through the gateway, HEAD, ranges, large bodies.
"""

import hashlib
import io
import json
import os
import pathlib
import tarfile

import httpx
import pytest

from gateway_process import GatewayProcess
from installed import program, run
from server_process import HOST, ServerProcess, free_port

LAYER_BYTES = 24 << 20
# A container client looks for a 401 with a Bearer challenge before it sends its token: 401 and 403
# as in RFC 9110. And /v2/ is a path that ends in a slash.
TOP = 'trailing_slash = "keep"\nstatuses = "rfc9110"'
SIZES = '[sizes]\nmax_body_size = "64MiB"'


def registry(folder):
    """A registry with its files in a folder."""
    port = free_port()
    configuration = folder / "registry.json"
    configuration.write_text(
        json.dumps(
            {
                "version": 0.1,
                "storage": {"filesystem": {"rootdirectory": str(folder / "files")}},
                "http": {"addr": f"{HOST}:{port}"},
            }
        )
    )
    command = [program("docker-registry", "docker-registry"), "serve", configuration]
    return ServerProcess("docker-registry", command, port, folder)


def image(folder):
    """An image of one large layer that does not compress, as an OCI folder."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(content):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"digest": f"sha256:{digest}", "size": len(content)}

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as layer:
        entry = tarfile.TarInfo("random")
        entry.size = LAYER_BYTES
        layer.addfile(entry, io.BytesIO(os.urandom(LAYER_BYTES)))
    layer = blob(packed.getvalue())
    configuration = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    }
    oci = "application/vnd.oci.image"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{oci}.manifest.v1+json",
        "config": {"mediaType": f"{oci}.config.v1+json", **blob(json.dumps(configuration).encode())},
        "layers": [{"mediaType": f"{oci}.layer.v1.tar", **layer}],
    }
    index = {
        "schemaVersion": 2,
        "manifests": [
            {"mediaType": f"{oci}.manifest.v1+json", **blob(json.dumps(manifest).encode()),
             "annotations": {"org.opencontainers.image.ref.name": "latest"}}
        ],
    }
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


def files(folder):
    """The contents of an OCI folder, by name."""
    root = pathlib.Path(folder)
    return {path.name: path.read_bytes() for path in (root / "blobs" / "sha256").iterdir()}


@pytest.fixture(scope="module")
def straight(start):
    return start(registry)


@pytest.fixture(scope="module")
def gateway(start, straight):
    return start(GatewayProcess, straight.url, top=TOP, more=SIZES)


def copy(folder, from_, to, *words):
    """Copies an image with skopeo, which trusts only configured sources."""
    command = [program("skopeo", "skopeo"), "--insecure-policy", "copy", "--preserve-digests", *words, from_, to]
    done = run(*command, folder=folder, environment={**os.environ, "XDG_RUNTIME_DIR": str(folder)})
    return done


def test_an_image_goes_through_the_gateway_as_it_goes_straight(tmp_path, straight, gateway):
    key = gateway.new_key()
    source = image(tmp_path / "source")
    push = ("--dest-tls-verify=false", "--dest-registry-token", key.secret)
    pull = ("--src-tls-verify=false", "--src-registry-token", key.secret)
    through = f"docker://{gateway.authority}/team/image:latest"
    beside = f"docker://{straight.authority}/team/beside:latest"

    done = copy(tmp_path, f"oci:{source}:latest", through, *push)
    assert done.returncode == 0, done.stdout
    done = copy(tmp_path, f"oci:{source}:latest", beside, "--dest-tls-verify=false")
    assert done.returncode == 0, done.stdout
    done = copy(tmp_path, through, f"oci:{tmp_path / 'pulled'}:latest", *pull)
    assert done.returncode == 0, done.stdout

    assert files(tmp_path / "pulled") == files(source)
    manifests = [
        httpx.get(f"{straight.url}/v2/team/{name}/manifests/latest", headers={"Accept": "*/*"}).content
        for name in ("image", "beside")
    ]
    assert manifests[0] == manifests[1]
    assert gateway.used(key) > 0


def test_what_does_not_exist_is_free_and_reported_as_such(tmp_path, gateway):
    key = gateway.new_key()
    # The ping is a success, so it is charged; what follows does not exist.
    source = f"docker://{gateway.authority}/team/nothing:latest"
    words = ("--src-tls-verify=false", "--src-registry-token", key.secret)
    done = copy(tmp_path, source, f"oci:{tmp_path / 'pulled'}:latest", *words)
    assert done.returncode != 0
    before = gateway.used(key)
    answer = httpx.get(f"{gateway.url}/v2/team/nothing/manifests/latest", headers={"X-API-Key": key.secret})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")
    assert gateway.used(key) == before


def test_ranges_of_a_layer_come_as_they_are(straight, gateway, tmp_path):
    key = gateway.new_key()
    source = image(tmp_path / "source")
    to = f"docker://{gateway.authority}/team/ranges:latest"
    done = copy(tmp_path, f"oci:{source}:latest", to, "--dest-tls-verify=false", "--dest-registry-token", key.secret)
    assert done.returncode == 0, done.stdout
    layer = max(files(source).items(), key=lambda item: len(item[1]))
    path = f"/v2/team/ranges/blobs/sha256:{layer[0]}"
    for wanted in ("bytes=0-99", "bytes=1000000-1999999", "bytes=-7"):
        headers = {"Range": wanted}
        plain = httpx.get(straight.url + path, headers=headers)
        gated = httpx.get(gateway.url + path, headers={**headers, "X-API-Key": key.secret})
        assert (gated.status_code, gated.content) == (plain.status_code, plain.content)
        assert gated.headers["Content-Range"] == plain.headers["Content-Range"]
        assert gated.status_code == 206
