// The site and its signaling, started as a person starts them: `npm start` or `npm run serve`, on a port of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const START = fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url));
const SERVE = fileURLToPath(new URL("../../scripts/serve.mjs", import.meta.url));
/** How long it may take until it is there, in milliseconds: longer than it gives itself (scripts/server.mjs),
 * so that it can say why it is not. It is built already. */
const PATIENCE = 300_000;

/** @typedef {Awaited<ReturnType<typeof start>>} Server */

/**
 * @typedef {object} Options
 * @property {number} [port]
 * @property {string} [ip] the address it listens on, instead of this machine's loopback
 * @property {string[]} [inside] the command that runs another where the server is to live
 * @property {Record<string, string>} [variables] as in wrangler.toml; without any STUN server nothing
 *   leaves this machine
 * @property {Record<string, string>} [env] what the environment holds besides
 * @property {string} [data] a folder for what objects keep: `npm run serve`, with what is built
 * @property {string} [kept] such a folder for `npm start`
 */

/** @param {Options} [options] */
export async function start({ port, ip, inside = [], variables = {}, env = {}, data, kept } = {}) {
  const chosen = port ?? (await freePort());
  const all = Object.entries({ STUN_URLS: "", ...variables });
  const args = all.flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  if (ip) args.push("--ip", ip);
  if (kept) args.push("--data", kept);
  const script = data ? [SERVE, "--no-build", "--data", data] : [START];
  const [command = "", ...rest] = [...inside, process.execPath, ...script];
  const child = spawn(command, [...rest, "--port", String(chosen), ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  let log = "";
  child.stdout.on("data", (text) => (log += text));
  child.stderr.on("data", (text) => (log += text));
  const address = `http://${ip ?? "localhost"}:${chosen}`;
  const up = Promise.withResolvers();
  const timer = setTimeout(() => up.reject(new Error(`not up in time:\n${log}`)), PATIENCE);
  child.stdout.on("data", () => log.includes(`is at ${address}`) && up.resolve(null));
  child.once("exit", (code) => up.reject(new Error(`ended with ${code}:\n${log}`)));
  try {
    await up.promise;
  } catch (error) {
    child.kill("SIGTERM");
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    address,
    port: chosen,
    pid: /** @type {number} */ (child.pid),
    /** What it printed. */
    log: () => log,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
    /** Ends it and everything it started as a crash does: nothing is said to anybody. */
    async kill() {
      const all = await family(this.pid);
      for (const pid of all) process.kill(pid, "SIGKILL");
      await ended;
    },
  };
}

/**
 * @param {number} pid
 * @returns {Promise<number[]>} it and those it started, and those that they did
 */
export async function family(pid) {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const children = text.split(" ").filter(Boolean).map(Number);
  const families = await Promise.all(children.map(family));
  return [pid, ...families.flat()];
}

/** Below the ports that the system gives to whoever connects: one of those may be taken at any moment, even
 * by a browser that tries to reach the server that is gone. */
const PORTS = { first: 10_000, count: 20_000 };

/** @returns {Promise<number>} a port that nobody listens on */
export async function freePort() {
  for (;;) {
    const port = PORTS.first + Math.floor(PORTS.count * Math.random());
    const server = createServer().listen(port, "127.0.0.1");
    const free = await new Promise((resolve) => {
      server.once("listening", () => resolve(true)).once("error", () => resolve(false));
    });
    if (!free) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
