"""Writes python.json: error bodies as Python's frameworks write them, each made by running the framework.

    python -m venv /tmp/messages && /tmp/messages/bin/pip install -r requirements.txt
    /tmp/messages/bin/python generate.py > python.json

A new version may write other bodies: then what the gateway makes of them stands in expected.json.
"""

import json
import logging
import sys
from importlib.metadata import version
from typing import Annotated

CASES = []


def keep(name, package, status, content_type, body):
    text = body.decode() if isinstance(body, bytes) else body
    CASES.append(
        {"name": name, "made_by": f"{package} {version(package)}", "status": status, "content_type": content_type, "body": text}
    )


def keep_httpx(name, package, answer):
    keep(name, package, answer.status_code, answer.headers["content-type"], answer.content)


def fastapi():
    from fastapi import Body, FastAPI, Header, HTTPException, Query
    from fastapi.testclient import TestClient
    from pydantic import BaseModel, Field

    app = FastAPI()

    class Item(BaseModel):
        name: str
        price: Annotated[float, Field(gt=0)]
        tags: list[int] = []

    @app.post("/items")
    def make(item: Item, limit: Annotated[int, Query(le=100)] = 10, x_token: Annotated[str | None, Header(min_length=5)] = None):
        return item

    @app.get("/items/{id}")
    def read(id: int):
        if id == 1:
            raise HTTPException(404, {"code": "gone", "message": "Item 1 is not here"})
        raise HTTPException(404, "Item not found")

    client = TestClient(app)
    keep_httpx("fastapi-fields", "fastapi", client.post("/items?limit=900", json={"price": -1, "tags": ["x"]}, headers={"x-token": "a"}))
    keep_httpx("fastapi-path", "fastapi", client.get("/items/seven"))
    keep_httpx("fastapi-detail", "fastapi", client.get("/items/7"))
    keep_httpx("fastapi-detail-object", "fastapi", client.get("/items/1"))
    keep_httpx("fastapi-json", "fastapi", client.post("/items", content="{", headers={"content-type": "application/json"}))


def starlette():
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route
    from starlette.testclient import TestClient

    def read(request):
        raise HTTPException(404, "Item not found")

    keep_httpx("starlette", "starlette", TestClient(Starlette(routes=[Route("/", read)])).get("/"))


def django():
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], INSTALLED_APPS=["rest_framework"], DEBUG=False,
        REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None},
    )
    django.setup()
    from django.http import HttpResponseBadRequest
    from django.test import Client
    from django.urls import path
    from ninja import Field, NinjaAPI, Schema
    from ninja.errors import HttpError
    from rest_framework import exceptions, serializers
    from rest_framework.decorators import api_view

    class Author(serializers.Serializer):
        email = serializers.EmailField()

    class Item(serializers.Serializer):
        name = serializers.CharField(max_length=5)
        price = serializers.FloatField()
        author = Author()
        tags = serializers.ListField(child=serializers.IntegerField())

        def validate(self, data):
            raise serializers.ValidationError("The name and the price do not fit.")

    @api_view(["POST"])
    def fields(request):
        Item(data=request.data).is_valid(raise_exception=True)

    @api_view(["POST"])
    def many(request):
        Author(data=request.data, many=True).is_valid(raise_exception=True)

    @api_view(["GET"])
    def missing(request):
        raise exceptions.NotFound()

    @api_view(["GET"])
    def listed(request):
        raise exceptions.ValidationError(["The shop is closed."])

    class Order(Schema):
        name: str
        count: int = Field(gt=0)

    api = NinjaAPI()

    @api.post("/orders")
    def order(request, order: Order, limit: int = 1):
        return {}

    @api.get("/orders/{id}")
    def read(request, id: int):
        raise HttpError(404, "No such order")

    def plain(request):
        return HttpResponseBadRequest("The month must be 1 to 12.", content_type="text/plain")

    globals()["urlpatterns"] = [
        path("fields", fields), path("many", many), path("missing", missing), path("listed", listed), path("plain", plain), path("ninja/", api.urls),
    ]
    client = Client()

    def post(name, package, target, data):
        answer = client.post(target, json.dumps(data), content_type="application/json")
        keep(name, package, answer.status_code, answer["content-type"], answer.content)

    def get(name, package, target):
        answer = client.get(target)
        keep(name, package, answer.status_code, answer["content-type"], answer.content)

    good = {"name": "Bowl", "price": 1, "author": {"email": "a@example.com"}, "tags": [1]}
    post("drf-fields", "djangorestframework", "/fields", {**good, "name": "A long name", "price": "x"})
    post("drf-nested", "djangorestframework", "/fields", {**good, "author": {"email": "x"}, "tags": [1, "x"]})
    post("drf-non-field", "djangorestframework", "/fields", good)
    post("drf-many", "djangorestframework", "/many", [{"email": "a@example.com"}, {"email": "x"}])
    get("drf-detail", "djangorestframework", "/missing")
    get("drf-list", "djangorestframework", "/listed")
    post("ninja-fields", "django-ninja", "/ninja/orders?limit=x", {"count": 0})
    get("ninja-detail", "django-ninja", "/ninja/orders/7")
    get("django-plain", "Django", "/plain")


def flask():
    from flask import Flask, abort, jsonify
    from werkzeug.exceptions import HTTPException

    app = Flask("shop")

    @app.get("/html")
    def html():
        abort(404, "Item 7 is not here.")

    @app.get("/json")
    def as_json():
        abort(404, "Item 7 is not here.")

    @app.get("/made")
    def made():
        return jsonify(error="Item 7 is not here."), 404

    client = app.test_client()

    def get(name, target):
        answer = client.get(target)
        keep(name, "Flask", answer.status_code, answer.content_type, answer.data)

    get("flask-html", "/html")
    get("flask-made", "/made")

    app = Flask("shop")

    @app.errorhandler(HTTPException)  # as Flask's page "Handling Application Errors" has it
    def handle(error):
        answer = error.get_response()
        answer.data = json.dumps({"code": error.code, "name": error.name, "description": error.description})
        answer.content_type = "application/json"
        return answer

    app.get("/json")(as_json)
    client = app.test_client()
    get("flask-json", "/json")


def apiflask():
    from apiflask import APIFlask, Schema
    from apiflask.fields import Integer, String
    from apiflask.validators import Range

    class Item(Schema):
        name = String(required=True)
        price = Integer(validate=Range(min=1))

    app = APIFlask("shop")

    @app.post("/items")
    @app.input(Item, location="json")
    def make(json_data):
        return {}

    answer = app.test_client().post("/items", json={"price": 0})
    keep("apiflask-fields", "APIFlask", answer.status_code, answer.content_type, answer.data)


def smorest():
    from flask import Flask
    from flask_smorest import Api, Blueprint
    from marshmallow import Schema, fields

    class Item(Schema):
        name = fields.String(required=True)

    app = Flask("shop")
    app.config.update(API_TITLE="Shop", API_VERSION="1", OPENAPI_VERSION="3.0.3")
    blueprint = Blueprint("items", "items")

    @blueprint.route("/items", methods=["POST"])
    @blueprint.arguments(Item)
    def make(item):
        return {}

    Api(app).register_blueprint(blueprint)
    answer = app.test_client().post("/items", json={"colour": 1})
    keep("flask-smorest-fields", "flask-smorest", answer.status_code, answer.content_type, answer.data)


def restx():
    from flask import Flask
    from flask_restx import Api, Resource, reqparse

    app = Flask("shop")
    api = Api(app)
    parser = reqparse.RequestParser(bundle_errors=True)
    parser.add_argument("rate", type=int, required=True, help="The rate is a whole number")

    @api.route("/rate")
    class Rate(Resource):
        def get(self):
            parser.parse_args()

    answer = app.test_client().get("/rate?rate=x")
    keep("flask-restx-fields", "flask-restx", answer.status_code, answer.content_type, answer.data)


def connexion():
    import connexion
    import pathlib
    import tempfile

    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "api.yaml").write_text(
        "openapi: 3.0.0\ninfo: {title: Shop, version: '1'}\npaths:\n  /items:\n    post:\n      operationId: builtins.dict\n"
        "      requestBody: {content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}}}}}}\n"
        "      responses: {'200': {description: ok}}\n"
    )
    app = connexion.FlaskApp("shop", specification_dir=folder)
    app.add_api("api.yaml")
    keep_httpx("connexion-body", "connexion", app.test_client().post("/items", json={"colour": 1}))


def litestar():
    from litestar import Litestar, get, post
    from litestar.exceptions import NotFoundException
    from litestar.testing import TestClient
    from pydantic import BaseModel

    class Item(BaseModel):
        name: str
        price: int

    @post("/items")
    async def make(data: Item) -> None: ...

    @get("/items/{id:int}", sync_to_thread=False)
    def read(id: int, limit: int = 1) -> None:
        raise NotFoundException("Item 7 is not here")

    client = TestClient(Litestar([make, read]))
    keep_httpx("litestar-fields", "litestar", client.post("/items", json={"price": "x"}))
    keep_httpx("litestar-query", "litestar", client.get("/items/7?limit=x"))
    keep_httpx("litestar-detail", "litestar", client.get("/items/7"))


def falcon():
    import falcon
    from falcon import testing

    class Items:
        def on_get(self, request, answer):
            request.get_param_as_int("limit", max_value=100)
            raise falcon.HTTPNotFound(title="No such item", description="Item 7 is not here.")

    app = falcon.App()
    app.add_route("/items", Items())
    client = testing.TestClient(app)
    for name, target in [("falcon-detail", "/items"), ("falcon-query", "/items?limit=900")]:
        answer = client.simulate_get(target)
        keep(name, "falcon", answer.status_code, answer.headers["content-type"], answer.content)


def sanic():
    import asyncio

    from sanic import Sanic
    from sanic.exceptions import NotFound

    app = Sanic("shop")
    app.config.FALLBACK_ERROR_FORMAT = "json"

    @app.get("/items")
    async def read(request):
        raise NotFound("Item 7 is not here.")

    import socket
    import threading
    import urllib.error
    import urllib.request

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    async def serve():
        server = await app.create_server(sock=listening, return_asyncio_server=True)
        await server.startup()
        loop = asyncio.get_running_loop()

        def ask():
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/items")
            except urllib.error.HTTPError as error:
                keep("sanic", "sanic", error.code, error.headers["content-type"], error.read())

        await loop.run_in_executor(None, ask)
        await server.close()

    asyncio.run(serve())


def aiohttp():
    import asyncio

    from aiohttp import web
    from aiohttp.test_utils import TestClient, TestServer

    async def read(request):
        raise web.HTTPNotFound(text="Item 7 is not here.")

    async def ask():
        app = web.Application()
        app.router.add_get("/", read)
        async with TestClient(TestServer(app)) as client:
            answer = await client.get("/")
            keep("aiohttp-plain", "aiohttp", answer.status, answer.headers["content-type"], await answer.read())

    asyncio.run(ask())


def graphql():
    import asyncio

    import strawberry
    from strawberry.asgi import GraphQL
    from starlette.testclient import TestClient

    @strawberry.type
    class Query:
        @strawberry.field
        def item(self) -> str:
            return "Bowl"

    client = TestClient(GraphQL(strawberry.Schema(Query)))
    keep_httpx("strawberry-plain", "strawberry-graphql", client.post("/", json={}))


def oauth():
    from authlib.integrations.flask_oauth2 import ResourceProtector
    from authlib.oauth2.rfc6750 import BearerTokenValidator
    from flask import Flask

    class Validator(BearerTokenValidator):
        def authenticate_token(self, token):
            return None

    app = Flask("shop")
    require = ResourceProtector()
    require.register_token_validator(Validator())

    @app.get("/")
    @require("items")
    def read():
        return {}

    answer = app.test_client().get("/", headers={"Authorization": "Bearer x"})
    keep("oauth-authlib", "Authlib", answer.status_code, answer.content_type, answer.data)


logging.disable(logging.CRITICAL)
for make in [
    fastapi, starlette, django, flask, apiflask, smorest, restx, connexion, litestar, falcon, sanic, aiohttp, graphql, oauth,
]:
    try:
        make()
    except Exception as error:
        print(f"{make.__name__}: {error!r}", file=sys.stderr)
        if "--strict" in sys.argv:
            raise
print(json.dumps(sorted(CASES, key=lambda case: case["name"]), indent=1, ensure_ascii=False))
