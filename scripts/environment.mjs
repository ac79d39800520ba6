/** Every program the scripts start gets this environment: the repository's own tools first, and offline. */

import { existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Problem } from "./problem.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const binaries = join(root, "node_modules", ".bin");

/** Wrangler asks the network for these unless told not to. */
const offline = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_HIDE_BANNER: "true", // the banner looks for updates
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
};

/** @type {NodeJS.ProcessEnv} */
const colour =
  process.stdout.isTTY && !process.env.NO_COLOR
    ? { CARGO_TERM_COLOR: "always", FORCE_COLOR: "1" }
    : {};

/** Where cargo is when the shell that started us has not read rustup's profile. */
const cargo = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "bin");

/**
 * @param {NodeJS.ProcessEnv} [extra]
 * @returns {NodeJS.ProcessEnv}
 */
export function environment(extra = {}) {
  return {
    ...process.env,
    ...offline,
    ...colour,
    PATH: [binaries, ...systemPath()].join(delimiter),
    // A macro of wasm-bindgen reads it without cargo knowing, so every build must agree: promises are those of
    // js-sys then, which need no thread.
    WASM_BINDGEN_USE_JS_SYS: "1",
    ...extra,
  };
}

/** The search path without any `node_modules`, for npm, which replaces that folder. */
export function systemPath() {
  const path = (process.env.PATH ?? "").split(delimiter);
  return [...path.filter((folder) => !folder.includes("node_modules")), cargo];
}

/**
 * @param {string} name a program
 * @param {string[]} [path]
 * @returns {string | undefined} where it is
 */
export function which(name, path = systemPath()) {
  return path.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/**
 * @param {string} version such as `22.12.0`
 * @param {number} major
 * @param {number} minor
 */
export function atLeast(version, major, minor) {
  const [a = 0, b = 0] = version.split(".").map(Number);
  return a > major || (a === major && b >= minor);
}

/** A Node that wrangler and puppeteer-core accept: the running one, else the one installed by npm. */
export function node() {
  if (atLeast(process.versions.node, 22, 12)) return process.execPath;
  const own = join(binaries, "node");
  if (existsSync(own)) return own;
  throw new Problem(`This needs Node 22.12 or newer, and you have ${process.versions.node}.`, {
    hint: "npm has no Node of its own for this kind of machine: install a newer one (https://nodejs.org).",
  });
}

/** @param {string} url a module's `import.meta.url` */
export function isMain(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}
