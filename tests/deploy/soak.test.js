// A short `npm run soak`: what it prints has to be worth something, so it says what it tried.

import assert from "node:assert/strict";
import { test } from "node:test";
import { workerd } from "../../scripts/packages.mjs";
import { run } from "../../scripts/process.mjs";

/** Compiled as the other tests are, so that most of it is there already. */
const LOAD = ["test", "--locked", "--bench", "load", "--", "soak"];
const SHORT = ["--sockets", "300", "--seconds", "16", "--kills", "1"];

test("nothing is lost while sockets are cut and the server is killed", async () => {
  const { ok, stdout, output } = await run("cargo", [...LOAD, ...SHORT], {
    limit: 600,
    env: { WORKERD_BIN: workerd() },
  });
  assert.ok(ok, output);
  const result = JSON.parse(stdout.split("\n").findLast((line) => line.startsWith("{")) ?? "{}");
  assert.deepEqual(result.wrong, {}, result.details?.join("\n"));
  assert.equal(result.serverKilled, 1);
  assert.deepEqual(result.statsAtTheEnd, { online: 0, waiting: 0, calls: 0 });
  assert.ok(result.held.min >= 290, `${result.held.min} sockets were held`);
  assert.ok(result.messages.relayed > 500, `${result.messages.relayed} signals were relayed`);
  assert.ok(result.resumed["in a call"] > 100, `${result.resumed["in a call"]} came back`);
  for (const kind of ["cut (FIN)", "cut (RST)", "half-open"])
    assert.ok(result.faults[kind] > 0, `no ${kind}`);
  assert.ok(result.badInput.answered["oversized: too-large"] > 0, "nothing was too long");
});
