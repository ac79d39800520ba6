/** All that the project needs is brought here, side by side where one thing does not need the other. */

import { join } from "node:path";
import { isMain, root } from "./environment.mjs";
import { installPackages } from "./packages.mjs";
import { checkNode, checkRust, provideCompiler } from "./prerequisites.mjs";
import { main } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { bindgen, buildTool, deny } from "./tools.mjs";

/**
 * `packages`: from npm; `rust`: a compiler; `target`: wasm32; `tools`: what binds wasm to JavaScript;
 * `crates`: the Worker's dependencies, compiled; `audit`: what looks for known faults in them.
 *
 * @typedef {"packages" | "rust" | "target" | "tools" | "crates" | "audit"} Part
 */

/** @type {Part[]} what it takes to build and run all of it */
export const everything = ["packages", "rust", "target", "tools", "crates"];

/**
 * @param {Progress} progress
 * @param {readonly Part[]} parts
 */
export async function setup(progress, parts) {
  checkNode();
  const has = new Set(parts);
  if (parts.some((part) => part !== "packages")) {
    await checkRust();
    await progress.task("compiler", provideCompiler);
  }
  const target = has.has("target") ? progress.task("wasm target", addTarget) : Promise.resolve();
  await Promise.all([
    target,
    has.has("tools") && bindgen().then((tool) => buildTool(progress, tool)),
    has.has("audit") && buildTool(progress, deny),
    has.has("crates") && compileCrates(progress, target),
    has.has("packages") && progress.task("npm packages", installPackages),
  ]);
}

/** @param {import("./progress.mjs").Step} step */
async function addTarget(step) {
  const log = await step.run("sh", ["scripts/wasm-target.sh"]);
  return log === "" ? "there" : "added";
}

const TARGET = "wasm32-unknown-unknown";
const WASM = ["--locked", "--target", TARGET];
/** The loop of SHA-256 is not unrolled: only tokens are signed with it, and it is a fiftieth of the size. */
const FLAGS = '--cfg sha2_backend_soft="compact"';

/**
 * The Worker as WebAssembly, before it is bound to JavaScript.
 *
 * @param {import("./progress.mjs").Step} step
 * @returns {Promise<string>} its file
 */
export async function compile(step) {
  const env = { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: FLAGS };
  await step.run("cargo", ["build", "--lib", "--release", ...WASM], { env });
  const targets = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  return join(targets, TARGET, "release", "echomingle.wasm");
}

/**
 * The tool keeps the processor less than busy while it builds, so the Worker is compiled meanwhile.
 *
 * @param {Progress} progress
 * @param {Promise<void>} target
 */
async function compileCrates(progress, target) {
  await progress.task("crates", (step) =>
    step.run("cargo", ["fetch", ...WASM]).then(() => "fetched"),
  );
  await target;
  await progress.task("compile", (step) => compile(step).then(() => "compiled"));
}

if (isMain(import.meta.url)) await main(() => setup(new Progress(), everything));
