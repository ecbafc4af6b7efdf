// Writes node.json: error bodies as Node's frameworks write them, each made by running the framework.
//
//     npm ci --ignore-scripts && node generate.mjs > node.json

import "reflect-metadata";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(import.meta.url);
const cases = [];

function versionOf(name) {
  let folder = require.resolve(name);
  while (!folder.endsWith(`node_modules/${name}`)) folder = folder.slice(0, folder.lastIndexOf("/"));
  return JSON.parse(readFileSync(`${folder}/package.json`, "utf8")).version;
}

async function keep(name, made_by, answer) {
  const content_type = answer.headers.get("content-type") ?? "";
  cases.push({ name, made_by: `${made_by} ${versionOf(made_by)}`, status: answer.status, content_type, body: await answer.text() });
}

/// Listens, has `ask` send requests, and closes.
async function serving(handler, ask) {
  const { createServer } = await import("node:http");
  const server = createServer(handler);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const base = `http://127.0.0.1:${server.address().port}`;
  await ask({
    get: (path, headers = {}) => fetch(base + path, { headers }),
    post: (path, body) => fetch(base + path, { method: "POST", headers: { "content-type": "application/json" }, body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

async function express() {
  const { default: express } = await import("express");
  const { body, query, header, validationResult } = await import("express-validator");
  const { z } = await import("zod");
  const { celebrate, errors, Joi, Segments } = await import("celebrate");
  const app = express();
  app.set("env", "production");
  app.use(express.json());
  const validator = (request, response, next) => {
    const result = validationResult(request);
    if (result.isEmpty()) return next();
    response.status(400).json({ errors: result.array() });
  };
  const chain = [body("email").isEmail(), body("items[0].count").isInt().withMessage("The count must be a whole number"), query("limit").optional().isInt({ max: 100 }), header("x-shop").exists()];
  app.post("/validator", chain, validator);
  app.post("/mapped", chain, (request, response) => response.status(422).json({ errors: validationResult(request).mapped() }));
  const Item = z.object({ name: z.string(), price: z.number().positive(), tags: z.array(z.string()).optional() });
  app.post("/zod", (request, response) => response.status(400).json({ error: Item.safeParse(request.body).error }));
  app.post("/zod-issues", (request, response) => response.status(400).json({ errors: Item.safeParse(request.body).error.issues }));
  app.post("/zod-flatten", (request, response) => response.status(422).json({ error: z.flattenError(Item.safeParse(request.body).error) }));
  app.post("/zod-tree", (request, response) => response.status(422).json(z.treeifyError(Item.safeParse(request.body).error)));
  app.get("/zod-pretty", (request, response) => response.status(400).json({ error: z.prettifyError(Item.safeParse({}).error) }));
  app.post("/celebrate", celebrate({ [Segments.BODY]: Joi.object({ name: Joi.string().required(), price: Joi.number() }), [Segments.QUERY]: { limit: Joi.number() } }, { abortEarly: false }, { mode: "full" }));
  app.get("/message", (request, response) => response.status(404).json({ success: false, message: "Item 7 is not here." }));
  app.get("/text", (request, response) => response.status(404).type("text").send("Item 7 is not here."));
  app.use(errors());
  await serving(app, async ({ get, post }) => {
    await keep("express-validator-array", "express-validator", await post("/validator?limit=900", { email: "x", items: [{ count: "y" }] }));
    await keep("express-validator-mapped", "express-validator", await post("/mapped?limit=900", { email: "x", items: [{ count: "y" }] }));
    await keep("zod-error", "zod", await post("/zod", { price: -1, tags: ["a", 1] }));
    await keep("zod-issues", "zod", await post("/zod-issues", { price: -1, tags: ["a", 1] }));
    await keep("zod-flatten", "zod", await post("/zod-flatten", { price: -1 }));
    await keep("zod-tree", "zod", await post("/zod-tree", { price: -1, tags: ["a", 1] }));
    await keep("zod-pretty", "zod", await get("/zod-pretty"));
    await keep("celebrate", "celebrate", await post("/celebrate?limit=x", { price: "x" }));
    await keep("express-message", "express", await get("/message"));
    await keep("express-text", "express", await get("/text"));
    await keep("express-html", "express", await get("/nowhere"));
  });
}

async function nest() {
  const { Body, Controller, Get, Module, NotFoundException, Param, ParseIntPipe, Post, ValidationPipe } = await import("@nestjs/common");
  const { NestFactory } = await import("@nestjs/core");
  const { IsEmail, IsInt, IsString, MaxLength, ValidateNested } = await import("class-validator");
  const { Type } = await import("class-transformer");
  class Author {}
  IsEmail()(Author.prototype, "email");
  class Item {}
  IsString()(Item.prototype, "name");
  MaxLength(5)(Item.prototype, "name");
  IsInt()(Item.prototype, "count");
  ValidateNested()(Item.prototype, "author");
  Type(() => Author)(Item.prototype, "author");
  class Items {
    make() {}
    read() {
      throw new NotFoundException("Item 7 is not here");
    }
  }
  const method = (name) => Object.getOwnPropertyDescriptor(Items.prototype, name);
  Controller("items")(Items);
  Post()(Items.prototype, "make", method("make"));
  Body()(Items.prototype, "make", 0);
  Reflect.defineMetadata("design:paramtypes", [Item], Items.prototype, "make");
  Get(":id")(Items.prototype, "read", method("read"));
  Param("id", ParseIntPipe)(Items.prototype, "read", 0);
  Reflect.defineMetadata("design:paramtypes", [Number], Items.prototype, "read");
  class Shop {}
  Module({ controllers: [Items] })(Shop);
  const app = await NestFactory.create(Shop, { logger: false });
  app.useGlobalPipes(new ValidationPipe());
  await app.init();
  await serving(app.getHttpAdapter().getInstance(), async ({ get, post }) => {
    await keep("nestjs-fields", "@nestjs/core", await post("/items", { name: 7, count: 1.5, author: { email: "x" } }));
    await keep("nestjs-detail", "@nestjs/core", await get("/items/7"));
    await keep("nestjs-param", "@nestjs/core", await get("/items/seven"));
    await keep("nestjs-route", "@nestjs/core", await get("/nowhere"));
  });
}

async function fastify() {
  const { default: fastify } = await import("fastify");
  const app = fastify();
  const schema = { body: { type: "object", required: ["name"], properties: { name: { type: "string" }, price: { type: "number" } } } };
  app.post("/items", { schema }, async () => ({}));
  app.get("/items/:id", async () => {
    throw Object.assign(new Error("Item 7 is not here"), { statusCode: 404 });
  });
  const send = async (options) => {
    const answer = await app.inject(options);
    return new Response(answer.body, { status: answer.statusCode, headers: { "content-type": answer.headers["content-type"] } });
  };
  await keep("fastify-fields", "fastify", await send({ method: "POST", url: "/items", payload: { price: "x" } }));
  await keep("fastify-detail", "fastify", await send({ url: "/items/7" }));
  await app.close();
}

async function hapi() {
  const { default: Hapi } = await import("@hapi/hapi");
  const { default: Boom } = await import("@hapi/boom");
  const { default: Joi } = await import("joi");
  const server = Hapi.server();
  const failAction = (request, h, error) => {
    throw error; // as hapi's page on validation has it
  };
  server.route({ method: "POST", path: "/items", handler: () => "", options: { validate: { payload: Joi.object({ name: Joi.string().required() }), failAction } } });
  server.route({ method: "GET", path: "/items/7", handler: () => { throw Boom.notFound("Item 7 is not here"); } });
  const send = async (options) => {
    const answer = await server.inject(options);
    return new Response(answer.payload, { status: answer.statusCode, headers: { "content-type": answer.headers["content-type"] } });
  };
  await keep("hapi-fields", "@hapi/hapi", await send({ method: "POST", url: "/items", payload: { name: 7 } }));
  await keep("hapi-detail", "@hapi/hapi", await send({ url: "/items/7" }));
}

async function hono() {
  const { Hono } = await import("hono");
  const { HTTPException } = await import("hono/http-exception");
  const { zValidator } = await import("@hono/zod-validator");
  const { z } = await import("zod");
  const app = new Hono();
  app.post("/items", zValidator("json", z.object({ name: z.string(), price: z.number() })), (c) => c.json({}));
  app.get("/items/7", () => {
    throw new HTTPException(404, { message: "Item 7 is not here" });
  });
  const headers = { "content-type": "application/json" };
  await keep("hono-zod", "@hono/zod-validator", await app.request("/items", { method: "POST", headers, body: '{"price":"x"}' }));
  await keep("hono-text", "hono", await app.request("/items/7"));
}

async function koa() {
  const { default: Koa } = await import("koa");
  const app = new Koa();
  app.silent = true;
  app.use((context) => context.throw(404, "Item 7 is not here", { expose: true }));
  await serving(app.callback(), async ({ get }) => await keep("koa-text", "koa", await get("/")));
}

async function graphql() {
  const { ApolloServer } = await import("@apollo/server");
  const { startStandaloneServer } = await import("@apollo/server/standalone");
  const server = new ApolloServer({ typeDefs: "type Query { item: String }", includeStacktraceInErrorResponses: false });
  const { url } = await startStandaloneServer(server, { listen: { port: 0 } });
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: '{"query":"{ itme }"}' });
  await keep("graphql-apollo", "@apollo/server", answer);
  await server.stop();
}

async function trpc() {
  const { initTRPC, TRPCError } = await import("@trpc/server");
  const { fetchRequestHandler } = await import("@trpc/server/adapters/fetch");
  const { z } = await import("zod");
  const t = initTRPC.create({ isDev: false });
  const router = t.router({
    read: t.procedure.query(() => { throw new TRPCError({ code: "NOT_FOUND", message: "Item 7 is not here" }); }),
    make: t.procedure.input(z.object({ name: z.string() })).query(() => ""),
  });
  const send = (path) => fetchRequestHandler({ endpoint: "", router, req: new Request(`http://shop.example/${path}`) });
  await keep("trpc-detail", "@trpc/server", await send("read"));
  await keep("trpc-fields", "@trpc/server", await send("make?input=%7B%7D"));
}

async function feathers() {
  const { default: errors } = await import("@feathersjs/errors");
  const error = new errors.BadRequest("The item is not valid", { errors: { name: "The name is required" } });
  await keep("feathers", "@feathersjs/errors", new Response(JSON.stringify(error.toJSON()), { status: 400, headers: { "content-type": "application/json" } }));
}

async function restify() {
  const { default: errors } = await import("restify-errors");
  const error = new errors.ResourceNotFoundError("Item 7 is not here");
  await keep("restify", "restify-errors", new Response(JSON.stringify(error), { status: 404, headers: { "content-type": "application/json" } }));
}

for (const make of [express, nest, fastify, hapi, hono, koa, graphql, trpc, feathers, restify]) {
  try {
    await make();
  } catch (error) {
    if (process.argv.includes("--strict")) throw error;
    console.error(`${make.name}: ${error.stack}`);
  }
}
cases.sort((a, b) => (a.name < b.name ? -1 : 1));
console.log(JSON.stringify(cases, null, 1));
process.exit(0);
