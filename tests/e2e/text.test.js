// Strangers meet by words alone: no camera, no microphone, no permission.

import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "./stage.js";

/** @import { Person } from "./browsers.js" */

const scene = stage();

/** @param {Person} person @param {string} [likes] */
async function startsText(person, likes = "") {
  await person.click("mode-text");
  if (likes) await person.type("interests", likes);
  await person.click("start");
}

test("two who share an interest meet, chat, and never open a device", async () => {
  const without = ["--use-fake-ui-for-media-stream"];
  const ana = await scene.visitor("chromium", { without });
  const ben = await scene.visitor("firefox");
  await startsText(ana, "Jazz, chess");
  await ana.reads("status", "Looking for someone");
  await startsText(ben, "jazz");
  for (const person of [ana, ben]) {
    await person.reads("status", "Connected");
    await person.reads("chat-log", "You both like jazz");
    const stream = await person.page.$eval('[data-testid="local-video"]', (video) =>
      String(/** @type {HTMLVideoElement} */ (video).srcObject),
    );
    assert.equal(stream, "null");
  }
  await ana.type("chat-input", "Chet Baker?");
  await ana.page.keyboard.press("Enter");
  await ben.reads("chat-log", "Chet Baker?");
  await ben.page.keyboard.press("Escape");
  await ana.reads("status", "The stranger left");
  // What was said can still be read.
  await ana.reads("chat-log", "Chet Baker?");
});
