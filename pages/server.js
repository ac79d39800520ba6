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
 * By what a connection finds its way.
 *
 * @typedef {object} Ice
 * @property {RTCIceServer[]} servers none without an answer: people in one network still meet
 * @property {boolean} relay whether one of them is a relay
 * @property {boolean | undefined} hideAddress whether relays only are used by who has not chosen;
 *   undefined as long as the server has not said
 * @property {number} until when to ask for them anew, as `Date.now()` counts
 */

/** @type {Ice} */
let known = { servers: [], relay: false, hideAddress: undefined, until: 0 };

/** @type {Promise<Ice> | undefined} */
let asking;

/**
 * The ICE servers and what belongs to them, asked for anew when the last answer has grown old.
 *
 * @returns {Promise<Ice>}
 */
export async function ice() {
  if (Date.now() < known.until) return known;
  asking ??= askForIce().finally(() => (asking = undefined));
  return asking;
}

/** @returns {Promise<RTCIceServer[]>} the servers alone */
export async function iceServers() {
  return (await ice()).servers;
}

async function askForIce() {
  // What holds for ten minutes does so from when it was made, which is after it was asked for.
  const since = Date.now();
  try {
    /** @type {import("./lib/protocol.js").IceConfiguration} */
    const { iceServers: servers, ttl, hideAddress } = await ask("/v1/ice");
    const relay = servers.some(({ urls }) => urls.some((url) => /^turns?:/.test(url)));
    // A tenth before its end: a connection made now still has to use it.
    known = { servers, relay, hideAddress, until: since + ttl * 900 };
  } catch {
    const { hideAddress } = known;
    known = { servers: [], relay: false, hideAddress, until: Date.now() + 10_000 };
  }
  return known;
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
