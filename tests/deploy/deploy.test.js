// What of a deployment can be shown without an account: everything up to the upload.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { prepareSite } from "../../scripts/site.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const PAGES = join(root, "pages");

test("the dry run bundles the Worker with its objects and prepares the site", async () => {
  const script = join(root, "scripts", "deploy.mjs");
  const args = ["--dry-run", "--project", "meet", "--signaling", "https://signal.example"];
  const { stdout } = await run(process.execPath, [script, ...args], { cwd: root });
  assert.match(stdout, /LOBBY \(LobbyObject\)/);
  assert.match(
    stdout,
    /ALLOWED_ORIGINS.*https:\/\/meet\.pages\.dev,https:\/\/\*\.meet\.pages\.dev/,
  );
  assert.match(stdout, /nothing was uploaded/);
  const files = ["index.js", "site/index.html", "site/_headers", "dry-run/index.js"];
  for (const file of files) assert.ok((await stat(join(root, "build", file))).size > 0, file);
});

test("an unknown option is explained and nothing is done", async () => {
  const script = join(root, "scripts", "deploy.mjs");
  await assert.rejects(run(process.execPath, [script, "--force"], { cwd: root }), (error) => {
    assert.match(/** @type {any} */ (error).stderr, /Not understood: --force\s+npm run deploy/);
    return true;
  });
});

/**
 * Prepares a site and tells how its pages and headers differ from pages/.
 *
 * @param {import("../../scripts/site.mjs").Deployment} deployment
 * @returns {Promise<Record<string, { before: string, after: string }>>} the files that are not the same
 */
async function prepared(deployment) {
  const folder = await mkdtemp(join(tmpdir(), "echomingle-site-"));
  try {
    await prepareSite(deployment, folder);
    const names = await readdir(folder, { recursive: true });
    assert.deepEqual(names.sort(), (await readdir(PAGES, { recursive: true })).sort());
    const files = names.filter((name) => /[._]/.test(name));
    const pairs = await Promise.all(
      files.map(async (name) => {
        const [before, after] = await Promise.all(
          [PAGES, folder].map((where) => readFile(join(where, name), "utf8")),
        );
        return /** @type {const} */ ([name, { before: before ?? "", after: after ?? "" }]);
      }),
    );
    return Object.fromEntries(pairs.filter(([, { before, after }]) => before !== after));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("a site apart from its Worker has the Worker's address in its pages and its policy, and no other change", async () => {
  const changed = await prepared({ signaling: "https://signal.example/" });
  const pages = (await readdir(PAGES)).filter((name) => name.endsWith(".html"));
  /** @type {string[]} */
  const connecting = [];
  for (const name of pages) {
    const text = await readFile(join(PAGES, name), "utf8");
    if (text.includes("signaling")) connecting.push(name);
  }
  assert.deepEqual(Object.keys(changed).sort(), ["_headers", ...connecting].sort());
  for (const name of connecting) {
    const { before, after } = /** @type {any} */ (changed[name]);
    assert.match(after, /<meta name="signaling" content="https:\/\/signal\.example">/);
    assert.equal(after.replace("https://signal.example", ""), before);
  }
  const { before, after } = /** @type {any} */ (changed._headers);
  const added = " https://signal.example wss://signal.example";
  assert(after.includes(`connect-src 'self'${added};`), after);
  assert.equal(after.replace(added, ""), before);
});

test("a site on its Worker's origin is what lies in pages/", async () => {
  assert.deepEqual(await prepared({}), {});
});

test("Turnstile may be loaded where it is used, and nowhere else", async () => {
  const { _headers: headers, ...others } = await prepared({ turnstile: true });
  assert.deepEqual(others, {});
  const policy = /** @type {string[]} */ (
    headers?.after.match(/Content-Security-Policy: (.*)/)?.[1]?.split("; ")
  );
  const added = policy.filter((directive) => !headers?.before.includes(directive));
  assert.deepEqual(added, [
    "frame-src https://challenges.cloudflare.com",
    "script-src 'self' https://challenges.cloudflare.com",
  ]);
});
