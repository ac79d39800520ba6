/**
 * `npm run bench`: what the Worker costs, beside the least that it could (tests/bench/floor), in turns that
 * alternate; `npm run bench -- relay` runs one part. Prints a table a part and writes docs/performance/PART.json.
 */

import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { browsers } from "./browsers.mjs";
import { build, measureSizes } from "./build.mjs";
import { node, root } from "./environment.mjs";
import { workerd } from "./packages.mjs";
import { main, Problem } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { everything, setup } from "./setup.mjs";

/** The load generator's core; the servers' is the next (tests/bench/load/server.rs). */
const CORE = "0";

/** @typedef {{ result: object, table: string[][] }} Outcome */

/** @type {Record<string, (progress: Progress) => Promise<Outcome>>} */
const parts = { relay, frame, match, size };

/** @param {Progress} progress @returns {Promise<Outcome>} */
async function relay(progress) {
  const { sizes } = await load(progress, "relay");
  const table = [["bytes of a signal", "", "CPU µs", "round trip µs", "relays a second"]];
  for (const { frameBytes, floor, worker, cpuRatio, roundTripRatio } of sizes) {
    const row = (/** @type {string} */ name, /** @type {any} */ one) => [
      `${frameBytes}`,
      name,
      one.cpuMicros.toFixed(1),
      one.roundTripMicros.toFixed(0),
      one.perSecond.toFixed(0),
    ];
    table.push(row("floor", floor), row("Worker", worker));
    table.push([`${frameBytes}`, "ratio", cpuRatio.toFixed(2), roundTripRatio.toFixed(2), ""]);
  }
  return { result: { sizes }, table };
}

/** @param {Progress} progress @returns {Promise<Outcome>} */
async function frame(progress) {
  const env = await browsers(progress);
  let json = "";
  await progress.task("frame", async (step) => {
    step.say("measuring");
    json = await step.run(node(), [join("tests", "bench", "frame", "main.js")], { env });
    return "measured";
  });
  const result = JSON.parse(json);
  const table = [["round trip ms", "from", "", "median ms", "p95 ms"]];
  for (const { roundTripMillis, ...both } of result.results) {
    for (const [from, { ours, bare, ratioOfMedians }] of Object.entries(both)) {
      for (const [name, one] of Object.entries({ bare, ours }))
        table.push([`${roundTripMillis}`, from, name, `${one.medianMillis}`, `${one.p95Millis}`]);
      table.push([`${roundTripMillis}`, from, "ratio", ratioOfMedians.toFixed(2), ""]);
    }
  }
  return { result, table };
}

/** @param {Progress} progress @returns {Promise<Outcome>} */
async function match(progress) {
  let json = "";
  await progress.task("match", async (step) => {
    step.say("measuring");
    const program = [node(), join("tests", "bench", "match", "main.js")];
    json = await step.run("taskset", ["--cpu-list", CORE, ...program]);
    return "measured";
  });
  const result = JSON.parse(json);
  const { assumptions, prepared, trickling, ratio } = result;
  const table = [
    ["of sessions", "", "messages a call", "Worker requests", "object requests", "GB-s", "USD"],
  ];
  const row = (
    /** @type {string} */ name,
    /** @type {string} */ messages,
    /** @type {any} */ { workerRequests, objectRequests, gbSeconds, usd },
  ) =>
    table.push([
      `${assumptions.sessions}`,
      name,
      messages,
      `${workerRequests}`,
      `${objectRequests}`,
      gbSeconds.toFixed(2),
      usd.toFixed(5),
    ]);
  for (const [name, one] of Object.entries({ prepared, trickling }))
    row(name, `${one.messagesACall}`, one.billed);
  row("ratio", "", ratio);
  return { result, table };
}

/** @returns {Promise<Outcome>} */
async function size() {
  const result = await measureSizes();
  const rows = Object.entries(result).map(([name, bytes]) => [name, `${bytes}`]);
  return { result, table: [["what", "bytes"], ...rows] };
}

/** @param {Progress} progress @param {string} part of the load generator */
async function load(progress, part) {
  let json = "";
  await progress.task(part, async (step) => {
    step.say("building the load generator");
    await step.run("cargo", ["bench", "--locked", "--no-run", "--bench", "load"]);
    step.say("measuring");
    const generator = ["cargo", "bench", "--locked", "--bench", "load", "--", part];
    const output = await step.run("taskset", ["--cpu-list", CORE, ...generator], {
      env: { WORKERD_BIN: workerd() },
    });
    json = output.split("\n").findLast((line) => line.startsWith("{")) ?? "";
    return "measured";
  });
  return JSON.parse(json);
}

/** @param {string[][]} table */
function print(table) {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of table)
    console.log(row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  "));
}

await main(async () => {
  const named = process.argv.slice(2);
  const unknown = named.find((name) => !Object.hasOwn(parts, name));
  if (unknown)
    throw new Problem(`There is no part "${unknown}".`, {
      hint: `The parts are: ${Object.keys(parts).join(", ")}`,
    });
  if (availableParallelism() < 2)
    throw new Problem("This takes two cores: one for the load and one for the server.");
  const progress = new Progress();
  await setup(progress, everything);
  await build(progress);
  const folder = join(root, "docs", "performance");
  await mkdir(folder, { recursive: true });
  for (const [name, measure] of Object.entries(parts)) {
    if (named.length > 0 && !named.includes(name)) continue;
    const { result, table } = await measure(progress);
    const machine = `${cpus().length} cores, ${cpus()[0]?.model.trim()}`;
    const record = { machine, date: new Date().toISOString().slice(0, 10), ...result };
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify(record, null, 2)}\n`);
    console.log(`\n${name}`);
    print(table);
  }
});
