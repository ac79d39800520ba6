/** Format, lint and types: every check runs even if one fails, and one failure fails the whole. */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { binaries, node } from "./environment.mjs";
import { explain, main, Problem } from "./problem.mjs";
import { run } from "./process.mjs";
import { Progress } from "./progress.mjs";
import { setup } from "./setup.mjs";

/** @typedef {{ name: string, command: string, args: string[], env?: NodeJS.ProcessEnv }} Check */

const clippy = ["clippy", "--locked"];
const strictly = ["--", "-D", "warnings"];

/** @type {Check[]} one after another, for cargo lets one in at a time */
const rust = [
  { name: "rustfmt", command: "cargo", args: ["fmt", "--check"] },
  { name: "clippy", command: "cargo", args: [...clippy, "--all-targets", ...strictly] },
  {
    name: "clippy, wasm",
    command: "cargo",
    args: [...clippy, "--target", "wasm32-unknown-unknown", "--lib", ...strictly],
  },
  {
    name: "rustdoc",
    command: "cargo",
    args: ["doc", "--locked", "--no-deps"],
    env: { RUSTDOCFLAGS: "-D warnings" },
  },
];

/** @returns {Check[]} */
function web() {
  return [
    { name: "biome", command: node(), args: [join(binaries, "biome"), "ci"] },
    { name: "tsc", command: node(), args: [join(binaries, "tsc"), "--noEmit", "-p", "."] },
  ];
}

/** @returns {Check[]} */
function fixes() {
  return [
    { name: "rustfmt", command: "cargo", args: ["fmt"] },
    { name: "biome", command: node(), args: [join(binaries, "biome"), "check", "--write"] },
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
  for (const { name, command, args, env } of checks) {
    try {
      await progress.task(
        name,
        async (step) => void (await step.run(command, args, env ? { env } : {})),
      );
    } catch (error) {
      failures.push({ name, error });
    }
  }
  return failures;
}

await main(async () => {
  const { values } = parseArgs({ options: { fix: { type: "boolean", default: false } } });
  const progress = new Progress();
  await setup(progress, ["packages", "rust", "target"]);
  await requireComponents();
  const lanes = values.fix ? [fixes()] : [rust, web()];
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
