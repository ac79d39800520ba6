// What a page makes of /v1/ice, asked of a server on this machine over the real fetch; only the clock is
// the test's.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

/** @import { TestContext } from "node:test" */
/** @import { IceConfiguration } from "../../pages/lib/protocol.js" */

const STUN = { urls: ["stun:a.example"] };
const TURN = {
  urls: ["turn:a.example?transport=tcp", "turns:a.example"],
  username: "name",
  credential: "password",
};

/** @type {IceConfiguration} */
const ANSWER = { iceServers: [TURN, STUN], ttl: 600, hideAddress: true };

/** What a page finds in a storage, and leaves there. @param {Record<string, string>} kept */
const storage = (kept) => ({
  getItem: (/** @type {string} */ key) => kept[key] ?? null,
  setItem: (/** @type {string} */ key, /** @type {string} */ value) => (kept[key] = value),
});

/**
 * A page of its own, just loaded, and the server it is from.
 * @param {TestContext} t
 * @param {{ ever?: Record<string, string>, session?: Record<string, string> }} [kept] by pages before it
 */
async function load(t, { ever = {}, session = {} } = {}) {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push(`${request.method} ${request.url}${body && ` ${body}`}`);
    response.statusCode = state.status;
    response.end(JSON.stringify(state.answer));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  t.after(() => server.close());
  t.mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
  Object.assign(globalThis, {
    document: { querySelector: () => null },
    location: { href: `http://127.0.0.1:${port}/r/kitchen` },
    localStorage: storage(ever),
    sessionStorage: storage(session),
  });
  t.after(() => {
    for (const name of ["document", "location", "localStorage", "sessionStorage"])
      Reflect.deleteProperty(globalThis, name);
  });
  /** @type {string[]} */
  const asked = [];
  const state = { status: 200, answer: ANSWER };
  /** @type {typeof import("../../pages/server.js")} */
  const page = await import(`../../pages/server.js?${port}`);
  return { page, asked, state };
}

test("an answer is used until four fifths of its time, and says when it ends", async (t) => {
  const { page, asked } = await load(t);
  const first = await page.ways();
  const until = Date.now() + 600_000;
  assert.deepEqual(first, { iceServers: [TURN, STUN], until, hideAddress: true });
  t.mock.timers.tick(479_999);
  assert.equal(await page.ways(), first);
  assert.deepEqual(asked, ["GET /v1/ice"]);
  t.mock.timers.tick(1);
  assert.equal((await page.ways()).until, until + 480_000);
  assert.equal(asked.length, 2);
});

test("many who want them at once are one request", async (t) => {
  const { page, asked } = await load(t);
  const [one, another] = await Promise.all([page.ways(), page.ways()]);
  assert.equal(one, another);
  assert.deepEqual(asked, ["GET /v1/ice"]);
});

test("a relay is told from plain STUN", async (t) => {
  const { page, state } = await load(t);
  assert.equal(page.relays(await page.ways()), true);
  t.mock.timers.tick(600_000);
  state.answer = { iceServers: [STUN], ttl: 30, hideAddress: false };
  const ways = await page.ways();
  assert.equal(page.relays(ways), false);
  assert.equal(ways.until, Date.now() + 30_000);
});

test("without an answer there are no servers for ten seconds, and a wish to hide is not forgotten", async (t) => {
  const { page, asked, state } = await load(t);
  state.status = 429;
  const { iceServers, until } = await page.ways();
  assert.deepEqual([iceServers, until], [[], Date.now() + 10_000]);
  await page.ways();
  assert.equal(asked.length, 1);
  t.mock.timers.tick(10_000);
  state.status = 200;
  assert.deepEqual((await page.ways()).iceServers, [TURN, STUN]);
  t.mock.timers.tick(600_000);
  state.status = 500;
  const later = await page.ways();
  assert.deepEqual([later.iceServers, later.hideAddress], [[], true]);
});

test("what was answered before is used as long as it holds, though nobody answers now", async (t) => {
  const { page, asked, state } = await load(t);
  const first = await page.ways();
  state.status = 500;
  t.mock.timers.tick(480_000);
  assert.equal(await page.ways(), first);
  assert.equal(asked.length, 2);
  t.mock.timers.tick(109_999);
  assert.equal(await page.ways(), first);
  t.mock.timers.tick(10_000);
  assert.deepEqual((await page.ways()).iceServers, []);
});

test("where there is no check nothing is named, kept or posted", async (t) => {
  const kept = { ever: {}, session: {} };
  const { page, asked } = await load(t, kept);
  assert.deepEqual(page.protocols(0), []);
  await page.ways();
  assert.deepEqual(page.protocols(0), []);
  assert.deepEqual(asked, ["GET /v1/ice"]);
  assert.deepEqual(kept, { ever: { "site-hides": "true" }, session: {} });
});

test("who has passed the check names the pass and posts it, and one that fails is looked at anew", async (t) => {
  const { page, asked } = await load(t, { session: { pass: '"given"' } });
  assert.deepEqual(page.protocols(0), ["echomingle", "pass.given"]);
  await page.ways();
  assert.deepEqual(asked, ["POST /v1/ice given"]);
  for (const failures of [0, 1]) page.protocols(failures);
  await page.ways();
  assert.equal(asked.length, 1);
  page.protocols(2);
  await page.ways();
  assert.equal(asked.length, 2);
});

test("where a check comes first nobody connects before it, and the next page knows", async (t) => {
  const kept = { ever: {}, session: { pass: '"of yesterday"' } };
  const { page, state } = await load(t, kept);
  state.answer = { ...ANSWER, check: "site key" };
  await page.ways();
  assert.equal(page.protocols(0), null);
  assert.deepEqual(kept, {
    ever: { "site-hides": "true", "site-checks": "true" },
    session: { pass: '""' },
  });
});

test("whose site had a check, and has none any more, connects once it is told", async (t) => {
  const kept = { ever: { "site-checks": "true" } };
  const { page } = await load(t, kept);
  let admitted = 0;
  page.onAdmitted(() => admitted++);
  assert.equal(page.protocols(0), null);
  await page.ways();
  assert.equal(admitted, 1);
  assert.deepEqual(page.protocols(0), []);
  assert.equal(kept.ever["site-checks"], "false");
});

test("a connection that fails for no known reason has it looked for whether there is a check", async (t) => {
  const { page, asked } = await load(t);
  page.protocols(0);
  assert.deepEqual(asked, []);
  assert.deepEqual(page.protocols(1), []);
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(asked, ["GET /v1/ice"]);
  await page.ways();
});
