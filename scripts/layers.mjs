/** A test layer is a command whose closing lines count its tests; one that ran no test has failed. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { node, root } from "./environment.mjs";
import { obstacle } from "./networks.mjs";
import { workerd } from "./packages.mjs";
import { run } from "./process.mjs";
import { everything } from "./setup.mjs";

/**
 * `needs`: parts of the set-up; `browsers`, `coturn`, `worker`: whether those are needed too; `obstacle`:
 * says why the layer cannot run on this machine, or nothing.
 *
 * @typedef {object} Layer
 * @property {string} name
 * @property {readonly import("./setup.mjs").Part[]} needs
 * @property {boolean} [browsers]
 * @property {boolean} [coturn]
 * @property {boolean} [worker]
 * @property {(progress: import("./progress.mjs").Progress) => Promise<string>} [obstacle]
 * @property {() => Promise<[command: string, args: string[]]>} command
 */

/**
 * `skipped`: why the layer did not run, which is no failure.
 *
 * @typedef {{ name: string, passed: number, failed: number, seconds: number, ok: boolean, skipped?: string }} Result
 */

/** Minutes after which a layer is taken to hang: far more than the longest takes on a busy machine. */
const LIMIT = 60;

/** @type {Layer[]} from the smallest to the largest */
export const layers = [
  { name: "core", needs: ["rust"], command: core },
  { name: "web", needs: ["packages"], command: () => nodeTests("web") },
  {
    name: "worker",
    needs: everything,
    worker: true,
    // Its tests mostly wait: for the clock, or for an object to fall asleep.
    command: async () => [
      "cargo",
      ["test", "--locked", "--test", "worker", "--", "--test-threads=8"],
    ],
  },
  {
    name: "deploy",
    needs: [...everything, "audit"],
    worker: true,
    command: () => nodeTests("deploy"),
  },
  {
    name: "e2e",
    needs: everything,
    worker: true,
    browsers: true,
    coturn: true,
    command: () => nodeTests("e2e"),
  },
  {
    name: "nat",
    needs: everything,
    worker: true,
    browsers: true,
    obstacle,
    command: () => nodeTests("nat"),
  },
];

/** @returns {Promise<[string, string[]]>} every test of Rust that needs no server */
async function core() {
  const names = (await list("tests")).filter((name) => name.endsWith(".rs"));
  const targets = names.flatMap((name) => ["--test", name.slice(0, -".rs".length)]);
  return ["cargo", ["test", "--locked", "--no-fail-fast", "--lib", ...targets]];
}

/**
 * @param {string} folder of `tests`
 * @returns {Promise<[string, string[]]>}
 */
async function nodeTests(folder) {
  const names = (await list(join("tests", folder))).filter((name) => name.endsWith(".test.js"));
  if (names.length === 0) throw new Error(`tests/${folder} has no *.test.js`);
  const files = names.map((name) => join("tests", folder, name));
  // One file after the other: each has a server and browsers of its own.
  return [node(), ["--test", "--test-reporter=spec", "--test-concurrency=1", ...files]];
}

/** @param {string} folder */
async function list(folder) {
  return (await readdir(join(root, folder)).catch(() => [])).sort();
}

/**
 * Runs a layer, showing its output as it comes.
 *
 * @param {Layer} layer
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Result>}
 */
export async function runLayer(layer, env) {
  const since = Date.now();
  const result = { name: layer.name, passed: 0, failed: 0, seconds: 0, ok: false };
  try {
    const [command, args] = await layer.command();
    const native = layer.worker ? { WORKERD_BIN: workerd() } : {};
    const { ok, output } = await run(command, args, {
      env: { ...env, ...native },
      limit: LIMIT * 60,
      onOutput: (text) => process.stdout.write(text),
    });
    Object.assign(result, count(output));
    result.ok = ok && result.passed > 0 && result.failed === 0;
  } catch (error) {
    console.error(`✗ ${error instanceof Error ? error.message : error}`);
  }
  result.seconds = (Date.now() - since) / 1000;
  return result;
}

/**
 * @param {string} output
 * @returns {{ passed: number, failed: number }} by the closing lines of cargo test and of Node's test runner
 */
function count(output) {
  const text = stripVTControlCharacters(output);
  const sum = (/** @type {RegExp} */ pattern) =>
    [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
  return {
    passed: sum(/^test result: .*? (\d+) passed/gm) + sum(/^[#ℹ] pass (\d+)$/gm),
    failed: sum(/^test result: .*? (\d+) failed/gm) + sum(/^[#ℹ] fail (\d+)$/gm),
  };
}
