// What docs/costs.md says, reckoned from what was measured.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { prices } from "../bench/match/price.js";

/** What the plans include (Cloudflare: Workers and Durable Objects, Pricing). */
const FREE = { workerRequests: 100_000, objectRequests: 100_000, gbSeconds: 13_000 };
const PAID = { workerRequests: 10e6, objectRequests: 1e6, gbSeconds: 400_000 };
const PAID_USD = 5;

/** @param {string} path */
const read = (path) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

const page = await read("docs/costs.md");
/** For 1,000 sessions. @type {typeof FREE & { usd: number }} */
const billed = JSON.parse(await read("docs/performance/match.json")).prepared.billed;

/** How many sessions are included. @param {typeof FREE} plan */
function included(plan) {
  const shares = [
    plan.workerRequests / billed.workerRequests,
    plan.objectRequests / billed.objectRequests,
    plan.gbSeconds / billed.gbSeconds,
  ];
  return Math.floor(1_000 * Math.min(...shares));
}

/** What so many sessions cost in a month. @param {number} sessions */
function month(sessions) {
  const beyond = (/** @type {keyof typeof FREE} */ what) =>
    Math.max(0, (billed[what] * sessions) / 1_000 - PAID[what]);
  return (
    PAID_USD +
    beyond("workerRequests") * prices.usdAWorkerRequest +
    beyond("objectRequests") * prices.usdAnObjectRequest +
    beyond("gbSeconds") * prices.usdAGbSecond
  );
}

const figure = (/** @type {number} */ number) => number.toLocaleString("en-US");

test("the page says what was counted, and what follows from it", () => {
  const rows = [
    `| Worker requests | ${figure(billed.workerRequests)} |`,
    `are one) | ${figure(billed.objectRequests)} |`,
    `| ${billed.gbSeconds} GB-s |`,
    `| ${figure(included(FREE))} sessions a day: ${figure(20 * included(FREE))} calls |`,
    `| ${figure(included(PAID))} sessions a month: ${((20 * included(PAID)) / 1e6).toFixed(1)} million calls | ${billed.usd.toFixed(4)} USD |`,
    ...[1e5, 1e6, 1e7].map(
      (sessions) => `| ${figure(sessions)} | ${month(sessions).toFixed(2)} USD |`,
    ),
  ];
  for (const row of rows) assert.ok(page.includes(row), `docs/costs.md lacks: ${row}`);
});
