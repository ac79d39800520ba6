// Whether the person's address is hidden from those it talks to: by its own choice, or else by that of the
// site. Who hides goes by a relay or not at all.

import { recall, remember } from "./memory.js";
import { relays, ways } from "./server.js";

const KEY = "hide-address";

/** What the person has chosen; nothing where it has not. */
let chosen = recall(KEY);

/** @param {boolean} hidden from now on */
export function choose(hidden) {
  chosen = hidden;
  remember(KEY, hidden);
}

/** The ways that a call may take. */
export async function permittedWays() {
  const all = await ways();
  const hidden = typeof chosen === "boolean" ? chosen : all.hideAddress;
  /** @type {RTCIceTransportPolicy} */
  const iceTransportPolicy = hidden ? "relay" : "all";
  return { ...all, iceTransportPolicy };
}

/** How it stands, and whether there is a choice. @returns {Promise<{ offered: boolean, hidden: boolean }>} */
export async function address() {
  const permitted = await permittedWays();
  const hidden = permitted.iceTransportPolicy === "relay";
  return { offered: hidden || relays(permitted), hidden };
}
