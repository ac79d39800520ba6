// What a call survives: servers that crash, objects that sleep, wires that are cut, pages that are loaded
// anew. Each with pictures before and after; and where nothing but the signaling was hurt, with the same
// connection between the two, so that nobody has seen anything of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { keepConnections } from "./connections.js";
import { meet, stage } from "./stage.js";
import { sparesIt } from "./thrift.js";

/** @import { Person } from "./browsers.js" */
/** @import { Page } from "./connections.js" */

const scene = stage();

/** Two in a call, each at a wire of its own. */
async function pair(/** @type {import("./browsers.js").Kind} */ kind = "chromium") {
  const [wire, other] = [await scene.wire(), await scene.wire()];
  const [ana, ben] = await Promise.all([
    scene.visitor(kind, { wire, first: keepConnections }),
    scene.visitor("chromium", { wire: other, first: keepConnections }),
  ]);
  await meet(ana, ben);
  return { ana, ben, wire };
}

/** @param {Person} person @param {string} text its status, and nothing but that */
function isTold(person, text) {
  return person.waitFor(
    (text) => document.querySelector('[data-testid="status"]')?.textContent === text,
    text,
  );
}

/** How many connections of a page have been to somebody, if the last one is up. @param {Person} person */
function connections({ page }) {
  return page.evaluate(() => {
    const { met } = /** @type {Page} */ (/** @type {unknown} */ (window));
    return met.at(-1)?.connectionState === "connected" ? met.length : 0;
  });
}

/** @param {Person[]} people who still have the connection they had, and see each other */
async function nothingHappened(...people) {
  for (const person of people) await isTold(person, "Connected");
  await Promise.all(people.map((person) => person.sees()));
  for (const person of people) assert.equal(await connections(person), 1);
}

/** Waits until pictures have been decoded that were not there before, seen or not. @param {Person} person */
async function seesMore({ page }) {
  const decoded = () =>
    page.evaluate(async () => {
      const { met } = /** @type {Page} */ (/** @type {unknown} */ (window));
      const reports = await met.at(-1)?.getStats();
      const [video] = [...(reports?.values() ?? [])].filter(
        ({ type, kind }) => type === "inbound-rtp" && kind === "video",
      );
      return Number(video?.framesDecoded ?? 0);
    });
  const before = await decoded();
  const deadline = Date.now() + 30_000;
  while ((await decoded()) < before + 5) {
    assert(Date.now() < deadline, "no more pictures");
    await pause(100);
  }
}

/** Waits until the server knows of so many calls. @param {number} calls */
async function serverHas(calls) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const stats = await scene.stats();
    if (stats.calls === calls) return;
    if (Date.now() > deadline) assert.fail(`not ${calls} calls, but ${JSON.stringify(stats)}`);
    await pause(50);
  }
}

/** @param {Person} person @param {Person} other */
async function chat(person, other, text = `Hello at ${performance.now()}`) {
  await person.type("chat-input", text);
  await person.page.keyboard.press("Enter");
  await other.reads("chat-log", text);
}

test("the server crashes and is started again: the call goes on, and the server has it again", async () => {
  const { ana, ben } = await pair();
  await scene.without(async () => {
    for (const person of [ana, ben]) await isTold(person, "Connected · reaching the server");
    await Promise.all([ana.sees(), ben.sees()]);
  }, "kill");
  await nothingHappened(ana, ben);
  await serverHas(1);
  await ana.click("next");
  await isTold(ben, "The stranger left");
  await serverHas(0);
});

test("one side is cut off for 5 s: the other one sees nothing of it", async () => {
  const { ana, ben, wire } = await pair();
  wire.cut();
  await isTold(ana, "Connected · reaching the server");
  await Promise.all([pause(5_000), ana.sees(), ben.sees()]);
  wire.mend();
  await nothingHappened(ana, ben);
  await serverHas(1);
  await ben.click("stop");
  await isTold(ana, "The stranger left");
});

test("one side is cut off for 30 s: the server gives the seat up, and the call goes on by itself", async () => {
  const { ana, ben, wire } = await pair();
  wire.cut();
  await Promise.all([pause(30_000), ana.sees(), ben.sees()]);
  await serverHas(0);
  wire.mend();
  await nothingHappened(ana, ben);
  await chat(ana, ben);
  await chat(ben, ana);
  await ana.click("next");
  await isTold(ben, "The stranger left");
});

for (const kind of /** @type {const} */ (["chromium", "firefox"])) {
  test(`${kind}: a page that is loaded anew comes back into its call`, async () => {
    const { ana, ben } = await pair(kind);
    await ana.click("toggle-mic");
    await ana.page.reload({ waitUntil: "load" });
    await Promise.all([ana.sees(), ben.sees()]);
    for (const person of [ana, ben]) await isTold(person, "Connected");
    assert.equal(await connections(ben), 2, "a new page has a new connection");
    await serverHas(1);
    await chat(ana, ben);
    const pressed = (/** @type {Element} */ button) => button.getAttribute("aria-pressed");
    const muted = await ana.page.$eval('[data-testid="toggle-mic"]', pressed);
    assert.equal(muted, "true", "who was mute stays so");
    await ben.click("next");
    await isTold(ana, "The stranger left");
  });
}

test("a page that is closed is no ghost for long", async () => {
  const { ana, ben } = await pair();
  const closed = performance.now();
  await ana.page.goto("about:blank");
  await isTold(ben, "The stranger may be back in a moment");
  await isTold(ben, "The stranger left");
  // Four seconds of grace, and not fifteen.
  assert(performance.now() - closed < 12_000);
});

test("both pages are loaded anew at once, and meet again", async () => {
  const { ana, ben } = await pair();
  await Promise.all([ana, ben].map(({ page }) => page.reload({ waitUntil: "load" })));
  await Promise.all([ana.sees(), ben.sees()]);
  for (const person of [ana, ben]) await isTold(person, "Connected");
});

test("nothing of a seat is kept while its page is there, so a doubled tab has none", async () => {
  const { ana, ben } = await pair();
  const token = await ana.page.evaluate(() => sessionStorage.length);
  assert.equal(token, 0, "nothing is kept while the page is there");
  await nothingHappened(ana, ben);
});

test("the object sleeps during a call, and wakes up for a screen", async () => {
  const first = keepConnections;
  const [ana, ben] = await Promise.all(
    ["ana", "ben"].map(() => scene.visitor("chromium", { path: "/r/sleepy", first })),
  );
  assert(ana && ben);
  await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
  const wakes = () => scene.log().split('"room-awake"').length - 1;
  const before = wakes();
  // It sleeps after some ten seconds without a message, and says so when it is woken.
  const deadline = Date.now() + 90_000;
  do {
    assert(Date.now() < deadline, "the object never slept");
    await pause(12_000);
    await ana.click("share-screen");
    await ben.seesAll(1, "screen");
    await ana.click("share-screen");
    await ben.seesAll(0, "screen");
  } while (wakes() === before);
  await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
  for (const person of [ana, ben]) assert.equal(await connections(person), 1);
});

test("a screen is shown while the server is away: what it takes goes over the data channel", async () => {
  const first = keepConnections;
  const [ana, ben] = await Promise.all(
    ["ana", "ben"].map(() => scene.visitor("chromium", { path: "/r/alone", first })),
  );
  assert(ana && ben);
  await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
  await scene.without(async () => {
    await Promise.all([ana, ben].map((person) => person.reads("status", "Reaching the server")));
    // Both, so that whoever is polite has asked the other.
    await ana.click("share-screen");
    await ben.seesAll(1, "screen");
    await ben.click("share-screen");
    await ana.seesAll(1, "screen");
  }, "kill");
  await Promise.all([ana, ben].map((person) => person.reads("status", "2 people")));
  await Promise.all([ana.seesAll(1), ben.seesAll(1), ana.seesAll(1, "screen")]);
  for (const person of [ana, ben]) assert.equal(await connections(person), 1);
});

test("a host who loads the page anew is in the room again, and its host still", async () => {
  const [ana, ben, cem] = await scene.members("home", "chromium", "chromium", "chromium");
  assert(ana && ben && cem);
  await ana.click("lock");
  await ana.page.reload({ waitUntil: "load" });
  await Promise.all([ana, ben, cem].map((person) => person.seesAll(2)));
  await ana.reads("lock", "Locked");
  await ana.reads("status", "3 people");
});

test("a room survives a crash of the server, with its host and its lock", async () => {
  const first = keepConnections;
  /** @type {Person[]} */
  const people = [];
  for (const count of [1, 2, 3]) {
    const member = await scene.visitor("chromium", { path: "/r/rock", first });
    await member.reads("status", count === 1 ? "Only you" : `${count} people`);
    people.push(member);
  }
  const [ana, ben, cem] = people;
  assert(ana && ben && cem);
  await Promise.all(people.map((person) => person.seesAll(2)));
  await ana.click("lock");
  await ben.waitFor(() => !document.querySelector("#locked")?.hasAttribute("hidden"));
  await scene.without(async () => {
    await Promise.all(people.map((person) => person.reads("status", "Reaching the server")));
    await Promise.all(people.map((person) => person.seesAll(2)));
  }, "kill");
  await Promise.all(people.map((person) => person.reads("status", "3 people")));
  await Promise.all(people.map((person) => person.seesAll(2)));
  for (const person of people) assert.equal(await connections(person), 2);
  await ana.reads("lock", "Locked");
  const dan = await scene.visitor("chromium", { path: "/r/rock" });
  await dan.reads("status", "The room is locked");
});

test("of five calls none is lost in twenty deploys", async (t) => {
  // Ten people at one browser who leave the machine enough to start a server on.
  const first = [keepConnections, sparesIt];
  const ana = await scene.visitor("chromium", { first, fps: 3 });
  const others = Array.from({ length: 9 }, () => scene.visitor("chromium", { beside: ana, first }));
  const people = [ana, ...(await Promise.all(others))];
  for (const person of people) {
    await person.click("start");
    await person.waitFor(() => document.body.dataset.phase !== "start");
  }
  const allTalk = () => Promise.all(people.map((person) => isTold(person, "Connected")));
  await allTalk();
  for (let deploy = 1; deploy <= 20; deploy++) {
    await scene.without(async () => {
      await Promise.all(people.map((person) => isTold(person, "Connected · reaching the server")));
    }, "kill");
    await allTalk();
    await serverHas(5);
    t.diagnostic(`after ${deploy} deploys: ${JSON.stringify(await scene.stats())}`);
  }
  await Promise.all(people.map(seesMore));
  for (const person of people) assert.equal(await connections(person), 1);
});
