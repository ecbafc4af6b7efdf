// Every page of the reference, served and exported, in a headless Chromium: light and dark, wide and narrow.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { NAME, start } from "./gateway.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const screenshots = process.env.FAIRGATE_SCREENSHOTS;
const looks = ["light", "dark"].flatMap((colorScheme) =>
  [["wide", 1280, 900], ["narrow", 360, 740]].map(([name, width, height]) => ({
    name: `${colorScheme}-${name}`, colorScheme, viewport: { width, height },
  })));
const pictured = ["index", "errors/API_LIMIT_EXCEEDED", "errors/PARAMETER_MISSING", "errors/MAINTENANCE", "limits",
  "endpoints", "maintenance", "moved"];

let gateway;
let browser;
let profile;

before(async () => {
  gateway = await start();
  profile = mkdtempSync(join(tmpdir(), "fairgate-chromium-"));
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
    env: { ...process.env, HOME: profile },
  });
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
  if (profile) rmSync(profile, { recursive: true, force: true });
});

/** A browser's page that keeps what goes wrong, and every address that it loads. */
async function open(look) {
  const context = await browser.newContext({ colorScheme: look.colorScheme, viewport: look.viewport });
  const page = await context.newPage();
  const wrong = [];
  const loaded = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) wrong.push(message.text()); });
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("request", (request) => loaded.push(request.url()));
  return { context, page, wrong, loaded };
}

/** Where the links of the present page lead, and the ids that it has. */
function linksOf(page) {
  return page.evaluate(() => ({
    links: [...document.querySelectorAll("a[href], link[href]")].map((element) => element.href),
    ids: [...document.querySelectorAll("[id]")].map((element) => element.id),
  }));
}

/** All pages that links lead to from here, each with its links and ids; and every other address that they name. */
async function crawl(first, isPage) {
  const { context, page, wrong } = await open(looks[0]);
  const found = new Map();
  const others = new Set();
  const queue = [first];
  while (queue.length > 0) {
    const address = queue.pop();
    if (found.has(address)) continue;
    const answer = await page.goto(address);
    assert.ok(answer === null || answer.status() === 200, `${address}: ${answer?.status()}`);
    const { links, ids } = await linksOf(page);
    found.set(address, { links, ids });
    for (const link of links) {
      const [target] = link.split("#");
      if (isPage(target)) queue.push(target);
      else others.add(target);
    }
  }
  assert.deepEqual(wrong, []);
  await context.close();
  for (const [address, { links }] of found) {
    for (const link of links.filter((one) => one.includes("#"))) {
      const [target, id] = link.split("#");
      assert.ok(found.get(target)?.ids.includes(id), `${address} links to ${link}, which is not there`);
    }
  }
  return { found, others };
}

test("every link of the served pages is alive", async () => {
  const isPage = (address) => address.startsWith(`${gateway.origin}/_docs`) && !/\.(md|json|yaml)$/.test(address);
  const { found, others } = await crawl(`${gateway.origin}/_docs/`, isPage);
  assert.ok(found.size >= 36, `only ${found.size} pages were found`);
  for (const other of others) {
    if (other.startsWith("mailto:")) continue;
    const answer = await fetch(other);
    assert.equal(answer.status, 200, other);
    if (other.endsWith(".json")) await answer.json();
  }
  // The addresses that JSON and examples name are alive, too.
  const index = await (await fetch(`${gateway.origin}/_docs/index.json`)).json();
  for (const { page, code } of index.codes) {
    const shown = await (await fetch(`${gateway.origin}${page}`, { headers: { Accept: "application/json" } })).json();
    assert.equal(shown.code, code);
    assert.equal((await fetch(shown.example.body.error.check)).status, 200, code);
  }
});

for (const look of looks) {
  test(`every page is readable for everyone: ${look.name}`, async () => {
    const { others: _, found } = await crawl(`${gateway.origin}/_docs/`, (address) =>
      address.startsWith(`${gateway.origin}/_docs`) && !/\.(md|json|yaml)$/.test(address));
    const { context, page, wrong, loaded } = await open(look);
    for (const address of found.keys()) {
      loaded.length = 0;
      await page.goto(address);
      const name = address.slice(`${gateway.origin}/_docs/`.length) || "index";
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("\n  ")}`);
      assert.deepEqual(found, [], `${name} (${look.name})`);
      const { scrolled, shown, headings, title } = await page.evaluate(() => ({
        scrolled: document.documentElement.scrollWidth,
        shown: document.documentElement.clientWidth,
        headings: document.querySelectorAll("h1").length,
        title: document.title,
      }));
      assert.ok(scrolled <= shown, `${name} (${look.name}) is ${scrolled} wide on ${shown}`);
      assert.equal(headings, 1, name);
      assert.ok(title.includes(NAME), `${name}: the title is ${title}`);
      assert.equal(await page.locator("body > header b, main b, main i").count(), 0, `${name} has markup of the operator's`);
      assert.deepEqual(loaded.filter((url) => url !== address), [], `${name} loads something else`);
      if (screenshots && pictured.includes(name)) {
        mkdirSync(screenshots, { recursive: true });
        await page.screenshot({ path: join(screenshots, `${name.replace("/", "-")}-${look.name}.png`), fullPage: true });
      }
    }
    assert.deepEqual(wrong, []);
    await context.close();
  });
}

test("everything can be reached by keyboard, and the focus is seen", async () => {
  const { context, page } = await open(looks[1]);
  await page.goto(`${gateway.origin}/_docs/`);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
  // A table that is wider than the screen takes the focus, so that it can be scrolled.
  await page.goto(`${gateway.origin}/_docs/endpoints`);
  const region = page.getByRole("region", { name: "All endpoints" });
  await region.focus();
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.activeElement.scrollLeft > 0);
  await context.close();
});

test("every link of the exported files is alive when they are opened from the disk", async () => {
  const { folder, files } = gateway.export();
  const root = pathToFileURL(`${resolve(folder)}/`).href;
  const isPage = (address) => address.startsWith(root) && address.endsWith(".html");
  const { found, others } = await crawl(`${root}index.html`, isPage);
  const pages = files.filter((file) => file.endsWith(".html"));
  assert.deepEqual([...found.keys()].map((url) => url.slice(root.length)).sort(), pages.sort(), "every page is linked");
  for (const other of others) {
    if (other.startsWith("mailto:")) continue;
    assert.ok(other.startsWith(root) && existsSync(fileURLToPath(other)), `${other} is not there`);
  }
  for (const file of files.filter((one) => one.endsWith(".md"))) {
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, link] of text.matchAll(/\]\(<([^>]+)>\)/g)) {
      if (!link.startsWith("mailto:")) assert.ok(existsSync(join(folder, dirname(file), link)), `${file} links to ${link}`);
    }
  }
});
