/** What npm installs is exactly what `package-lock.json` says, and is installed again only when that changes. */

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { root, systemPath } from "./environment.mjs";
import { Problem } from "./problem.mjs";

const stamp = join(root, "node_modules", ".echomingle");

/** @param {import("./progress.mjs").Step} step */
export async function installPackages(step) {
  const wanted = await lockHash();
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return "there";
  step.say("installing");
  // No package of ours needs its install script, and npm 11 would ask about each.
  const quietly = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  const env = { PATH: systemPath().join(delimiter) };
  await step.run("npm", ["ci", ...quietly], { env }).catch(async (error) => {
    // A lock file written against a mirror can lack optional packages of other platforms, which npm ci
    // refuses although none is needed here. This keeps to the lock file just as well.
    if (!(error instanceof Problem) || !/ Missing: .* from lock file/.test(error.log)) throw error;
    await step.run("npm", ["install", "--no-save", ...quietly], { env });
  });
  await writeFile(stamp, wanted);
  return "installed";
}

async function lockHash() {
  const lock = await readFile(join(root, "package-lock.json")).catch(() => {
    throw new Problem("package-lock.json is missing.", {
      hint: "Get it back with: git checkout package-lock.json",
    });
  });
  return createHash("sha256")
    .update(lock)
    .update(`${process.platform} ${process.arch}`)
    .digest("hex");
}

/** @returns {string} the native esbuild; the package's own launcher is a slower script around it */
export function esbuild() {
  return nativeFile("esbuild", `@esbuild/${process.platform}-${process.arch}`, "bin/esbuild");
}

/** @returns {string} the native workerd, the runtime that Cloudflare itself runs */
export function workerd() {
  const arch = process.arch === "arm64" ? "arm64" : "64";
  return nativeFile("workerd", `@cloudflare/workerd-${process.platform}-${arch}`, "bin/workerd");
}

/**
 * @param {string} owner the package that depends on the native one
 * @param {string} name
 * @param {string} file
 */
function nativeFile(owner, name, file) {
  try {
    const from = createRequire(join(root, "node_modules", owner, "package.json"));
    return join(from.resolve(`${name}/package.json`), "..", file);
  } catch {
    throw new Problem(
      `${owner} has no program for this kind of machine (${process.platform} ${process.arch}).`,
      {
        hint: "If node_modules came from another machine, delete it and run this again.",
      },
    );
  }
}
