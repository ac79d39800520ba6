// What is tried after a deployment, on a server of this machine: that it finds what works, and what does not.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
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
 * A server that has Turnstile in front of it, as far as a program gets there.
 *
 * @param {{ foreign: number }} answers the status for a foreign page
 */
async function guarded({ foreign }) {
  const stand = createServer((request, response) => {
    const strange = request.headers.origin?.endsWith(".invalid");
    const body = {
      "/healthz": "ok 1.2.3\n",
      "/v1/ice": JSON.stringify({ iceServers: [], ttl: 3600, hideAddress: false, check: "0x1" }),
    }[request.url ?? ""];
    response.writeHead(strange ? foreign : 200, { "content-type": "application/json" }).end(body);
  });
  stand.on("upgrade", (_, socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n"));
  stand.listen(0, "127.0.0.1");
  await once(stand, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (stand.address());
  return { signaling: `http://127.0.0.1:${port}`, stop: () => stand.close() };
}

test("where Turnstile is in front nobody meets, which is no failure; a server open to all is one", async () => {
  for (const [foreign, expected] of /** @type {[number, string[]][]} */ ([
    [403, []],
    [200, ["foreign pages: /v1/ice answers 200, not 403"]],
  ])) {
    const { signaling, stop } = await guarded({ foreign });
    try {
      const target = { signaling, sites: [], origins: ["https://meet.pages.dev"] };
      assert.deepEqual(await wrongs({ ...target, version: "1.2.3" }), expected);
    } finally {
      stop();
    }
  }
});
