// The rate limiters of wrangler.toml, as wrangler stands in for them: they count for all instances of the Worker.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { start } from "../e2e/server.js";

/** @type {import("../e2e/server.js").Server} */
let server;

before(async () => {
  server = await start({
    variables: { TURN_URLS: "turn:turn.example", TURN_SECRET: "a secret of this test" },
  });
});
after(() => server?.stop());

/**
 * The status of an upgrade from an address; 101 where it is one.
 *
 * @param {string} address
 */
async function connect(address) {
  const url = `${server.address.replace("http", "ws")}/v1/match`;
  const socket = new WebSocket(url, { headers: { "cf-connecting-ip": address } });
  socket.on("error", () => {});
  const refused = once(socket, "unexpected-response").then(([, answer]) => answer.statusCode);
  const status = await Promise.race([once(socket, "open").then(() => 101), refused]);
  socket.terminate();
  return status;
}

/** @param {string} address */
async function askForRelays(address) {
  const headers = { origin: server.address, "cf-connecting-ip": address };
  const answer = await fetch(`${server.address}/v1/ice`, { headers });
  await answer.text();
  return answer.status;
}

for (const { what, ask, served, limit } of [
  { what: "opens sockets", ask: connect, served: 101, limit: 300 },
  { what: "asks for relays", ask: askForRelays, served: 200, limit: 60 },
]) {
  test(`a network that ${what} is counted by the minute, and another is not`, async () => {
    // It is counted by the minutes of the clock, and one may end meanwhile.
    let count = 0;
    let status = served;
    while (status === served && count <= 2 * limit) {
      status = await ask("192.0.2.1");
      if (status === served) count++;
    }
    assert.equal(status, 429);
    assert.ok(count >= limit, `${count} were served`);
    assert.equal(await ask("192.0.2.2"), served);
  });
}
