/**
 * `npm run simulate`: random chat with 20 people to 2,000,000, on a virtual clock (tests/bench/scale). Prints what there
 * was and which targets are met, writes docs/scale/simulation.json and draws docs/scale/*.svg; `npm run simulate -- --sizes
 * 20,200 --seed 7` is another run, and writes nothing. What there was is in build/simulation.json in any case.
 */

import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./environment.mjs";
import { draw, provideGnuplot } from "./plot.mjs";
import { main, Problem } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { setup } from "./setup.mjs";
import { print } from "./table.mjs";

/** What docs/scale is of. */
const USUAL = { sizes: "20,200,2000,20000,200000,2000000", seed: "1", signals: "4", wipes: "0" };

/** @typedef {Record<string, any>} Run */

const number = (/** @type {number} */ n) => n.toLocaleString("en");
const seconds = (/** @type {number} */ ms) => (ms / 1_000).toFixed(ms < 10_000 ? 2 : 0);
const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(0)} %`;

/** @type {[string, (run: Run) => string][]} */
const ROWS = [
  ["people online at the peak", (run) => number(run.people)],
  [
    "virtual time, of a day of",
    (run) => `${length(run.virtual.measuredSeconds)} of ${length(run.virtual.daySeconds)}`,
  ],
  ["calls", (run) => number(run.calls)],
  ["wait p50, s", (run) => seconds(run.waitMs.all.p50)],
  ["wait p99, s", (run) => seconds(run.waitMs.all.p99)],
  ["wait p99.9, s", (run) => seconds(run.waitMs.all.p999)],
  ["p99 of video, nothing named, s", (run) => seconds(run.waitMs.videoOpen.p99)],
  ["p99 of video, interests named, s", (run) => seconds(run.waitMs.videoParticular.p99)],
  ["p99 of text, s", (run) => seconds(run.waitMs.text.p99)],
  [
    "p99 of waiting beside somebody who suits, s",
    (run) => seconds(run.waitMs.besideSomebodySuitable.p99),
  ],
  ["busiest lobby, messages/s", (run) => run.busiest.lobbyFrames.toFixed(0)],
  ["the same, all events/s", (run) => run.busiest.lobby.toFixed(0)],
  ["the same after a kill", (run) => run.busiest.lobbyAfterAKill.toFixed(0)],
  ["directory, requests/s", (run) => run.busiest.directory.toFixed(1)],
  ["lobbies in use", (run) => number(run.lobbies.most)],
  ["splits, folds", (run) => `${run.lobbies.splits}, ${run.lobbies.folds}`],
  ["moves a session", (run) => run.moves.aSession.toFixed(3)],
  ["moves a call", (run) => run.moves.aCall.toFixed(3)],
  ["met in one's own region", (run) => percent(run.ownRegion)],
  ["shared interest, of who named any", (run) => percent(run.sharedInterest)],
  [
    "billed requests an hour",
    (run) => number(Math.round(run.cost.objectRequestsAnHour + run.cost.workerRequestsAnHour)),
  ],
  ["GB-s an hour", (run) => run.cost.gbSecondsAnHour.toFixed(1)],
  ["USD a month for 1,000 online", (run) => run.cost.usdAMonthFor1000.toFixed(2)],
  ["of which for alarms that are set", (run) => run.cost.ofWhich.rows.toFixed(2)],
  ["told of a second partner", (run) => number(run.checks.toldOfASecond)],
  ["left when all have gone", (run) => number(run.checks.leftWhenAllHaveGone)],
  ["longest stranded, s", (run) => number(run.checks.longestStrandedSeconds)],
  ["CPU time, s", (run) => run.cpuSeconds.toFixed(0)],
];

/** @param {number} s */
const length = (s) => (s >= 3_600 ? `${s / 3_600} h` : `${s / 60} min`);

/**
 * What was to be reached, and by how much it was.
 *
 * @type {[string, (run: Run, runs: Run[]) => { value: number, met: boolean } | null][]}
 */
const TARGETS = [
  [
    "wait p99 < 2 s from 200 people up, < 6 s at 20",
    ({ people, waitMs }) => {
      return {
        value: waitMs.all.p99 / 1_000,
        met: waitMs.all.p99 < (people < 200 ? 6_000 : 2_000),
      };
    },
  ],
  [
    "busiest object < 700 messages/s",
    ({ busiest }) => {
      const value = Math.max(busiest.lobby, busiest.directory);
      return { value, met: value < 700 };
    },
  ],
  [
    "dollars a person within 10 % of those at 2,000",
    ({ people, cost }, runs) => {
      const base = runs.find((run) => run.people === 2_000);
      if (people < 2_000 || !base) return null;
      const value = cost.usdAMonthFor1000 / base.cost.usdAMonthFor1000;
      return { value, met: Math.abs(value - 1) <= 0.1 };
    },
  ],
  ["< 0.1 moves a call", ({ moves }) => ({ value: moves.aCall, met: moves.aCall < 0.1 })],
  [
    "nobody stranded > 5 s while somebody suitable waits",
    ({ checks }) => {
      const value = checks.longestStrandedSeconds;
      return { value, met: value <= 5 };
    },
  ],
  [
    "nobody in two calls",
    ({ checks }) => ({ value: checks.toldOfASecond, met: checks.toldOfASecond === 0 }),
  ],
  [
    "nobody lost",
    ({ checks }) => ({ value: checks.leftWhenAllHaveGone, met: checks.leftWhenAllHaveGone === 0 }),
  ],
];

/** @param {Run[]} runs */
function tables(runs) {
  const results = ROWS.map(([name, of]) => [name, ...runs.map((run) => of(run))]);
  const targets = TARGETS.map(([name, of]) => {
    const cells = runs.map((run) => {
      const result = of(run, runs);
      if (!result) return "";
      return `${result.met ? "met" : "MISSED"} (${Number(result.value.toPrecision(3))})`;
    });
    return [name, ...cells];
  });
  return { results, targets: [["target", ...runs.map((run) => number(run.people))], ...targets] };
}

/** @param {string[][]} rows */
const markdown = ([head = [], ...rows]) =>
  [head, head.map((_, column) => (column ? "---:" : "---")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");

/** @param {import("./progress.mjs").Step} step @param {string} folder @param {Run[]} runs */
async function plots(step, folder, runs) {
  /** @param {string} name @param {(run: Run) => number} of @returns {import("./plot.mjs").Series} */
  const series = (name, of) => ({ name, points: runs.map((run) => [run.people, of(run)]) });
  const people = "people online at the peak";
  await draw(step, join(folder, "wait.svg"), {
    title: "From find to somebody",
    x: people,
    y: "seconds",
    shape: "lines",
    logarithmic: ["x", "y"],
    series: [
      series("p50", ({ waitMs }) => waitMs.all.p50 / 1_000),
      series("p99", ({ waitMs }) => waitMs.all.p99 / 1_000),
      series("p99.9", ({ waitMs }) => waitMs.all.p999 / 1_000),
      series("p99, nothing named", ({ waitMs }) => waitMs.videoOpen.p99 / 1_000),
    ],
  });
  await draw(step, join(folder, "load.svg"), {
    title: "The busiest five seconds of one object",
    x: people,
    y: "events a second",
    shape: "lines",
    logarithmic: ["x"],
    series: [
      series("lobby", ({ busiest }) => busiest.lobby),
      series("lobby after a kill", ({ busiest }) => busiest.lobbyAfterAKill),
      series("directory", ({ busiest }) => busiest.directory),
    ],
  });
  await draw(step, join(folder, "cost.svg"), {
    title: "USD a month for 1,000 people who are online",
    x: people,
    y: "USD",
    shape: "lines",
    logarithmic: ["x", "y"],
    series: [
      series("all", ({ cost }) => cost.usdAMonthFor1000),
      series("alarms set", ({ cost }) => cost.ofWhich.rows),
      series("objects' requests", ({ cost }) => cost.ofWhich.objectRequests),
      series("Workers' requests", ({ cost }) => cost.ofWhich.workerRequests),
      series("duration", ({ cost }) => cost.ofWhich.duration),
    ],
  });
  for (const run of runs.filter((run) => run.people === 20_000 || run.people === 200_000))
    await draw(step, join(folder, `layout-${run.people}.svg`), {
      title: `A day of ${number(run.people)} people: what the layout makes of it`,
      x: "minutes",
      y: `lobbies, and ${number(run.people / 20)} people`,
      shape: "lines",
      series: [
        {
          name: "people online",
          points: run.history.map((/** @type {number[]} */ [at = 0, online = 0]) => [
            at / 60,
            (online / run.people) * 20,
          ]),
        },
        {
          name: "lobbies with people",
          points: run.history.map((/** @type {number[]} */ [at = 0, , lobbies = 0]) => [
            at / 60,
            lobbies,
          ]),
        },
        {
          name: "lobbies in the layout",
          points: run.history.map((/** @type {number[]} */ [at = 0, , , layout = 0]) => [
            at / 60,
            layout,
          ]),
        },
      ],
    });
}

await main(async () => {
  const { values } = parseArgs({
    options: {
      sizes: { type: "string", default: USUAL.sizes },
      seed: { type: "string", default: USUAL.seed },
      signals: { type: "string", default: USUAL.signals },
      wipes: { type: "string", default: USUAL.wipes },
    },
  });
  for (const [name, value] of Object.entries(values))
    if (!/^\d{1,9}(,\d{1,9})*$/.test(value))
      throw new Problem(`--${name} ${value}: this is no number.`);
  const progress = new Progress();
  await setup(progress, ["rust"]);
  const bench = ["bench", "--locked", "--profile", "simulate", "--bench", "scale"];
  await progress.task("compile", async (step) => {
    await step.run("cargo", [...bench, "--no-run"]);
    return "compiled";
  });
  /** @type {Run[]} */
  const runs = [];
  await progress.task("simulate", async (step) => {
    const options = Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
    const output = await step.run("cargo", [...bench, "--", ...options], {
      onOutput: (text) => {
        for (const [, people] of text.matchAll(/^\{.*"people":(\d+)/gm))
          step.say(`${number(Number(people))} people are done`);
      },
    });
    const lines = output.split("\n").filter((line) => line.startsWith("{"));
    runs.push(...lines.map((line) => JSON.parse(line)));
    runs.sort((one, other) => one.people - other.people);
    return "done";
  });
  await mkdir(join(root, "build"), { recursive: true });
  await writeFile(join(root, "build", "simulation.json"), JSON.stringify(runs));
  const { results, targets } = tables(runs);
  console.log("");
  print(results);
  console.log("");
  print(targets);
  const usual = Object.entries(USUAL);
  if (!usual.every(([name, value]) => values[/** @type {keyof typeof USUAL} */ (name)] === value))
    return;
  const folder = join(root, "docs", "scale");
  await mkdir(folder, { recursive: true });
  const machine = `${cpus().length} cores, ${cpus()[0]?.model.trim()}`;
  const record = { machine, date: new Date().toISOString().slice(0, 10), runs };
  // A point a line: they are many.
  const text = JSON.stringify(record, null, 2).replace(/\[\n\s+([-\d.,\s]+?)\n\s+\]/g, (_, row) => {
    return `[${row.replace(/\s+/g, " ")}]`;
  });
  await writeFile(join(folder, "simulation.json"), `${text}\n`);
  await writeFile(join(folder, "simulation.md"), `${markdown(results)}\n\n${markdown(targets)}\n`);
  await progress.task("plots", async (step) => {
    await provideGnuplot(step);
    await plots(step, folder, runs);
    return "docs/scale";
  });
});
