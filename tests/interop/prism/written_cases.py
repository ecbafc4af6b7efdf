"""Requests to the three documents of this folder, written by hand: each style, each body, each way to be wrong."""

import json

from case import Case

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TEXT = {"Content-Type": "text/plain"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=cut"}


def written_cases():
    """All of them, in a fixed order."""
    return [*_petstore(), *_styles(), *_orders()]


def _get(document, target, headers=None, method="GET"):
    return Case(document, method, target, tuple((headers or {}).items()), None)


def _post(document, target, headers, body):
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    return Case(document, "POST", target, tuple(headers.items()), body)


def _part(name, value, more=""):
    return f'--cut\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'


def _petstore():
    yield from (_get("petstore", f"/pets?{query}") for query in PET_QUERIES)
    for name, value in (
        ("X-Trace", "123e4567-e89b-12d3-a456-426614174000"),
        ("X-Trace", "not-a-uuid"),
        ("Cookie", "session=abcdef"),
        ("Cookie", "session=abc"),
        ("Cookie", "other=1; session=abcdef"),
    ):
        yield _get("petstore", "/pets?limit=1", {name: value})
    for target in (
        "/pets",
        "/pets/",
        "/pets/mine",
        "/pets/7",
        "/pets/0",
        "/pets/-1",
        "/pets/abc",
        "/pets/7.5",
        "/pets/7.0",
        "/pets/1e2",
        "/pets/%37",
        "/pets/9223372036854775807",
        "/pets/9223372036854775808",
        "/pets/7/",
        "/pets/7/photos",
        "/pets/7/extra",
        "/pets/7%2F8",
        "/unknown",
        "/pets/7/photos/front.png",
        "/pets/7/photos/front.gif",
        "/pets/7/photos/front",
        "/pets/7/photos/a.b.png",
        "/pets/x/photos/front.png",
    ):
        yield _get("petstore", target)
    yield _get("petstore", "/pets/7", {"X-Confirm": "yes"}, "DELETE")
    yield _get("petstore", "/pets/7", {"X-Confirm": "no"}, "DELETE")
    yield _get("petstore", "/pets/7", {}, "DELETE")
    yield _get("petstore", "/pets/7", {}, "PATCH")
    for change in PET_CHANGES:
        pet = {"name": "Rex", "kind": "dog", **change}
        yield _post("petstore", "/pets", JSON, {key: value for key, value in pet.items() if value is not ...})
    for text in BROKEN_JSON:
        yield _post("petstore", "/pets", JSON, text)
    good = '{"name": "Rex", "kind": "dog"}'
    for media_type in MEDIA_TYPES:
        yield _post("petstore", "/pets", {"Content-Type": media_type} if media_type else {}, good)
    yield _post("petstore", "/pets", {}, None)
    yield _post("petstore", "/search", {}, None)
    for shape in (
        {"type": "circle", "radius": 2},
        {"type": "square", "side": 2},
        {"type": "circle", "side": 2},
        {"type": "square", "side": 0},
        {"type": "triangle", "side": 2},
        {"type": 7, "side": 2},
        {"side": 2},
        {"type": "circle", "radius": 2, "side": 2},
        [],
    ):
        yield _post("petstore", "/shapes", JSON, shape)
    for search in ({"text": "a"}, {"tag": "b"}, {}, {"text": "a", "forbidden": 1}, {"text": 7}, {"tag": 7}, "null"):
        yield _post("petstore", "/search", JSON, search)


PET_QUERIES = (
    "limit=1",
    "limit=100",
    "limit=0",
    "limit=101",
    "limit=-1",
    "limit=1.5",
    "limit=1.0",
    "limit=1e1",
    "limit=%31",
    "limit=+1",
    "limit=%2B1",
    "limit=0x10",
    "limit=01",
    "limit=abc",
    "limit=",
    "limit",
    "limit=1&limit=2",
    "limit=1&limit=1",
    "limit=1,2",
    "limit[]=1",
    "limit%5B%5D=1",
    "Limit=1",
    "limit=%20%201",
    "limit=1&unknown=2",
    "limit=1&&",
    "limit=1&=2",
    "limit=1&status=sold",
    "limit=1&status=sold&status=pending",
    "limit=1&status=sold,pending",
    "limit=1&status=lost",
    "limit=1&status=sold&status=lost",
    "limit=1&status=SOLD",
    "limit=1&status=",
    "limit=1&tags=aa,bb",
    "limit=1&tags=aa%2Cbb",
    "limit=1&tags=aa,bb,cc",
    "limit=1&tags=aa,bb,cc,dd",
    "limit=1&tags=aa,aa",
    "limit=1&tags=aa,b",
    "limit=1&tags=aa&tags=bb",
    "limit=1&tags=aa,,bb",
    "limit=1&tags=",
    "limit=1&price=999.99",
    "limit=1&price=1000",
    "limit=1&price=-0.1",
    "limit=1&price=1e2",
    "limit=1&price=.5",
    "limit=1&price=5.",
    "limit=1&price=NaN",
    "limit=1&price=Infinity",
    "limit=1&price=0x1F",
    "limit=1&born=2024-02-29",
    "limit=1&born=2023-02-29",
    "limit=1&born=2024-2-9",
    "limit=1&born=yesterday",
    "limit=1&name=rex",
    "limit=1&name=Rex",
    "limit=1&name=rexrexrexrex",
    "limit=1&name=",
    "limit=1&name=r%65x",
    "limit=1&active=true",
    "limit=1&active=false",
    "limit=1&active=1",
    "limit=1&active=True",
    "limit=1&active=",
    "limit=1&flag=",
    "limit=1&flag",
    "limit=1&flag=3",
    "limit=1&flag=x",
)

PET_CHANGES = (
    {},
    {"name": ...},
    {"kind": ...},
    {"name": 7},
    {"name": ""},
    {"name": "x" * 20},
    {"name": "x" * 21},
    {"name": "\U0001f415" * 20},
    {"name": None},
    {"kind": "bird"},
    {"kind": "Dog"},
    {"nick": None},
    {"nick": "R"},
    {"nick": 7},
    {"age": 0},
    {"age": 50},
    {"age": 51},
    {"age": -1},
    {"age": 3.0},
    {"age": 3.5},
    {"age": "3"},
    {"age": None},
    {"weight": 2.5},
    {"weight": 2.4},
    {"weight": "2.5"},
    {"born": "2024-02-29"},
    {"born": "2024-02-30"},
    {"seen": "2024-02-29T10:00:00Z"},
    {"seen": "2024-02-29 10:00"},
    {"seen": "2024-02-29T10:00:00"},
    {"mail": "rex@example.com"},
    {"mail": "rex"},
    {"tags": ["a"]},
    {"tags": []},
    {"tags": ["a", "a"]},
    {"tags": ["a", "b", "c", "d"]},
    {"tags": [1]},
    {"tags": "a"},
    {"owner": {"name": "Ann"}},
    {"owner": {}},
    {"owner": {"name": "Ann", "phone": "555-1234"}},
    {"owner": {"name": "Ann", "phone": "5551234"}},
    {"owner": {"name": "Ann", "age": 7}},
    {"owner": []},
    {"parent": {"name": "Max", "kind": "dog"}},
    {"parent": {"name": "Max"}},
    {"parent": {"name": "Max", "kind": "dog", "parent": {"name": 7, "kind": "dog"}}},
    {"counts": {"a": 1, "b": 2}},
    {"counts": {"a": 1, "b": 2, "c": 3}},
    {"counts": {"a": "1"}},
    {"unknown": True},
    {"id": 7},
    {"secret": "s"},
)

BROKEN_JSON = (
    "",
    '{"name": "Rex", "kind": "dog"',
    '{"name": "Rex", "kind": "dog",}',
    '{"name": "Rex", "kind": "dog"} trailing',
    '{"name": "Rex", "kind": "dog", "age": 01}',
    '{"name": "Rex", "kind": "dog", "age": NaN}',
    '{"name": "Rex", "name": "Max", "kind": "dog"}',
    '{"name": "\\ud800", "kind": "dog"}',
    '\ufeff{"name": "Rex", "kind": "dog"}',
    "null",
    "[]",
    '"text"',
    "7",
)

MEDIA_TYPES = (
    "application/json; charset=utf-8",
    "Application/JSON",
    "application/json;",
    "application/vnd.pet+json",
    "text/plain",
    "text/json",
    "application/xml",
    "application",
    "",
)


def _styles():
    yield from (_get("styles", f"/path/{target}") for target in PATH_VALUES)
    yield from (_get("styles", f"/query/{target}") for target in QUERY_VALUES)
    for target, header, values in HEADER_VALUES:
        yield from (_get("styles", target, {header: value} if value is not None else {}) for value in values)
    for change in JSON_CHANGES:
        body = {"kind": "order", **change}
        yield _post("styles", "/body/json", JSON, {key: value for key, value in body.items() if value is not ...})
    yield from (_post("styles", "/body/names", JSON, body) for body in ({"a": 1}, {"A": 1}, {}))
    yield from (_post("styles", "/body/form", FORM, body) for body in FORM_BODIES)
    yield _post("styles", "/body/form", JSON, {"name": "Rex"})
    yield _post("styles", "/body/form", {**FORM, "Content-Type": FORM["Content-Type"] + "; charset=utf-8"}, "name=Rex")
    yield from (_post("styles", "/body/multipart", MULTIPART, body) for body in MULTIPART_BODIES)
    yield _post("styles", "/body/multipart", {"Content-Type": "multipart/form-data"}, MULTIPART_BODIES[0])
    yield _post("styles", "/body/multipart", FORM, "name=Rex")
    yield from (_post("styles", "/body/text", TEXT, body) for body in ("abc", "ab", "", "\u00e4\u00f6\u00fc", '"abc"'))
    yield _post("styles", "/body/text", {"Content-Type": "text/plain; charset=utf-8"}, "abc")
    yield _post("styles", "/body/text", {"Content-Type": "text/html"}, "abc")
    octets = {"Content-Type": "application/octet-stream"}
    yield from (_post("styles", "/body/binary", headers, "\x01\x02") for headers in (octets, TEXT))
    vendor = {"Content-Type": "application/vnd.order+json"}
    yield from (_post("styles", "/body/vendor", vendor, body) for body in ({"id": 1}, {}, "{", []))
    yield _post("styles", "/body/vendor", JSON, {"id": 1})
    for media_type in ("application/json", "application/x-unknown", "application/problem+json", "text/plain"):
        yield _post("styles", "/body/range", {"Content-Type": media_type}, {"id": 1})
    yield _post("styles", "/body/range", JSON, [])
    yield _post("styles", "/body/optional", {}, None)
    yield _post("styles", "/body/optional", JSON, "")
    yield from (_post("styles", "/body/optional", JSON, body) for body in ({"id": 1}, {}))
    yield _post("styles", "/body/optional", TEXT, "anything")
    yield _post("styles", "/body/optional", {"Content-Type": "text/csv"}, "a,b")


PATH_VALUES = (
    *(f"simple/{spread}/integer/{value}" for spread in ("plain", "explode") for value in ("5", "x", "%35", "5,6")),
    *(f"simple/{spread}/array/{value}" for spread in ("plain", "explode") for value in ("5,6", "5", "5,x", "1,2,3,4", "5%2C6")),
    *(f"simple/plain/object/{value}" for value in ("r,1,g,2", "r,1", "g,2", "r,x", "r,1,b,2", "r=1,g=2", "r")),
    *(f"simple/explode/object/{value}" for value in ("r=1,g=2", "r=1", "g=2", "r=x", "r=1,b=2", "r,1,g,2", "r%3D1")),
    *(f"label/{spread}/integer/{value}" for spread in ("plain", "explode") for value in (".5", "5", ".x")),
    *(f"label/plain/array/{value}" for value in (".5,6", ".5", ".5.6", "5,6", ".x")),
    *(f"label/explode/array/{value}" for value in (".5.6", ".5", ".5,6", "5.6", ".x.5")),
    *(f"label/plain/object/{value}" for value in (".r,1,g,2", ".g,2", ".r,x", "r,1")),
    *(f"label/explode/object/{value}" for value in (".r=1.g=2", ".r=1", ".g=2", ".r=x")),
    *(f"matrix/{spread}/integer/{value}" for spread in ("plain", "explode") for value in (";v=5", "5", ";w=5", ";v=x", ";v")),
    *(f"matrix/plain/array/{value}" for value in (";v=5,6", ";v=5", ";v=5;v=6", ";v=x")),
    *(f"matrix/explode/array/{value}" for value in (";v=5;v=6", ";v=5", ";v=5,6", ";v=5;w=6")),
    *(f"matrix/plain/object/{value}" for value in (";v=r,1,g,2", ";v=g,2", ";v=r,x")),
    *(f"matrix/explode/object/{value}" for value in (";r=1;g=2", ";r=1", ";g=2", ";r=x")),
)

QUERY_VALUES = (
    *(f"form-explode-array?{query}" for query in ("v=1&v=2", "v=1", "v=1,2", "v=x", "v=1&v=x", "v=1&v=2&v=3&v=4", "", "w=1")),
    *(f"form-plain-array?{query}" for query in ("v=1,2", "v=1", "v=1%2C2", "v=1,x", "v=1,2,3,4", "v=1&v=2", "v=", "")),
    *(f"form-explode-object?{query}" for query in ("r=1&g=2", "r=1", "g=2", "r=x", "r=1&b=3", "v=1", "")),
    *(f"form-plain-object?{query}" for query in ("v=r,1,g,2", "v=r,1", "v=g,2", "v=r,x", "v=r,1,b,2", "v=r", "")),
    *(f"space-array?{query}" for query in ("v=1%202", "v=1", "v=1+2", "v=1%20x", "v=1,2", "v=1%202%203%204", "")),
    *(f"pipe-array?{query}" for query in ("v=1|2", "v=1%7C2", "v=1", "v=1|x", "v=1,2", "v=1|2|3|4", "")),
    *(
        f"deep-object?{query}"
        for query in (
            "v[r]=1&v[g]=2",
            "v%5Br%5D=1&v%5Bg%5D=2",
            "v[r]=1",
            "v[g]=2",
            "v[r]=x",
            "v[r]=1&v[b]=2",
            "v[r]=1&v[r]=2",
            "v[r][s]=1",
            "v=r,1",
            "",
        )
    ),
    *(
        f"content-json?{query}"
        for query in ("v=%7B%22r%22%3A1%7D", 'v={"r":1}', "v=%7B%22g%22%3A1%7D", "v=%7B", "v=%7B%22r%22%3A%22x%22%7D", "v=1", "")
    ),
    *(f"reserved?{query}" for query in ("v=/a/b", "v=%2Fa%2Fb", "v=a/b", "v=/a?b", "v=/A")),
    *(f"nullable?{query}" for query in ("v=1", "v=null", "v=", "v=x")),
    *(f"either?{query}" for query in ("v=1", "v=true", "v=x", "v=1.5")),
    *(f"const?{query}" for query in ("v=on", "v=off", "v=ON")),
    *(f"text?{query}" for query in ("v=ab", "v=a", "v=a+b", "v=%C3%A4b", "v=%C3%A4", "v=%FF%FE", "v=%ZZ", "v=a%", "v=ab&v=cd", "v=12", "v=true")),
)

HEADER_VALUES = (
    ("/header/simple-array", "v", ("1,2", "1, 2", "1", "1,x", "1,2,3,4", "", None)),
    ("/header/simple-object", "v", ("r,1,g,2", "g,2", "r,x", "r=1,g=2", None)),
    ("/header/simple-explode-object", "v", ("r=1,g=2", "r=1", "g=2", "r=x", "r,1", None)),
    ("/header/integer", "v", ("5", "x", "5.0", "05", "", None)),
    ("/cookie/integer", "Cookie", ("v=5", "v=x", "w=5", "v=5; v=6", "a=b; v=5", "v=", 'v="5"', None)),
    ("/cookie/plain-array", "Cookie", ("v=1,2", "v=1", "v=x", "v=1%2C2", None)),
)

JSON_CHANGES = (
    {},
    {"kind": ...},
    {"kind": "other"},
    {"count": 1},
    {"count": None},
    {"count": "1"},
    {"below": 9.99},
    {"below": 10},
    {"pair": [1, "a"]},
    {"pair": [1]},
    {"pair": ["a", 1]},
    {"pair": [1, "a", 2]},
    {"some": [1]},
    {"some": [2]},
    {"some": [1, 1, 2]},
    {"some": [1, 1, 1]},
    {"card": "1", "address": "a"},
    {"card": "1"},
    {"country": "US", "zip": "12345"},
    {"country": "US", "zip": "1234"},
    {"country": "US"},
    {"country": "DE"},
    {"country": "DE", "zip": "1"},
    {"x-note": "a"},
    {"x-note": 1},
    {"unknown": 1},
)

FORM_BODIES = (
    "name=Rex",
    "name=R",
    "age=7",
    "name=Rex&age=7",
    "name=Rex&age=x",
    "name=Rex&age=",
    "name=Rex&tags=a&tags=b",
    "name=Rex&tags=a",
    "name=Rex&on=true",
    "name=Rex&on=yes",
    "name=Rex&unknown=1",
    "name=Rex&name=Max",
    "name=R%65x",
    "name=R+x",
    "n%61me=Rex",
    "",
    "name",
)

MULTIPART_BODIES = (
    _part("name", "Rex") + "--cut--\r\n",
    _part("name", "R") + "--cut--\r\n",
    _part("age", "7") + "--cut--\r\n",
    _part("name", "Rex") + _part("age", "7") + "--cut--\r\n",
    _part("name", "Rex") + _part("age", "x") + "--cut--\r\n",
    _part("name", "Rex") + _part("file", "\x01\x02", '; filename="a.bin"') + "--cut--\r\n",
    _part("name", "Rex") + _part("other", "1") + "--cut--\r\n",
    _part("name", "Rex"),
    "--other\r\n",
    "",
)


def _orders():
    version = {"X-Version": "1"}
    yield from (_get("orders", f"/orders?{query}", version) for query in ORDER_QUERIES)
    yield from (_get("orders", "/orders", {"X-Version": value}) for value in ("0", "x", "", "2"))
    yield _get("orders", "/orders")
    yield from (_get("orders", f"/orders/{value}") for value in ("00ff", "00FF", "00fff", "0", "00f%66"))
    for body in (
        {"item": "a", "count": 1},
        {"item": "a"},
        {"item": "a", "count": 0},
        {"item": "a", "count": "1"},
        {"item": "a", "count": 1, "paid": True},
        {"item": "a", "count": 1, "paid": "true"},
        {"item": "a", "count": 1, "lines": [{"sku": "s"}]},
        {"item": "a", "count": 1, "lines": [{"sku": "s"}, {}]},
        {"item": "a", "count": 1, "lines": [{"sku": "s", "more": 1}]},
        {"item": "a", "count": 1, "more": 1},
        "{",
        None,
    ):
        yield _post("orders", "/orders", JSON, body)
    yield _post("orders", "/orders", {"Content-Type": "application/xml"}, "<order/>")
    yield from (_post("orders", "/form", FORM, body) for body in ("name=a", "name=abcdef", "age=1", "name=a&age=x", "name=a&age=1"))
    yield from (
        _post("orders", "/upload", MULTIPART, body + "--cut--\r\n")
        for body in (
            _part("note", "n"),
            _part("file", "f", '; filename="f"'),
            _part("note", "n") + _part("file", "f", '; filename="f"'),
        )
    )


ORDER_QUERIES = (
    "",
    "csv=1,2",
    "csv=1,x",
    "csv=1",
    "csv=1%2C2",
    "ssv=1%202",
    "ssv=1+2",
    "ssv=1%20x",
    "tsv=1%092",
    "tsv=1%09x",
    "pipes=1|2",
    "pipes=1%7C2",
    "pipes=1|x",
    "multi=1&multi=2",
    "multi=1&multi=x",
    "multi=1&multi=2&multi=3",
    "multi=1,2",
    "page=1",
    "page=0",
    "page=x",
    "page=1&page=2",
    "sort=asc",
    "sort=up",
    "unknown=1",
)
