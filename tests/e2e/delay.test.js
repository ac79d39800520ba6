// A call that takes longer than it should: the page finds out why and says it, in random chat and in a
// room, lets one copy what it found out without any address, and takes it back when the call comes about.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { stage } from "./stage.js";

/** @import { Circumstances, Person } from "./browsers.js" */

/** @typedef {{ release: () => void }} Page */

const scene = stage();

const WHAT = "The other side names no way to it";
/** Whatever could say who or where somebody is. */
const ADDRESS = /\d+\.\d+\.\d+|[0-9a-f]*::?[0-9a-f]+:|\.local|candidate:|typ /i;

/** On a page: what the other side names is held back until it is let go. */
const hold = () => {
  const page = /** @type {Page} */ (/** @type {unknown} */ (window));
  const { prototype } = RTCPeerConnection;
  /** @type {(candidate?: RTCIceCandidateInit | null) => Promise<void>} */
  const add = prototype.addIceCandidate;
  /** @type {(description: RTCSessionDescriptionInit) => Promise<void>} */
  const describe = prototype.setRemoteDescription;
  /** @type {PromiseWithResolvers<void>} */
  const free = Promise.withResolvers();
  page.release = free.resolve;
  prototype.setRemoteDescription = async function ({ type, sdp = "" }) {
    const named = sdp.match(/^a=candidate:.*$/gm) ?? [];
    // All go one way.
    for (const line of new Set(named))
      this.addIceCandidate({ candidate: line.slice(2), sdpMLineIndex: 0 });
    await describe.call(this, { type, sdp: sdp.replace(/^a=candidate:.*\r\n/gm, "") });
  };
  /** @param {RTCIceCandidateInit | null} [candidate] */
  prototype.addIceCandidate = async function (candidate) {
    // Nobody waits for it: what comes after it is not held back.
    free.promise.then(() => add.call(this, candidate));
  };
};

/** @param {Person} person */
const release = ({ page }) =>
  page.evaluate(() => /** @type {Page} */ (/** @type {unknown} */ (window)).release());

/**
 * Two who do not reach each other, or not yet.
 * @param {Circumstances & { path?: string }} [circumstances]
 */
async function strangers(circumstances) {
  const [ana, ben] = await Promise.all([
    scene.visitor("chromium", { first: hold, ...circumstances }),
    scene.visitor("chromium", { first: hold, ...circumstances }),
  ]);
  for (const { page } of [ana, ben])
    await page
      .browserContext()
      .overridePermissions(scene.address, [
        "camera",
        "microphone",
        "clipboard-read",
        "clipboard-sanitized-write",
      ]);
  return { ana, ben };
}

/** @param {Person} ana @param {Person} ben */
async function findEachOther(ana, ben) {
  await ana.click("start");
  await ana.reads("status", "Looking for someone");
  await ben.click("start");
  await ana.reads("status", "Connecting");
}

/**
 * Waits until the page says this while nobody is there, and offers help or does not.
 * @param {Person} person
 * @param {string} title
 * @param {boolean} helps
 */
function isTold(person, title, helps) {
  return person.waitFor(
    (title, helps) =>
      document.querySelector("#wait-title")?.textContent === title &&
      document.querySelector("#wait-title")?.checkVisibility() &&
      document.querySelector("#help")?.checkVisibility() === helps,
    title,
    helps,
  );
}

/** @param {Person} person whose clipboard holds a report, and no address */
async function hasReport(person) {
  await person.waitFor(
    () =>
      document.querySelector("#toast:not([hidden]) span")?.textContent ===
      "The report is on the clipboard.",
  );
  await person.page.bringToFront();
  const text = await person.clipboard();
  assert.match(text, /^EchoMingle connection report\n/);
  assert.match(text, /^call: (new|connecting); heard of the other side: yes; .*there: none;/m);
  assert.doesNotMatch(text, ADDRESS);
  for (const { address } of Object.values(networkInterfaces()).flatMap((all) => all ?? []))
    assert.ok(!text.includes(address));
}

test("who is not reached in 10 s is told why, and nothing of it is left when the call begins", async () => {
  const { ana, ben } = await strangers();
  const since = performance.now();
  await findEachOther(ana, ben);
  await isTold(ana, WHAT, true);
  assert.ok(performance.now() - since > 9_900, "not before it takes long");
  await isTold(ben, WHAT, true);
  await ana.reads("status", "Connecting");
  await ana.click("copy-report");
  await hasReport(ana);
  await Promise.all([ana, ben].map(release));
  await Promise.all([ana.sees(), ben.sees()]);
  for (const person of [ana, ben]) {
    await person.reads("status", "Connected");
    await person.waitFor(() => !document.querySelector("#help")?.checkVisibility());
  }
  await ben.click("stop");
  await isTold(ana, "The stranger left", false);
});

test("who leaves before that has left, and nothing else is said of it", async () => {
  const { ana, ben } = await strangers();
  await findEachOther(ana, ben);
  await isTold(ana, WHAT, true);
  await ben.click("stop");
  await isTold(ana, "The stranger left", false);
});

test("in a call of words, too, whoever hides where no relay is learns that this is why", async () => {
  const { ana, ben } = await strangers();
  for (const person of [ana, ben]) await release(person);
  await ana.page.evaluate(() => localStorage.setItem("hide-address", "true"));
  await ana.page.reload();
  for (const person of [ana, ben]) await person.click("mode-text");
  await findEachOther(ana, ben);
  const what = "You hide your address, and this site has no relay";
  await isTold(ana, what, true);
  await isTold(ben, WHAT, true);
  await ana.reads("status", "No connection to the stranger");
  await isTold(ana, what, true);
  await ana.click("next");
  await isTold(ana, "Looking for someone", false);
});

test("in a room the tile says it, and a word in passing; it goes when the other one is there", async () => {
  const { ana, ben } = await strangers({ path: "/r/far" });
  for (const person of [ana, ben]) await person.reads("status", "2 people");
  const toast = "#toast:not([hidden])";
  for (const person of [ana, ben]) {
    await person.waitFor(
      (what, toast) =>
        document.querySelector('[data-testid="tile"].covered .why')?.textContent === what &&
        document.querySelector(toast)?.textContent?.startsWith(`${what}. `),
      WHAT,
      toast,
    );
  }
  await ana.page.click(`${toast} button`);
  await hasReport(ana);
  await Promise.all([ana, ben].map(release));
  await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
  // It would have stayed longer.
  assert.equal(await ben.page.$(toast), null);
});
