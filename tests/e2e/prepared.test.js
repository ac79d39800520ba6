// Connections that are prepared before there is anybody: how little is said until two see each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keepConnections, keepWords } from "./connections.js";
import { stage } from "./stage.js";

/** @import { Kind, Person } from "./browsers.js" */
/** @import { Page } from "./connections.js" */

const scene = stage();

/** Keeps what is to happen in a minute or later, for a test that will not wait. */
const keepPlans = () => {
  const page = /** @type {any} */ (window);
  const wait = window.setTimeout.bind(window);
  page.plans = [];
  page.setTimeout = (/** @type {() => void} */ action, /** @type {number} */ milliseconds) => {
    if (milliseconds < 60_000) return wait(action, milliseconds);
    page.plans.push(action);
    return 0;
  };
};

const CHROMIUM = /** @type {const} */ ("chromium");
const first = [keepConnections, keepWords, keepPlans];

/** Somebody with the camera open. @param {Kind} kind */
async function comes(kind) {
  const person = await scene.visitor(kind, { first });
  // Of what was allowed before Firefox does not know in a test.
  if (kind === "firefox") await person.page.click("#open-camera");
  return person;
}

/** Until a connection of somebody has offered to nobody yet, and knows its own addresses. @param {Person} person */
async function prepared(person) {
  await person.waitFor(() => {
    const { connections } = /** @type {Page} */ (/** @type {unknown} */ (window));
    const offering = connections.find((one) => one.signalingState === "have-local-offer");
    return offering?.iceGatheringState === "complete";
  });
}

/** What somebody has said to the server since it was asked last, in short. @param {Person} person */
async function said(person) {
  const words = await person.page.evaluate(() =>
    /** @type {Page} */ (/** @type {unknown} */ (window)).said.splice(0),
  );
  return words
    .filter((word) => word !== "ping")
    .map((word) => JSON.parse(word))
    .map(({ type, data, offer }) => {
      const what = data?.description?.type ?? (data?.candidates ? "candidates" : "");
      return [type, what || (offer ? "with offer" : "")].join(" ").trim();
    })
    .filter((word) => /^(find|offer|signal)/.test(word));
}

/** Both see each other, and a word goes each way. @param {Person} ana @param {Person} ben */
async function talk(ana, ben) {
  await Promise.all([ana.sees(), ben.sees()]);
  await ana.type("chat-input", "Hi Ben");
  await ana.page.keyboard.press("Enter");
  await ben.reads("chat-log", "Hi Ben");
  await ben.type("chat-input", "Hi Ana");
  await ben.page.keyboard.press("Enter");
  await ana.reads("chat-log", "Hi Ana");
}

/**
 * What was said until two saw each other, but for the addresses of whoever answered: these are one message at most.
 * @param {Person} person
 */
async function saidBriefly(person) {
  const words = await said(person);
  const others = words.filter((word) => word !== "signal candidates");
  assert(words.length - others.length <= (others.includes("signal answer") ? 1 : 0), words.join());
  return others;
}

const SEARCH = "find with offer";
const ANSWER = [SEARCH, "signal answer"];

for (const { kinds, answer } of /** @type {const} */ ([
  // Two of a kind need no answer.
  { kinds: ["chromium", "chromium"], answer: [SEARCH] },
  { kinds: ["firefox", "firefox"], answer: [SEARCH] },
  { kinds: ["chromium", "firefox"], answer: ANSWER },
  { kinds: ["firefox", "chromium"], answer: ANSWER },
])) {
  const least = 2 * answer.length;
  test(`${kinds.join(" and ")}: a call takes ${least} messages, and so does the next`, async () => {
    const [ana, ben, cem] = await Promise.all([...kinds, kinds[1]].map(comes));
    assert(ana && ben && cem);
    await Promise.all([ana, ben, cem].map(prepared));

    await ana.click("start");
    await ana.reads("status", "Looking for someone");
    await ben.click("start");
    await talk(ana, ben);
    assert.deepEqual(await saidBriefly(ana), [SEARCH]);
    assert.deepEqual(await saidBriefly(ben), answer);

    // Meanwhile Ana has prepared another connection.
    await prepared(ana);
    await cem.click("start");
    await cem.reads("status", "Looking for someone");
    await ana.click("next");
    await talk(ana, cem);
    assert.deepEqual(await saidBriefly(cem), [SEARCH]);
    assert.deepEqual(await saidBriefly(ana), answer);
  });
}

test("what grows old while somebody waits is prepared anew", async () => {
  const [ana, ben] = await Promise.all([comes(CHROMIUM), comes(CHROMIUM)]);
  await prepared(ana);
  await ana.click("start");
  await ana.reads("status", "Looking for someone");
  await ana.page.evaluate(() => {
    for (const plan of /** @type {any} */ (window).plans.splice(0)) plan();
  });
  await ana.waitFor(() =>
    /** @type {Page} */ (/** @type {unknown} */ (window)).said.some((word) =>
      word.startsWith('{"type":"offer"'),
    ),
  );
  // The old one is let go of when the server has the new one.
  await ana.waitFor(() => {
    const { connections } = /** @type {Page} */ (/** @type {unknown} */ (window));
    const states = connections.map((one) => one.signalingState);
    return states.filter((state) => state === "have-local-offer").length === 1;
  });
  await ben.click("start");
  await talk(ana, ben);
  assert.deepEqual(await said(ana), ["find with offer", "offer with offer"]);
});

test("who waits with the camera off and turns it on is seen", async () => {
  const [ana, ben] = await scene.visitors("chromium", "firefox");
  assert(ana && ben);
  await ana.click("start");
  await ana.reads("status", "Looking for someone");
  await ana.click("toggle-camera");
  await ana.waitFor(() => !document.querySelector('[aria-label="Turn camera off"]'));
  await ana.click("toggle-camera");
  await ana.waitFor(() => document.querySelector('[aria-label="Turn camera off"]'));
  await ben.click("start");
  await talk(ana, ben);
});

test("who loses the server while waiting is met with another offer than before", async () => {
  const wire = await scene.wire();
  const ana = await scene.visitor("chromium", { wire, first });
  const ben = await scene.visitor("chromium");
  await prepared(ana);
  await ana.click("start");
  await ana.reads("status", "Looking for someone");
  wire.cut();
  await ana.reads("status", "Reaching the server");
  wire.mend();
  await ana.reads("status", "Looking for someone");
  await ben.click("start");
  await talk(ana, ben);
  const states = await ana.page.evaluate(() =>
    /** @type {Page} */ (/** @type {unknown} */ (window)).connections.map(
      (one) => one.signalingState,
    ),
  );
  assert.equal(states[0], "closed");
  assert(states.includes("stable"));
});
