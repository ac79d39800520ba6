// Two people whom the server has sent to different lobbies: they meet all the same, and see each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keepWords } from "./connections.js";
import { stage } from "./stage.js";

/** @import { Page } from "./connections.js" */

const scene = stage();

/**
 * To be run on each new document, before its own scripts: the first lobby is this one, as if the Worker knew another
 * layout.
 */
const inEnam = () => {
  let first = true;
  window.WebSocket = class extends WebSocket {
    /** @param {string | URL} url @param {string | string[]} [protocols] */
    constructor(url, protocols) {
      super(first ? `${url}/enam` : url, protocols);
      first = false;
    }
  };
};

for (const kind of /** @type {const} */ (["chromium", "firefox"])) {
  test(`${kind}: who is alone in one lobby meets who is alone in another`, async () => {
    const ana = await scene.visitor("chromium");
    const ben = await scene.visitor(kind, { first: [keepWords, inEnam] });
    await ana.click("start");
    await ana.reads("status", "Looking for someone");
    await ben.click("start");
    await Promise.all([ana.sees(), ben.sees()]);
    for (const person of [ana, ben]) await person.reads("status", "Connected");
    const said = await ben.page.evaluate(
      () => /** @type {Page} */ (/** @type {unknown} */ (window)).said,
    );
    const count = (/** @type {string} */ type) =>
      said.filter((word) => word.includes(`"type":"${type}"`)).length;
    assert.deepEqual(
      [count("find"), count("resume")],
      [1, 1],
      "it was moved, and had to search once",
    );
    await ana.type("chat-input", "Hi Ben");
    await ana.click("chat-send");
    await ben.reads("chat-log", "Hi Ben");
    // A search that begins in the lobby where it is now is as any other.
    await ben.click("next");
    await ana.click("next");
    await Promise.all([ana.sees(), ben.sees()]);
  });
}
