// What every test of a network needs: Ana and Ben, each at a Chromium in a network of its own, and outside
// of it the site with its signaling, STUN and, if wanted, TURN.

import { randomUUID } from "node:crypto";
import { visit } from "../e2e/browsers.js";
import { keepConnections } from "../e2e/connections.js";
import { start } from "../e2e/server.js";
import { FPS, goHome } from "../e2e/stage.js";
import { PORT, startCoturn } from "./coturn.js";
import { build, inside, SERVER } from "./topology.js";

/** @import { TestContext } from "node:test" */
/** @import { Person } from "../e2e/browsers.js" */
/** @import { Coturn } from "./coturn.js" */
/** @import { Host, Kind } from "./topology.js" */

const SITE_PORT = 8787;
const SITE = `http://${SERVER}:${SITE_PORT}`;

/**
 * All of it is gone again after the test.
 *
 * @param {Pick<TestContext, "after">} t
 * @param {Kind} kind
 * @param {{ relay?: boolean }} [options] whether the site is told of the TURN server
 */
export async function scene(t, kind, { relay = true } = {}) {
  const network = build(kind);
  /** @type {Person[]} */
  const people = [];
  /** @type {Coturn | undefined} */
  let coturn;
  /** @type {import("../e2e/server.js").Server | undefined} */
  let site;
  t.after(async () => {
    try {
      await goHome(people);
    } finally {
      await site?.stop();
      await coturn?.stop();
      network.remove();
    }
  });
  const secret = randomUUID();
  coturn = await startCoturn(network.server, SERVER, secret);
  /** @type {Record<string, string>} */
  const variables = { STUN_URLS: `stun:${SERVER}:${PORT}` };
  if (relay) {
    const url = `turn:${SERVER}:${PORT}`;
    Object.assign(variables, {
      TURN_URLS: `${url}?transport=udp,${url}?transport=tcp`,
      TURN_SECRET: secret,
    });
  }
  const where = { inside: ["ip", ...inside(network.server)], ip: SERVER, port: SITE_PORT };
  site = await start({ ...where, variables });

  /** @param {Host} host */
  const comes = async ({ namespace }) => {
    // A camera is for secure pages alone, and this site has no certificate.
    const args = [`--unsafely-treat-insecure-origin-as-secure=${SITE}`];
    const person = await visit(SITE, "chromium", {
      namespace,
      fps: FPS,
      args,
      first: keepConnections,
    });
    people.push(person);
    return person;
  };
  const ana = await comes(network.ana);
  const ben = await comes(network.ben);
  return { ana, ben, network };
}
