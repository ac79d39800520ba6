// Where the signaling server is, and what it answers besides the WebSocket.

import { recall, remember } from "./memory.js";

/** The server of this deployment; that of the page itself where none is named. */
const base = new URL(
  document.querySelector("meta[name=signaling]")?.getAttribute("content") || "/",
  location.href,
);

/** @param {string} path */
export function socketUrl(path) {
  const url = new URL(path, base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/**
 * What finds a way between two people.
 * @typedef {object} Ways
 * @property {RTCIceServer[]} iceServers
 * @property {number} until when that holds, in milliseconds of the clock
 * @property {boolean} hideAddress whether this site goes by relays only, unless its visitor chooses otherwise
 */

/**
 * The part of its time for which an answer is taken as it is. Whoever connects after that would have to do
 * with what is about to end, and a call that asks before the end is to have something new.
 */
const FRESH = 0.8;

/** What the site hid when it was asked last: who comes back while it does not answer is hidden still. */
const HIDES = "site-hides";

/** @type {Ways} */
let known = { iceServers: [], until: 0, hideAddress: recall(HIDES) === true };
let freshUntil = 0;

/** @type {Promise<Ways> | undefined} */
let asking;

/**
 * The ICE servers, asked for anew when the last answer has grown old, once however many want them. Without
 * an answer that holds there are none, and people in one network still meet.
 *
 * @returns {Promise<Ways>}
 */
export async function ways() {
  if (Date.now() < freshUntil) return known;
  asking ??= askForWays().finally(() => (asking = undefined));
  return asking;
}

async function askForWays() {
  // What holds for ten minutes does so from when it was made, which is after it was asked for.
  const since = Date.now();
  try {
    /** @type {import("./lib/protocol.js").IceConfiguration} */
    const { iceServers, ttl, hideAddress } = await ask("/v1/ice");
    known = { iceServers, until: since + ttl * 1_000, hideAddress };
    remember(HIDES, hideAddress);
    freshUntil = since + FRESH * ttl * 1_000;
  } catch {
    freshUntil = Date.now() + 10_000;
    // What was answered before may hold still.
    if (freshUntil > known.until) known = { ...known, iceServers: [], until: freshUntil };
  }
  return known;
}

/** Whether a relay is among them. @param {Ways} ways */
export function relays({ iceServers }) {
  return iceServers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));
}

/** @returns {Promise<import("./lib/protocol.js").Stats>} how many people there are and how long they waited */
export const stats = () => ask("/v1/stats");

/** @returns {Promise<number>} how many people there are; 0 where that is not known */
export async function online() {
  try {
    return (await stats()).online;
  } catch {
    return 0;
  }
}

/**
 * Why nobody is let in, if that is so. `full`: a plan's day has its limits, and they are reached. `closed`: somebody
 * answers in the server's place, and a page may not read what.
 *
 * @returns {Promise<"full" | "closed" | null>}
 */
export async function closure() {
  const url = new URL("/v1/stats", base);
  const signal = AbortSignal.timeout(5_000);
  try {
    const { status } = await fetch(url, { signal });
    return status === 429 || status === 503 ? "full" : null;
  } catch {
    const answers = fetch(url, { mode: "no-cors", signal });
    return answers.then(
      () => "closed",
      () => null,
    );
  }
}

/** @param {string} path */
async function ask(path) {
  const answer = await fetch(new URL(path, base), { signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}
