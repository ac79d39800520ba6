// The connections of a page, in reach of a test, and what the page says to whom.

/** `met`: those of the connections that have been to somebody.
 * @typedef {{ connections: RTCPeerConnection[], met: RTCPeerConnection[], said: string[] }} Page */

/** To be run on each new document of the page, before its own scripts. */
export const keepConnections = () => {
  const page = /** @type {Page} */ (/** @type {unknown} */ (window));
  page.connections = [];
  page.met = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      page.connections.push(this);
      this.addEventListener("signalingstatechange", () => {
        if (this.signalingState === "stable" && !page.met.includes(this)) page.met.push(this);
      });
    }
  };
};

/** Likewise. What is sent, to the server as to another page, is kept. */
export const keepWords = () => {
  const page = /** @type {Page} */ (/** @type {unknown} */ (window));
  page.said = [];
  for (const { prototype } of [WebSocket, RTCDataChannel]) {
    const { send } = prototype;
    /** @param {any} data */
    prototype.send = function (data) {
      page.said.push(String(data));
      send.call(this, data);
    };
  }
};
