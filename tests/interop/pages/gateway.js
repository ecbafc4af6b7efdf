// A gateway of its own for the test: configured to show everything, started, stopped; and an export of its pages.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** What the configuration's API is called: a page that does not escape it shows markup. */
export const NAME = `<b>"Items" & Söhne</b>`;

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts the gateway that FAIRGATE_BIN names. */
export async function start() {
  const binary = process.env.FAIRGATE_BIN;
  if (!binary) throw new Error("FAIRGATE_BIN must name the gateway's binary");
  const folder = mkdtempSync(join(tmpdir(), "fairgate-pages-"));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const template = readFileSync(join(here, "fairgate.toml"), "utf8");
  const configuration = join(folder, "fairgate.toml");
  writeFileSync(configuration, template.replace("@PUBLIC_URL@", origin).replace("@PORT@", String(port)));
  const run = (...words) =>
    execFileSync(binary, [...words, "--config", configuration], { cwd: folder, encoding: "utf8" });

  run("maintenance", "on", "--from", "2100-01-01T01:00:00Z", "--until", "2100-01-01T02:30:00Z",
    "--message", "We move to a <i>larger</i> disk & more | pipes.");
  const child = spawn(binary, ["serve", "--config", configuration], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (bytes) => { errors += bytes; });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      await fetch(`${origin}/_docs/`);
      break;
    } catch (error) {
      if (Date.now() > deadline || child.exitCode !== null) throw new Error(`the gateway does not answer: ${errors}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    origin,
    /** Writes the pages as files, and returns where. */
    export() {
      const target = join(folder, "exported");
      const exported = JSON.parse(run("docs", "export", target, "--json"));
      return { folder: target, files: exported.files };
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
