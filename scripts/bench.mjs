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
import { draw, provideGnuplot } from "./plot.mjs";
import { main, Problem } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { everything, setup } from "./setup.mjs";

/** The load generator's core; the servers' is the next (tests/bench/load/server.rs). */
const CORE = "0";

/** @typedef {{ result: object, table: string[][] }} Outcome */

/** @type {Record<string, (progress: Progress) => Promise<Outcome>>} */
const parts = { relay, frame, wake, size, core };

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

/** The lobby alone, natively. @param {Progress} progress @returns {Promise<Outcome>} */
async function core(progress) {
  /** @type {any} */
  let result;
  await progress.task("core", async (step) => {
    await provideGnuplot(step);
    // Compiled as the Worker is.
    const bench = ["bench", "--locked", "--profile", "release", "--bench", "core"];
    step.say("building");
    await step.run("cargo", [...bench, "--no-run"]);
    step.say("measuring");
    const output = await step.run("taskset", ["--cpu-list", CORE, "cargo", ...bench]);
    result = JSON.parse(output.split("\n").findLast((line) => line.startsWith("{")) ?? "");
    await draw(step, join(root, "docs", "performance", "core.svg"), {
      title: "What an event costs the lobby, in the median",
      x: "people who wait",
      y: "microseconds",
      shape: "lines",
      logarithmic: ["x"],
      series: [
        ["find, meets", "find, and meets somebody"],
        ["next, meets", "next, and meets somebody"],
        ["find, waits", "find, and waits"],
        ["next, waits", "next, and waits"],
        ["leave, waiting", "leave, from the queue"],
        ["leave, in a call", "leave, from a call"],
      ].map(([kind = "", name = ""]) => ({
        name,
        points: result.crowd.map((/** @type {any} */ crowd) => [
          crowd.waiting,
          crowd.kinds[kind].p50 / 1000,
        ]),
      })),
    });
    return "measured";
  });
  const table = [["workload", "waiting", "event", "number", "p50 ns", "p95 ns", "p99 ns"]];
  const { turnover, acquainted } = result;
  const workloads = [
    ...result.crowd.map((/** @type {any} */ crowd) => ({ name: "crowd", ...crowd })),
    { name: "turnover", waiting: 1, ...turnover },
    { name: "acquainted", ...acquainted },
  ];
  for (const { name, waiting, all, kinds } of workloads)
    for (const [kind, { events, p50, p95, p99 }] of [["all", all], ...Object.entries(kinds)])
      table.push([name, ...[waiting, kind, events, p50, p95, p99].map(String)]);
  for (const { waiting, nanosAPerson } of result.herd)
    table.push(["herd", `${waiting}`, "a person", `${waiting}`, nanosAPerson.toFixed(0), "", ""]);
  for (const [kind, count] of Object.entries(result.allocations))
    table.push(["allocations", "", kind, `${count}`, "", "", ""]);
  return { result, table };
}

/** @param {Progress} progress @returns {Promise<Outcome>} */
async function size(progress) {
  const sizes = await measureSizes();
  const startup = await load(progress, "startup");
  const rows = Object.entries({ ...sizes, ...startup });
  return {
    result: { ...sizes, startup },
    table: [["what", ""], ...rows.map(([name, value]) => [name, `${+value.toFixed(2)}`])],
  };
}

/** @param {Progress} progress @returns {Promise<Outcome>} */
async function wake(progress) {
  const { wakes } = await load(progress, "wake");
  const table = [["sockets", "woken by", "first ms", "again ms", "cost ms", "at most"]];
  for (const { sockets, by, firstMillis, againMillis, costMillis, mostMillis } of wakes) {
    const times = [firstMillis, againMillis, costMillis, mostMillis];
    table.push([`${sockets}`, by, ...times.map((millis) => millis.toFixed(1))]);
  }
  return { result: { wakes }, table };
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
