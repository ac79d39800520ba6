// The status page, beside a lobby with people in it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { stage } from "./stage.js";

const scene = stage();

test("who looks sees who is here, who waits, and how long people waited", async (context) => {
  /** @type {WebSocket[]} */
  const sockets = [];
  context.after(() => {
    for (const socket of sockets) socket.terminate();
  });
  for (const mode of ["text", "text", "video", null]) {
    const socket = new WebSocket(`${scene.address.replace("http", "ws")}/v1/match`);
    sockets.push(socket);
    await once(socket, "message");
    if (mode) socket.send(JSON.stringify({ type: "find", mode }));
    if (mode) await once(socket, "message");
  }
  // What lobbies tell is up to five seconds old.
  const deadline = Date.now() + 30_000;
  while ((await scene.stats()).calls !== 1) {
    assert(Date.now() < deadline, "the call is not told of");
    await pause(100);
  }
  const ana = await scene.visitor("chromium", { path: "/status" });
  await ana.reads("status", "Working");
  for (const [what, count] of [
    ["online", "4"],
    ["waiting", "1"],
    ["calls", "1"],
  ]) {
    const told = await ana.page.$eval(`[data-testid="${what}"]`, (element) => element.textContent);
    assert.equal(told, count, what);
  }
  const waits = await ana.page.$$eval('[data-testid="waits"] b', (all) =>
    all.map((one) => Number(one.textContent)),
  );
  assert.equal(waits.length, 8);
  assert.equal(
    waits.reduce((sum, people) => sum + people),
    2,
  );
  const label = await ana.page.$eval('[data-testid="course"]', (drawing) =>
    drawing.getAttribute("aria-label"),
  );
  assert.equal(label, "4 are here and 2 of them in calls.");
});
