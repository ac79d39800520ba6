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
