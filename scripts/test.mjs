/** Every layer of tests runs, even after one that failed; one failure fails the whole. */

import { browsers } from "./browsers.mjs";
import { build } from "./build.mjs";
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
  const [, found] = await Promise.all([
    setup(progress, [...parts]).then(() => (worker ? build(progress) : undefined)),
    selected.some((layer) => layer.browsers) ? browsers(progress) : undefined,
  ]);
  return found ?? {};
}

/** @param {import("./layers.mjs").Result[]} results */
function table(results) {
  console.log(
    `\n${"layer".padEnd(10)}${"passed".padStart(8)}${"failed".padStart(8)}${"seconds".padStart(10)}`,
  );
  for (const { name, passed, failed, seconds, ok } of results) {
    const numbers = `${`${passed}`.padStart(8)}${`${failed}`.padStart(8)}${seconds.toFixed(1).padStart(10)}`;
    console.log(
      `${name.padEnd(10)}${numbers}   ${ok ? "ok" : passed + failed > 0 ? "FAILED" : "FAILED: ran no test"}`,
    );
  }
}

await main(async () => {
  const selected = chosen();
  const env = await prepare(new Progress(), selected);
  const results = [];
  for (const layer of selected) {
    console.log(`\n── ${layer.name} ${"─".repeat(60 - layer.name.length)}`);
    results.push(await runLayer(layer, env));
  }
  table(results);
  const failed = results.filter(({ ok }) => !ok).map(({ name }) => name);
  if (failed.length > 0) throw new Problem(`Failed: ${failed.join(", ")}.`);
});
