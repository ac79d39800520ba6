// What the tests of calls take for granted of their networks.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { PORT, startCoturn } from "./coturn.js";
import { build, inside, plug, SERVER, unplug } from "./topology.js";

const run = promisify(execFile);

/** Connects to the server, and prints the own address or what is in the way. */
const CONNECT = `
  const socket = require("node:net").connect(${PORT}, "${SERVER}");
  socket.on("connect", () => {
    console.log(socket.localAddress);
    socket.destroy();
  });
  socket.on("error", (error) => console.log(error.code));
`;

/** @param {string} namespace */
async function connect(namespace) {
  const args = [...inside(namespace), process.execPath, "-e", CONNECT];
  const { stdout } = await run("ip", args, { timeout: 20_000 });
  return stdout.trim();
}

test("a host that is unplugged reaches nobody, and is back under another address", async (t) => {
  const network = build("port-preserving");
  t.after(network.remove);
  const coturn = await startCoturn(network.server, SERVER, "unused");
  t.after(coturn.stop);
  assert.equal(await connect(network.ana.namespace), "10.1.0.2");
  unplug(network.ana);
  assert.equal(await connect(network.ana.namespace), "ENETUNREACH");
  assert.equal(await connect(network.ben.namespace), "10.2.0.2");
  plug(network.ana, "10.1.0.77");
  assert.equal(await connect(network.ana.namespace), "10.1.0.77");
});
