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

/**
 * A page of its own, just loaded, and the server it is from.
 * @param {TestContext} t
 */
async function load(t) {
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
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
  });
  t.after(() => {
    for (const name of ["document", "location"]) Reflect.deleteProperty(globalThis, name);
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
