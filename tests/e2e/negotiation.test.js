// Perfect negotiation between two connections of one page, over a signaling that the test can delay,
// reorder and count: pages/lib/negotiation.js as it is served, in both browsers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { stage } from "./stage.js";

/** @import { Person } from "./browsers.js" */

const scene = stage();

/**
 * Puts two connected negotiations on the page: `pair.a` offers, `pair.b` answers.
 * @param {Person} person
 * @param {boolean} [held] whether signals are held back from the beginning
 */
function prepare(person, held = false) {
  return person.page.evaluate(async (held) => {
    const { Negotiation } = await import(/** @type {any} */ ("/lib/negotiation.js"));
    /** @type {any} */
    const pair = { sent: [], held: held ? [] : null };
    /** @param {"a" | "b"} from @param {"a" | "b"} to @param {"offerer" | "answerer"} role */
    const side = (from, to, role) => {
      const connection = new RTCPeerConnection();
      const channel = connection.createDataChannel("call", { negotiated: true, id: 0 });
      const negotiation = new Negotiation(connection, role, (/** @type {any} */ signal) => {
        pair.sent.push(`${from}:${signal.description?.type ?? Object.keys(signal)[0]}`);
        const deliver = () => pair[to].negotiation.receive(signal);
        if (pair.held) pair.held.push({ signal, deliver });
        else deliver();
      });
      pair[from] = { connection, channel, negotiation };
    };
    side("a", "b", "offerer");
    side("b", "a", "answerer");
    pair.until = async (/** @type {() => boolean} */ condition) => {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    pair.settled = () =>
      pair.until(() =>
        [pair.a, pair.b].every(
          ({ connection }) =>
            connection.signalingState === "stable" && connection.connectionState === "connected",
        ),
      );
    /** @type {any} */ (window).pair = pair;
  }, held);
}

for (const kind of /** @type {const} */ (["chromium", "firefox"])) {
  test(`${kind}: the answerer waits for the offer, and few messages do`, async () => {
    const person = await scene.visitor(kind);
    await prepare(person);
    const sent = await person.page.evaluate(async () => {
      const { pair } = /** @type {any} */ (window);
      await pair.settled();
      await pair.until(() => pair.a.channel.readyState === "open");
      return pair.sent;
    });
    assert.equal(sent[0], "a:offer");
    const descriptions = sent.filter((/** @type {string} */ one) => !one.endsWith("candidates"));
    assert.deepEqual(descriptions, ["a:offer", "b:answer"]);
    assert(sent.length <= 8, `${sent.length} messages: ${sent}`);
  });

  test(`${kind}: when both change at once, both changes arrive`, async () => {
    const person = await scene.visitor(kind);
    await prepare(person);
    const result = await person.page.evaluate(async () => {
      const { pair } = /** @type {any} */ (window);
      await pair.settled();
      pair.sent.length = 0;
      pair.held = [];
      // Of one kind, since Chromium 156 does not free the header extensions of a section that was
      // rolled back ("RTP extension ID reassignment not supported") and refuses one of another kind.
      pair.a.connection.addTransceiver("video", { direction: "sendonly" });
      pair.b.connection.addTransceiver("video", { direction: "sendonly" });
      // Both offers are on their way before either arrives, for nobody answers whether it may.
      await pair.until(() => pair.sent.includes("a:offer") && pair.sent.includes("b:offer"));
      const { held } = pair;
      pair.held = null;
      for (const { deliver } of held) deliver();
      const directions = (/** @type {RTCPeerConnection} */ connection) =>
        connection
          .getTransceivers()
          .map(({ currentDirection }) => String(currentDirection))
          .sort();
      await pair.until(() =>
        [pair.a, pair.b].every(
          ({ connection }) => directions(connection).join() === "recvonly,sendonly",
        ),
      );
      await pair.settled();
      return pair.sent.filter((/** @type {string} */ one) => /offer|answer/.test(one));
    });
    // The polite side took its offer back, answered, and offered again.
    assert.deepEqual(result.toSorted(), ["a:answer", "a:offer", "b:answer", "b:offer", "b:offer"]);
  });

  test(`${kind}: when both change at once, no offer is taken back`, async () => {
    const person = await scene.visitor(kind);
    await prepare(person);
    const sent = await person.page.evaluate(async () => {
      const { pair } = /** @type {any} */ (window);
      await pair.settled();
      pair.sent.length = 0;
      for (const { connection } of [pair.a, pair.b]) {
        connection.addTransceiver("video", { direction: "sendonly" });
      }
      await pair.until(() =>
        [pair.a, pair.b].every(
          ({ connection }) =>
            connection.getTransceivers().length === 2 &&
            connection
              .getTransceivers()
              .every((/** @type {RTCRtpTransceiver} */ one) => one.currentDirection !== null),
        ),
      );
      await pair.settled();
      return pair.sent.filter((/** @type {string} */ one) => !one.endsWith("candidates"));
    });
    // Each offered once: the polite side when it was its turn.
    const offers = sent.filter((/** @type {string} */ one) => one.endsWith("offer"));
    assert.deepEqual(offers.toSorted(), ["a:offer", "b:offer"], sent.join());
    assert(sent.includes("b:want") && sent.includes("a:go"), sent.join());
  });

  test(`${kind}: candidates that come before their description are kept`, async () => {
    const person = await scene.visitor(kind);
    await prepare(person, true);
    const early = await person.page.evaluate(async () => {
      const { pair } = /** @type {any} */ (window);
      await pair.until(() => pair.sent.includes("a:offer") && pair.sent.includes("a:candidates"));
      const { held } = pair;
      pair.held = null;
      const late = held.filter((/** @type {any} */ { signal }) => signal.description);
      const early = held.filter((/** @type {any} */ { signal }) => signal.candidates);
      for (const { deliver } of [...early, ...late]) await deliver();
      await pair.settled();
      return early.length;
    });
    assert(early > 0);
  });

  test(`${kind}: an ICE restart goes through, from both sides at once`, async () => {
    const person = await scene.visitor(kind);
    await prepare(person);
    const [before, after] = await person.page.evaluate(async () => {
      const { pair } = /** @type {any} */ (window);
      await pair.settled();
      const user = () => /ice-ufrag:(\S+)/.exec(pair.a.connection.currentLocalDescription.sdp)?.[1];
      const before = user();
      pair.a.negotiation.restartIce();
      pair.b.negotiation.restartIce();
      await pair.until(() => user() !== before);
      await pair.settled();
      pair.a.channel.send("still here");
      await new Promise((resolve) => {
        pair.b.channel.onmessage = resolve;
      });
      return [before, user()];
    });
    assert.notEqual(before, after);
  });
}
