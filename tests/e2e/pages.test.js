// The site on Cloudflare Pages and the signaling elsewhere: two origins, as `npm run deploy` sets them up.
// `wrangler pages dev` stands in for Pages; it serves the same files with the same headers.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { environment } from "../../scripts/environment.mjs";
import { prepareSite } from "../../scripts/site.mjs";
import { directives, rules } from "../web/headers.js";
import { visit } from "./browsers.js";
import { freePort, start } from "./server.js";
import { meet } from "./stage.js";

const WRANGLER = fileURLToPath(
  new URL("../../node_modules/wrangler/bin/wrangler.js", import.meta.url),
);
/** How long it may take until the site is there, in milliseconds. */
const PATIENCE = 60_000;

/** @type {import("./server.js").Server} */
let signaling;
/** @type {import("node:child_process").ChildProcess} */
let pages;
/** @type {Promise<unknown>} */
let ended;
/** @type {string} */
let site;
/** @type {string} where a preview deployment would be: a name below the site's, which browsers look for here */
let preview;
/** @type {string} */
let folder;

before(async () => {
  const port = await freePort();
  site = `http://localhost:${port}`;
  preview = `http://blue.localhost:${port}`;
  const allowed = `${site},http://*.localhost:${port}`;
  signaling = await start({ variables: { ALLOWED_ORIGINS: allowed } });
  folder = await mkdtemp(join(tmpdir(), "echomingle-pages-"));
  await prepareSite({ signaling: signaling.address }, join(folder, "site"));
  // A configuration of its own: that of the repository is the Worker's.
  const configuration = `name = "site"
compatibility_date = "2026-11-01"
pages_build_output_dir = "site"
`;
  await writeFile(join(folder, "wrangler.toml"), configuration);
  // And a function: without one, wrangler wraps the site in a script of its own and looks for a
  // configuration around that, which is the Worker's again.
  await mkdir(join(folder, "functions"));
  const pass = "export const onRequest = ({ next }) => next();\n";
  await writeFile(join(folder, "functions", "_middleware.js"), pass);
  const args = [WRANGLER, "pages", "dev", "--port", String(port), "--ip", "127.0.0.1"];
  pages = spawn(process.execPath, args, { cwd: folder, env: environment(), stdio: "ignore" });
  ended = once(pages, "exit");
  const deadline = Date.now() + PATIENCE;
  const asked = () => fetch(site, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
  while (!(await asked())?.ok) {
    assert(Date.now() < deadline, "wrangler pages dev did not answer");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

after(async () => {
  pages?.kill("SIGTERM");
  await ended;
  await signaling?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

test("a call works across origins, from the site to a preview of it, and no page complains", async () => {
  const [ana, ben] = await Promise.all([visit(site), visit(preview)]);
  try {
    await meet(ana, ben);
    assert.deepEqual([...ana.complaints, ...ben.complaints], []);
  } finally {
    await Promise.all([ana.close(), ben.close()]);
  }
});

test("a link of a room leads into it, and a reload stays there", async () => {
  const link = `${site}/r/a-room-on-pages`;
  const [ana, ben] = await Promise.all([visit(link), visit(link)]);
  try {
    await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
    await ben.page.reload({ waitUntil: "load" });
    await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
    assert.equal(ben.page.url(), link);
    assert.deepEqual([...ana.complaints, ...ben.complaints], []);
  } finally {
    await Promise.all([ana.close(), ben.close()]);
  }
});

test("the connection doctor reaches the other origin", async () => {
  const ana = await visit(`${site}/doctor`);
  try {
    await ana.reads("check-server", "The server answers");
    await ana.reads("check-relay", "This site has no relay");
    await ana.reads("summary", "Most calls will connect");
    assert.equal(ana.page.url(), `${site}/doctor`);
    assert.deepEqual(ana.complaints, []);
  } finally {
    await ana.close();
  }
});

test("the site comes with its headers, on Pages and as assets of the Worker", async () => {
  const prepared = await readFile(join(folder, "site", "_headers"), "utf8");
  const [onPages, onWorker] = [rules(prepared)[0], rules()[0]];
  assert(onPages && onWorker);
  /** @param {string} url @param {import("../web/headers.js").Rule} rule */
  const comesBy = async (url, { set, unset }) => {
    const answer = await fetch(url);
    assert.equal(answer.status, 200, url);
    const tag = answer.headers.get("etag") ?? "";
    const again = await fetch(url, { headers: { "if-none-match": tag } });
    assert.equal(again.status, 304, url);
    for (const { headers } of [answer, again]) {
      for (const [name, value] of set) assert.equal(headers.get(name), value, url);
      for (const name of unset) assert.equal(headers.get(name), null, url);
    }
  };
  for (const path of ["/", "/r/some-room", "/doctor", "/privacy", "/main.js", "/icons.svg"]) {
    await comesBy(site + path, onPages);
    await comesBy(signaling.address + path, onWorker);
  }
  const [wanted, expected] = [onPages, onWorker].map(({ set }) =>
    directives(set.get("content-security-policy") ?? ""),
  );
  const socket = signaling.address.replace("http", "ws");
  const connect = ["'self'", signaling.address, socket];
  assert.deepEqual(wanted, { ...expected, "connect-src": connect });
});

test("a page of any other origin gets nothing", async () => {
  const elsewhere = { headers: { origin: "http://localhost:1" } };
  for (const path of ["/v1/ice", "/v1/stats", "/v1/match"]) {
    assert.equal((await fetch(signaling.address + path, elsewhere)).status, 403, path);
  }
  for (const origin of [site, preview]) {
    const answer = await fetch(`${signaling.address}/v1/ice`, { headers: { origin } });
    assert.equal(answer.headers.get("access-control-allow-origin"), origin);
  }
});
