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

const PASS = "pass";
/** Whether it did so when it was asked last: who knows that does not knock in vain. */
const CHECKS = "site-checks";
/** How long the check is waited for by who looks for what is wrong, in milliseconds. */
const ADMISSION = 10_000;

const kept = recall(PASS, "session");
/** By what the server knows that it has let us in before, where it tells people from machines; empty otherwise. */
export let pass = typeof kept === "string" ? kept : "";
let checks = recall(CHECKS) === true;
/** The check that goes on. @type {Promise<void> | undefined} */
let checking;
/** @type {() => void} */
let admitted = () => {};

/** @param {() => void} listener told whenever the server will let us in that would not before */
export function onAdmitted(listener) {
  admitted = listener;
}

/** What a WebSocket names so as to be let in: a page can put nothing else into an upgrade. */
export const subprotocols = () => (pass ? ["echomingle", `pass.${pass}`] : []);

/**
 * What a WebSocket to the server names, where there can be one.
 * @param {number} failures that came before in a row
 * @returns {string[] | null} null: not before the check is passed
 */
export function protocols(failures) {
  // Why a socket is refused, no page is told: there may be a check, or the pass may be good no more.
  if (pass && failures > 1) freshUntil = 0;
  if ((checks || failures > 0) && !checking) ways();
  return pass || !checks ? subprotocols() : null;
}

/** Whether the check was passed, for some seconds: it may ask something, or not work. */
export async function admission() {
  await ways();
  const late = new Promise((resolve) => setTimeout(resolve, ADMISSION));
  await Promise.race([checking, late]);
  return pass !== "";
}

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
    const { iceServers, ttl, hideAddress, check } = await ask("/v1/ice", pass);
    known = { iceServers, until: since + ttl * 1_000, hideAddress };
    remember(HIDES, hideAddress);
    freshUntil = since + FRESH * ttl * 1_000;
    heed(check);
  } catch {
    freshUntil = Date.now() + 10_000;
    // What was answered before may hold still.
    if (freshUntil > known.until) known = { ...known, iceServers: [], until: freshUntil };
  }
  return known;
}

/** @param {string | undefined} siteKey of the check that comes first; none where we are let in */
function heed(siteKey) {
  const before = checks;
  checks = siteKey !== undefined || pass !== "";
  if (checks !== before) remember(CHECKS, checks);
  if (siteKey !== undefined) checking ??= undergo(siteKey).finally(() => (checking = undefined));
  else if (before && !checks) admitted();
}

/** @param {string} siteKey */
async function undergo(siteKey) {
  keep("");
  try {
    const { obtain } = await import("./pass.js");
    keep(await obtain(siteKey, new URL("/v1/pass", base)));
    freshUntil = 0;
    admitted();
  } catch {
    // It was not even loaded, and is tried again with the next answer.
  }
}

/** @param {string} given */
function keep(given) {
  pass = given;
  remember(PASS, pass, "session");
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

/** @param {string} path @param {string} [body] what is posted, if anything */
async function ask(path, body) {
  const how = body ? { method: "POST", body } : {};
  const answer = await fetch(new URL(path, base), { ...how, signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}
