/** The tests relay through coturn: the one that is found, else Debian's, which then serves nobody else. */

import { existsSync } from "node:fs";
import { install } from "./debian.mjs";
import { isMain, which } from "./environment.mjs";
import { main } from "./problem.mjs";
import { Progress } from "./progress.mjs";

/** @param {Progress} progress */
export async function coturn(progress) {
  await progress.task("coturn", async (step) => {
    if (which("turnserver")) return "there";
    await install(
      step,
      ["coturn"],
      "The end-to-end tests need coturn, which cannot be found.",
      "install coturn, so that turnserver is on the search path.",
    );
    await silence(step);
    return "installed";
  });
}

/**
 * Debian starts the servers it installs, and this machine is to relay for nobody else.
 *
 * @param {import("./progress.mjs").Step} step
 */
export async function silence(step) {
  if (existsSync("/run/systemd/system"))
    await step.run("systemctl", ["disable", "--now", "coturn"]);
}

if (isMain(import.meta.url)) await main(() => coturn(new Progress()));
