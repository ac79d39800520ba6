// What is answered where the free plan's day is over. The error itself only Cloudflare makes: it is played here by
// its words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { full } from "../../src/shell/full.js";

const NOON = Date.UTC(2026, 10, 21, 12);

for (const limit of ["duration", "volume of requests"]) {
  test(`who comes when the allowed ${limit} is exceeded is told when to come again`, async () => {
    const error = new Error(`Exceeded allowed ${limit} in Durable Objects free tier.`);
    const answer = full(error, NOON);
    assert(answer);
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get("retry-after"), String(12 * 3_600));
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.match(await answer.text(), /^Full for today\./);
  });
}

test("the last second of a day is one second from the next", () => {
  const error = new Error("Exceeded allowed duration in Durable Objects free tier.");
  const answer = full(error, Date.UTC(2026, 10, 22) - 1);
  assert.equal(answer?.headers.get("retry-after"), "1");
});

test("any other error stays what it is", () => {
  for (const error of [
    new Error("Network connection lost."),
    new RangeError(),
    "free tier",
    null,
  ]) {
    assert.equal(full(error, NOON), null);
  }
});
