// Calls through real NATs: the pages, the signaling, STUN and TURN as they are served, and each person's
// browser in a network of its own. Which way a call takes depends on the networks alone, since the site
// offers all ways to all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { meet } from "../e2e/stage.js";
import { settled } from "./route.js";
import { scene } from "./scene.js";

/** @import { Kind } from "./topology.js" */

/** @type {{ networks: string, kind: Kind, way: string, expected: RegExp }[]} */
const CASES = [
  {
    networks: "one NAT",
    kind: "same-nat",
    way: "never leave it",
    expected: /^host to host$/,
  },
  {
    networks: "two NATs that keep ports",
    kind: "port-preserving",
    way: "go directly from one public address to the other",
    expected: /^[ps]rflx to [ps]rflx$/,
  },
  {
    networks: "two symmetric NATs",
    kind: "symmetric",
    way: "go over a relay",
    // One relay is enough: who has none of its own in the pair has punched a hole towards the other's.
    expected: /^(relay over udp to \w+|\w+ to relay)$/,
  },
  {
    networks: "two NATs that block UDP",
    kind: "udp-blocked",
    way: "go over a relay that both reach by TCP",
    expected: /^relay over tcp to relay$/,
  },
];

for (const { networks, kind, way, expected } of CASES) {
  test(`behind ${networks} they see each other, and packets ${way}`, async (t) => {
    const { ana, ben } = await scene(t, kind);
    await meet(ana, ben);
    const routes = await settled([ana, ben], expected);
    t.diagnostic(`Ana: ${routes[0]}; Ben: ${routes[1]}`);
    for (const route of routes) assert.match(route, expected);
    await Promise.all([ana.sees(), ben.sees()]);
  });
}

test("behind two symmetric NATs and without a relay nobody is seen, and the page says so", async (t) => {
  const { ana, ben } = await scene(t, "symmetric", { relay: false });
  await ana.click("start");
  await ana.reads("status", "Looking for someone");
  await ben.click("start");
  for (const person of [ana, ben]) {
    await person.reads("status", "No connection to the stranger");
    await person.reads("chat-log", "Your networks did not connect");
  }
});
