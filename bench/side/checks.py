"""Whether a proxy does the work at all, looked at before each measurement: what is fast and wrong is no figure."""

import http.client
import json

from .processes import HOST, Failed
from .scene import BIG, ECHO, ITEM, ITEM_BYTES, LARGE, MEGABYTE, SMALL, UNKNOWN, UPLOAD


def ask(port, target, key, method="GET", body=None):
    """Status, media type and body of one answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request(method, target, body=body, headers={"X-API-Key": key})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"no answer to {method} {target}: {error}") from None
    finally:
        connection.close()


def want(what, seen, wanted):
    if seen != wanted:
        raise Failed(f"{what}: {seen!r} in place of {wanted!r}")


def denied(port, key, status):
    seen, media_type, body = ask(port, ITEM, key)
    want("the status of a denial", seen, status)
    want("its media type", media_type.split(";")[0], "application/json")
    try:
        want("whether it has a member `error`", "error" in json.loads(body), True)
    except ValueError:
        raise Failed(f"the body of a {status} is not JSON: {body[:100]!r}") from None


def check(scene, proxy):
    """All that the proxy can do of the work."""
    status, _, body = ask(scene.plain, ITEM, LARGE[0])
    want("the status with a key", status, 200)
    want("the bytes of its body", len(body), ITEM_BYTES)
    if scene.bare:
        return
    denied(scene.plain, UNKNOWN[0], 403)
    if "denied-429" in proxy.DOES:
        # The first may be within the limit.
        ask(scene.plain, ITEM, SMALL[0])
        denied(scene.plain, SMALL[0], 429)
    if scene.validation:
        status, _, _ = ask(scene.plain, ITEM.replace("20", "2000"), LARGE[0])
        want("the status with a parameter that is not valid", status, 400)
        return
    status, _, head = ask(scene.plain, ECHO, LARGE[0])
    want("the status of what shows the upstream's request", status, 200)
    if LARGE[0].encode() in head:
        raise Failed("the key was passed on to the upstream")
    status, _, body = ask(scene.plain, BIG, LARGE[0])
    want("a download", (status, len(body)), (200, MEGABYTE))
    status, _, body = ask(scene.plain, UPLOAD, LARGE[0], "POST", b"x" * MEGABYTE)
    want("an upload", (status, len(body)), (200, ITEM_BYTES))
