// What is written beside the code holds: the table of the configuration, and the workflow for GitHub.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SECRETS } from "../../scripts/settings.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (/** @type {string} */ name) => readFile(join(root, name), "utf8");
const all = (/** @type {string} */ text, /** @type {RegExp} */ pattern) =>
  [...text.matchAll(pattern)].map((match) => match[1] ?? "").sort();

/** The names of the variables that the Worker reads. */
async function variables() {
  return all(await read("src/shell/bindings.rs"), /variable\(\s*env,\s*"(\w+)"/g);
}

test("the table of the configuration has what the Worker reads, and nothing else", async () => {
  const rows = all(await read("docs/configuration.md"), /^\| `([A-Z_]+)` \|/gm);
  assert(rows.length > 10);
  assert.deepEqual(rows, await variables());
});

test("what the table calls a secret is one to the deployment", async () => {
  const rows = all(await read("docs/configuration.md"), /^\| `([A-Z_]+)` \|.*\| secret \|$/gm);
  const known = await variables();
  assert.deepEqual(rows, [...SECRETS].filter((name) => known.includes(name)).sort());
});

/** @param {string} name @returns {Promise<string[]>} its lines without comments */
async function lines(name) {
  return (await read(name)).split("\n").filter((line) => !/^\s*#/.test(line));
}

test("the workflow runs commands that there are, by actions of GitHub's own that are pinned", async () => {
  const workflow = await lines(".github/workflows/ci.yml");
  const { scripts } = JSON.parse(await read("package.json"));
  const commands = all(workflow.join("\n"), /run: npm (?:run )?([\w:]+)/g);
  assert.deepEqual(commands, ["check", "deploy", "test"]);
  for (const name of commands) assert(name in scripts, name);
  const actions = all(workflow.join("\n"), /uses: (.*)/g);
  assert(actions.length > 0);
  for (const action of actions) assert.match(action, /^actions\/(checkout|setup-node|cache)@v\d+$/);
});

test("the workflow may only read, and tells its secrets to nothing but the deployment", async () => {
  const workflow = await lines(".github/workflows/ci.yml");
  const place = workflow.indexOf("permissions:");
  assert.equal(workflow[place + 1], "  contents: read");
  assert.equal(workflow[place + 2], "");
  assert.equal(workflow.filter((line) => line.includes("permissions:")).length, 1);
  const deploy = workflow.indexOf("  deploy:");
  const secret = workflow.findIndex((line) => line.includes("secrets."));
  assert(deploy > 0 && secret > deploy);
  const guard = workflow.findIndex((line) =>
    /^ {4}if: .*'push' && .*refs\/heads\/main'$/.test(line),
  );
  assert(guard > deploy && guard < secret);
});

test("without both secrets nothing is deployed, and nothing fails", async () => {
  const workflow = await read(".github/workflows/ci.yml");
  const step = /- id: account\n[^-]*run: \|\n((?: {10}.*\n)+)/.exec(workflow)?.[1];
  assert(step);
  assert.equal(workflow.match(/- if: steps\.account\.outputs\.known == 'yes'\n/g)?.length, 3);
  const folder = await mkdtemp(join(tmpdir(), "echomingle-step-"));
  try {
    const output = join(folder, "output");
    for (const [secrets, known] of /** @type {[Record<string, string>, string][]} */ ([
      [{ ACCOUNT: "", TOKEN: "" }, ""],
      [{ ACCOUNT: "a", TOKEN: "" }, ""],
      [{ ACCOUNT: "", TOKEN: "t" }, ""],
      [{ ACCOUNT: "a", TOKEN: "t" }, "known=yes\n"],
    ])) {
      await writeFile(output, "");
      const env = { ...process.env, ...secrets, GITHUB_OUTPUT: output };
      /** @type {{ stdout: string }} */
      const { stdout } = await run("bash", ["-e", "-c", step], { env });
      assert.equal(await readFile(output, "utf8"), known);
      assert.equal(stdout.startsWith("::notice::Not deployed"), known === "");
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("crates that are pinned to each other are updated together", async () => {
  const pinned = all(await read("Cargo.toml"), /^([\w-]+) = (?:\{ version = )?"=/gm);
  const group = /platform:\n\s+patterns: \[(.*)\]/.exec(await read(".github/dependabot.yml"))?.[1];
  const patterns = (group ?? "").split(", ").map((name) => name.replace("*", ""));
  assert.deepEqual(patterns.sort(), pinned);
});
