/** A tool that cargo builds is built once for a user: kept by version where every clone finds it. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root, which } from "./environment.mjs";
import { provideOpenssl } from "./prerequisites.mjs";
import { Problem } from "./problem.mjs";
import { run } from "./process.mjs";
import { keep, kept } from "./shelf.mjs";

/** @typedef {{ name: string, crate: string, version: string, args: string[] }} Tool */

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

/** @returns {Promise<Tool[]>} in the versions of the crates that they belong to */
async function wanted() {
  const lock = await readFile(join(root, "Cargo.lock"), "utf8").catch(() => "");
  const version = (/** @type {string} */ crate) => {
    const found = new RegExp(`name = "${crate}"\nversion = "([^"]+)"`).exec(lock)?.[1];
    if (found) return found;
    throw new Problem(`Cargo.lock does not name a version of ${crate}.`, {
      hint: "Get it back with: git checkout Cargo.lock",
    });
  };
  const lean = ["--no-default-features"];
  return [
    {
      name: "wasm-bindgen",
      crate: "wasm-bindgen-cli",
      version: version("wasm-bindgen"),
      args: lean,
    },
    { name: "worker-build", crate: "worker-build", version: version("worker"), args: [] },
  ];
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

/** @returns {Promise<{ bindgen: string, workerBuild: string }>} the files of the tools, which are there */
export async function tools() {
  const [bindgen, workerBuild] = await Promise.all((await wanted()).map(find));
  if (!bindgen || !workerBuild) {
    throw new Problem("A build tool is missing.", { hint: "Run: node scripts/setup.mjs" });
  }
  return { bindgen, workerBuild };
}

/**
 * @param {import("./progress.mjs").Progress} progress
 * @param {Promise<void>} target the wasm target, which may have to be built
 */
export async function buildTools(progress, target) {
  const missing = [];
  for (const tool of await wanted()) if (!(await find(tool))) missing.push(tool);
  if (missing.length === 0) return progress.task("build tools", async () => "there");
  // Side by side, although they share crates, for neither alone keeps two cores busy. But the
  // second leaves room for the target at first: the Worker cannot be compiled before it is there.
  const builds = missing.map(async (tool, index) => {
    if (index > 0) await target;
    await progress.task(tool.name, (step) => build(step, tool));
  });
  await Promise.all(builds);
}

/**
 * @param {import("./progress.mjs").Step} step
 * @param {Tool} tool
 */
async function build(step, { name, crate, version, args }) {
  if (name === "worker-build") await provideOpenssl(step);
  step.say(`building ${version}`);
  await keep(`${name}-${version}`, async (place, bench) => {
    const only = ["--version", `=${version}`, "--bin", name, ...args, "--root", place];
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
