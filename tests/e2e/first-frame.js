// How long it takes from pressing Start (or Next) to the first frame of the other one, who is waiting:
// `npm run first-frame`. Two local browsers, so what is measured is the software and not a network.

import { visit } from "./browsers.js";
import { quantile } from "./quantile.js";
import { start } from "./server.js";

const RUNS = 20;

/** @import { Person } from "./browsers.js" */

/**
 * Presses a button and measures until the next frame of somebody else, in milliseconds.
 * @param {Person} person
 * @param {string} name
 * @returns {Promise<number>}
 */
function measure(person, name) {
  return person.page.evaluate((name) => {
    const button = /** @type {HTMLElement} */ (document.querySelector(`[data-testid="${name}"]`));
    const video = /** @type {HTMLVideoElement} */ (
      document.querySelector('[data-testid="remote-video"]')
    );
    const before = video.srcObject;
    const since = performance.now();
    button.click();
    return new Promise((resolve) => {
      const shown = () => {
        if (video.srcObject !== before) resolve(performance.now() - since);
        else video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
    });
  }, name);
}

/** @param {string} what @param {number[]} times */
function report(what, times) {
  const [median, p95] = [quantile(times, 0.5), quantile(times, 0.95)];
  console.log(
    `${what}: median ${median.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms (${times.length} runs)`,
  );
}

const server = await start();
const people = await Promise.all([
  visit(server.address),
  visit(server.address),
  visit(server.address),
]);
try {
  const [ana, ben, cem] = people;
  if (!ana || !ben || !cem) throw new Error("nobody came");
  await Promise.all(people.map((person) => person.sees("local-video")));
  /** @type {number[]} */
  const starts = [];
  /** @type {number[]} */
  const nexts = [];
  for (let run = 0; run < RUNS; run++) {
    await ana.click("start");
    await ana.reads("status", "Looking for someone");
    starts.push(await measure(ben, "start"));
    // Somebody else waits; Ben presses Next.
    await cem.click("start");
    await cem.reads("status", "Looking for someone");
    nexts.push(await measure(ben, "next"));
    // Loaded anew they are new people, as nobody is in a call: who just met does not meet again at once.
    await ben.click("stop");
    await cem.reads("status", "The stranger left");
    await Promise.all(people.map((person) => person.page.reload({ waitUntil: "load" })));
    await Promise.all(people.map((person) => person.sees("local-video")));
  }
  report("Start to first frame, a partner waiting", starts);
  report("Next to first frame, a partner waiting", nexts);
} finally {
  await Promise.all(people.map((person) => person.close()));
  await server.stop();
}
