// A room by its link: several people in one call, in real browsers, over a real server.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stage } from "./stage.js";

/** @import { Person } from "./browsers.js" */

const scene = stage({ ROOM_CAPACITY: "4" });

/** @param {Person} person @param {string} name */
async function isCalled(person, name) {
  await person.page.$eval('[data-testid="name"]', (input) => {
    /** @type {HTMLInputElement} */ (input).value = "";
  });
  await person.type("name", name);
}

/** Waits until somebody's tiles have these names, in any order. @param {Person} person @param {string[]} names */
function seesNames(person, ...names) {
  return person.waitFor((names) => {
    const tags = [...document.querySelectorAll('[data-testid="tile"] .name')];
    const seen = tags.map((tag) => tag.textContent).sort();
    return seen.join() === [...names].sort().join();
  }, names);
}

/** @param {Person} person @param {string} text */
async function says(person, text) {
  await person.type("chat-input", text);
  await person.page.keyboard.press("Enter");
}

/** Waits until a word in passing says something. @param {Person} person @param {string} text */
function isTold(person, text) {
  return person.waitFor((text) => {
    const toast = document.querySelector("#toast:not([hidden])");
    return toast?.textContent?.includes(text) ?? false;
  }, text);
}

/** Does what the host may do about somebody. @param {Person} host @param {string} action @param {string} name */
async function does(host, action, name) {
  const button = `#people button[data-action="${action}"][aria-label$="${name}"]`;
  await (await host.page.waitForSelector(button, { visible: true }))?.click();
}

test("four of two kinds see each other, one vanishes, another comes late", async () => {
  const people = await scene.members("four", "chromium", "firefox", "chromium", "firefox");
  const [ana, ben, cem, dora] = people;
  assert(ana && ben && cem && dora);
  const names = ["Ana", "Ben", "Cem", "Dora"];
  for (const [place, person] of people.entries()) await isCalled(person, names[place] ?? "");
  for (const [place, person] of people.entries())
    await seesNames(person, ...names.filter((_, other) => other !== place));
  await says(dora, "Hi <b>all</b>");
  for (const person of [ana, ben, cem]) await person.reads("chat-log", "DoraHi <b>all</b>");

  await cem.vanish();
  for (const person of [ana, ben, dora]) {
    await person.reads("status", "3 people");
    await person.seesAll(2);
  }
  const [eve] = [await scene.visitor("chromium", { path: "/r/four" })];
  await eve.seesAll(3);
  await seesNames(eve, "Ana", "Ben", "Dora");
  for (const person of [ana, ben, dora]) await person.seesAll(3);
});

test("two who come in the same instant are connected once", async () => {
  const people = await Promise.all(
    ["chromium", "chromium"].map((kind) =>
      scene.visitor(/** @type {"chromium"} */ (kind), { path: "/r/instant" }),
    ),
  );
  await Promise.all(people.map((person) => person.seesAll(1)));
  for (const person of people) await person.reads("status", "2 people");
});

test("a room that is full says so, and lets in who tries again when there is a place", async () => {
  const members = await scene.members("full", "chromium", "chromium", "chromium", "chromium");
  const late = await scene.visitor("chromium", { path: "/r/full" });
  await late.reads("status", "The room is full");
  await late.click("again");
  await late.reads("status", "The room is full");
  await members[1]?.click("leave");
  await members[1]?.reads("status", "You left the room");
  await late.click("again");
  await late.seesAll(3);
  await members[0]?.seesAll(3);
  // Who left comes too late now.
  await members[1]?.click("again");
  await members[1]?.reads("status", "The room is full");
});

test("a reload comes back into the room, with its name", async () => {
  const [ana, ben] = await scene.members("reload", "chromium", "firefox");
  assert(ana && ben);
  for (const [person, name] of /** @type {const} */ ([
    [ana, "Ana"],
    [ben, "Ben"],
  ])) {
    await isCalled(person, name);
  }
  await seesNames(ana, "Ben");
  for (const [person, other, name] of /** @type {const} */ ([
    [ben, ana, "Ben"],
    [ana, ben, "Ana"],
  ])) {
    await person.page.reload({ waitUntil: "load" });
    await Promise.all([person.seesAll(1), other.seesAll(1)]);
    await seesNames(other, name);
  }
});

test("a new room has a name that nobody guesses, and a link that leads into it", async () => {
  const ana = await scene.visitor("chromium");
  await ana.click("room-new");
  await ana.reads("status", "Only you are here");
  const link = await ana.page.$eval(
    '[data-testid="room-link"]',
    (a) => a.getAttribute("href") ?? "",
  );
  assert.equal(link, ana.page.url());
  assert.match(link, /\/r\/([0-9a-z]{4}-){3}[0-9a-z]{4}$/);
  const ben = await scene.visitor("firefox", { path: new URL(link).pathname });
  await Promise.all([ana.seesAll(1), ben.seesAll(1)]);

  await ana.page
    .browserContext()
    .overridePermissions(scene.address, [
      "camera",
      "microphone",
      "clipboard-read",
      "clipboard-sanitized-write",
    ]);
  await ana.page.click(".link .copy");
  await isTold(ana, "on the clipboard");
  assert.equal(await ana.clipboard(), link);
});

test("who leaves is gone at once, and may come back", async () => {
  const [ana, ben] = await scene.members("leave", "chromium", "chromium");
  assert(ana && ben);
  await ana.click("leave");
  await ana.reads("status", "You left the room");
  await ben.reads("status", "Only you are here");
  await ben.seesAll(0);
  // The camera is given back.
  assert.equal(
    await ana.page.$eval(
      '[data-testid="local-video"]',
      (video) => /** @type {any} */ (video).srcObject?.active ?? false,
    ),
    false,
  );
  await ana.click("again");
  await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
});

test("an address that is no room's says so", async () => {
  const ana = await scene.visitor("chromium", { path: "/r/no%20room" });
  await ana.reads("status", "There is no such room");
  await ana.click("again");
  await ana.reads("status", "Only you are here");
});

describe("the host", () => {
  test("locks the room, and lets people in again", async () => {
    const [ana, ben] = await scene.members("lock", "chromium", "chromium");
    assert(ana && ben);
    assert.equal(
      await ben.page.$eval('[data-testid="lock"]', (lock) => lock.checkVisibility()),
      false,
    );
    await ana.click("lock");
    await ben.waitFor(() => document.querySelector("#locked")?.checkVisibility());
    const cem = await scene.visitor("chromium", { path: "/r/lock" });
    await cem.reads("status", "The room is locked");
    await ana.click("lock");
    await ben.waitFor(() => !document.querySelector("#locked")?.checkVisibility());
    await cem.click("again");
    await Promise.all([ana.seesAll(2), ben.seesAll(2), cem.seesAll(2)]);
  });

  test("asks somebody to mute, who may", async () => {
    const [ana, ben] = await scene.members("mute", "chromium", "chromium");
    assert(ana && ben);
    await isCalled(ben, "Ben");
    await seesNames(ana, "Ben");
    await does(ana, "askToMute", "Ben");
    await isTold(ben, "The host asks you to mute");
    assert.equal(
      await ben.page.$eval('[data-testid="toggle-mic"]', (mic) => mic.ariaPressed),
      "false",
    );
    await ben.page.click("#toast button");
    await ana.waitFor(() => document.querySelector('[data-testid="tile"] .mic:not([hidden])'));
    assert.equal(
      await ben.page.$eval('[data-testid="toggle-mic"]', (mic) => mic.ariaPressed),
      "true",
    );
  });

  test("removes somebody, who is told and may ask to come back", async () => {
    const [ana, ben, cem] = await scene.members("remove", "chromium", "chromium", "chromium");
    assert(ana && ben && cem);
    await isCalled(cem, "Cem");
    await seesNames(ana, "Guest", "Cem");
    await does(ana, "remove", "Cem");
    await cem.reads("status", "You were removed");
    await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
    // One press keeps the door shut.
    await isTold(ana, "Cem was removed");
    await ana.page.click("#toast button");
    await ben.waitFor(() => document.querySelector("#locked")?.checkVisibility());
    await cem.click("again");
    await cem.reads("status", "The room is locked");
  });

  test("goes, and who has been there longest follows", async () => {
    const [ana, ben, cem] = await scene.members("follow", "chromium", "chromium", "chromium");
    assert(ana && ben && cem);
    await ana.vanish();
    await isTold(ben, "You are the host now");
    await ben.click("lock");
    await cem.waitFor(() => document.querySelector("#locked")?.checkVisibility());
  });
});

test("what somebody does is seen by the others: muted, camera off, a raised hand, speaking", async () => {
  const [ana, ben] = await scene.members("state", "chromium", "firefox");
  assert(ana && ben);
  await isCalled(ana, "Ana");
  await seesNames(ben, "Ana");
  // The test device beeps.
  await ben.waitFor(() => document.querySelector('[data-testid="tile"].speaking'));
  await ana.click("toggle-mic");
  await ben.waitFor(() => document.querySelector('[data-testid="tile"] .mic:not([hidden])'));
  await ben.waitFor(() => !document.querySelector('[data-testid="tile"].speaking'));
  await ana.click("toggle-camera");
  await ben.waitFor(() => document.querySelector('[data-testid="tile"].covered'));
  await ana.click("toggle-camera");
  await ben.seesAll(1);
  await ana.click("hand");
  await ben.waitFor(() => document.querySelector('[data-testid="tile"] .hand:not([hidden])'));
  await isTold(ben, "Ana raises a hand");
});

test("who comes later is told how everybody is", async () => {
  const [ana] = await scene.members("later", "chromium");
  assert(ana);
  await isCalled(ana, "Ana");
  for (const name of ["toggle-mic", "toggle-camera", "hand"]) await ana.click(name);
  const ben = await scene.visitor("chromium", { path: "/r/later" });
  await seesNames(ben, "Ana");
  for (const sign of [".mic:not([hidden])", ".hand:not([hidden])", ".cover"]) {
    await ben.waitFor(
      (sign) => document.querySelector(`[data-testid="tile"].covered ${sign}`)?.checkVisibility(),
      sign,
    );
  }
  await ana.click("toggle-camera");
  await ben.seesAll(1);
});

test("a tile that is pinned is large, and the others stay in sight", async () => {
  const [ana] = await scene.members("pin", "chromium", "chromium", "chromium");
  assert(ana);
  await (await ana.page.$('[data-testid="tile"] .pin'))?.click();
  await ana.waitFor(() => document.querySelector('[data-testid="tile"].pinned'));
  await ana.waitFor(() => {
    const [own, large, small] = [...document.querySelectorAll(".tile")].map((t) => t.clientWidth);
    return own && large && small && large > 2 * own && own === small;
  });
  // What moves is hard to hit.
  await ana.waitFor(() =>
    [...document.querySelectorAll(".tile")].every((tile) => tile.getAnimations().length === 0),
  );
  await ana.page.click('[data-testid="tile"].pinned .pin');
  await ana.waitFor(() => {
    const all = [...document.querySelectorAll(".tile")].map((tile) => Math.round(tile.clientWidth));
    return new Set(all).size === 1;
  });
  // A double click turns a tile; on the button it was two clicks already.
  /** @param {string} part */
  const pinnedByTwoClicksOn = (part) =>
    ana.page.$eval(`[data-testid="tile"] ${part}`, (target) => {
      target.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
      return document.querySelector(".pinned") !== null;
    });
  assert.equal(await pinnedByTwoClicksOn(".pin use"), false);
  assert.equal(await pinnedByTwoClicksOn("video"), true);
});

test("a screen is shown large, by one and then by both at once, to who comes later too", async () => {
  const shows = { args: ["--auto-select-tab-capture-source-by-title=Room"], path: "/r/screen" };
  const ana = await scene.visitor("chromium", shows);
  const ben = await scene.visitor("chromium", shows);
  await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
  await isCalled(ana, "Ana");
  await seesNames(ben, "Ana");
  await ana.click("share-screen");
  await ben.seesAll(1, "screen");
  await ben.waitFor(() => {
    const [screen] = document.querySelectorAll(".tile.screen.pinned");
    const [face] = document.querySelectorAll('[data-testid="tile"]');
    return screen && face && screen.clientWidth > 2 * face.clientWidth;
  });
  await ben.reads("screen", "Ana's screen");
  await ben.seesAll(1);

  const cem = await scene.visitor("firefox", { path: "/r/screen" });
  await cem.seesAll(1, "screen");
  await cem.seesAll(2);
  await ana.click("share-screen");
  await Promise.all([ben.seesAll(0, "screen"), cem.seesAll(0, "screen")]);
  await Promise.all([ana.click("share-screen"), ben.click("share-screen")]);
  await Promise.all([ana.seesAll(1, "screen"), ben.seesAll(1, "screen"), cem.seesAll(2, "screen")]);
  await Promise.all([ana.seesAll(2), ben.seesAll(2), cem.seesAll(2)]);
  await ben.vanish();
  await Promise.all([ana.seesAll(0, "screen"), cem.seesAll(1, "screen")]);
});

test("two whose networks do not connect are told so, and no tile outlives its owner", async () => {
  const ana = await scene.visitor("chromium");
  await ana.page.evaluateOnNewDocument(() => {
    // Only relays, of which there are none.
    window.RTCPeerConnection = class extends RTCPeerConnection {
      /** @param {RTCConfiguration} [configuration] */
      constructor(configuration) {
        super({ ...configuration, iceTransportPolicy: "relay" });
      }
    };
  });
  await ana.page.goto(`${scene.address}/r/apart`);
  await ana.reads("status", "Only you");
  const ben = await scene.visitor("chromium", { path: "/r/apart" });
  for (const person of [ana, ben]) {
    await person.reads("tile", "Your networks do not connect");
    await person.reads("status", "2 people");
  }
  await ben.click("leave");
  await ana.seesAll(0);
  await ana.reads("status", "Only you are here");
});

test("who loses its network is gone from the room, and back with it", async () => {
  const [ana, ben, cem] = await scene.members("silence", "chromium", "chromium", "firefox");
  assert(ana && ben && cem);
  ana.freeze(true);
  for (const person of [ben, cem]) {
    // The media is given up after half a minute, the seat a minute after the last word (SILENCE).
    await person.reads("status", "2 people");
  }
  await ben.reads("chat-log", "The connection to Guest was lost");
  await ben.waitFor(() => document.querySelector('[data-testid="lock"]')?.checkVisibility());
  await Promise.all([ben.seesAll(1), cem.seesAll(1)]);
  ana.freeze(false);
  await Promise.all([ana, ben, cem].map((person) => person.seesAll(2)));
  for (const person of [ana, ben, cem]) await person.reads("status", "3 people");
});

test("a lost socket, and a server that was away, are made good", async () => {
  const [ana, ben] = await scene.members("outage", "chromium", "chromium");
  assert(ana && ben);
  await scene.without(async () => {
    await ana.reads("status", "Reaching the server");
    await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
    await says(ana, "Still here?");
    await ben.reads("chat-log", "Still here?");
  });
  for (const person of [ana, ben]) await person.reads("status", "2 people");
  await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
});
