// The built Worker, whose directory can be told to end: what it knew and did not keep is lost, and it is made again
// when it is asked next, as after a fault of the platform (Cloudflare: Durable Objects, `abort`).

import Worker, { DirectoryObject as Directory } from "./index.js";

export { LobbyObject, RoomObject } from "./index.js";

/** How often a directory was made. */
let made = 0;

export class DirectoryObject extends Directory {
  constructor(...given) {
    super(...given);
    made++;
  }

  end() {
    this.ctx.abort("it is told to end");
  }
}

export default class extends Worker {
  async fetch(request) {
    if (!request.url.endsWith("/end-directory")) return super.fetch(request);
    const directory = () => this.env.DIRECTORY.getByName("directory");
    await directory()
      .end()
      .catch(() => {});
    await directory().layout();
    return Response.json({ made });
  }
}
