// What one page takes from another over the data channel: whoever is met may send anything.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LONGEST_TEXT, read } from "../../pages/call.js";

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

test("the state of microphone and camera is told each", () => {
  for (const microphone of [true, false]) {
    for (const camera of [true, false]) {
      const state = { type: "state", microphone, camera };
      assert.deepEqual(sent(state), state);
    }
  }
});

test("a device that is not said to be off is on", () => {
  const on = { type: "state", microphone: true, camera: true };
  assert.deepEqual(sent({ type: "state" }), on);
  assert.deepEqual(sent({ type: "state", microphone: 0, camera: "off" }), on);
});

test("a message has its own fields and no others", () => {
  const more = { html: "<script>", id: 1, on: true, camera: false, text: "hi" };
  assert.deepEqual(sent({ type: "chat", ...more }), { type: "chat", text: "hi" });
  assert.deepEqual(sent({ type: "typing", ...more }), { type: "typing", on: true });
  assert.deepEqual(sent({ type: "state", ...more }), {
    type: "state",
    microphone: true,
    camera: false,
  });
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
});
