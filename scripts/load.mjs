/** A part of tests/bench/load that puts thousands of sockets on the Worker for minutes: builds, runs, prints, records. */

import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { root } from "./environment.mjs";
import { workerd } from "./packages.mjs";
import { draw, provideGnuplot } from "./plot.mjs";
import { Problem } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { everything, setup } from "./setup.mjs";
import { print } from "./table.mjs";

/** The generator's core; the server's is the next (tests/bench/load/server.rs). */
const CORE = "0";

/** @typedef {Record<string, any>} Result what the generator says: `wrong` counts by kind, and `details` are in words */

/**
 * @typedef {object} Part
 * @property {string} name of the part, and of its command
 * @property {string} record in docs/, without `.json` and `.svg`
 * @property {Record<string, string>} usual the options with the values that the record is of
 * @property {(result: Result) => string[][]} rows what is printed, but for what was wrong
 * @property {Omit<import("./plot.mjs").Plot, "series" | "shape">} plot
 * @property {string[]} series the columns of `samples`, after the seconds
 * @property {string} nothing what nothing was of
 * @property {(result: Result) => string | undefined} [excuse] why it may have gone wrong
 */

/** @param {string} what @param {Record<string, number>} kinds */
export const each = (what, kinds) => Object.entries(kinds).map(([kind, n]) => [what, kind, `${n}`]);

/** @param {Part} part @param {Progress} progress @param {Result} result */
async function report(part, progress, result) {
  const machine = `${cpus().length} cores, ${cpus()[0]?.model.trim()}`;
  const record = { machine, date: new Date().toISOString().slice(0, 10), ...result };
  // A sample a line: they are many.
  const text = JSON.stringify(record, null, 2).replace(/\[\n\s+([-\d.,\s]+?)\n\s+\]/g, (_, row) => {
    return `[${row.replace(/\s+/g, " ")}]`;
  });
  const file = join(root, "docs", part.record);
  await writeFile(`${file}.json`, `${text}\n`);
  await progress.task("plot", async (step) => {
    await provideGnuplot(step);
    const series = part.series.map((name, column) => ({
      name,
      points: result.samples.map((/** @type {number[]} */ row) => [row[0], row[column + 1]]),
    }));
    await draw(step, `${file}.svg`, { ...part.plot, shape: "lines", series });
    return `docs/${part.record}.svg`;
  });
}

/** @param {Part} part */
export async function run(part) {
  const { name, usual } = part;
  const { values } = parseArgs({
    options: Object.fromEntries(
      Object.entries(usual).map(([name, value]) => [
        name,
        { type: /** @type {const} */ ("string"), default: value },
      ]),
    ),
  });
  for (const [name, value] of Object.entries(values))
    if (!/^\d{1,9}$/.test(`${value}`)) throw new Problem(`--${name} ${value}: this is no number.`);
  const options = Object.entries(values).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const progress = new Progress();
  await setup(progress, everything);
  await build(progress);
  const bench = ["bench", "--locked", "--bench", "load"];
  await progress.task("compile", async (step) => {
    await step.run("cargo", [...bench, "--no-run"]);
    return "compiled";
  });
  const program = ["--cpu-list", CORE, "cargo", ...bench, "--", name, ...options];
  /** @type {Result} */
  let result = {};
  await progress.task(name, async (step) => {
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
  await writeFile(join(root, "build", `${name}.json`), JSON.stringify(result));
  const wrong = each("WRONG", result.wrong);
  console.log("");
  print([...part.rows(result), ...(wrong.length > 0 ? wrong : [[part.nothing, "", "nothing"]])]);
  if (wrong.length > 0) {
    const again = `The same again: npm run ${name} -- ${options.join(" ")}`;
    const hint = [part.excuse?.(result), again].filter(Boolean).join("\n");
    const log = result.details.join("\n");
    throw new Problem("Something was lost, doubled or out of bounds.", { log, hint });
  }
  if (Object.entries(usual).every(([name, value]) => values[name] === value))
    await report(part, progress, result);
}
