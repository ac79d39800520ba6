// The wire between one browser and the server, which a test can cut.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** @import { Socket } from "node:net" */
/** @typedef {Awaited<ReturnType<typeof lay>>} Wire */

/** @param {number} port of the server */
export async function lay(port) {
  let cut = false;
  /** @type {Set<Socket>} */
  const ends = new Set();
  /** What comes out of one end goes into the other, and so does its end. @param {Socket} end @param {Socket} other */
  const join = (end, other) => {
    ends.add(end);
    end.pipe(other);
    end.on("error", () => {});
    end.on("close", () => {
      ends.delete(end);
      other.destroy();
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
