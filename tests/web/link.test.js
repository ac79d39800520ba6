// The link of a room: that nobody can guess it, that both sides read it alike, and how it is handed on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { canShare, copy, newRoom, roomOf, roomPath, send } from "../../pages/link.js";

/** @import { TestContext } from "node:test" */

/** What the server takes for the name of a room (src/core/route.rs). */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** Crockford's base 32. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * A part of the browser that is played.
 * @param {TestContext} t
 * @param {"clipboard" | "share"} name
 * @param {unknown} value
 */
function play(t, name, value) {
  Object.defineProperty(navigator, name, { configurable: true, value });
  t.after(() => Reflect.deleteProperty(navigator, name));
}

test("a new room is called by four groups of four characters that read like no other", () => {
  for (let times = 0; times < 1_000; times++) {
    const name = newRoom();
    assert.match(name, /^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$/);
    assert.match(name, NAME);
    assert.equal(roomOf(roomPath(name)), name);
  }
});

test("a thousand new rooms are a thousand rooms, and every character is as likely in every place", () => {
  const names = Array.from({ length: 1_000 }, () => newRoom().replaceAll("-", ""));
  assert.equal(new Set(names).size, 1_000);
  for (let place = 0; place < 16; place++) {
    const used = new Set(names.map((name) => name[place]));
    assert.equal([...used].sort().join(""), ALPHABET, `place ${place}`);
  }
});

test("every character comes from the system's random numbers, and each is equally likely", (t) => {
  const counts = new Map();
  let byte = 0;
  let drawn = 0;
  t.mock.method(crypto, "getRandomValues", (/** @type {Uint8Array} */ bytes) => {
    drawn += bytes.length;
    return bytes.map(() => byte++ % 256);
  });
  // Sixteen names of sixteen characters take each of the 256 bytes once.
  for (let times = 0; times < 16; times++) {
    for (const letter of newRoom().replaceAll("-", ""))
      counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  assert.equal(drawn, 256);
  assert.deepEqual([...counts.keys()].sort().join(""), ALPHABET);
  assert.deepEqual([...new Set(counts.values())], [8]);
});

test("a page is that of the room that its path names", () => {
  const longest = "r".repeat(64);
  for (const name of ["r", "Zz_09-", "-", "_", "7hq2-x0vd-m9ka-4tzr", longest]) {
    assert.match(name, NAME);
    assert.equal(roomPath(name), `/r/${name}`);
    assert.equal(roomOf(`/r/${name}`), name);
    assert.equal(roomOf(`/r/${name}/`), name);
  }
});

test("no other path names a room, as on the server", () => {
  for (const name of ["", "a/b", "a b", "%41", "é", "a.b", "a\n", "r".repeat(65), "a?b", "a#b"]) {
    assert.doesNotMatch(name.replace("\n", "\\n"), NAME);
    assert.equal(roomOf(`/r/${name}`), null, name);
  }
  for (const path of ["", "/", "/r", "/r/", "/r//", "//r/a", "/R/a", "/room/a", "/x/r/a", "r/a"]) {
    assert.equal(roomOf(path), null, path);
  }
  assert.equal(roomOf("/r/a//"), null);
});

test("what was copied is on the clipboard, to the letter", async (t) => {
  /** @type {string[]} */
  const written = [];
  play(t, "clipboard", {
    writeText: async (/** @type {string} */ text) => void written.push(text),
  });
  assert.equal(await copy("https://mingle.example/r/a"), true);
  assert.deepEqual(written, ["https://mingle.example/r/a"]);
});

test("who could not copy is told so: the clipboard refuses, or there is none", async (t) => {
  assert.equal(navigator.clipboard, undefined);
  assert.equal(await copy("https://mingle.example/r/a"), false);
  const refusal = new DOMException("The page has no focus.", "NotAllowedError");
  play(t, "clipboard", { writeText: () => Promise.reject(refusal) });
  assert.equal(await copy("https://mingle.example/r/a"), false);
});

test("a link can be sent on where the system has a way to", async (t) => {
  assert.equal(canShare(), false);
  /** @type {ShareData[]} */
  const shared = [];
  play(t, "share", async (/** @type {ShareData} */ data) => void shared.push(data));
  assert.equal(canShare(), true);
  await send("https://mingle.example/r/a");
  assert.equal(shared.length, 1);
  assert.equal(shared[0]?.url, "https://mingle.example/r/a");
  assert.ok(shared[0].title && shared[0].text);
  assert.doesNotMatch(shared[0].text, /https/, "the link is sent twice");
});

test("who thinks better of sending is not told of an error", async (t) => {
  play(t, "share", () => Promise.reject(new DOMException("Share canceled", "AbortError")));
  assert.equal(await send("https://mingle.example/r/a"), undefined);
});
