/** Format, lint and types: every check runs even if one fails, and one failure fails the whole. */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { auditCrates, auditPackages } from "./audit.mjs";
import { binaries, node } from "./environment.mjs";
import { explain, main, Problem } from "./problem.mjs";
import { run } from "./process.mjs";
import { Progress } from "./progress.mjs";
import { setup } from "./setup.mjs";
import { deny, fileOf } from "./tools.mjs";

/** @typedef {import("./progress.mjs").Step} Step */
/** @typedef {{ name: string, work: (step: Step) => Promise<string | void> }} Check */

/** The workspace of the fuzzer's targets. */
const FUZZ = join("tests", "fuzz", "Cargo.toml");

const clippy = ["clippy", "--locked"];
const strictly = ["--", "-D", "warnings"];

/**
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Check}
 */
function program(name, command, args, env = {}) {
  return { name, work: async (step) => void (await step.run(command, args, { env })) };
}

/**
 * One after another, for cargo lets one in at a time.
 *
 * @param {string} denying the file of cargo-deny
 * @returns {Check[]}
 */
function rust(denying) {
  const wasm = ["--target", "wasm32-unknown-unknown", "--lib"];
  const rules = ["bans", "licenses", "sources"];
  // An exception for the one workspace is none in the other.
  const check = ["check", "-A", "license-exception-not-encountered", "-A", "unmatched-skip-root"];
  return [
    program("rustfmt", "cargo", ["fmt", "--check"]),
    program("rustfmt, fuzz", "cargo", ["fmt", "--check", "--manifest-path", FUZZ]),
    program("clippy", "cargo", [...clippy, "--all-targets", ...strictly]),
    program("clippy, wasm", "cargo", [...clippy, ...wasm, ...strictly]),
    program("rustdoc", "cargo", ["doc", "--locked", "--no-deps"], { RUSTDOCFLAGS: "-D warnings" }),
    ...["Cargo.toml", FUZZ].flatMap((manifest) => {
      const of = ["--locked", "--manifest-path", manifest, "--config", "deny.toml"];
      const which = manifest === FUZZ ? ", fuzz" : "";
      return [
        program(`cargo deny${which}`, denying, [...of, ...check, ...rules]),
        {
          name: `advisories${which}`,
          work: (/** @type {Step} */ step) => auditCrates(step, denying, manifest),
        },
      ];
    }),
  ];
}

/** @returns {Check[]} */
function web() {
  return [
    program("biome", node(), [join(binaries, "biome"), "ci"]),
    program("tsc", node(), [join(binaries, "tsc"), "--noEmit", "-p", "."]),
    { name: "npm audit", work: () => auditPackages() },
  ];
}

/** @returns {Check[]} */
function fixes() {
  return [
    program("rustfmt", "cargo", ["fmt"]),
    program("rustfmt, fuzz", "cargo", ["fmt", "--manifest-path", FUZZ]),
    program("biome", node(), [join(binaries, "biome"), "check", "--write"]),
  ];
}

async function requireComponents() {
  for (const [subcommand, component] of [
    ["fmt", "rustfmt"],
    ["clippy", "clippy"],
  ]) {
    if ((await run("cargo", [`${subcommand}`, "--version"], { limit: 60 })).ok) continue;
    throw new Problem(`Rust's ${component} is not installed.`, {
      hint: "Try: rustup component add rustfmt clippy",
    });
  }
}

/**
 * @param {Progress} progress
 * @param {Check[]} checks
 * @returns {Promise<{ name: string, error: unknown }[]>} what failed
 */
async function runAll(progress, checks) {
  const failures = [];
  for (const { name, work } of checks) {
    try {
      await progress.task(name, work);
    } catch (error) {
      failures.push({ name, error });
    }
  }
  return failures;
}

await main(async () => {
  const { values } = parseArgs({ options: { fix: { type: "boolean", default: false } } });
  const progress = new Progress();
  await setup(progress, ["packages", "rust", "target", "audit"]);
  await requireComponents();
  const lanes = values.fix ? [fixes()] : [rust(await fileOf(deny)), web()];
  const failures = (await Promise.all(lanes.map((checks) => runAll(progress, checks)))).flat();
  for (const { error } of failures) explain(error);
  const count = lanes.flat().length;
  if (failures.length > 0) {
    throw new Problem(
      `${failures.length} of ${count} checks failed: ${failures.map(({ name }) => name).join("; ")}.`,
      {
        hint: values.fix ? "" : "Much of it mends itself: npm run check -- --fix",
      },
    );
  }
  console.log(values.fix ? "\nFormatted and fixed." : `\nAll ${count} checks passed.`);
});
