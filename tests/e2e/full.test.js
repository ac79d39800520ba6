// A site that has served all that it may today. Only Cloudflare ends a day, so what it answers then is played here:
// an error page in place of the Worker's answers, while the pages themselves are still served.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { stage } from "./stage.js";

/** @import { AddressInfo } from "node:net" */

const scene = stage();

/**
 * Serves with `answer`, and refuses every WebSocket.
 *
 * @param {import("node:test").TestContext} context
 * @param {import("node:http").RequestListener} answer
 * @returns {Promise<string>} where
 */
async function serve(context, answer) {
  const server = createServer(answer);
  server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 429 Too Many Requests\r\n\r\n"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${/** @type {AddressInfo} */ (server.address()).port}`;
}

/** @type {import("node:http").RequestListener} */
const refuse = (_, answer) => {
  answer.writeHead(429, { "content-type": "text/html" }).end("<h1>Error 1027</h1>");
};

/**
 * The pages, with the signaling on this origin or on another, and all of that refused.
 *
 * @param {import("node:test").TestContext} context
 * @param {string} signaling empty where it is their own
 */
function pages(context, signaling) {
  return serve(context, async (request, answer) => {
    const path = request.url ?? "/";
    if (path.startsWith("/v1/")) return refuse(request, answer);
    const page = await fetch(scene.address + path);
    const headers = Object.fromEntries(page.headers);
    const policy = headers["content-security-policy"];
    const both = `connect-src 'self' ${signaling} ${signaling.replace("http", "ws")}`;
    if (policy)
      headers["content-security-policy"] = policy.replace("connect-src 'self'", both.trim());
    const text = await page.text();
    const named = `name="signaling" content="${signaling}"`;
    for (const name of ["content-encoding", "content-length", "transfer-encoding"])
      delete headers[name];
    answer.writeHead(page.status, headers).end(text.replace('name="signaling" content=""', named));
  });
}

/** Tries to reach the server follow each other at once. */
const hurry = () => {
  const wait = window.setTimeout.bind(window);
  /** @type {any} */ (window).setTimeout = (
    /** @type {() => void} */ action,
    /** @type {number} */ milliseconds,
  ) => wait(action, milliseconds / 20);
};

for (const { where, title, elsewhere } of [
  { where: "on the page's own origin", title: "Full for today", elsewhere: false },
  { where: "elsewhere", title: "Nobody is let in right now", elsewhere: true },
]) {
  test(`who is refused ${where} is told that the day is full, and when the next begins`, async (context) => {
    const signaling = elsewhere ? await serve(context, refuse) : "";
    const address = await pages(context, signaling);
    const ana = await scene.visitor("chromium", { wire: { address }, first: [hurry] });
    await ana.reads("status", title);
    await ana.click("start");
    await ana.waitFor(
      (title) => document.querySelector("#wait-title")?.textContent === title,
      title,
    );
    const advice = await ana.page.$eval("#wait-advice", (element) => element.textContent ?? "");
    assert.match(advice, /It opens again at \d+:\d\d|Then it opens again at \d+:\d\d/);

    const room = await scene.visitor("chromium", {
      wire: { address },
      path: "/r/den",
      first: [hurry],
    });
    // Where the camera is allowed already, one is on the way in.
    await room.page.evaluate(() => document.getElementById("without")?.click());
    await room.reads("status", title);
    await room.waitFor(
      (title) => document.querySelector("#told-title")?.textContent === title,
      title,
    );
    for (const person of [ana, room]) person.complaints.length = 0;
  });
}
