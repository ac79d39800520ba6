// What stands in pages/_headers, as Cloudflare reads it (Cloudflare Pages: "Headers").

import { readFileSync } from "node:fs";

/**
 * `set`: by their names in lower case; `unset`: what is taken away of what Cloudflare sends by itself.
 * @typedef {{ path: string, set: Map<string, string>, unset: string[] }} Rule
 */

/** @param {string} [text] */
export function rules(
  text = readFileSync(new URL("../../pages/_headers", import.meta.url), "utf8"),
) {
  /** @type {Rule[]} */
  const all = [];
  for (const line of text.split("\n").map((line) => line.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const rule = all.at(-1);
    const [, name = "", value = ""] = /^([\w-]+):\s*(.+)$/.exec(line) ?? [];
    if (line.startsWith("/")) all.push({ path: line, set: new Map(), unset: [] });
    else if (!rule) throw new Error(`of no path: ${line}`);
    else if (line.startsWith("! ")) rule.unset.push(line.slice(2).toLowerCase());
    else if (!name || rule.set.has(name.toLowerCase())) throw new Error(`not understood: ${line}`);
    else rule.set.set(name.toLowerCase(), value);
  }
  return all;
}

/** The parts of a policy by their names. @param {string} policy @returns {Record<string, string[]>} */
export function directives(policy) {
  const parts = policy.split(";").map((part) => part.trim().split(/\s+/));
  const found = Object.fromEntries(parts.map(([name = "", ...values]) => [name, values]));
  if (Object.keys(found).length !== parts.length) throw new Error(`named twice: ${policy}`);
  return found;
}
