// A site whose day is full. Only Cloudflare ends a day, so what it answers then is played here: an error page in place
// of the Worker's answers, while the pages themselves are still served.

import { once } from "node:events";
import { createServer } from "node:http";

/** @import { AddressInfo } from "node:net" */

/**
 * Serves with `answer`, and refuses every WebSocket.
 *
 * @param {import("node:http").RequestListener} answer
 */
async function serve(answer) {
  const server = createServer(answer);
  server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 429 Too Many Requests\r\n\r\n"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    address: `http://localhost:${/** @type {AddressInfo} */ (server.address()).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** @type {import("node:http").RequestListener} */
const refuse = (_, answer) => {
  answer.writeHead(429, { "content-type": "text/html" }).end("<h1>Error 1027</h1>");
};

/** Signaling that is refused. */
export const signaling = () => serve(refuse);

/**
 * The pages of a site, with their signaling on this origin or on another, and all of that refused.
 *
 * @param {string} site
 * @param {string} [elsewhere] where their signaling is, if it is not here
 */
export function pages(site, elsewhere = "") {
  return serve(async (request, answer) => {
    const path = request.url ?? "/";
    if (path.startsWith("/v1/")) return refuse(request, answer);
    const page = await fetch(site + path);
    const headers = Object.fromEntries(page.headers);
    const both = `connect-src 'self' ${elsewhere} ${elsewhere.replace("http", "ws")}`;
    const policy = headers["content-security-policy"];
    if (policy)
      headers["content-security-policy"] = policy.replace("connect-src 'self'", both.trim());
    for (const name of ["content-encoding", "content-length", "transfer-encoding"])
      delete headers[name];
    const named = `name="signaling" content="${elsewhere}"`;
    const text = await page.text();
    answer.writeHead(page.status, headers).end(text.replace('name="signaling" content=""', named));
  });
}

/** In a page: tries to reach the server follow each other at once. */
export const hurry = () => {
  const wait = window.setTimeout.bind(window);
  /** @type {any} */ (window).setTimeout = (
    /** @type {() => void} */ action,
    /** @type {number} */ milliseconds,
  ) => wait(action, milliseconds / 20);
};
