// The server goes away and comes back: a call does not need it, and a search goes on by itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { meet, stage } from "./stage.js";

const scene = stage();

test("a call outlives the server, and Next works once it is back", async () => {
  const [ana, ben, cem] = await scene.visitors("chromium", "chromium", "chromium");
  assert(ana && ben && cem);
  await meet(ana, ben);
  await scene.without(async () => {
    await Promise.all([ana.sees(), ben.sees()]);
    await ana.type("chat-input", "Are you still there?");
    await ana.page.keyboard.press("Enter");
    await ben.reads("chat-log", "Are you still there?");
    await ana.reads("status", "Connected");
  });
  await cem.click("start");
  await cem.reads("status", "Looking for someone");
  await ana.click("next");
  await ben.reads("status", "The stranger left");
  await Promise.all([ana.sees(), cem.sees()]);
});

test("a call outlives the socket of one side", async () => {
  const [ana, ben] = await scene.visitors("chromium", "chromium");
  assert(ana && ben);
  await ana.page.evaluateOnNewDocument(() => {
    const page = /** @type {any} */ (window);
    page.sockets = [];
    page.WebSocket = class extends WebSocket {
      constructor(/** @type {string | URL} */ url) {
        super(url);
        page.sockets.push(this);
      }
    };
  });
  await ana.page.reload({ waitUntil: "load" });
  await meet(ana, ben);
  await ana.page.evaluate(() => /** @type {any} */ (window).sockets[0].close());
  // The page has another one, so the server has long told Ben of the loss.
  await ana.waitFor(() => /** @type {any} */ (window).sockets[1]?.readyState === WebSocket.OPEN);
  await Promise.all([ana.sees(), ben.sees()]);
  await ben.type("chat-input", "Still with you");
  await ben.page.keyboard.press("Enter");
  await ana.reads("chat-log", "Still with you");
  for (const person of [ana, ben]) await person.reads("status", "Connected");
  await ana.click("next");
  await ben.reads("status", "The stranger left");
});

test("a search goes on when the server is back", async () => {
  const [ana, ben] = await scene.visitors("chromium", "chromium");
  assert(ana && ben);
  await ana.click("start");
  await ana.reads("status", "Looking for someone");
  await scene.without(async () => {
    await ana.reads("status", "Reaching the server");
    await ben.click("start");
    await ben.reads("status", "Reaching the server");
  });
  await Promise.all([ana.sees(), ben.sees()]);
});

test("who has not begun yet reads that the server is away, and that all is ready again", async () => {
  const ana = await scene.visitor("chromium");
  await ana.reads("status", "Ready");
  await scene.without(() => ana.reads("status", "Reaching the server"));
  await ana.reads("status", "Ready");
});
