// Who comes to a site that has served all that it may today is told so, and when it opens again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hurry, pages, signaling } from "./closed.js";
import { stage } from "./stage.js";

const scene = stage();

for (const { where, title, elsewhere } of [
  { where: "on the page's own origin", title: "Full for today", elsewhere: false },
  { where: "elsewhere", title: "Nobody is let in right now", elsewhere: true },
]) {
  test(`who is refused ${where} is told that the day is full, and when the next begins`, async (context) => {
    const other = elsewhere ? await signaling() : null;
    const site = await pages(scene.address, other?.address);
    context.after(() => {
      other?.close();
      site.close();
    });
    const ana = await scene.visitor("chromium", { wire: site, first: [hurry] });
    await ana.reads("status", title);
    await ana.click("start");
    await ana.waitFor(
      (title) => document.querySelector("#wait-title")?.textContent === title,
      title,
    );
    const advice = await ana.page.$eval("#wait-advice", (element) => element.textContent ?? "");
    assert.match(advice, /(?:It|Then it) opens again at \d+:\d\d/);

    const room = await scene.visitor("chromium", { wire: site, path: "/r/den", first: [hurry] });
    // Where the camera is allowed already, one is on the way in.
    await room.page.evaluate(() => document.getElementById("without")?.click());
    await room.reads("status", title);
    await room.waitFor(
      (title) => document.querySelector("#told-title")?.textContent === title,
      title,
    );
    for (const person of [ana, room]) person.complaints.length = 0;
  });
}
