// Strangers meet by video: the whole way, in real browsers, over a real server, with no stand-in.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { keepWords } from "./connections.js";
import { meet, stage } from "./stage.js";

/** @import { Person } from "./browsers.js" */
/** @import { Page } from "./connections.js" */

const scene = stage();

for (const kinds of /** @type {const} */ ([
  ["chromium", "chromium"],
  ["chromium", "firefox"],
  ["firefox", "chromium"],
])) {
  test(`${kinds.join(" and ")} see each other and chat`, async () => {
    const [ana, ben] = await scene.visitors(...kinds);
    assert(ana && ben);
    await meet(ana, ben);

    await ana.type("chat-input", "Hi <b>Ben</b>");
    await ben.reads("chat-log", "Stranger is typing");
    await ben.waitFor(() => !document.querySelector("#typing")?.hasAttribute("hidden"));
    await ana.page.keyboard.press("Enter");
    await ben.reads("chat-log", "Hi <b>Ben</b>");
    await ben.waitFor(() => document.querySelector("#typing")?.hasAttribute("hidden"));
    await ben.type("chat-input", "Hi Ana");
    await ben.click("chat-send");
    await ana.reads("chat-log", "Hi Ana");

    await ana.click("stop");
    await ben.reads("status", "The stranger left");
    await ana.reads("status", "Ready");
    await ana.sees("local-video");
  });
}

test("who waits in another tab hears a tone and sees it in the title", async () => {
  const [ana, ben] = await scene.visitors("chromium", "chromium");
  assert(ana && ben);
  await ana.page.evaluate(() => {
    const page = /** @type {any} */ (window);
    page.tones = 0;
    page.OscillatorNode = class extends OscillatorNode {
      /** @override @param {number} [when] */
      start(when) {
        page.tones++;
        super.start(when);
      }
    };
  });
  await ana.click("start");
  await ana.reads("status", "Looking for someone");
  const other = await ana.browser.newPage();
  await other.bringToFront();
  await ana.waitFor(() => document.hidden);
  await ben.click("start");
  await ana.waitFor(() => document.title.startsWith("Somebody is here"));
  assert.equal(await ana.page.evaluate(() => /** @type {any} */ (window).tones), 1);
  await ana.page.bringToFront();
  await ana.waitFor(() => document.title === "EchoMingle");
});

test("who goes on says how the last call came about, and nothing else of it", async () => {
  const ana = await scene.visitor("chromium", { first: [keepWords] });
  const ben = await scene.visitor("chromium");
  await meet(ana, ben);
  await ana.click("next");
  await ana.reads("status", "Looking for someone");
  const words = await ana.page.evaluate(() => {
    const { said } = /** @type {Page} */ (/** @type {unknown} */ (window));
    return said.filter((word) => word.includes('"find"'));
  });
  const [first, second] = words.map((word) => JSON.parse(word));
  assert.equal(words.length, 2);
  assert.equal(first.last, undefined);
  const { ms, ...last } = second.last;
  assert.deepEqual(last, { connected: true, relayed: false });
  assert.ok(Number.isInteger(ms) && ms > 0, `${ms}`);
});

describe("with a third person", () => {
  test("Next meets the one who waits, and the own picture stays", async () => {
    const [ana, ben, cem] = await scene.visitors("chromium", "chromium", "chromium");
    assert(ana && ben && cem);
    await meet(ana, ben);
    await cem.click("start");
    await cem.reads("status", "Looking for someone");
    await ana.page.$eval('[data-testid="local-video"]', (element) => {
      const video = /** @type {HTMLVideoElement & { interrupted: boolean }} */ (element);
      video.interrupted = false;
      for (const event of ["emptied", "pause", "ended"]) {
        video.addEventListener(event, () => {
          video.interrupted = true;
        });
      }
    });
    await ana.click("next");
    await ben.reads("status", "The stranger left");
    await Promise.all([ana.sees(), cem.sees()]);
    await ana.sees("local-video");
    assert.equal(
      await ana.page.$eval(
        '[data-testid="local-video"]',
        (video) => /** @type {any} */ (video).interrupted,
      ),
      false,
      "the own picture was interrupted",
    );

    // The words of the last call are not shown to the next one.
    await ana.type("chat-input", "to Cem");
    await ana.page.keyboard.press("Enter");
    await cem.reads("chat-log", "to Cem");
    assert.doesNotMatch(await text(ben, "chat-log"), /to Cem/);

    // Escape is next, too.
    await ben.click("next");
    await ben.reads("status", "Looking for someone");
    await cem.page.keyboard.press("Escape");
    await ana.reads("status", "The stranger left");
    await Promise.all([ben.sees(), cem.sees()]);
  });

  test("one who vanishes is noticed, and everybody else goes on", async () => {
    const [ana, ben, cem] = await scene.visitors("chromium", "chromium", "chromium");
    assert(ana && ben && cem);
    await meet(ana, ben);
    await ben.vanish();
    await ana.reads("status", "The stranger left");
    await ana.reads("chat-log", "The connection to the stranger was lost");
    await ana.click("next");
    await cem.click("start");
    await Promise.all([ana.sees(), cem.sees()]);
  });

  test("when both press Next at once, both meet somebody else", async () => {
    const [ana, ben, cem, dora] = await scene.visitors(
      "chromium",
      "chromium",
      "chromium",
      "chromium",
    );
    assert(ana && ben && cem && dora);
    await meet(ana, ben);
    await Promise.all([ana.click("next"), ben.click("next")]);
    await Promise.all([cem.click("start"), dora.click("start")]);
    await Promise.all([ana, ben, cem, dora].map((person) => person.sees()));
  });
});

/**
 * @param {Person} person
 * @param {string} name
 */
function text(person, name) {
  return person.page.$eval(`[data-testid="${name}"]`, (element) => element.textContent ?? "");
}
