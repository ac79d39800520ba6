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

/** @type {{ servers: RTCIceServer[], until: number }} */
let known = { servers: [], until: 0 };

/**
 * The ICE servers, asked for anew when the last answer has expired. Without an answer there are none,
 * and people in one network still meet.
 *
 * @returns {Promise<RTCIceServer[]>}
 */
export async function iceServers() {
  if (Date.now() < known.until) return known.servers;
  try {
    const { iceServers: servers, ttl } = await ask("/v1/ice");
    known = { servers, until: Date.now() + ttl * 1_000 };
  } catch {
    known = { servers: [], until: Date.now() + 10_000 };
  }
  return known.servers;
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
