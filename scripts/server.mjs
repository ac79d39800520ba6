/** The site and the signaling run in workerd, as on Cloudflare's edge, and count as up once they answer. */

import { createServer } from "node:net";
import { join } from "node:path";
import { node, root } from "./environment.mjs";
import { Problem } from "./problem.mjs";
import { start } from "./process.mjs";

/**
 * Where the server listens, and what it is configured with beside wrangler.toml: `NAME:value` each. `options`:
 * more options of `wrangler dev`.
 * @typedef {{ ip: string, port: number, variables: string[], options?: string[] }} Address
 */

/** Seconds in which workerd must have answered: two or three are usual, and half a minute where others use
 * the machine as well. */
const LIMIT = 240;
/** Seconds after which a question is asked once more. */
const PATIENCE = 30;

/**
 * Fails where the port is taken; wrangler would quietly use another.
 *
 * @param {Address} address
 */
export async function requireFree({ ip, port }) {
  await new Promise((resolve, reject) => {
    const server = createServer()
      .once("error", reject)
      .once("listening", () => server.close(resolve));
    server.listen(port, ip);
  }).catch((error) => {
    const why = error.code === "EADDRINUSE" ? "it is taken" : error.code;
    throw new Problem(`Port ${port} of ${ip} cannot be used: ${why}.`, {
      hint: "Choose another, such as --port 9000.",
    });
  });
}

/**
 * Starts `wrangler dev` and waits until it answers. From then on it may print.
 *
 * @param {Address} address
 * @param {import("./progress.mjs").Step} step
 * @param {(text: string) => void} print
 */
export function serve(address, step, print) {
  step.say("starting");
  const wrangler = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
  const variables = address.variables.flatMap((variable) => ["--var", variable]);
  const where = [
    "--ip",
    address.ip,
    "--port",
    `${address.port}`,
    ...variables,
    ...(address.options ?? []),
  ];
  // The inspector takes any port: two servers that start at once would want the same one.
  const quiet = ["--inspector-port=0", "--show-interactive-dev-session=false"];
  return launch(address, node(), [wrangler, "dev", ...where, ...quiet], {}, print);
}

/**
 * Starts a program that serves and waits until it answers.
 *
 * @param {Address} address
 * @param {string} command
 * @param {string[]} args
 * @param {import("./process.mjs").Options} options
 * @param {(text: string) => void} [print] hears what it prints once it is up
 * @returns {Promise<{ ended: Promise<void> }>} `ended`: it stopped by itself
 */
export async function launch(address, command, args, options, print = () => {}) {
  let log = "";
  let up = false;
  /** @type {() => void} */
  let end = () => {};
  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => (end = resolve));
  let over = false;
  start(command, args, {
    ...options,
    onOutput: (text) => {
      if (up) print(text.trimEnd());
      else log += text;
    },
    onEnd: () => {
      over = true;
      end();
    },
  });
  const deadline = Date.now() + LIMIT * 1000;
  while (!(await answers(address))) {
    if (over) throw new Problem("The server stopped before it was up.", { log });
    if (Date.now() > deadline)
      throw new Problem(`The server did not answer within ${LIMIT} seconds.`, { log });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  up = true;
  return { ended };
}

/** @param {Address} address */
async function answers({ ip, port }) {
  const host = ip === "0.0.0.0" || ip === "*" ? "127.0.0.1" : ip.includes(":") ? `[${ip}]` : ip;
  try {
    const response = await fetch(`http://${host}:${port}/healthz`, {
      signal: AbortSignal.timeout(PATIENCE * 1000),
    });
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
}
