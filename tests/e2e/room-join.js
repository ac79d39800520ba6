// Who should offer when somebody comes into a room: the members, or the newcomer? `npm run room-join`
// measures both in turn, in one room of one server. To turn it round the pages take the other role than
// the server gives them, on both sides.

import { visit } from "./browsers.js";
import { quantile } from "./quantile.js";
import { start } from "./server.js";

const MEMBERS = 2;
const RUNS = 10;

/** @typedef {{ turned: boolean, joined: number, last: number }} Page */

/** Turns roles round where the page says so, and notes when all are seen. @param {number} others */
const prepare = (others) => {
  const page = /** @type {Page} */ (/** @type {unknown} */ (window));
  page.turned = localStorage.getItem("turned") === "yes";
  const turn = (/** @type {string} */ text) =>
    text.replace(/"role":"(offerer|answerer)"/, (_, role) =>
      role === "offerer" ? '"role":"answerer"' : '"role":"offerer"',
    );
  window.WebSocket = class extends WebSocket {
    /** @override @param {string} text */
    send(text) {
      if (text.startsWith('{"type":"join"')) page.joined = performance.now();
      super.send(text);
    }
    /** @override @param {(event: MessageEvent) => void} listener */
    set onmessage(listener) {
      super.onmessage = (event) => {
        const data = page.turned ? turn(event.data) : event.data;
        listener(new MessageEvent("message", { data }));
      };
    }
  };
  const seen = new Set();
  setInterval(() => {
    for (const video of document.querySelectorAll("video")) {
      if (seen.has(video) || !video.closest('[data-testid="tile"]')) continue;
      seen.add(video);
      video.requestVideoFrameCallback(() => {
        seen.add(`shown ${seen.size}`);
        if (seen.size === 2 * others) page.last = performance.now();
      });
    }
  }, 5);
};

const server = await start();
const people = [];
try {
  for (let place = 0; place <= MEMBERS; place++) {
    const person = await visit("about:blank");
    people.push(person);
    await person.page.setViewport({ width: 640, height: 480 });
    await person.page.evaluateOnNewDocument(prepare, MEMBERS);
    if (place < MEMBERS) await person.page.goto(`${server.address}/r/joining`);
  }
  const [newcomer] = people.slice(-1);
  const members = people.slice(0, MEMBERS);
  if (!newcomer) throw new Error("nobody came");
  for (const member of members) await member.seesAll(MEMBERS - 1);
  await newcomer.page.goto(server.address);
  /** @type {Record<"members" | "newcomer", number[]>} */
  const times = { members: [], newcomer: [] };
  for (let run = 0; run < 2 * RUNS; run++) {
    const turned = run % 2 === 1;
    for (const member of members)
      await member.page.evaluate((turned) => Object.assign(window, { turned }), turned);
    await newcomer.page.evaluate(
      (yes) => localStorage.setItem("turned", yes),
      turned ? "yes" : "no",
    );
    await newcomer.page.goto(`${server.address}/r/joining`);
    await newcomer.waitFor(() => /** @type {any} */ (window).last);
    const taken = await newcomer.page.evaluate(() => {
      const { joined, last } = /** @type {any} */ (window);
      return last - joined;
    });
    times[turned ? "newcomer" : "members"].push(taken);
    await newcomer.page.goto(server.address);
    for (const member of members) await member.seesAll(MEMBERS - 1);
  }
  const [one, other] = [quantile(times.members, 0.5), quantile(times.newcomer, 0.5)];
  console.log(
    `From join to the first frame of all ${MEMBERS} members, medians of ${RUNS} each, in turn:`,
  );
  console.log(`the members offer: ${one.toFixed(0)} ms`);
  console.log(`the newcomer offers: ${other.toFixed(0)} ms (${(other / one).toFixed(2)} times)`);
} finally {
  for (const person of people) await person.close();
  await server.stop();
}
