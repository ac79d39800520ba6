// From Start, and from Next, to the first frame of somebody who waits: our page on the Worker and the bare
// page on the floor, in turns, with the signaling as near as it gets and far away. Prints JSON; started by
// `npm run bench -- frame`.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { prepareSite } from "../../../scripts/site.mjs";
import { PATIENCE, visit } from "../../e2e/browsers.js";
import { quantile } from "../../e2e/quantile.js";
import { lay } from "../../e2e/wire.js";
import { click, observe, rests } from "./observe.js";
import { serve } from "./site.js";
import { start } from "./workerd.js";

/** @import { Person } from "../../e2e/browsers.js" */

const RUNS = 20;
/** Between a browser and the server and back, in milliseconds. */
const ROUND_TRIPS = [0, 100, 300];
/** For how long nothing happens in a page that is prepared for a click, in milliseconds, beside what it may
 * wait for the server. */
const QUIET = 100;

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
/** @type {(() => Promise<unknown>)[]} */
const ends = [];

/** @typedef {"ours" | "bare"} Page */
/** @typedef {Record<"start" | "next", number[]>} Times */

/** @param {number} roundTrip @returns {Promise<Record<Page, string>>} where the pages are */
async function open(roundTrip) {
  const wires = await Promise.all(servers.map(({ port }) => lay(port, roundTrip)));
  const [worker, floor] = wires.map(({ address }) => address);
  const folder = await mkdtemp(join(tmpdir(), "echomingle-"));
  const sites = await Promise.all([
    prepareSite(`${worker}`, folder).then(serve),
    serve(FOLDER, "bare.html"),
  ]);
  ends.unshift(
    () => Promise.all(sites.map((site) => site.close())),
    () => Promise.all(wires.map((wire) => wire.close())),
    () => rm(folder, { recursive: true }),
  );
  const [ours, bare] = sites.map(({ address }) => address);
  return { ours: `${ours}/`, bare: `${bare}/?signaling=${floor?.replace("http", "ws")}/v1/match` };
}

/**
 * Everybody comes anew, since who just met does not meet again at once.
 * @param {string} address
 * @param {number} roundTrip
 * @param {Times} times
 */
async function turn(address, roundTrip, times) {
  const [ana, ben, cem] = people;
  const rest = (/** @type {Person} */ person, /** @type {string[]} */ ...after) =>
    person.waitFor(rests, QUIET + roundTrip, after);
  await Promise.all(people.map(({ page }) => page.goto(address, { waitUntil: "load" })));
  await Promise.all(people.map((person) => rest(person, "camera", "open")));
  await ana.click("start");
  await rest(ana, "heard waiting");
  times.start.push(await measure(ben, "start"));
  await cem.click("start");
  await Promise.all([rest(cem, "heard waiting"), rest(ben)]);
  times.next.push(await measure(ben, "next"));
}

/** @param {Person} person @param {"start" | "next"} name */
async function measure({ page }, name) {
  const { time } = await page.evaluate(click, name, PATIENCE);
  return time;
}

/** @param {number[]} times */
const summary = (times) => ({
  medianMillis: round(quantile(times, 0.5)),
  p95Millis: round(quantile(times, 0.95)),
  millis: times.map((time) => round(time)),
});

/** @param {number} value */
const round = (value, digits = 1) => Number(value.toFixed(digits));

/**
 * @param {"start" | "next"} from
 * @param {Record<Page, Times>} times
 */
function compare(from, { ours, bare }) {
  const [our, its] = [ours[from], bare[from]];
  const ratios = our.map((time, run) => time / (its[run] ?? Number.NaN));
  return {
    ours: summary(our),
    bare: summary(its),
    ratioOfMedians: round(quantile(our, 0.5) / quantile(its, 0.5), 2),
    medianRatio: round(quantile(ratios, 0.5), 2),
  };
}

const servers = await Promise.all(
  ["tests/common/workerd.capnp", "tests/bench/floor/workerd.capnp"].map(start),
);
ends.unshift(() => Promise.all(servers.map((server) => server.stop())));
const people = /** @type {[Person, Person, Person]} */ (
  await Promise.all(
    Array.from({ length: 3 }, () => visit("about:blank", "chromium", { first: observe })),
  )
);
ends.unshift(() => Promise.all(people.map((person) => person.close())));
try {
  const results = [];
  for (const roundTrip of ROUND_TRIPS) {
    const address = await open(roundTrip);
    /** @type {Record<Page, Times>} */
    const times = { ours: { start: [], next: [] }, bare: { start: [], next: [] } };
    for (let run = 0; run < RUNS; run++) {
      for (const page of /** @type {Page[]} */ (["ours", "bare"])) {
        await turn(address[page], roundTrip, times[page]);
      }
    }
    results.push({
      roundTripMillis: roundTrip,
      start: compare("start", times),
      next: compare("next", times),
    });
  }
  console.log(JSON.stringify({ runs: RUNS, results }));
} finally {
  for (const end of ends) await end();
}
