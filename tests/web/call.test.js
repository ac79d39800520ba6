// What one page takes from another over the data channel: whoever is met may send anything.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LONGEST_NAME, LONGEST_TEXT, read, tidy } from "../../pages/call.js";

/** @param {unknown} message */
const sent = (message) => read(JSON.stringify(message));

test("chat is text", () => {
  assert.deepEqual(sent({ type: "chat", text: "Hello 👋\n<b>you</b>" }), {
    type: "chat",
    text: "Hello 👋\n<b>you</b>",
  });
});

test("typing begins and ends", () => {
  assert.deepEqual(sent({ type: "typing", on: true }), { type: "typing", on: true });
  assert.deepEqual(sent({ type: "typing", on: false }), { type: "typing", on: false });
});

test("what typing is not certain of is off", () => {
  for (const on of [undefined, null, 1, "true", [true], {}]) {
    assert.deepEqual(sent({ type: "typing", on }), { type: "typing", on: false });
  }
});

/** Somebody of whom nothing is known. */
const NOBODY = {
  type: "state",
  microphone: true,
  camera: true,
  name: "",
  hand: false,
  screen: false,
};

test("the state of microphone, camera, hand and screen is told each", () => {
  for (let bits = 0; bits < 16; bits++) {
    const [microphone, camera, hand, screen] = [1, 2, 4, 8].map((bit) => (bits & bit) > 0);
    const state = { type: "state", microphone, camera, name: "Ada", hand, screen };
    assert.deepEqual(sent(state), state);
  }
});

test("a device that is not said to be off is on", () => {
  assert.deepEqual(sent({ type: "state" }), NOBODY);
  assert.deepEqual(sent({ type: "state", microphone: 0, camera: "off" }), NOBODY);
  assert.deepEqual(sent({ type: "state", microphone: null, camera: [false] }), NOBODY);
});

test("a hand that is not said to be raised is not, and no more is a screen shown", () => {
  for (const maybe of [undefined, null, 1, "true", [true], {}]) {
    assert.deepEqual(sent({ type: "state", hand: maybe, screen: maybe }), NOBODY);
  }
});

test("a name that is not text is none", () => {
  for (const name of [undefined, null, 7, true, ["Ada"], { toString: "Ada" }]) {
    assert.deepEqual(sent({ type: "state", name }), NOBODY);
  }
});

/** As the server has it (tests/fixtures/words.json), and cut. */
const NAMES = /** @type {const} */ ([
  ["Ada", "Ada"],
  ["  Ada \t King\r\n", "Ada King"],
  ["Ada\u00a0\u2003King", "Ada King"],
  ["\u0000Ada\u0007\u001bKing\u009b", "Ada King"],
  ["\u0000\n \u0085", ""],
  ["", ""],
  [" ", ""],
  ["<b>Ada</b>", "<b>Ada</b>"],
  ["アダ・キング 👩‍💻", "アダ・キング 👩‍💻"],
  ["n".repeat(32), "n".repeat(32)],
  ["n".repeat(33), "n".repeat(32)],
  [` ${"n".repeat(32)} `, "n".repeat(32)],
  [`${"n".repeat(31)} Ada`, "n".repeat(31)],
  ["👋".repeat(32), "👋".repeat(32)],
  ["👋".repeat(40), "👋".repeat(32)],
]);

test("a name is words with one space between, and cut to 32 characters", () => {
  assert.equal(LONGEST_NAME, 32);
  for (const [name, tidied] of NAMES) {
    assert.equal(tidy(name), tidied);
    assert.deepEqual(sent({ type: "state", name }), { ...NOBODY, name: tidied });
    assert.equal(tidy(tidied), tidied, "what is tidy stays");
  }
});

test("a picture is watched at a height, and at none below nothing", () => {
  for (const height of [0, 90, 180, 719.5, 1_080, Number.MAX_VALUE]) {
    assert.deepEqual(sent({ type: "watch", height }), { type: "watch", height });
  }
  for (const height of [-1, -0.1, -1e300]) {
    assert.deepEqual(sent({ type: "watch", height }), { type: "watch", height: 0 });
  }
  assert.deepEqual(read('{"type":"watch","height":-0}'), { type: "watch", height: 0 });
});

test("a height that is not a number is no message", () => {
  for (const height of [undefined, null, true, "180", "", [180], {}, { valueOf: 180 }]) {
    assert.equal(sent({ type: "watch", height }), null, JSON.stringify(height));
  }
  for (const height of ["1e999", "-1e999", "NaN", "Infinity"]) {
    assert.equal(read(`{"type":"watch","height":${height}}`), null, height);
  }
});

test("a sign of life is asked for and given", () => {
  assert.deepEqual(sent({ type: "ping" }), { type: "ping" });
  assert.deepEqual(sent({ type: "pong" }), { type: "pong" });
});

test("a message has its own fields and no others", () => {
  const more = { html: "<script>", id: 1, on: true, camera: false, text: "hi", height: 180 };
  assert.deepEqual(sent({ type: "chat", ...more }), { type: "chat", text: "hi" });
  assert.deepEqual(sent({ type: "typing", ...more }), { type: "typing", on: true });
  assert.deepEqual(sent({ type: "state", ...more }), { ...NOBODY, camera: false });
  assert.deepEqual(sent({ type: "watch", ...more }), { type: "watch", height: 180 });
  assert.deepEqual(sent({ type: "ping", ...more }), { type: "ping" });
  assert.deepEqual(sent({ type: "pong", ...more }), { type: "pong" });
});

test("long text is cut to 2,000 characters, and the longest is kept whole", () => {
  assert.equal(LONGEST_TEXT, 2_000);
  const longest = "y".repeat(2_000);
  assert.deepEqual(sent({ type: "chat", text: longest }), { type: "chat", text: longest });
  assert.deepEqual(sent({ type: "chat", text: `${longest}z` }), { type: "chat", text: longest });
  assert.deepEqual(sent({ type: "chat", text: "y".repeat(7_000) }), {
    type: "chat",
    text: longest,
  });
});

test("huge text is not read at all", () => {
  assert.equal(sent({ type: "chat", text: "y".repeat(12_200) }), null);
  assert.equal(sent({ type: "chat", text: "hi", more: "y".repeat(10_000_000) }), null);
  assert.equal(read("[".repeat(10_000_000)), null);
});

test("the longest text is kept whole, however long its escapes are", () => {
  for (const letter of ["\n", '"', "\\", "\u0001"]) {
    const text = `a${letter.repeat(1_998)}b`;
    assert.deepEqual(sent({ type: "chat", text }), { type: "chat", text });
  }
});

test("text that shows nothing is no message", () => {
  for (const text of ["", " ", "\n\t \u00a0\u2003"]) {
    assert.equal(sent({ type: "chat", text }), null);
  }
});

test("text of which nothing is seen is no message", () => {
  for (const text of ["\u200b", "\u2060\ufeff", "\u3164 \u2800", "\u202e\u2066", "\u200d\n"]) {
    assert.equal(sent({ type: "chat", text }), null, JSON.stringify(text));
  }
});

test("text does not turn around, and is as it was otherwise", () => {
  for (const [text, read] of /** @type {const} */ ([
    ["\u202egnp.exe", "gnp.exe"],
    ["a\u2067b\u2069 \u202ac\u202c", "ab c"],
    ["\u200fשלום!\u200e", "\u200fשלום!\u200e"],
    ["👩‍💻 ❤️ می‌خواهم", "👩‍💻 ❤️ می‌خواهم"],
    [" two\n lines ", " two\n lines "],
  ])) {
    assert.deepEqual(sent({ type: "chat", text }), { type: "chat", text: read });
  }
});

test("text that shows nothing once it is cut is no message", () => {
  assert.equal(sent({ type: "chat", text: `${" ".repeat(2_000)}x` }), null);
});

test("chat that is not text is no message", () => {
  for (const text of [undefined, null, 1, true, ["hi"], { toString: "hi" }]) {
    assert.equal(sent({ type: "chat", text }), null);
  }
});

test("what is not an object with a known type is no message", () => {
  for (const message of [
    null,
    true,
    0,
    -1.5,
    "chat",
    [],
    ["chat", "hi"],
    [{ type: "chat", text: "hi" }],
    {},
    { text: "hi" },
    { type: null, text: "hi" },
    { type: 1, text: "hi" },
    { type: ["chat"], text: "hi" },
    { type: "Chat", text: "hi" },
    { type: "chat ", text: "hi" },
    { type: "dance" },
    { type: "Ping" },
    { type: "watching", height: 180 },
    { type: ["watch"], height: 180 },
    { type: "constructor" },
    { type: "__proto__" },
  ]) {
    assert.equal(sent(message), null, JSON.stringify(message));
  }
});

test("what is not JSON is no message", () => {
  for (const frame of ["", " ", "hello", "{", '{"type":"chat","text":"hi"', "undefined", "NaN"]) {
    assert.equal(read(frame), null, frame);
  }
});

test("what is not text is no message", () => {
  const message = { type: "chat", text: "hi" };
  for (const data of [
    undefined,
    null,
    0,
    message,
    new String(JSON.stringify(message)),
    new TextEncoder().encode(JSON.stringify(message)).buffer,
    new Blob([JSON.stringify(message)]),
  ]) {
    assert.equal(read(data), null);
  }
});

test("a prototype that is sent is a field like any other", () => {
  assert.equal(read('{"__proto__":{"type":"chat","text":"hi"}}'), null);
  assert.equal(read('{"type":"chat","__proto__":{"text":"hi"}}'), null);
  const message = read('{"type":"typing","__proto__":{"on":true},"constructor":1}');
  assert.deepEqual(message, { type: "typing", on: false });
  assert.equal(Object.getPrototypeOf(message), Object.prototype);
  assert.equal(/** @type {any} */ ({}).on, undefined);
  const state = read('{"type":"state","__proto__":{"hand":true,"name":"Ada","camera":false}}');
  assert.deepEqual(state, NOBODY);
  assert.equal(read('{"type":"watch","__proto__":{"height":180}}'), null);
});

test("a signal is as long as the server takes it, and nothing else is", () => {
  const data = { description: { type: "offer", sdp: "v=0\r\n".repeat(5_000) } };
  assert.deepEqual(sent({ type: "signal", data }), { type: "signal", data });
  assert.equal(sent({ type: "signal", data: "s".repeat(66_000) }), null);
  assert.equal(sent({ type: "typing", on: true, more: "s".repeat(20_000) }), null);
});
