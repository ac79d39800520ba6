// The connections of a page, in reach of a test.

/** @typedef {{ connections: RTCPeerConnection[] }} Page */

/** To be run on each new document of the page, before its own scripts. */
export const keepConnections = () => {
  const page = /** @type {Page} */ (/** @type {unknown} */ (window));
  page.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      page.connections.push(this);
    }
  };
};
