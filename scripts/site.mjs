/** The site as it is uploaded: the files of pages/, with what they must know of this deployment written into them. */

import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./environment.mjs";
import { Problem } from "./problem.mjs";

/** Where a browser loads Turnstile from, script and frame (Cloudflare Turnstile: "Content Security Policy"). */
const TURNSTILE = "https://challenges.cloudflare.com";

/**
 * @typedef {object} Deployment
 * @property {string} [signaling] origin of the Worker, such as `https://echomingle.example.workers.dev`; the
 *   site's own, unless given
 * @property {boolean} [turnstile] whether pages ask Turnstile
 */

/**
 * @param {Deployment} deployment
 * @param {string} [folder] which is replaced
 * @returns {Promise<string>} the folder
 */
export async function prepareSite(
  { signaling, turnstile = false },
  folder = join(root, "build", "site"),
) {
  await rm(folder, { recursive: true, force: true });
  await cp(join(root, "pages"), folder, { recursive: true });
  const headers = join(folder, "_headers");
  if (signaling) {
    const { origin, host, protocol } = new URL(signaling);
    const socket = `${protocol === "https:" ? "wss" : "ws"}://${host}`;
    const meta = 'name="signaling" content="';
    for (const page of await pagesWith(folder, meta)) {
      await edit(page, `${meta}"`, `${meta}${origin}"`);
    }
    await edit(headers, "connect-src 'self'", `connect-src 'self' ${origin} ${socket}`);
  }
  if (turnstile) {
    await edit(headers, "script-src 'self'", `script-src 'self' ${TURNSTILE}`);
    await edit(headers, "default-src 'none'", `default-src 'none'; frame-src ${TURNSTILE}`);
    await letMakeElements(headers);
  }
  return folder;
}

/**
 * A script from elsewhere makes elements in its own way, and knows nothing of the types that our pages trust (W3C
 * Trusted Types). So nothing is asked of them where there is one.
 *
 * @param {string} headers path of the file
 */
async function letMakeElements(headers) {
  const text = await readFile(headers, "utf8");
  await writeFile(headers, text.replace(/; (?:require-)?trusted-types[^;\n]*/g, ""));
}

/**
 * @param {string} folder
 * @param {string} text
 * @returns {Promise<string[]>} the pages of a folder that hold a text
 */
async function pagesWith(folder, text) {
  const pages = (await readdir(folder)).filter((name) => name.endsWith(".html"));
  const files = pages.map((name) => join(folder, name));
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return files.filter((_, index) => texts[index]?.includes(text));
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
