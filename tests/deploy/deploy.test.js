// What of a deployment can be shown without an account: everything up to the upload.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { prepareSite } from "../../scripts/site.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

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

test("the prepared site differs from pages/ by the signaling server's address alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "echomingle-site-"));
  try {
    await prepareSite("https://signal.example/", folder);
    const [before, after] = await Promise.all(
      [join(root, "pages"), folder].map(async (where) => ({
        page: await readFile(join(where, "index.html"), "utf8"),
        headers: await readFile(join(where, "_headers"), "utf8"),
        script: await readFile(join(where, "main.js"), "utf8"),
      })),
    );
    assert(before && after);
    assert.match(after.page, /<meta name="signaling" content="https:\/\/signal\.example">/);
    assert.match(
      after.headers,
      /connect-src 'self' https:\/\/signal\.example wss:\/\/signal\.example;/,
    );
    assert.equal(after.page.replace("https://signal.example", ""), before.page);
    assert.equal(
      after.headers.replace(" https://signal.example wss://signal.example", ""),
      before.headers,
    );
    assert.equal(after.script, before.script);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
