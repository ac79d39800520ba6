/** Distribution packages are installed by root on Debian and its kin; anybody else is told which they are. */

import { which } from "./environment.mjs";
import { Problem } from "./problem.mjs";

export const canInstall = process.getuid?.() === 0 && which("apt-get") !== undefined;

/**
 * @param {import("./progress.mjs").Step} step
 * @param {string[]} packages
 * @param {string} missing a sentence that says what is missing
 * @param {string} elsewhere what to do on another system
 */
export async function install(step, packages, missing, elsewhere) {
  if (!canInstall) {
    throw new Problem(missing, {
      hint: `On Debian or Ubuntu:  sudo apt-get install ${packages.join(" ")}\nElsewhere: ${elsewhere}`,
    });
  }
  step.say(`installing ${packages.join(", ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // An unreachable third-party source makes the update fail and takes nothing from the install.
  await step.run("apt-get", ["-qq", "update"], { env, limit: 300 }).catch(() => {});
  const options = ["-qq", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
  await step.run("apt-get", ["install", ...options, ...packages], { env, limit: 1200 });
}
