"""Requests to documents of others: a valid one for each operation, and one for each way to break it."""

import json
import urllib.parse

from case import Case

METHODS = ("get", "put", "post", "delete", "patch")
SAMPLE_DEPTH = 6
SAMPLE_FORMATS = {
    "date": "2024-02-29",
    "date-time": "2024-02-29T10:00:00Z",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
    "email": "a@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "iso-country-code": "DE",
}


def generated_cases(name, document, operations):
    """Cases for the first so many operations of a document of version 3. Deterministic."""
    cases = []
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and operations > 0:
                operations -= 1
                cases += _Operation(name, document, path, item, method).cases()
    return list(dict.fromkeys(cases))


class _Operation:
    def __init__(self, name, document, path, item, method):
        self._name = name
        self._document = document
        self._path = path
        self._method = method.upper()
        operation = item[method]
        declared = [*item.get("parameters", ()), *operation.get("parameters", ())]
        # Of two with one name in one place, the operation's own wins.
        self._parameters = list({(p["in"], p["name"]): p for p in map(self._follow, declared)}.values())
        self._body = self._follow(operation.get("requestBody"))

    def cases(self):
        values = {
            (p["in"], p["name"]): self._texts(self._parameter_schema(p))
            for p in self._parameters
            if p.get("required") and p["in"] in ("path", "query", "header")
        }
        media_type, schema = self._json_body()
        body = None if media_type is None else self._sample(schema)
        yield self._case(values, body)
        yield self._case(values, body, more_query="unknown_parameter=1")
        for parameter in self._parameters:
            where = (parameter["in"], parameter["name"])
            if parameter["in"] not in ("path", "query", "header"):
                continue
            if parameter.get("required") and parameter["in"] != "path":
                yield self._case({key: value for key, value in values.items() if key != where}, body)
            schema = self._parameter_schema(parameter)
            for texts in [self._texts(schema), *self._wrong_texts(schema)]:
                yield self._case({**values, where: texts}, body)
        yield from self._without_segment(values, body)
        if media_type is not None:
            yield from self._body_cases(values, body, schema=self._json_body()[1])

    def _body_cases(self, values, body, schema):
        text = json.dumps(body)
        yield self._case(values, None)
        for broken in (text[:-1], "null", "[]", "7"):
            yield self._case(values, broken, raw=True)
        yield self._case(values, text, raw=True, media_type="text/plain")
        yield self._case(values, text, raw=True, media_type="application/json; charset=utf-8")
        if not isinstance(body, dict):
            return
        yield self._case(values, {**body, "unknown_member": 1})
        schema = self._follow(schema)
        for member in schema.get("required", ()):
            yield self._case(values, {key: value for key, value in body.items() if key != member})
        for member, inner in list(schema.get("properties", {}).items())[:12]:
            inner = self._follow(inner)
            for wrong in (self._sample(inner), *self._wrong_values(inner)):
                yield self._case(values, {**body, member: wrong})

    def _without_segment(self, values, body):
        target = self._target(values)
        path, _, query = target.partition("?")
        for changed in (path + "/extra", path.rpartition("/")[0] or "/", path + "/"):
            yield self._case(values, body, target=changed + ("?" + query if query else ""))

    def _case(self, values, body, raw=False, media_type="application/json", more_query="", target=None):
        target = target or self._target(values, more_query)
        headers = [(name, ",".join(texts)) for (place, name), texts in values.items() if place == "header"]
        if body is not None:
            headers.append(("Content-Type", media_type))
            body = body if raw else json.dumps(body)
        return Case(self._name, self._method, target, tuple(headers), body)

    def _target(self, values, more_query=""):
        path = self._path
        pairs = [more_query] if more_query else []
        for (place, name), texts in values.items():
            quoted = [urllib.parse.quote(text, safe="") for text in texts]
            if place == "path":
                path = path.replace("{" + name + "}", ",".join(quoted))
            elif place == "query":
                pairs += [f"{urllib.parse.quote(name, safe='[]')}={text}" for text in quoted]
        return path + ("?" + "&".join(pairs) if pairs else "")

    def _json_body(self):
        for media_type, media in (self._body or {}).get("content", {}).items():
            if media_type == "application/json":
                return media_type, media.get("schema", {})
        return None, {}

    def _parameter_schema(self, parameter):
        return self._follow(parameter.get("schema", {}))

    def _texts(self, schema):
        """A value that fits, as the texts of one or several pairs."""
        value = self._sample(schema)
        if isinstance(value, list):
            return [_text(element) for element in value]
        return [_text(value)]

    def _wrong_texts(self, schema):
        wrong = [[_text(value)] for value in self._wrong_values(schema) if not isinstance(value, (dict, list))]
        return [*wrong, [""], [*self._texts(schema), *self._texts(schema)]]

    def _wrong_values(self, schema):
        """Values that break the schema one by one, if it forbids anything."""
        wrong = [None]
        kind = schema.get("type")
        if kind in ("integer", "number", "boolean", "array", "object"):
            wrong.append("abc")
        if kind == "string":
            wrong.append(7)
        if kind == "integer":
            wrong.append(1.5)
        if "minimum" in schema:
            wrong.append(schema["minimum"] - 1)
        if "maximum" in schema:
            wrong.append(schema["maximum"] + 1)
        if "enum" in schema:
            wrong.append("no_such_value")
        if "maxLength" in schema and schema["maxLength"] < 1000:
            wrong.append("x" * (schema["maxLength"] + 1))
        if "pattern" in schema:
            wrong.append("\u00a7")
        if schema.get("format") in SAMPLE_FORMATS:
            wrong.append("no such format")
        if kind == "array":
            wrong.append([self._wrong_values(self._follow(schema.get("items", {})))[-1]])
        return wrong

    def _sample(self, schema, depth=0):
        schema = self._follow(schema)
        for key in ("example", "default", "const"):
            if key in schema:
                return schema[key]
        for key in ("enum", "examples"):
            if schema.get(key):
                return schema[key][0]
        for key in ("oneOf", "anyOf"):
            if schema.get(key):
                return self._sample(schema[key][0], depth + 1)
        if "allOf" in schema:
            return self._sample_of_all(schema, depth)
        return self._sample_by_type(schema, depth)

    def _sample_of_all(self, schema, depth):
        members = {}
        for part in schema["allOf"]:
            value = self._sample(part, depth + 1)
            if not isinstance(value, dict):
                return value
            members.update(value)
        return members

    def _sample_by_type(self, schema, depth):
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = kind[0]
        if kind == "integer":
            return schema.get("minimum", 1)
        if kind == "number":
            return schema.get("minimum", 1.5)
        if kind == "boolean":
            return True
        if kind == "array":
            return [self._sample(schema.get("items", {}), depth + 1)] if depth < SAMPLE_DEPTH else []
        if kind == "string":
            text = SAMPLE_FORMATS.get(schema.get("format"), "text")
            return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 1000)]
        wanted = schema.get("required", ()) if depth < SAMPLE_DEPTH else ()
        properties = schema.get("properties", {})
        return {
            name: self._sample(properties.get(name, {}), depth + 1)
            for name in wanted
            # The answers alone have these.
            if not self._follow(properties.get(name, {})).get("readOnly")
        }

    def _follow(self, value):
        while isinstance(value, dict) and "$ref" in value:
            target = self._document
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[urllib.parse.unquote(part).replace("~1", "/").replace("~0", "~")]
            value = target
        return value


def _text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
