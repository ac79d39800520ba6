// Why a call does not connect, told by the connections themselves: both ends in one page, and between them
// whatever a network does to them.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { freePort } from "./server.js";
import { stage } from "./stage.js";
import { startRelay } from "./turnserver.js";

/** @import { Kind, Person } from "./browsers.js" */

const KINDS = /** @type {Kind[]} */ (["chromium", "firefox"]);
const SECRET = "of the relay alone";
/** Whatever could say who or where somebody is. */
const ADDRESS = /\d+\.\d+\.\d+|[0-9a-f]*::?[0-9a-f]+:|\.local|candidate:|typ /i;

/** How two connections of a page are brought together. */
/** @typedef {"not at all" | "without candidates" | "by a dead end" | "fully"} How */

/**
 * A call of a page with itself, and what is made of it.
 * @param {Person} person
 * @param {How} how
 * @param {{ relayed?: boolean, deadEnd?: number, vitals?: boolean }} [options] `relayed`: through relays
 *   alone; `deadEnd`: a port of this machine where nobody answers
 */
function call(person, how, { relayed = false, deadEnd = 0 } = {}) {
  return person.page.evaluate(
    async (how, relayed, deadEnd) => {
      const path = "/examination.js";
      /** @type {typeof import("../../pages/examination.js")} */
      const { explain, vitals } = await import(path);
      /** @type {{ iceServers: RTCIceServer[] }} */
      const { iceServers } = await (await fetch("/v1/ice")).json();
      /** @type {RTCConfiguration} */
      const configuration = { iceServers, iceTransportPolicy: relayed ? "relay" : "all" };
      const here = new RTCPeerConnection(configuration);
      const there = new RTCPeerConnection(configuration);
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
      for (const track of stream.getTracks()) {
        here.addTrack(track, stream);
        there.addTrack(track, stream);
      }
      const gathered = (/** @type {RTCPeerConnection} */ one) =>
        new Promise((resolve) => {
          one.onicecandidate = ({ candidate }) => candidate ?? resolve(null);
        });
      const all = [gathered(here), gathered(there)];
      await here.setLocalDescription();
      const sdp = (/** @type {RTCPeerConnection} */ one) => {
        const lines = (one.localDescription?.sdp ?? "").split("\r\n");
        const kept = lines.filter((line) => how === "fully" || !line.startsWith("a=candidate"));
        return /** @type {const} */ ({
          type: one.localDescription?.type ?? "offer",
          sdp: kept.join("\r\n"),
        });
      };
      const candidate = `candidate:1 1 udp 2122260223 127.0.0.1 ${deadEnd} typ host`;
      await all[0];
      if (how !== "not at all") {
        await there.setRemoteDescription(sdp(here));
        await there.setLocalDescription();
        await all[1];
        await here.setRemoteDescription(sdp(there));
      }
      if (how === "by a dead end") await here.addIceCandidate({ candidate, sdpMLineIndex: 0 });
      if (how === "fully") {
        const connected = () => here.connectionState === "connected";
        await new Promise((resolve) => {
          if (connected()) resolve(null);
          here.onconnectionstatechange = () => connected() && resolve(null);
        });
        // Something has arrived, and its way there and back is known.
        for (;;) {
          const { loss, roundTrip } = await vitals(here);
          if (loss !== null && roundTrip !== null) break;
          await new Promise((next) => setTimeout(next, 50));
        }
      }
      const explained = await explain(here, iceServers);
      const found = await vitals(here);
      for (const track of stream.getTracks()) track.stop();
      here.close();
      there.close();
      return { ...explained, vitals: found };
    },
    how,
    relayed,
    deadEnd,
  );
}

describe("where no way leads anywhere", async () => {
  const port = await freePort();
  const hole = createSocket("udp4");
  before(async () => {
    hole.bind(port, "127.0.0.1");
    await once(hole, "listening");
  });
  after(() => hole.close());
  const scene = stage();

  for (const kind of KINDS) {
    test(`${kind}: the other side that is silent is told from one that cannot be reached`, async () => {
      const ana = await scene.visitor(kind, { path: "/doctor" });
      const cases = /** @type {const} */ ([
        ["not at all", "Nothing comes from the other side"],
        ["without candidates", "The other side names no way to it"],
        ["by a dead end", "There is no direct way between your two networks"],
      ]);
      for (const [how, what] of cases) {
        const { finding, report } = await call(ana, how, { deadEnd: port });
        assert.equal(finding.what, what);
        assert.match(report, /^call: (new|connecting|failed); /m);
        assert.match(report, /candidates here: host/);
        assert.match(report, how === "by a dead end" ? /there: host;/ : /there: none;/);
        assert.doesNotMatch(report, ADDRESS);
      }
      const hiding = await call(ana, "by a dead end", { deadEnd: port, relayed: true });
      assert.equal(hiding.finding.what, "You hide your address, and this site has no relay");
      assert.match(hiding.report, /relays only: yes; candidates here: none/);
    });

    test(`${kind}: a call that goes on is told with its way, its round trip and its loss`, async () => {
      const ana = await scene.visitor(kind, { path: "/doctor" });
      const { finding, report, vitals } = await call(ana, "fully");
      assert.equal(finding.what, "You are connected directly");
      assert.match(finding.advice, /^There and back: (less than 1|\d+) ms\. \d+ % is lost\.$/);
      assert.match(
        report,
        /pair: (host|prflx) to (host|prflx) over (udp|tcp); round trip: \d+ ms; lost: \d+ %/,
      );
      assert.doesNotMatch(report, ADDRESS);
      assert.equal(vitals.state, "connected");
      assert.ok(vitals.ours.includes("host") && vitals.theirs.includes("host"));
      assert.equal(vitals.pair?.relay, null);
    });
  }
});

for (const known of [true, false]) {
  describe(known ? "with a relay" : "with a relay that does not know the site", async () => {
    const port = await freePort();
    /** @type {Awaited<ReturnType<typeof startRelay>> | undefined} */
    let relay;
    before(async () => {
      relay = await startRelay({ port, secret: known ? SECRET : "another one" });
    });
    after(() => relay?.stop());
    const scene = stage({
      STUN_URLS: `stun:127.0.0.1:${port}`,
      TURN_URLS: `turn:127.0.0.1:${port}`,
      TURN_SECRET: SECRET,
    });

    for (const kind of KINDS) {
      test(`${kind}: ${known ? "a call through it says so" : "a call that needs it says that it refuses"}`, async () => {
        const ana = await scene.visitor(kind, { path: "/doctor" });
        if (known) {
          const { finding, report, vitals } = await call(ana, "fully", { relayed: true });
          assert.equal(finding.what, "You are connected through the relay");
          assert.deepEqual(vitals.pair, {
            ours: "relay",
            theirs: "relay",
            protocol: "udp",
            relay: "udp",
          });
          assert.deepEqual([vitals.ours, vitals.theirs], [["relay"], ["relay"]]);
          assert.match(report, /relay to relay over udp, to the relay over udp/);
          assert.doesNotMatch(report, ADDRESS);
          const stuck = await call(ana, "by a dead end", { relayed: true, deadEnd: port });
          assert.equal(stuck.finding.what, "The relay did not bring you together");
        } else {
          const { finding, report } = await call(ana, "by a dead end", { deadEnd: port });
          assert.equal(finding.what, "The relay refused us");
          assert.match(report, /^turn over udp: refused \(401\)/m);
          assert.doesNotMatch(report, ADDRESS);
        }
      });
    }
  });
}
