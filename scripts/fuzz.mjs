/**
 * `npm run fuzz -- TARGET [SECONDS]`: looks for bytes that break a rule, for ten minutes unless told otherwise.
 * `npm run fuzz -- TARGET --keep`: makes a corpus of what was found on the way, as little of it as reaches all of it
 * (docs/fuzzing.md).
 */

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { install } from "./debian.mjs";
import { root, which } from "./environment.mjs";
import { main, Problem } from "./problem.mjs";
import { run } from "./process.mjs";
import { Progress } from "./progress.mjs";
import { setup } from "./setup.mjs";
import { buildTool, fileOf, fuzz } from "./tools.mjs";

const folder = join("tests", "fuzz");

/** How many bytes the inputs of a target have at most: as many as say something new, and are tried quickly. */
const LONGEST = { lobby: 1024, protocol: 4096, room: 1024, seat: 1024, talk: 2048, token: 1024 };

/** The targets that read text have its words. */
const TEXT = ["protocol", "talk"];

/** @typedef {keyof typeof LONGEST} Target */

/**
 * @param {string | undefined} name
 * @returns {asserts name is Target}
 */
function isTarget(name) {
  if (name && Object.hasOwn(LONGEST, name)) return;
  throw new Problem(name ? `There is no target "${name}".` : "Which target?", {
    hint: `The targets are: ${Object.keys(LONGEST).join(", ")}\nTry: npm run fuzz -- room 60`,
  });
}

/**
 * A committed corpus is one file a target, a line an input: bytes in base64url, shortest first.
 *
 * @param {Target} target
 */
function corpus(target) {
  return join(root, folder, "corpus", target);
}

/**
 * Adds the committed corpus to a folder of files, as a fuzzer has it.
 *
 * @param {Target} target
 * @param {string} place
 */
async function unpack(target, place) {
  await mkdir(place, { recursive: true });
  const text = await readFile(corpus(target), "utf8").catch(() => "");
  for (const line of text.split("\n").filter(Boolean)) {
    const bytes = Buffer.from(line, "base64url");
    await writeFile(join(place, createHash("sha1").update(bytes).digest("hex")), bytes);
  }
}

/**
 * @param {Target} target
 * @param {string} place
 */
async function pack(target, place) {
  const files = (await readdir(place)).map((name) => readFile(join(place, name), "base64url"));
  const lines = (await Promise.all(files)).filter(Boolean);
  lines.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  await writeFile(corpus(target), lines.map((line) => `${line}\n`).join(""));
  return lines.length;
}

/** @param {import("./progress.mjs").Step} step */
async function provideCompiler(step) {
  if (process.env.CXX || which("c++")) return "there";
  await install(
    step,
    ["g++"],
    "A C++ compiler (c++) is missing, of which libFuzzer is built.",
    "macOS: xcode-select --install; Fedora: gcc-c++",
  );
  return "installed";
}

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { keep: { type: "boolean", default: false } },
  });
  const [target, seconds = "600"] = positionals;
  isTarget(target);
  if (!/^[1-9]\d*$/.test(seconds)) throw new Problem(`"${seconds}" is no number of seconds.`);
  const progress = new Progress();
  await setup(progress, ["rust"]);
  await progress.task("C++ compiler", provideCompiler);
  await buildTool(progress, fuzz);
  const tool = await fileOf(fuzz);
  // Nothing here is unsafe, so no sanitizer is needed, and without one no nightly toolchain is.
  const how = ["--fuzz-dir", folder, "--sanitizer", "none", "--target-dir", "target/fuzz", target];
  await progress.task("build", async (step) => void (await step.run(tool, ["build", ...how])));

  const place = join(root, "build", "fuzz", target);
  await unpack(target, place);
  if (values.keep) {
    const least = `${place}.least`;
    await rm(least, { recursive: true, force: true });
    await mkdir(least);
    await progress.task("minimise", async (step) => {
      // How often something is reached does not matter here, only that it is.
      const only = ["-set_cover_merge=1", "-use_counters=0"];
      await step.run(tool, ["run", ...how, least, place, "--", ...only]);
      return `${await pack(target, least)} inputs`;
    });
    return;
  }
  const limits = [`-max_total_time=${seconds}`, `-max_len=${LONGEST[target]}`, "-timeout=20"];
  const words = TEXT.includes(target) ? [`-dict=${join(folder, "words.dict")}`] : [];
  const { ok } = await run(tool, ["run", ...how, place, "--", ...limits, ...words], {
    limit: Number(seconds) + 600,
    onOutput: (text) => process.stdout.write(text),
  });
  if (!ok) {
    throw new Problem(`${target}: a rule was broken, by the input named above.`, {
      hint: `To make it smaller:  ${[tool, "tmin", ...how].join(" ")} FILE\nThen see docs/fuzzing.md.`,
    });
  }
  console.log(`\nNothing found. To keep what is new: npm run fuzz -- ${target} --keep`);
});
