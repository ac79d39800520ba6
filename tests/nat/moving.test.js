// A network that goes away and comes back as another one, as between two rooms, or from a café to the tram.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { meet } from "../e2e/stage.js";
import { scene } from "./scene.js";
import { plug, unplug } from "./topology.js";

/** @import { Person } from "../e2e/browsers.js" */
/** @import { Page } from "../e2e/connections.js" */
/** @import { Kind } from "./topology.js" */

/** @param {Person} person */
const connections = ({ page }) =>
  page.evaluate(() => /** @type {Page} */ (/** @type {unknown} */ (window)).met.length);

for (const kind of /** @type {Kind[]} */ (["same-nat", "port-preserving", "symmetric"])) {
  test(`${kind}: unplugged for 5 s and moved to another address, they see each other over the same connection`, async (t) => {
    const { ana, ben, network } = await scene(t, kind);
    await meet(ana, ben);
    unplug(network.ana);
    await pause(5_000);
    plug(network.ana, "10.1.0.77");
    await Promise.all([ana.sees(), ben.sees()]);
    for (const person of [ana, ben]) {
      await person.reads("status", "Connected");
      assert.equal(await connections(person), 1);
    }
    // The server has the call again as well: it tells of its end.
    await ana.click("next");
    await ben.reads("status", "The stranger left");
  });
}
