/** Every layer of tests runs, even after one that failed; one failure fails the whole. */

import { browsers } from "./browsers.mjs";
import { build } from "./build.mjs";
import { coturn } from "./coturn.mjs";
import { layers, runLayer } from "./layers.mjs";
import { main, Problem } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { setup } from "./setup.mjs";

/** @returns {import("./layers.mjs").Layer[]} those named on the command line, else all */
function chosen() {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !layers.some((layer) => layer.name === name));
  if (unknown) {
    throw new Problem(`There is no test layer "${unknown}".`, {
      hint: `The layers are: ${layers.map(({ name }) => name).join(", ")}`,
    });
  }
  return names.length === 0 ? layers : layers.filter(({ name }) => names.includes(name));
}

/**
 * @param {Progress} progress
 * @param {import("./layers.mjs").Layer[]} selected
 * @returns {Promise<NodeJS.ProcessEnv>} what the tests are told about this machine
 */
async function prepare(progress, selected) {
  const parts = new Set(selected.flatMap(({ needs }) => needs));
  const worker = selected.some((layer) => layer.worker);
  const system = async () => {
    // One after the other: both may install packages.
    if (selected.some((layer) => layer.coturn)) await coturn(progress);
    return selected.some((layer) => layer.browsers) ? browsers(progress) : undefined;
  };
  const [, found] = await Promise.all([
    setup(progress, [...parts]).then(() => (worker ? build(progress) : undefined)),
    system(),
  ]);
  return found ?? {};
}

/**
 * @param {Progress} progress
 * @param {import("./layers.mjs").Layer[]} selected
 * @returns {Promise<Map<string, string>>} the layers that cannot run here, and why
 */
async function obstacles(progress, selected) {
  const found = new Map();
  for (const { name, obstacle } of selected) {
    const why = await obstacle?.(progress);
    if (why) found.set(name, why);
  }
  return found;
}

/** @param {import("./layers.mjs").Result} result */
function verdict({ passed, failed, ok, skipped }) {
  if (skipped) return `SKIPPED: ${skipped}`;
  if (ok) return "ok";
  return passed + failed > 0 ? "FAILED" : "FAILED: ran no test";
}

/** @param {import("./layers.mjs").Result[]} results */
function table(results) {
  console.log(
    `\n${"layer".padEnd(10)}${"passed".padStart(8)}${"failed".padStart(8)}${"seconds".padStart(10)}`,
  );
  for (const result of results) {
    const { name, passed, failed, seconds } = result;
    const numbers = `${`${passed}`.padStart(8)}${`${failed}`.padStart(8)}${seconds.toFixed(1).padStart(10)}`;
    console.log(`${name.padEnd(10)}${numbers}   ${verdict(result)}`);
  }
}

await main(async () => {
  const selected = chosen();
  const progress = new Progress();
  const skipped = await obstacles(progress, selected);
  const able = selected.filter(({ name }) => !skipped.has(name));
  const env = await prepare(progress, able);
  /** @type {import("./layers.mjs").Result[]} */
  const results = [];
  for (const layer of selected) {
    const { name } = layer;
    console.log(`\n── ${name} ${"─".repeat(60 - name.length)}`);
    const why = skipped.get(name);
    if (why) console.log(`SKIPPED: ${why}`);
    results.push(
      why
        ? { name, passed: 0, failed: 0, seconds: 0, ok: true, skipped: why }
        : await runLayer(layer, env),
    );
  }
  table(results);
  const failed = results.filter(({ ok }) => !ok).map(({ name }) => name);
  if (failed.length > 0) throw new Problem(`Failed: ${failed.join(", ")}.`);
});
