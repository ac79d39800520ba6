/** The tools that cargo builds are built once for a user: kept by version where every clone finds them. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root, which } from "./environment.mjs";
import { Problem } from "./problem.mjs";
import { run } from "./process.mjs";
import { keep, kept } from "./shelf.mjs";

/** @typedef {{ name: string, crate: string, version: string }} Tool */

/** What audits the crates. @type {Tool} */
export const deny = { name: "cargo-deny", crate: "cargo-deny", version: "0.20.2" };

/** What builds and runs the targets of tests/fuzz. @type {Tool} */
export const fuzz = { name: "cargo-fuzz", crate: "cargo-fuzz", version: "0.13.2" };

/**
 * Unoptimised they build in half the time, and run for some seconds either way.
 *
 * @type {NodeJS.ProcessEnv}
 */
const quick = {
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  CARGO_PROFILE_RELEASE_DEBUG: "false",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
};

/** @returns {Promise<Tool>} what binds wasm to JavaScript, in the version of the crate that it belongs to */
export async function bindgen() {
  const lock = await readFile(join(root, "Cargo.lock"), "utf8").catch(() => "");
  const version = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)?.[1];
  if (version) return { name: "wasm-bindgen", crate: "wasm-bindgen-cli", version };
  throw new Problem("Cargo.lock does not name a version of wasm-bindgen.", {
    hint: "Get it back with: git checkout Cargo.lock",
  });
}

/**
 * @param {Tool} tool
 * @returns {Promise<string | undefined>} its file: on the shelf, or on the user's own search path
 */
async function find({ name, version }) {
  const built = join(kept(`${name}-${version}`), "bin", name);
  if (existsSync(built)) return built;
  const own = which(name);
  if (!own) return undefined;
  const { ok, output } = await run(own, ["--version"], { limit: 20 });
  return ok && output.trim().split(/\s+/).at(-1) === version ? own : undefined;
}

/**
 * @param {Tool} tool
 * @returns {Promise<string>} its file, which is there
 */
export async function fileOf(tool) {
  const file = await find(tool);
  if (file) return file;
  throw new Problem(`${tool.name} is missing.`, { hint: "Run: node scripts/setup.mjs" });
}

/**
 * @param {import("./progress.mjs").Progress} progress
 * @param {Tool} tool
 */
export async function buildTool(progress, tool) {
  await progress.task(tool.name, async (step) =>
    (await find(tool)) ? "there" : build(step, tool),
  );
}

/**
 * @param {import("./progress.mjs").Step} step
 * @param {Tool} tool
 */
async function build(step, { name, crate, version }) {
  step.say(`building ${version}`);
  await keep(`${name}-${version}`, async (place, bench) => {
    const only = [
      "--version",
      `=${version}`,
      "--bin",
      name,
      "--no-default-features",
      "--root",
      place,
    ];
    const env = { ...quick, CARGO_TARGET_DIR: join(bench, "target") };
    await step.run("cargo", ["install", crate, ...only, "--locked"], { env }).catch((error) => {
      // A mirror may lack one of the versions that were locked.
      const broken = !(error instanceof Problem) || error.log.includes("could not compile");
      if (broken) throw error;
      return step.run("cargo", ["install", crate, ...only], { env });
    });
  });
  return `built ${version}`;
}
