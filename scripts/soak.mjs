/**
 * `npm run soak`: thousands of sockets for minutes, with whatever can go wrong (tests/bench/load/soak.rs). Prints what
 * there was and what was lost, writes docs/soak.json and draws docs/soak.svg; `npm run soak -- --sockets 200
 * --seconds 20 --kills 1 --seed 7` is a shorter one, and writes neither. Fails where anything was lost. What there was
 * is in build/soak.json in any case.
 */

import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { root } from "./environment.mjs";
import { workerd } from "./packages.mjs";
import { draw, provideGnuplot } from "./plot.mjs";
import { main, Problem } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { everything, setup } from "./setup.mjs";
import { print } from "./table.mjs";

/** What docs/soak.json is of. */
const USUAL = { sockets: "5000", seconds: "300", kills: "2", seed: "1" };
/** The generator's core; the server's is the next (tests/bench/load/server.rs). */
const CORE = "0";
/** After so many milliseconds without an answer to a ping the server's own times are over (PROOF, src/core/resume.rs). */
const TOO_SLOW = 2_000;

/** @typedef {{ name: string, points: [number, number][] }} Series */

/** @param {Record<string, any>} result @returns {string[][]} */
function rows(result) {
  const { held, messages, memory, badInput, wrong } = result;
  /** @param {string} what @param {Record<string, number>} kinds */
  const each = (what, kinds) => Object.entries(kinds).map(([kind, n]) => [what, kind, `${n}`]);
  const lost = each("LOST", wrong);
  return [
    ["sockets held", "least, median, most", `${held.min}, ${held.median}, ${held.max}`],
    ["time", "seconds, of which under load", `${result.wallSeconds}, ${result.seconds}`],
    ["time", "longest that the generator stood still, in ms", `${result.stalledMs}`],
    ...each("messages", messages),
    ...each("matches", result.matches),
    ...each("calls ended", result.ended),
    ...each("rooms", result.rooms),
    ...each("came back", result.resumed),
    ...each("not given back", result.notResumed),
    ...each("over by the rules", result.byTheRules),
    ["over by the rules", "taken by a copied token", `${result.taken}`],
    ["faults", "server killed", `${result.serverKilled}`],
    ...each("faults", result.faults),
    ["a ping is answered", "after at most, in ms", `${result.slowestPongMs}`],
    ["when all have gone", "sockets that are still open", `${result.leftOpen}`],
    ...each("bad input tried", badInput.tried),
    ...each("bad input answered", badInput.answered),
    ...each("bad input, cut before the answer", badInput.cut),
    ...memory.map((/** @type {any} */ one) => [
      "memory in MiB",
      `life ${one.life}: second fifth, last`,
      [one.secondFifthMiB, one.lastFifthMiB].map((mib) => mib?.toFixed(0) ?? "–").join(", "),
    ]),
    ...(lost.length > 0 ? lost : [["lost, doubled, out of bounds", "", "nothing"]]),
  ];
}

/** @param {Progress} progress @param {Record<string, any>} result */
async function report(progress, result) {
  const machine = `${cpus().length} cores, ${cpus()[0]?.model.trim()}`;
  const record = { machine, date: new Date().toISOString().slice(0, 10), ...result };
  // A sample a line: they are many.
  const text = JSON.stringify(record, null, 2).replace(/\[\n\s+([-\d.,\s]+?)\n\s+\]/g, (_, row) => {
    return `[${row.replace(/\s+/g, " ")}]`;
  });
  await writeFile(join(root, "docs", "soak.json"), `${text}\n`);
  /** @param {string} name @param {number} column @returns {Series} */
  const series = (name, column) => ({
    name,
    points: result.samples.map((/** @type {number[]} */ row) => [row[0], row[column]]),
  });
  await progress.task("plot", async (step) => {
    await provideGnuplot(step);
    await draw(step, join(root, "docs", "soak.svg"), {
      title: "Sockets, memory and faults while the server is killed twice",
      x: "seconds",
      y: "number, or MiB",
      shape: "lines",
      series: [series("sockets", 1), series("MiB", 2), series("faults so far", 3)],
    });
    return "docs/soak.svg";
  });
}

await main(async () => {
  const { values } = parseArgs({
    options: {
      sockets: { type: "string", default: USUAL.sockets },
      seconds: { type: "string", default: USUAL.seconds },
      kills: { type: "string", default: USUAL.kills },
      seed: { type: "string", default: USUAL.seed },
    },
  });
  for (const [name, value] of Object.entries(values))
    if (!/^\d{1,9}$/.test(value)) throw new Problem(`--${name} ${value}: this is no number.`);
  const options = Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
  const progress = new Progress();
  await setup(progress, everything);
  await build(progress);
  const bench = ["bench", "--locked", "--bench", "load"];
  await progress.task("compile", async (step) => {
    await step.run("cargo", [...bench, "--no-run"]);
    return "compiled";
  });
  const program = ["--cpu-list", CORE, "cargo", ...bench, "--", "soak", ...options];
  /** @type {Record<string, any>} */
  let result = {};
  await progress.task("soak", async (step) => {
    step.say(options.join(" "));
    const output = await step.run("taskset", program, {
      env: { WORKERD_BIN: workerd() },
      onOutput: (text) => {
        for (const [line] of text.matchAll(/^\d+ s: .+$/gm)) step.say(line);
      },
    });
    result = JSON.parse(output.split("\n").findLast((line) => line.startsWith("{")) ?? "{}");
    return "done";
  });
  await writeFile(join(root, "build", "soak.json"), JSON.stringify(result));
  console.log("");
  print(rows(result));
  const failed = Object.keys(result.wrong).length > 0;
  if (
    !failed &&
    Object.entries(USUAL).every(
      ([name, usual]) => values[/** @type {keyof typeof USUAL} */ (name)] === usual,
    )
  )
    await report(progress, result);
  const again = `The same again: npm run soak -- ${options.join(" ")}`;
  const slow = `A ping was answered after ${result.slowestPongMs} ms, which is longer than the rules allow for: the machine is too busy.`;
  if (failed)
    throw new Problem("Something was lost, doubled or out of bounds.", {
      log: result.details.join("\n"),
      hint: result.slowestPongMs > TOO_SLOW ? `${slow}\n${again}` : again,
    });
});
