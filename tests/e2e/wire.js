// The wire between one browser and the server, which a test can cut, and which may be long.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** @import { Socket } from "node:net" */
/** @typedef {Awaited<ReturnType<typeof lay>>} Wire */

/**
 * @param {number} port of the server
 * @param {number} [roundTrip] how long it takes there and back, in milliseconds, half of it each way
 */
export async function lay(port, roundTrip = 0) {
  let cut = false;
  /** @type {Set<Socket>} */
  const ends = new Set();
  /** Timers of one length go off in their order. @param {() => void} action */
  const later = (action) => (roundTrip > 0 && !cut ? setTimeout(action, roundTrip / 2) : action());
  /** What comes out of one end goes into the other, and so does its end. @param {Socket} end @param {Socket} other */
  const join = (end, other) => {
    ends.add(end);
    // A small message is not kept back until the one before it was acknowledged (RFC 9293, section 3.7.4).
    end.setNoDelay();
    end.on("data", (bytes) => later(() => other.write(bytes)));
    end.on("end", () => later(() => other.end()));
    end.on("error", () => {});
    end.on("close", () => {
      ends.delete(end);
      later(() => other.destroy());
    });
  };
  const server = createServer((near) => {
    if (cut) return near.resetAndDestroy();
    const far = connect(port, "localhost");
    join(near, far);
    join(far, near);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const own = /** @type {import("node:net").AddressInfo} */ (server.address()).port;
  return {
    /** Where a browser finds the server behind it. */
    address: `http://localhost:${own}`,
    /** Nothing goes over it any more, and both ends know. */
    cut() {
      cut = true;
      for (const end of ends) end.resetAndDestroy();
    },
    mend() {
      cut = false;
    },
    async close() {
      this.cut();
      server.close();
      await once(server, "close");
    },
  };
}
