/**
 * `npm run bench`: what all this costs, beside the least that it could (tests/bench/floor), in turns that
 * alternate; `npm run bench -- relay` runs one part. Prints a table a part, writes docs/performance/PART.json, and
 * draws PART.svg.
 */

import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { root } from "./environment.mjs";
import * as parts from "./measures.mjs";
import { draw, provideGnuplot } from "./plot.mjs";
import { main, Problem } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { everything, setup } from "./setup.mjs";
import { print } from "./table.mjs";

await main(async () => {
  const named = process.argv.slice(2);
  const unknown = named.find((name) => !Object.hasOwn(parts, name));
  if (unknown)
    throw new Problem(`There is no part "${unknown}".`, {
      hint: `The parts are: ${Object.keys(parts).join(", ")}`,
    });
  const progress = new Progress();
  await setup(progress, everything);
  await build(progress);
  const folder = join(root, "docs", "performance");
  await mkdir(folder, { recursive: true });
  for (const [name, measure] of Object.entries(parts)) {
    if (named.length > 0 && !named.includes(name)) continue;
    const { result, table, plot } = await measure(progress);
    const machine = `${cpus().length} cores, ${cpus()[0]?.model.trim()}`;
    const record = { machine, date: new Date().toISOString().slice(0, 10), ...result };
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify(record, null, 2)}\n`);
    if (plot)
      await progress.task("plot", async (step) => {
        await provideGnuplot(step);
        await draw(step, join(folder, `${name}.svg`), plot);
        return `docs/performance/${name}.svg`;
      });
    console.log(`\n${name}`);
    print(table);
  }
});
