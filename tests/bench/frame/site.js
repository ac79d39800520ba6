// A site on this machine: the files of a folder, with the headers that it asks for.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

/**
 * @param {string} folder
 * @param {string} [start] the page at `/`
 */
export async function serve(folder, start = "index.html") {
  const headers = await wanted(folder);
  const server = createServer(async ({ url = "/" }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    const path = join(folder, pathname === "/" ? start : pathname);
    try {
      const body = await readFile(path);
      response.writeHead(200, { ...headers, "content-type": TYPES[extname(path)] }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    address: `http://localhost:${port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/**
 * Those for all files; without a `_headers` file there are none.
 * @param {string} folder
 * @returns {Promise<Record<string, string>>}
 */
async function wanted(folder) {
  const text = await readFile(join(folder, "_headers"), "utf8").catch(() => "");
  const lines = text.matchAll(/^ +([\w-]+): (.+)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}
