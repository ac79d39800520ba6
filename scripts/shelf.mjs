/** What is built once for a user is kept by version where every clone finds it, and never half of it. */

import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "echomingle", "tools");

/** @param {string} name with the version */
export function kept(name) {
  return join(folder, name);
}

/**
 * @param {string} name with the version
 * @param {(place: string, bench: string) => Promise<void>} make fills the new folder `place`;
 *   `bench` is for what is thrown away afterwards
 */
export async function keep(name, make) {
  await sweep();
  const bench = join(folder, `.building-${process.pid}-${name}`);
  const place = join(bench, "place");
  try {
    await mkdir(bench, { recursive: true });
    await make(place, bench);
    await rename(place, kept(name)).catch((error) => {
      if (!existsSync(kept(name))) throw error; // else another clone was first
    });
  } finally {
    await rm(bench, { recursive: true, force: true });
  }
}

/** Removes what builds that were killed have left behind. */
async function sweep() {
  for (const entry of await readdir(folder).catch(() => [])) {
    const pid = Number(/^\.building-(\d+)-/.exec(entry)?.[1]);
    if (pid && !isAlive(pid)) await rm(join(folder, entry), { recursive: true, force: true });
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
