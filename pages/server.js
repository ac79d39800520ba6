// Where the signaling server is, and what it answers besides the WebSocket.

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

/** @type {Ways} */
let known = { iceServers: [], until: 0, hideAddress: false };

/**
 * The ICE servers, asked for anew when the last answer has expired. Without an answer there are none,
 * and people in one network still meet.
 *
 * @returns {Promise<Ways>}
 */
export async function ways() {
  if (Date.now() < known.until) return known;
  try {
    const { iceServers, ttl, hideAddress } = await ask("/v1/ice");
    known = { iceServers, until: Date.now() + ttl * 1_000, hideAddress };
  } catch {
    known = { ...known, iceServers: [], until: Date.now() + 10_000 };
  }
  return known;
}

/** Whether a relay is among them. @param {Ways} ways */
export function relays({ iceServers }) {
  return iceServers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));
}

/** @returns {Promise<number>} how many people there are; 0 where that is not known */
export async function online() {
  try {
    return (await ask("/v1/stats")).online;
  } catch {
    return 0;
  }
}

/** @param {string} path */
async function ask(path) {
  const answer = await fetch(new URL(path, base), { signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}
