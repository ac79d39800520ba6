// The way that packets take between two people: the candidate pair that ICE has selected.

import { setTimeout as pause } from "node:timers/promises";
import { PATIENCE } from "../e2e/browsers.js";

/** @import { Person } from "../e2e/browsers.js" */
/** @import { Page } from "../e2e/connections.js" */

/**
 * The types of both ends of each connection (RFC 8445, section 4), as in "host to srflx". An own relay
 * says how it is reached: "relay over tcp to relay" (W3C webrtc-stats, `relayProtocol`).
 */
const routes = async () => {
  const { connections } = /** @type {Page} */ (/** @type {unknown} */ (window));
  /** @type {string[]} */
  const found = [];
  for (const connection of connections) {
    if (connection.connectionState !== "connected") continue;
    const reports = await connection.getStats();
    for (const report of reports.values()) {
      if (report.type !== "transport") continue;
      const pair = reports.get(report.selectedCandidatePairId);
      const local = reports.get(pair?.localCandidateId);
      const remote = reports.get(pair?.remoteCandidateId);
      const over = local?.relayProtocol ? ` over ${local.relayProtocol}` : "";
      found.push(`${local?.candidateType}${over} to ${remote?.candidateType}`);
    }
  }
  return found.join(", ");
};

/**
 * Waits until the way between two people is as expected, for ICE goes on to better ones after the first.
 *
 * @param {Person[]} people
 * @param {RegExp} expected
 * @returns {Promise<string[]>} the routes, as each of them sees it; when it took too long, as they are
 */
export async function settled(people, expected) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const all = await Promise.all(people.map(({ page }) => page.evaluate(routes)));
    if (all.every((route) => expected.test(route)) || Date.now() > deadline) return all;
    await pause(100);
  }
}
