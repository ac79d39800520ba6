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

/** Between a browser and the server and back, in milliseconds, and how often each is measured: what is far
 * away takes its time, and varies less. */
const DISTANCES = [
  { roundTrip: 0, runs: 20 },
  { roundTrip: 100, runs: 10 },
  { roundTrip: 300, runs: 10 },
];
/** For how long nothing happens in a page that is prepared for a click, in milliseconds. */
const QUIET = 100;

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
/** @type {(() => Promise<unknown>)[]} */
const ends = [];

/** @typedef {"ours" | "bare"} Page */
/** @typedef {Awaited<ReturnType<typeof measure>>} Measured */
/** @typedef {Record<"start" | "next", Measured[]>} Measurements */

/** What happens on the way, by how it is written down (observe.js). @type {Record<string, RegExp>} */
const PHASES = {
  met: /^heard peer-joined/,
  answered: /answer/,
  iceConnected: /^iceConnection connected/,
  dtlsConnected: /^connection connected/,
};

/** @param {number} roundTrip @returns {Promise<Record<Page, string>>} where the pages are */
async function open(roundTrip) {
  const wires = await Promise.all(servers.map(({ port }) => lay(port, roundTrip)));
  const [worker, floor] = wires.map(({ address }) => address);
  const folder = await mkdtemp(join(tmpdir(), "echomingle-"));
  const sites = await Promise.all([
    prepareSite({ signaling: `${worker}` }, folder).then(serve),
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
 * @param {Measurements} measured
 */
async function turn(address, roundTrip, measured) {
  const [ana, ben, cem] = people;
  await Promise.all(people.map(({ page }) => page.goto(address, { waitUntil: "load" })));
  // What a page asks the server as it is loaded is answered by then.
  await rest(people, QUIET + roundTrip, "camera", "open");
  await ana.click("start");
  await rest([ana], QUIET, "heard waiting");
  measured.start.push(await measure(ben, "start"));
  await cem.click("start");
  await rest([cem], QUIET, "heard waiting");
  await rest([ben], QUIET);
  measured.next.push(await measure(ben, "next"));
}

/**
 * Waits until all this has happened to them, and what followed from it is over.
 * @param {Person[]} people
 * @param {number} quiet for how long nothing happens then, in milliseconds
 * @param {string[]} after
 */
async function rest(people, quiet, ...after) {
  await Promise.all(people.map((person) => person.waitFor(rests, quiet, after)));
}

/** @param {Person} person @param {"start" | "next"} name */
async function measure({ page }, name) {
  return page.evaluate(click, name, PATIENCE);
}

/** @param {Measured[]} measured */
function summary(measured) {
  const median = (/** @type {(one: Measured) => number | undefined} */ of) =>
    round(
      quantile(
        measured.map((one) => of(one) ?? Number.NaN),
        0.5,
      ),
    );
  const phases = Object.entries(PHASES).map(([name, form]) => {
    return [name, median(({ happened }) => happened.find(([, what]) => form.test(what))?.[0])];
  });
  const millis = measured.map(({ shown }) => round(shown));
  return {
    medianMillis: round(quantile(millis, 0.5)),
    p95Millis: round(quantile(millis, 0.95)),
    phaseMillis: { ...Object.fromEntries(phases), frameArrived: median(({ arrived }) => arrived) },
    frameWidth: median(({ width }) => width),
    millis,
  };
}

/** @param {number} value */
const round = (value, digits = 1) => Number(value.toFixed(digits));

/** @param {Measured[]} ours @param {Measured[]} bare */
function compare(ours, bare) {
  const [our, its] = [summary(ours), summary(bare)];
  const ratios = our.millis.map((time, run) => time / (its.millis[run] ?? Number.NaN));
  return {
    ours: our,
    bare: its,
    ratioOfMedians: round(our.medianMillis / its.medianMillis, 2),
    medianRatio: round(quantile(ratios, 0.5), 2),
  };
}

const servers = await Promise.all(
  ["tests/common/workerd.capnp", "tests/bench/floor/workerd.capnp"].map((config) => start(config)),
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
  for (const { roundTrip, runs } of DISTANCES) {
    const address = await open(roundTrip);
    /** @type {Record<Page, Measurements>} */
    const all = { ours: { start: [], next: [] }, bare: { start: [], next: [] } };
    for (let run = 0; run < runs; run++) {
      for (const page of /** @type {Page[]} */ (["ours", "bare"])) {
        await turn(address[page], roundTrip, all[page]);
      }
    }
    results.push({
      roundTripMillis: roundTrip,
      runs,
      start: compare(all.ours.start, all.bare.start),
      next: compare(all.ours.next, all.bare.next),
    });
  }
  console.log(JSON.stringify({ results }));
} finally {
  for (const end of ends) await end();
}
