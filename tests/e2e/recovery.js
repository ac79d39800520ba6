// How long it takes until all is well again after something went wrong, and how long the picture stands
// still meanwhile: `npm run recovery`. Two local browsers, so what is measured is the software; where
// something takes a given time, as a cut of five seconds does, that is not counted.

import { setTimeout as pause } from "node:timers/promises";
import { obstacle } from "../../scripts/networks.mjs";
import { Progress } from "../../scripts/progress.mjs";
import { scene } from "../nat/scene.js";
import { plug, unplug } from "../nat/topology.js";
import { visit } from "./browsers.js";
import { quantile } from "./quantile.js";
import { start } from "./server.js";
import { meet } from "./stage.js";
import { lay } from "./wire.js";

/** @import { Person } from "./browsers.js" */
/** @typedef {{ back: number, still: number }} Recovery both in milliseconds */

const RUNS = 10;

/** From now on it is known how long the picture of the other one stands still at most. @param {Person} person */
async function watch({ page }) {
  await page.evaluate(() => {
    const video = /** @type {HTMLVideoElement} */ (
      document.querySelector('[data-testid="remote-video"]')
    );
    const scope = /** @type {any} */ (window);
    const picture = { last: performance.now(), still: 0 };
    scope.picture = picture;
    const next = () => {
      if (scope.picture !== picture) return;
      const now = performance.now();
      picture.still = Math.max(picture.still, now - picture.last);
      picture.last = now;
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  });
}

/** @param {Person[]} people @returns {Promise<number>} how long the picture stood still, with any of them */
async function still(people) {
  const all = people.map(({ page }) =>
    page.evaluate(() => Number(/** @type {any} */ (window).picture?.still ?? 0)),
  );
  return Math.max(...(await Promise.all(all)));
}

/** @param {Person[]} people who are told this, and nothing else, at last */
async function told(people, text = "Connected") {
  await Promise.all(
    people.map((person) =>
      person.waitFor(
        (text) => document.querySelector('[data-testid="status"]')?.textContent === text,
        text,
      ),
    ),
  );
}

/** @param {Person[]} people */
const see = (people) => Promise.all(people.map((person) => person.sees()));

let server = await start();
/** @type {(() => Promise<unknown>)[]} */
const ends = [];

/** Two in a call, one of them at a wire of its own. */
async function pair() {
  const wire = await lay(server.port);
  const people = await Promise.all([visit(wire.address), visit(server.address)]);
  const [ana, ben] = people;
  ends.push(
    () => ana.close(),
    () => ben.close(),
    () => wire.close(),
  );
  await meet(ana, ben);
  return { ana, ben, people, wire };
}

/**
 * @param {Person[]} people
 * @param {() => Promise<void>} fault
 * @param {() => Promise<unknown>} well when all is as it should be
 * @returns {Promise<Recovery>}
 */
async function recovery(people, fault, well) {
  await Promise.all(people.map(watch));
  await fault();
  const since = performance.now();
  await well();
  const back = performance.now() - since;
  await see(people);
  return { back, still: await still(people) };
}

/** What goes wrong, what people see of it, and how it is measured once. @type {[string, string, () => Promise<() => Promise<Recovery>>][]} */
const FAULTS = [
  [
    "The server crashes and is started again",
    "the status says that the server is being reached; sound and picture go on",
    async () => {
      const { people } = await pair();
      return () =>
        recovery(
          people,
          async () => {
            await server.kill();
            server = await start({ port: server.port });
          },
          () => told(people),
        );
    },
  ],
  ...[5, 30].map(
    (seconds) =>
      /** @type {(typeof FAULTS)[number]} */ ([
        `One side is cut off from the server for ${seconds} s`,
        "the status says so on that side; the other one sees nothing of it",
        async () => {
          const { people, wire } = await pair();
          return () =>
            recovery(
              people,
              async () => {
                wire.cut();
                await pause(1_000 * seconds);
                wire.mend();
              },
              () => told(people),
            );
        },
      ]),
  ),
  [
    "The page is loaded anew",
    "“Back to your call” and “The stranger may be back in a moment”",
    async () => {
      const { ana, ben, people } = await pair();
      return async () => {
        await watch(ben);
        const since = performance.now();
        await ana.page.reload({ waitUntil: "load" });
        await Promise.all([told(people), ana.sees()]);
        const back = performance.now() - since;
        await ben.sees();
        return { back, still: await still([ben]) };
      };
    },
  ],
  [
    "The page is closed",
    "“The stranger may be back in a moment”, then “The stranger left”",
    async () => {
      const { ana, ben } = await pair();
      let first = true;
      return async () => {
        if (!first) {
          await ana.page.goto(server.address, { waitUntil: "load" });
          await ben.click("stop");
          await meet(ana, ben);
        }
        first = false;
        const since = performance.now();
        await ana.page.goto("about:blank");
        await told([ben], "The stranger left");
        return { back: performance.now() - since, still: Number.NaN };
      };
    },
  ],
  [
    "The object sleeps, and somebody shows a screen",
    "nothing; the screen is there",
    async () => {
      const address = `${server.address}/r/recovery`;
      const people = await Promise.all([visit(address), visit(address)]);
      const [ana, ben] = people;
      ends.push(
        () => ana.close(),
        () => ben.close(),
      );
      await Promise.all(people.map((person) => person.seesAll(1)));
      return async () => {
        await pause(13_000);
        const since = performance.now();
        await ana.click("share-screen");
        await ben.seesAll(1, "screen");
        const back = performance.now() - since;
        await ana.click("share-screen");
        await ben.seesAll(0, "screen");
        return { back, still: Number.NaN };
      };
    },
  ],
];

const why = await obstacle(new Progress());
if (why) console.log(`Without a network that moves: ${why}`);
else
  FAULTS.push([
    "A network is gone for 5 s and is another one then",
    "“The connection is unstable”, then “Connected”",
    async () => {
      const { ana, ben, network } = await scene(
        { after: (end) => void ends.push(async () => end?.(/** @type {any} */ (null), () => {})) },
        "port-preserving",
      );
      await meet(ana, ben);
      let place = 70;
      return () =>
        recovery(
          [ana, ben],
          async () => {
            unplug(network.ana);
            await pause(5_000);
            plug(network.ana, `10.1.0.${place++}`);
          },
          () => see([ana, ben]),
        );
    },
  ]);

const wanted = process.argv[2] ?? "";
console.log(
  "| fault | what people see | all is well after | worst | picture stands still | worst |",
);
console.log("|---|---|---|---|---|---|");
try {
  for (const [fault, seen, prepare] of FAULTS) {
    if (!fault.includes(wanted)) continue;
    const once = await prepare();
    /** @type {Recovery[]} */
    const all = [];
    for (let run = 0; run < RUNS; run++) all.push(await once());
    const cells = [all.map(({ back }) => back), all.map(({ still }) => still)].flatMap((times) =>
      [0.5, 1].map((share) => seconds(quantile(times, share))),
    );
    console.log(`| ${[fault, seen, ...cells].join(" | ")} |`);
    for (const end of ends.splice(0)) await end();
  }
} finally {
  for (const end of ends) await end();
  await server.stop();
}

/** @param {number} milliseconds */
function seconds(milliseconds) {
  return Number.isNaN(milliseconds) ? "–" : `${(milliseconds / 1_000).toFixed(1)} s`;
}
