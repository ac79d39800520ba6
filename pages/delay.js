// Why somebody is not reached, found out where it takes longer than it should. What finds it out is loaded
// only then.

import { copy } from "./link.js";
import { mention } from "./page.js";
import { ways } from "./server.js";

/** @import { Call } from "./call.js" */
/** @import { Finding } from "./diagnosis.js" */

/** How long a connection may take to come about, in milliseconds. */
export const LONG_CONNECTION = 10_000;

/**
 * @param {Call | null} call
 * @param {string} id of a peer
 * @returns {Promise<{ finding: Finding, copyReport: () => void } | null>} nothing where it has been reached
 *   or given up
 */
export async function explainDelay(call, id) {
  const connection = call?.connection(id);
  const reached = () => connection?.connectionState === "connected";
  if (!connection || reached()) return null;
  const { explain } = await import("./examination.js");
  const { finding, report } = await explain(connection, (await ways()).iceServers);
  if (reached()) return null;
  return {
    finding,
    async copyReport() {
      const copied = await copy(report);
      mention(copied ? "The report is on the clipboard." : "The report cannot be copied here.");
    },
  };
}
