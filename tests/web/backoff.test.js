// How long the client waits, over the whole range of its chance.

import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../../pages/lib/backoff.js";

const shortest = () => 0;
/** The largest number that `Math.random` can give. */
const longest = () => 1 - 2 ** -53;

test("the first attempt comes within half a second, and not at once", () => {
  assert.equal(backoff(0, shortest), 250);
  assert.ok(backoff(0, longest) <= 500);
  assert.ok(backoff(0, longest) > 499);
});

test("half of the wait is fixed and half is chance", () => {
  for (let failures = 0; failures < 40; failures++) {
    const fixed = backoff(failures, shortest);
    assert.ok(Math.abs(backoff(failures, longest) - 2 * fixed) < 0.001, `${failures}`);
    assert.equal(
      backoff(failures, () => 0.5),
      1.5 * fixed,
    );
  }
});

test("each wait is half as long again until it is 15 seconds, and stays there", () => {
  const waits = [0, 1, 2, 3, 8, 9, 100, 5_000].map((failures) => backoff(failures, shortest));
  assert.deepEqual(
    waits.map((wait) => 2 * wait),
    [500, 750, 1_125, 1_687.5, 12_814.453125, 15_000, 15_000, 15_000],
  );
  for (let failures = 0; failures < 2_000; failures++) {
    assert.ok(backoff(failures, longest) <= 15_000, `${failures}`);
  }
});

test("there are several attempts while the server keeps a seat, however long they wait", () => {
  let passed = 0;
  let attempts = 0;
  while (passed < 15_000) passed += backoff(attempts++, longest);
  assert.ok(attempts > 6, `${attempts}`);
});

test("left to itself, chance is taken and stays within the bounds", () => {
  const waits = Array.from({ length: 1_000 }, () => backoff(3));
  assert.ok(waits.every((wait) => wait >= 843 && wait < 1_688));
  assert.ok(new Set(waits).size > 900);
});
