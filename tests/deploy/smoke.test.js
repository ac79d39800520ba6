// What is tried after a deployment, on a server of this machine: that it finds what works, and what does not.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { WebSocketServer } from "ws";
import { Problem } from "../../scripts/problem.mjs";
import { Progress } from "../../scripts/progress.mjs";
import { smoke, version } from "../../scripts/smoke.mjs";
import { freePort, start } from "../e2e/server.js";

/** As a deployment sets it. */
const ALLOWED_ORIGINS = "https://meet.pages.dev,https://*.meet.pages.dev";

/** @type {import("../e2e/server.js").Server} */
let server;

before(async () => {
  // A relay that is configured and cannot be had: nobody listens where it is asked.
  const TURN_API = `http://127.0.0.1:${await freePort()}`;
  const relay = { TURN_KEY_ID: "key", TURN_KEY_API_TOKEN: "token", TURN_API };
  server = await start({ variables: { ALLOWED_ORIGINS, ...relay } });
});

after(() => server?.stop());

/**
 * @param {Partial<import("../../scripts/smoke.mjs").Target>} [changes]
 * @returns {Promise<string[]>} what did not work
 */
async function wrongs(changes) {
  const target = {
    signaling: server.address,
    sites: [server.address],
    origins: [server.address, "https://meet.pages.dev", "https://4f2a.meet.pages.dev"],
    version: await version(),
    patience: 0,
    ...changes,
  };
  try {
    await smoke(target, new Progress());
    return [];
  } catch (error) {
    if (error instanceof Problem) return error.hint.split("\n");
    throw error;
  }
}

const NO_RELAY = "ICE servers: a relay is configured and none could be had; see: npx wrangler tail";

test("of what works, all is found to work; a relay that fails is named", async () => {
  assert.deepEqual(await wrongs(), [NO_RELAY]);
});

test("an older version is not taken for the one that was built", async () => {
  const said = `health: “ok ${await version()}”, and 99.0.0 was built`;
  assert.deepEqual(await wrongs({ version: "99.0.0" }), [said, NO_RELAY]);
});

test("an origin that looks like a preview is none", async () => {
  for (const lookalike of [
    "https://meet.pages.dev.evil.example",
    "https://evil-meet.pages.dev",
    "https://a.b.meet.pages.dev",
    "http://4f2a.meet.pages.dev",
  ]) {
    const [wrong] = await wrongs({ origins: [server.address, lookalike] });
    assert.equal(wrong, `health: pages of ${lookalike} may not use it`);
  }
});

test("a site that names another signaling server, or none, is no site of this one", async () => {
  const signaling = server.address.replace("localhost", "127.0.0.1");
  const wrong = `site: ${server.address}/ does not name ${signaling} as its signaling`;
  const origins = ["https://meet.pages.dev"];
  assert.deepEqual(await wrongs({ signaling, origins }), [wrong, NO_RELAY]);
});

test("a server that lets only some in is not open, and nothing works where nobody answers", async () => {
  const open = await wrongs({ open: true });
  assert.deepEqual(open, [NO_RELAY, "foreign pages: /v1/ice answers 403, not 200"]);
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const all = await wrongs({ signaling: nobody, sites: [nobody], origins: [nobody] });
  assert.equal(all.length, 6, all.join("\n"));
});

/**
 * A server that is not ours: what it says is what a test has it say.
 *
 * @param {object} answers
 * @param {number} [answers.foreign] the status for a foreign page
 * @param {string} [answers.check] the site key of Turnstile, where that lets nobody in
 * @param {(socket: import("ws").WebSocket, message: any, sockets: import("ws").WebSocket[]) => void} [answers.hear]
 */
async function standIn({ foreign = 403, check, hear = () => {} }) {
  const stand = createServer((request, response) => {
    const strange = request.headers.origin?.endsWith(".invalid");
    const body = {
      "/healthz": "ok 1.2.3\n",
      "/v1/ice": JSON.stringify({ iceServers: [], ttl: 3600, hideAddress: false, check }),
    }[request.url ?? ""];
    response.writeHead(strange ? foreign : 200, { "content-type": "application/json" }).end(body);
  });
  const server = new WebSocketServer({ noServer: true });
  stand.on("upgrade", (request, socket, head) => {
    if (check || request.headers.origin?.endsWith(".invalid")) {
      return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    }
    server.handleUpgrade(request, socket, head, (client) => server.emit("connection", client));
  });
  /** @type {import("ws").WebSocket[]} */
  const sockets = [];
  server.on("connection", (socket) => {
    say(socket, { type: "welcome", id: `${sockets.push(socket)}` });
    socket.on("message", (text) => hear(socket, JSON.parse(`${text}`), sockets));
  });
  stand.listen(0, "127.0.0.1");
  await once(stand, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (stand.address());
  const target = { signaling: `http://127.0.0.1:${port}`, sites: [], version: "1.2.3" };
  return {
    target: { ...target, origins: ["https://meet.pages.dev"] },
    stop() {
      server.close();
      stand.close();
    },
  };
}

/** @param {import("ws").WebSocket | undefined} socket @param {object} message */
const say = (socket, message) => socket?.send(JSON.stringify(message));

test("where Turnstile is in front nobody meets, which is no failure; a server open to all is one", async () => {
  for (const [foreign, expected] of /** @type {[number, string[]][]} */ ([
    [403, []],
    [200, ["foreign pages: /v1/ice answers 200, not 403"]],
  ])) {
    const { target, stop } = await standIn({ check: "0x1", foreign });
    try {
      assert.deepEqual(await wrongs(target), expected);
    } finally {
      stop();
    }
  }
});

test("a server where people do not meet, or not each other, or say something else, does not work", async () => {
  /** @type {[string, (socket: import("ws").WebSocket, message: any, sockets: import("ws").WebSocket[]) => void][]} */
  const servers = [
    ["refused: not today", (socket) => say(socket, { type: "error", message: "not today" })],
    ["the socket was closed before peer-joined came", (socket) => socket.close()],
    [
      "somebody else was met",
      (socket) => say(socket, { type: "peer-joined", peer: { id: "somebody" } }),
    ],
    [
      "a signal arrived as another",
      (socket, { type, data }, sockets) => {
        const place = sockets.indexOf(socket);
        const peer = place % 2 === 0 ? place + 1 : place - 1;
        if (type !== "signal") say(socket, { type: "peer-joined", peer: { id: `${peer + 1}` } });
        else say(sockets[peer], { type, from: `${place + 1}`, data: { ...data, more: 1 } });
      },
    ],
  ];
  for (const [wrong, hear] of servers) {
    const { target, stop } = await standIn({ hear });
    try {
      assert.deepEqual(await wrongs(target), [`random chat: ${wrong}`, `room: ${wrong}`]);
    } finally {
      stop();
    }
  }
});
