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

test("what a stranger writes is shown as text, whatever it is", async () => {
  const [ana, ben] = await scene.visitors("chromium", "chromium");
  assert(ana && ben);
  await Promise.all([startsText(ana), startsText(ben)]);
  const hostile = [
    '<img src=x onerror="document.title=1">',
    "<script>document.title=1</script>",
    "javascript:alert(1)",
    "\u202egnp.exe",
    '"><svg onload=document.title=1>',
  ];
  for (const words of hostile) {
    await ana.type("chat-input", words);
    await ana.page.keyboard.press("Enter");
    await ben.reads("chat-log", words);
  }
  const found = await ben.page.$$eval('[data-testid="chat-log"] *', (all) =>
    all.map((element) => element.localName).filter((name) => name !== "p"),
  );
  assert.deepEqual(found, []);
  assert.match(await ben.page.title(), /EchoMingle/);
});
