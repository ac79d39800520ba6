// The site and its signaling, started as a person starts them: `npm start`, on a port of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url));
/** How long it may take until it is there, in milliseconds; it is built already. */
const PATIENCE = 60_000;

/** @typedef {Awaited<ReturnType<typeof start>>} Server */

/**
 * @param {{ port?: number, variables?: Record<string, string> }} [options] `variables` as in
 *   wrangler.toml; without any STUN server nothing leaves this machine
 */
export async function start({ port, variables = {} } = {}) {
  const chosen = port ?? (await freePort());
  const all = Object.entries({ STUN_URLS: "", ...variables });
  const args = all.flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const child = spawn(process.execPath, [SCRIPT, "--port", String(chosen), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  let log = "";
  child.stdout.on("data", (text) => (log += text));
  child.stderr.on("data", (text) => (log += text));
  const address = `http://localhost:${chosen}`;
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
    /** What it printed. */
    log: () => log,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** @returns {Promise<number>} a port that nobody listens on */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}
