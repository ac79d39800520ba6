/** The parts of `npm run bench`: each measures, and says what it found, for programs, as a table, and as a picture
 * where one says more. */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { browsers } from "./browsers.mjs";
import { measureSizes } from "./build.mjs";
import { node } from "./environment.mjs";
import { workerd } from "./packages.mjs";
import { Problem } from "./problem.mjs";

/** @import { Plot } from "./plot.mjs" */
/** @import { Progress } from "./progress.mjs" */

/** The load generator's core; the servers' is the next (tests/bench/load/server.rs). */
const CORE = "0";

/** @typedef {{ result: any, table: string[][], plot?: Plot }} Measured */

/** @param {Progress} progress @returns {Promise<Measured>} */
export async function relay(progress) {
  const result = await load(progress, "relay");
  const table = [["bytes of a signal", "", "CPU µs", "round trip µs", "relays a second"]];
  for (const { frameBytes, floor, worker, cpuRatio, roundTripRatio } of result.sizes) {
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
  /** @type {Plot} */
  const plot = {
    title: "CPU of a relayed signal, in the median",
    x: "bytes of the signal",
    y: "microseconds",
    shape: "bars",
    series: ["floor", "worker"].map((name) => ({
      name,
      points: result.sizes.map((/** @type {any} */ one) => [
        `${one.frameBytes}`,
        one[name].cpuMicros,
      ]),
    })),
  };
  return { result, table, plot };
}

/** @param {Progress} progress @returns {Promise<Measured>} */
export async function match(progress) {
  const program = [node(), join("tests", "bench", "match", "main.js")];
  const result = await measure(progress, "match", pinned(program));
  const { assumptions, prepared, trickling, ratio } = result;
  const table = [
    ["of sessions", "", "messages a call", "Worker requests", "object requests", "GB-s", "USD"],
  ];
  for (const [name, messages, billed] of [
    ["prepared", `${prepared.messagesACall}`, prepared.billed],
    ["trickling", `${trickling.messagesACall}`, trickling.billed],
    ["ratio", "", ratio],
  ]) {
    const { workerRequests, objectRequests, gbSeconds, usd } = billed;
    const counts = [assumptions.sessions, name, messages, workerRequests, objectRequests];
    table.push([...counts.map(String), gbSeconds.toFixed(2), usd.toFixed(5)]);
  }
  return { result, table };
}

/** @param {Progress} progress @returns {Promise<Measured>} */
export async function frame(progress) {
  const env = await browsers(progress);
  const program = [node(), join("tests", "bench", "frame", "main.js")];
  const result = await measure(progress, "frame", program, env);
  const table = [["round trip ms", "from", "", "median ms", "p95 ms"]];
  for (const { roundTripMillis, start, next } of result.results) {
    for (const [from, both] of Object.entries({ start, next })) {
      const at = [`${roundTripMillis}`, from];
      for (const name of ["bare", "ours"])
        table.push([...at, name, `${both[name].medianMillis}`, `${both[name].p95Millis}`]);
      table.push([...at, "ratio", both.ratioOfMedians.toFixed(2), ""]);
    }
  }
  /** @type {Plot} */
  const plot = {
    title: "From a click to the first frame of a stranger, in the median",
    x: "where from, and the round trip to the server in milliseconds",
    y: "milliseconds",
    shape: "bars",
    series: ["bare", "ours"].map((name) => ({
      name,
      points: ["start", "next"].flatMap((from) =>
        result.results.map((/** @type {any} */ at) => [
          `${from}, ${at.roundTripMillis}`,
          at[from][name].medianMillis,
        ]),
      ),
    })),
  };
  return { result, table, plot };
}

/** @param {Progress} progress @returns {Promise<Measured>} */
export async function wake(progress) {
  const result = await load(progress, "wake");
  const table = [["sockets", "woken by", "first ms", "again ms", "cost ms", "at most"]];
  for (const { sockets, by, firstMillis, againMillis, costMillis, mostMillis } of result.wakes) {
    const times = [firstMillis, againMillis, costMillis, mostMillis];
    table.push([`${sockets}`, by, ...times.map((millis) => millis.toFixed(1))]);
  }
  /** @type {Plot} */
  const plot = {
    title: "What it costs to wake an object up",
    x: "sockets, and what wakes it",
    y: "milliseconds more than awake",
    shape: "bars",
    series: [
      ["in the median", "costMillis"],
      ["at most", "mostMillis"],
    ].map(([name = "", of = ""]) => ({
      name,
      points: result.wakes.map((/** @type {any} */ one) => [
        `${one.sockets}, a ${one.by}`,
        one[of],
      ]),
    })),
  };
  return { result, table, plot };
}

/** @param {Progress} progress @returns {Promise<Measured>} */
export async function size(progress) {
  const sizes = await measureSizes();
  const startup = await load(progress, "startup");
  const rows = Object.entries({ ...sizes, ...startup });
  return {
    result: { ...sizes, startup },
    table: [["what", ""], ...rows.map(([name, value]) => [name, `${+value.toFixed(2)}`])],
  };
}

/** What the plot shows of the lobby's events. */
const EVENTS = {
  "find, meets": "find, and meets somebody",
  "next, meets": "next, and meets somebody",
  "find, waits": "find, and waits",
  "next, waits": "next, and waits",
  "leave, waiting": "leave, from the queue",
  "leave, in a call": "leave, from a call",
};

/** The lobby alone, natively. @param {Progress} progress @returns {Promise<Measured>} */
export async function core(progress) {
  // Compiled as the Worker is.
  const program = ["cargo", "bench", "--locked", "--profile", "release", "--bench", "core"];
  await compileFor(progress, program);
  const result = await measure(progress, "core", pinned(program));
  const { crowd, turnover, acquainted, herd, allocations } = result;
  const table = [["workload", "waiting", "event", "number", "p50 ns", "p95 ns", "p99 ns"]];
  for (const { name, waiting, all, kinds } of [
    ...crowd.map((/** @type {object} */ one) => ({ name: "crowd", ...one })),
    { name: "turnover", waiting: 1, ...turnover },
    { name: "acquainted", ...acquainted },
  ])
    for (const [kind, { events, p50, p95, p99 }] of Object.entries({ all, ...kinds }))
      table.push([name, ...[waiting, kind, events, p50, p95, p99].map(String)]);
  for (const { waiting, nanosAPerson } of herd)
    table.push(["herd", `${waiting}`, "a person", `${waiting}`, nanosAPerson.toFixed(0), "", ""]);
  for (const [kind, count] of Object.entries(allocations))
    table.push(["allocations", "", kind, `${count}`, "", "", ""]);
  /** @type {Plot} */
  const plot = {
    title: "What an event costs the lobby, in the median",
    x: "people who wait",
    y: "microseconds",
    shape: "lines",
    logarithmic: ["x"],
    series: Object.entries(EVENTS).map(([kind, name]) => ({
      name,
      points: crowd.map((/** @type {any} */ { waiting, kinds }) => [
        waiting,
        kinds[kind].p50 / 1000,
      ]),
    })),
  };
  return { result, table, plot };
}

/** A part of the load generator. @param {Progress} progress @param {string} part */
async function load(progress, part) {
  const program = ["cargo", "bench", "--locked", "--bench", "load"];
  await compileFor(progress, program);
  return measure(progress, part, pinned([...program, "--", part]), { WORKERD_BIN: workerd() });
}

/** @param {Progress} progress @param {string[]} program that cargo runs */
async function compileFor(progress, [cargo = "", ...bench]) {
  await progress.task("compile", async (step) => {
    await step.run(cargo, [...bench, "--no-run"]);
    return "compiled";
  });
}

/** On a core of its own. @param {string[]} program */
function pinned(program) {
  if (availableParallelism() < 2)
    throw new Problem("This takes two cores: one for the load and one for the server.");
  return ["taskset", "--cpu-list", CORE, ...program];
}

/**
 * Runs a program whose last line of JSON is what it found.
 * @param {Progress} progress
 * @param {string} name
 * @param {string[]} program
 * @param {Record<string, string>} [env]
 */
async function measure(progress, name, [program = "", ...args], env = {}) {
  let found = "";
  await progress.task(name, async (step) => {
    step.say("measuring");
    const output = await step.run(program, args, { env });
    found = output.split("\n").findLast((line) => line.startsWith("{")) ?? "";
    return "measured";
  });
  return JSON.parse(found);
}
