// The wire as files, one message each, which the Rust tests read too.

import { readdirSync, readFileSync } from "node:fs";

const FIXTURES = new URL("../fixtures/", import.meta.url);

/**
 * The frames of a folder. There have to be some.
 *
 * @param {string} folder below `tests/fixtures`
 * @returns {{ name: string, frame: string }[]} each with the sentence that it is the fixture of
 */
export function fixtures(folder) {
  const files = readdirSync(new URL(folder, FIXTURES)).sort();
  if (files.length === 0) throw new Error(`tests/fixtures/${folder} is empty`);
  return files.map((file) => ({
    name: file.replace(/\.\w+$/, "").replaceAll("-", " "),
    frame: readFileSync(new URL(`${folder}/${file}`, FIXTURES), "utf8"),
  }));
}
