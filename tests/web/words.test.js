// Names and interests are the same words here and on the server, and nothing in them is hidden.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { sentence, words } from "../../pages/words.js";

/** What the Rust tests read, too (src/core/words.rs).
 * @type {{ words: [string, string][], unseen: [number, number][] }} */
const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/words.json", import.meta.url), "utf8"),
);

test("words are what can be seen", () => {
  for (const [text, expected] of fixture.words) {
    assert.equal(words(text, 99), expected, JSON.stringify(text));
    assert.equal(words(expected, 99), expected, "words stay");
  }
});

test("what is cut off leaves words", () => {
  assert.equal(words("Ana María", 4), "Ana");
  assert.equal(words("👋👋👋", 2), "👋👋");
  assert.equal(words(`${"\u200d".repeat(32)}Ana`, 32), "");
});

test("of every character the server says the same, whether it is seen", () => {
  const listed = (/** @type {number} */ code) =>
    fixture.unseen.some(([from, to]) => from <= code && code <= to);
  for (let code = 0; code <= 0x10ffff; code++) {
    const one = String.fromCodePoint(code);
    if (/[\s\p{Cc}\p{Cs}]/u.test(one) && !listed(code)) continue;
    assert.equal(words(one, 1) === "", listed(code), `U+${code.toString(16)}`);
    assert.equal(sentence(one) === "", listed(code), `U+${code.toString(16)}`);
  }
});

test("no name turns around what stands beside it", () => {
  // Unicode Standard Annex 9, section 2: all that there are.
  const controls = [0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e]
    .concat([0x2066, 0x2067, 0x2068, 0x2069])
    .map((code) => String.fromCodePoint(code));
  for (const control of controls) assert.equal(words(`A${control}na`, 32), "Ana");
});
