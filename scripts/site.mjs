/** The site as it is uploaded: the files of pages/, and the address of the signaling server in four of them. */

import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./environment.mjs";
import { Problem } from "./problem.mjs";

/**
 * @param {string} signaling origin of the Worker, such as `https://echomingle.example.workers.dev`
 * @param {string} [folder] which is replaced
 * @returns {Promise<string>} the folder
 */
export async function prepareSite(signaling, folder = join(root, "build", "site")) {
  const { origin, host, protocol } = new URL(signaling);
  const socket = `${protocol === "https:" ? "wss" : "ws"}://${host}`;
  await rm(folder, { recursive: true, force: true });
  await cp(join(root, "pages"), folder, { recursive: true });
  for (const page of ["index.html", "room.html", "doctor.html"]) {
    await edit(
      join(folder, page),
      'name="signaling" content=""',
      `name="signaling" content="${origin}"`,
    );
  }
  await edit(
    join(folder, "_headers"),
    "connect-src 'self'",
    `connect-src 'self' ${origin} ${socket}`,
  );
  return folder;
}

/**
 * @param {string} path
 * @param {string} before
 * @param {string} after
 */
async function edit(path, before, after) {
  const text = await readFile(path, "utf8");
  if (text.split(before).length !== 2) throw new Problem(`${path} should contain once: ${before}`);
  await writeFile(path, text.replace(before, after));
}
