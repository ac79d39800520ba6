// How a call came about, for who runs the server to see: whether, how soon, and whether by a relay.

import { relayed } from "./call.js";

/** @import { Report } from "./lib/protocol.js" */

export class Outcome {
  #began = performance.now();
  #ms = 0;
  #connected = false;
  #relayed = false;

  /** Both hear each other. Only the first time counts. @param {RTCPeerConnection | null | undefined} connection */
  reached(connection) {
    if (this.#connected) return;
    this.over();
    this.#connected = true;
    // A connection that is closed meanwhile tells nothing.
    if (connection)
      relayed(connection)
        .then((by) => (this.#relayed = by))
        .catch(() => {});
  }

  /** It is over, whether it came about or not. */
  over() {
    this.#ms ||= this.#elapsed();
  }

  /** @returns {Report} */
  get report() {
    const ms = this.#ms || this.#elapsed();
    return { connected: this.#connected, ms, relayed: this.#relayed };
  }

  #elapsed() {
    return Math.max(1, Math.round(performance.now() - this.#began));
  }
}
