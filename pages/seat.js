// What a page leaves to itself for after a reload: the token of its seat, and how its person was in the
// call. It is there from the end of one page to the beginning of the next, so a doubled tab has none.

/** @import { Signaling } from "./lib/signaling.js" */

/**
 * @typedef {object} Seat
 * @property {string} token
 * @property {{ microphone: boolean, camera: boolean }} wants
 */

const KEY = `seat ${location.pathname}`;

/** @returns {Seat | null} that of the page before this one */
export function takeSeat() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    sessionStorage.removeItem(KEY);
    return typeof kept?.token === "string" ? kept : null;
  } catch {
    return null;
  }
}

/**
 * Says to the server that this page goes away and may come back, and keeps what it takes to.
 * @param {Signaling} signaling
 * @param {Seat["wants"]} wants
 */
export function keepSeat(signaling, wants) {
  const { token } = signaling;
  if (!token) return;
  signaling.send({ type: "away" });
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ token, wants }));
  } catch {
    // Storage is full or forbidden; the call then ends with the page.
  }
}
