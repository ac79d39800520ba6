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

test("the servers of an answer are used until a tenth before its end", async (t) => {
  const { page, asked } = await load(t);
  const first = await page.ice();
  assert.deepEqual(first, {
    servers: [TURN, STUN],
    relay: true,
    hideAddress: true,
    until: Date.now() + 540_000,
  });
  t.mock.timers.tick(539_999);
  assert.deepEqual(await page.iceServers(), [TURN, STUN]);
  assert.deepEqual(asked, ["GET /v1/ice"]);
  t.mock.timers.tick(1);
  assert.equal((await page.ice()).until, first.until + 540_000);
  assert.equal(asked.length, 2);
});

test("many who ask at once are one request", async (t) => {
  const { page, asked } = await load(t);
  const answers = await Promise.all([page.ice(), page.iceServers(), page.ice(), page.iceServers()]);
  assert.deepEqual(answers[1], answers[0].servers);
  assert.deepEqual(asked, ["GET /v1/ice"]);
});

test("plain STUN is no relay", async (t) => {
  const { page, state } = await load(t);
  state.answer = { iceServers: [STUN], ttl: 30, hideAddress: false };
  const { servers, relay, hideAddress, until } = await page.ice();
  assert.deepEqual([servers, relay, hideAddress], [[STUN], false, false]);
  assert.equal(until, Date.now() + 27_000);
});

test("without an answer there are no servers for ten seconds, and a wish to hide is not forgotten", async (t) => {
  const { page, asked, state } = await load(t);
  state.status = 429;
  const refused = { servers: [], relay: false, hideAddress: undefined, until: Date.now() + 10_000 };
  assert.deepEqual(await page.ice(), refused);
  await page.ice();
  assert.equal(asked.length, 1);
  t.mock.timers.tick(10_000);
  state.status = 200;
  assert.equal((await page.ice()).relay, true);
  t.mock.timers.tick(600_000);
  state.status = 500;
  const { servers, hideAddress } = await page.ice();
  assert.deepEqual([servers, hideAddress], [[], true]);
});
