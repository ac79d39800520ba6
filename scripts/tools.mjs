/** The tool that cargo builds is built once for a user: kept by version where every clone finds it. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root, which } from "./environment.mjs";
import { Problem } from "./problem.mjs";
import { run } from "./process.mjs";
import { keep, kept } from "./shelf.mjs";

/** @typedef {{ name: string, crate: string, version: string }} Tool */

/**
 * Unoptimised they build in half the time, and run for a second either way.
 *
 * @type {NodeJS.ProcessEnv}
 */
const quick = {
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  CARGO_PROFILE_RELEASE_DEBUG: "false",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
};

/** @returns {Promise<Tool>} in the version of the crate that it belongs to */
async function wanted() {
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

/** @returns {Promise<string>} the file of wasm-bindgen, which is there */
export async function bindgen() {
  const file = await find(await wanted());
  if (file) return file;
  throw new Problem("wasm-bindgen is missing.", { hint: "Run: node scripts/setup.mjs" });
}

/** @param {import("./progress.mjs").Progress} progress */
export async function buildTool(progress) {
  const tool = await wanted();
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
