// Why somebody is not reached, found out where it takes longer than it should. What finds it out is loaded
// only then.

import { copy } from "./link.js";
import { mention } from "./page.js";
import { ways } from "./server.js";

/** @import { Call } from "./call.js" */
/** @import { Finding } from "./diagnosis.js" */

/**
 * How long a connection may take to come about until it is looked why, and until that is told, in
 * milliseconds. A look takes five seconds at most (examination.js), and a connection may fail after as many.
 */
export const DOUBTFUL = 4_000;
const LONG = 10_000;

/** Of a call one look at a time: what keeps us from one in a room keeps us from the next, and a look is no
 * small thing. @type {Call | null} */
let looking = null;

/**
 * To be called when it is doubtful.
 * @param {Call | null} call
 * @param {string} id of a peer
 * @returns {Promise<{ finding: Finding, copyReport: () => void } | null>} when it has taken long, or even
 *   failed by then; nothing where the peer has been reached, or has begun anew
 */
export async function explainDelay(call, id) {
  if (!call?.has(id) || looking === call || connected(call.connection(id))) return null;
  looking = call;
  try {
    return await look(call, id);
  } finally {
    if (looking === call) looking = null;
  }
}

/** @param {Call} call @param {string} id */
async function look(call, id) {
  const long = new Promise((resolve) => setTimeout(resolve, LONG - DOUBTFUL));
  const [{ explain }, { iceServers }] = await Promise.all([import("./examination.js"), ways()]);
  const connection = call.connection(id);
  if (!connection) return null;
  const { finding, report } = await explain(connection, iceServers);
  await long;
  const anew = call.has(id) && call.connection(id) !== connection;
  if (anew || connected(connection)) return null;
  return {
    finding,
    async copyReport() {
      const copied = await copy(report);
      mention(copied ? "The report is on the clipboard." : "The report cannot be copied here.");
    },
  };
}

/** @param {RTCPeerConnection | null} connection */
const connected = (connection) => connection?.connectionState === "connected";
