/** Runs a script that needs browsers and the built Worker: `node scripts/browse.mjs tests/e2e/gallery.js`. */

import { browsers } from "./browsers.mjs";
import { build } from "./build.mjs";
import { node } from "./environment.mjs";
import { main, Problem } from "./problem.mjs";
import { run } from "./process.mjs";
import { Progress } from "./progress.mjs";
import { everything, setup } from "./setup.mjs";

await main(async () => {
  const progress = new Progress();
  await setup(progress, everything);
  await build(progress);
  const env = await browsers(progress);
  const { ok } = await run(node(), process.argv.slice(2), {
    env,
    onOutput: (text) => process.stdout.write(text),
  });
  if (!ok) throw new Problem("It did not come to its end.");
});
