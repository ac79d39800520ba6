// Relays for real: what /v1/ice gives out, a coturn takes, and two browsers' connections that may use
// nothing else meet there.

import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { PATIENCE } from "./browsers.js";
import { freePort } from "./server.js";
import { stage } from "./stage.js";
import { startRelay } from "./turnserver.js";

/** @import { Person } from "./browsers.js" */
/** @import { IceConfiguration } from "../../pages/lib/protocol.js" */

const PORT = await freePort();
const SECRET = randomUUID();
const URLS = ["udp", "tcp"].map((way) => `turn:127.0.0.1:${PORT}?transport=${way}`);

/** A connection that does not come about is waited for by nobody else. */
const BOUNDED = { timeout: 2 * PATIENCE };

const scene = stage({ TURN_URLS: URLS.join(), TURN_SECRET: SECRET, HIDE_ADDRESS: "on" });

/** @type {Awaited<ReturnType<typeof startRelay>>} */
let relay;
before(async () => {
  relay = await startRelay({ port: PORT, secret: SECRET });
});
after(() => relay?.stop());

/** @param {Person} person @returns {Promise<IceConfiguration>} what its page is told */
const told = ({ page }) => page.evaluate(async () => (await fetch("/v1/ice")).json());

/**
 * Two connections of one page, over relays alone.
 * @param {Person} person
 * @param {RTCIceServer[]} iceServers
 * @returns {Promise<string[]>} the types of the candidates at both ends of both
 */
const connect = ({ page }, iceServers) =>
  page.evaluate(async (iceServers) => {
    const ends = [0, 1].map(
      () => new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" }),
    );
    const [a, b] = /** @type {[RTCPeerConnection, RTCPeerConnection]} */ (ends);
    a.onicecandidate = ({ candidate }) => candidate && b.addIceCandidate(candidate);
    b.onicecandidate = ({ candidate }) => candidate && a.addIceCandidate(candidate);
    const channel = a.createDataChannel("call");
    const heard = new Promise((resolve) => {
      b.ondatachannel = ({ channel }) => {
        channel.onmessage = ({ data }) => resolve(data);
      };
    });
    channel.onopen = () => channel.send("hello");
    await a.setLocalDescription();
    await b.setRemoteDescription(/** @type {any} */ (a.localDescription));
    await b.setLocalDescription();
    await a.setRemoteDescription(/** @type {any} */ (b.localDescription));
    if ((await heard) !== "hello") throw new Error("something else was heard");
    const types = [];
    for (const end of ends) {
      const reports = await end.getStats();
      for (const pair of reports.values()) {
        if (pair.type !== "candidate-pair" || !pair.nominated || pair.state !== "succeeded")
          continue;
        types.push(reports.get(pair.localCandidateId).candidateType);
        types.push(reports.get(pair.remoteCandidateId).candidateType);
      }
      end.close();
    }
    return types;
  }, iceServers);

/**
 * What of a relay a connection finds.
 * @param {Person} person
 * @param {RTCIceServer[]} iceServers
 */
const gather = ({ page }, iceServers) =>
  page.evaluate(async (iceServers) => {
    const connection = new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" });
    let candidates = 0;
    /** @type {number[]} */
    const errors = [];
    connection.onicecandidateerror = ({ errorCode }) => errors.push(errorCode);
    const done = new Promise((resolve) => {
      connection.onicecandidate = ({ candidate }) => {
        if (!candidate) resolve(null);
        else if (candidate.type === "relay") candidates++;
      };
    });
    connection.createDataChannel("call");
    await connection.setLocalDescription();
    await done;
    connection.close();
    return { candidates, errors };
  }, iceServers);

/**
 * Credentials as the scheme makes them (draft-uberti-behave-turn-rest-00, section 2.2).
 * @param {string} secret
 * @param {number} seconds until they expire
 */
function credentials(secret, seconds) {
  const username = `${Math.floor(Date.now() / 1_000) + seconds}:somebody`;
  const credential = createHmac("sha1", secret).update(username).digest("base64");
  return [{ urls: URLS.slice(0, 1), username, credential }];
}

for (const kind of /** @type {const} */ (["chromium", "firefox"])) {
  test(`${kind}: two connections meet at the relay that the page is told of`, BOUNDED, async () => {
    const person = await scene.visitor(kind);
    const { iceServers, ttl, hideAddress } = await told(person);
    assert.deepEqual(
      iceServers.map(({ urls }) => urls),
      [URLS],
    );
    assert.deepEqual([ttl, hideAddress], [600, true]);
    const types = await connect(person, iceServers);
    assert.ok(types.length >= 4, `${types}`);
    assert.deepEqual(new Set(types), new Set(["relay"]));
  });
}

test("the relay refuses a wrong secret, and what has expired", BOUNDED, async () => {
  const person = await scene.visitor();
  const { candidates, errors } = await gather(person, credentials(SECRET, 60));
  assert.ok(candidates > 0);
  assert.deepEqual(errors, []);
  for (const refused of [credentials(randomUUID(), 60), credentials(SECRET, -1)]) {
    const { candidates, errors } = await gather(person, refused);
    assert.equal(candidates, 0);
    assert.deepEqual(new Set(errors), new Set([401]));
  }
});

test("who is not on a page of the site is told of no relay", async () => {
  /** @type {IceConfiguration} */
  const { iceServers } = await (await fetch(`${scene.address}/v1/ice`)).json();
  assert.deepEqual(iceServers, []);
});
