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

test("the wait doubles with each failure until it is 15 seconds, and stays there", () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 7, 100, 5_000].map((failures) => backoff(failures, shortest));
  assert.deepEqual(
    waits,
    [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000, 15_000].map(
      (wait) => wait / 2,
    ),
  );
  for (let failures = 0; failures < 2_000; failures++) {
    assert.ok(backoff(failures, longest) <= 15_000, `${failures}`);
  }
});

test("left to itself, chance is taken and stays within the bounds", () => {
  const waits = Array.from({ length: 1_000 }, () => backoff(3));
  assert.ok(waits.every((wait) => wait >= 2_000 && wait < 4_000));
  assert.ok(new Set(waits).size > 900);
});
