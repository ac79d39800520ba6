// Who hides its address: what the page says of it is so, and nothing that could tell the address is ever
// sent, to the server or to a page, whatever happens to the call. The relay is a real one.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, before, describe, test } from "node:test";
import { keepConnections, keepWords } from "./connections.js";
import { freePort } from "./server.js";
import { meet, stage } from "./stage.js";
import { startRelay } from "./turnserver.js";

/** @import { Kind, Person } from "./browsers.js" */
/** @import { Page } from "./connections.js" */

const KINDS = /** @type {Kind[]} */ (["chromium", "firefox"]);
const SECRET = "of the relay alone";
const first = [keepConnections, keepWords];

const OPEN = "The person you meet can learn your IP address.";
const HIDDEN = "Nobody you meet learns your IP address.";

/** A site with a relay, which may not be there. @param {{ there?: boolean, hide?: string }} options */
async function relayed({ there = true, hide = "" }) {
  const port = await freePort();
  /** @type {Awaited<ReturnType<typeof startRelay>> | undefined} */
  let relay;
  before(async () => {
    if (there) relay = await startRelay({ port, secret: SECRET });
  });
  after(() => relay?.stop());
  const url = `127.0.0.1:${port}`;
  return stage({
    // It would tell a browser the address that others see.
    STUN_URLS: `stun:${url}`,
    TURN_URLS: `turn:${url}?transport=udp,turn:${url}?transport=tcp`,
    TURN_SECRET: SECRET,
    HIDE_ADDRESS: hide,
  });
}

/**
 * Waits until the page says how it is with the address.
 * @param {Person} person
 * @param {boolean} hidden
 */
function isHidden(person, hidden) {
  return person.waitFor(
    (hidden, text) => {
      const box = document.querySelector('[data-testid="hide-address"]');
      const told = document.querySelector('[data-testid="address"]')?.textContent;
      return (
        box?.checkVisibility() &&
        /** @type {HTMLInputElement} */ (box).checked === hidden &&
        told === text
      );
    },
    hidden,
    hidden ? HIDDEN : OPEN,
  );
}

/** All that a page has sent since it was loaded, to whomever. @param {Person} person */
const said = ({ page }) =>
  page.evaluate(() => /** @type {Page} */ (/** @type {unknown} */ (window)).said);

/** The candidates in what was sent (RFC 8839, section 5.1). @param {string[]} words */
const candidates = (words) => words.flatMap((text) => text.match(/candidate:\d[^"\\]*/g) ?? []);

/** The addresses by which this machine is reached from elsewhere. */
const own = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .flatMap(({ internal, address }) => (internal ? [] : [address]));

/** Whether any of this tells where somebody is. @param {string[]} words */
const tells = (words) =>
  own.some((address) => words.some((text) => text.includes(address))) ||
  candidates(words).some((candidate) => {
    const [, , , , address, port] = candidate.split(" ");
    const [, from, at] = / typ relay raddr (\S+) rport (\S+)/.exec(candidate) ?? [];
    // What the relay has seen, it may not say either: browsers say nothing, or the relay's own address.
    return !(from === "0.0.0.0" && at === "0") && !(from === address && at === port);
  });

/** @param {Person} person who has sent candidates, of a relay alone */
async function toldNothing(person) {
  const words = await said(person);
  assert.ok(candidates(words).length > 0, "candidates were sent");
  assert.ok(!tells(words), candidates(words).join("\n"));
}

/** How the last connection of a page goes, and by which of its descriptions. @param {Person} person */
const way = ({ page }) =>
  page.evaluate(async () => {
    const path = "/examination.js";
    /** @type {typeof import("../../pages/examination.js")} */
    const { vitals } = await import(path);
    const { met } = /** @type {Page} */ (/** @type {unknown} */ (window));
    const connection = /** @type {RTCPeerConnection} */ (met.at(-1));
    const { state, relayed, ours, pair } = await vitals(connection);
    const { sdp = "" } = connection.currentLocalDescription ?? {};
    return {
      count: met.length,
      state,
      relayed,
      ours,
      pair: pair?.ours,
      ufrag: /a=ice-ufrag:(\S+)/.exec(sdp)?.[1],
    };
  });

/** @param {Person} person whose call goes by the relay, and in no other way */
async function goesByRelay(person) {
  // Firefox names no pair for a moment after it was chosen.
  await person.waitFor(async () => {
    const { met } = /** @type {Page} */ (/** @type {unknown} */ (window));
    const reports = [...((await met.at(-1)?.getStats())?.values() ?? [])];
    return reports.some(
      ({ selectedCandidatePairId, selected }) => selectedCandidatePairId || selected,
    );
  });
  const { ufrag, count, ...rest } = await way(person);
  assert.deepEqual(rest, { state: "connected", relayed: true, ours: ["relay"], pair: "relay" });
  await toldNothing(person);
  return { ufrag, count };
}

/** Looks for another way, as for a network that has changed. @param {Person} person */
async function restarts(person) {
  const { ufrag: before } = await way(person);
  await person.page.evaluate(() => dispatchEvent(new Event("online")));
  await person.waitFor((before) => {
    const { met } = /** @type {Page} */ (/** @type {unknown} */ (window));
    const connection = met.at(-1);
    const { sdp = "" } = connection?.currentLocalDescription ?? {};
    return (
      connection?.connectionState === "connected" && /a=ice-ufrag:(\S+)/.exec(sdp)?.[1] !== before
    );
  }, before);
  await person.reads("status", "Connected");
}

describe("on a site without a relay", () => {
  const scene = stage();

  test("hiding is not offered, and the page says what others can learn", async () => {
    const ana = await scene.visitor("chromium", { first });
    await ana.reads("address", OPEN);
    await ana.page.waitForNetworkIdle();
    const box = '[data-testid="hide-address"]';
    assert.equal(await ana.page.$eval(box, (box) => box.checkVisibility()), false);
    const ben = await scene.visitor("chromium");
    await meet(ana, ben);
    // So it is seen below, too, when an address is sent.
    assert.ok(tells(await said(ana)));
  });

  test("who has chosen to hide hides here, too, and may choose otherwise", async () => {
    const ana = await scene.visitor("chromium");
    await ana.page.evaluate(() => localStorage.setItem("hide-address", "true"));
    await ana.page.reload();
    await isHidden(ana, true);
    await ana.click("hide-address");
    await ana.reads("address", OPEN);
  });
});

describe("on a site with a relay", async () => {
  const scene = await relayed({});

  test("hiding is offered; the choice is remembered", async () => {
    const ana = await scene.visitor("chromium");
    await isHidden(ana, false);
    for (const hidden of [true, false]) {
      await ana.click("hide-address");
      await isHidden(ana, hidden);
      await ana.page.reload();
      await isHidden(ana, hidden);
    }
  });

  for (const kind of KINDS) {
    test(`${kind}: who hides stays hidden, through another way and another page`, async () => {
      const ana = await scene.visitor(kind, { first });
      const ben = await scene.visitor("chromium", { first });
      await isHidden(ana, false);
      await ana.click("hide-address");
      await isHidden(ana, true);
      await meet(ana, ben);
      await goesByRelay(ana);
      assert.ok(tells(await said(ben)), "who does not hide does not");

      await restarts(ana);
      const { count } = await goesByRelay(ana);
      assert.equal(count, 1);
      await Promise.all([ana.sees(), ben.sees()]);

      await ana.page.reload({ waitUntil: "load" });
      await Promise.all([ana.sees(), ben.sees()]);
      await ana.reads("status", "Connected");
      await goesByRelay(ana);
    });
  }

  test("who does not hide any more is met directly", async () => {
    const [ana, ben] = await Promise.all([
      scene.visitor("chromium", { first }),
      scene.visitor("chromium"),
    ]);
    await ana.click("hide-address");
    await ana.click("hide-address");
    await isHidden(ana, false);
    await meet(ana, ben);
    const { relayed, pair } = await way(ana);
    assert.deepEqual([relayed, pair], [false, "host"]);
  });
});

describe("on a site that hides", async () => {
  const scene = await relayed({ hide: "on" });

  for (const kind of KINDS) {
    test(`${kind}: everybody is hidden who has not chosen otherwise`, async () => {
      const ana = await scene.visitor(kind, { first });
      const ben = await scene.visitor("chromium", { first });
      for (const person of [ana, ben]) await isHidden(person, true);
      await meet(ana, ben);
      for (const person of [ana, ben]) await goesByRelay(person);
    });
  }

  test("what the relay is asked with is renewed while a call goes on, and the call goes on", async () => {
    // As if it lived for seconds.
    const short = () => {
      const { json } = Response.prototype;
      Response.prototype.json = async function () {
        const answer = await json.call(this);
        return answer.ttl ? { ...answer, ttl: 5 } : answer;
      };
    };
    const ana = await scene.visitor("chromium", { first: [...first, short] });
    const ben = await scene.visitor("chromium");
    await meet(ana, ben);
    const { ufrag } = await goesByRelay(ana);
    const names = () => {
      const { met } = /** @type {Page} */ (/** @type {unknown} */ (window));
      const { iceServers } = met.at(-1)?.getConfiguration() ?? {};
      return String(iceServers?.map(({ username }) => username));
    };
    const before = await ana.page.evaluate(names);
    // It is asked for anew twice a minute at most.
    await ana.waitFor((before) => {
      const { met } = /** @type {Page} */ (/** @type {unknown} */ (window));
      const { iceServers } = met.at(-1)?.getConfiguration() ?? {};
      return String(iceServers?.map(({ username }) => username)) !== before;
    }, before);
    await ana.waitFor((ufrag) => {
      const { met } = /** @type {Page} */ (/** @type {unknown} */ (window));
      const connection = met.at(-1);
      const now = /a=ice-ufrag:(\S+)/.exec(connection?.currentLocalDescription?.sdp ?? "")?.[1];
      return now !== ufrag && connection?.connectionState === "connected";
    }, ufrag);
    await Promise.all([ana.sees(), ben.sees()]);
    const { count } = await goesByRelay(ana);
    assert.equal(count, 1);
  });

  test("who has chosen otherwise is not, and the page says so", async () => {
    const ana = await scene.visitor("chromium", { first });
    const ben = await scene.visitor("chromium", { first });
    await isHidden(ana, true);
    await ana.click("hide-address");
    await isHidden(ana, false);
    await ana.page.reload();
    await isHidden(ana, false);
    await meet(ana, ben);
    assert.ok(tells(await said(ana)));
    await goesByRelay(ben);
  });

  test("who comes back while the site does not say what it does stays hidden", async () => {
    const [ana, ben] = await Promise.all([
      scene.visitor("chromium", { first }),
      scene.visitor("chromium"),
    ]);
    await meet(ana, ben);
    await ana.page.setRequestInterception(true);
    let refused = 0;
    ana.page.on("request", (request) => {
      if (!request.url().endsWith("/v1/ice")) return request.continue();
      refused++;
      return request.abort();
    });
    await ana.page.reload({ waitUntil: "load" });
    await ana.waitFor(() => {
      const { connections, said } = /** @type {Page} */ (/** @type {unknown} */ (window));
      const described = connections.filter(({ localDescription }) => localDescription);
      return (
        said.some((text) => text.includes("a=ice-ufrag")) &&
        described.every(({ iceGatheringState }) => iceGatheringState === "complete")
      );
    });
    assert.ok(refused > 0);
    const words = await said(ana);
    assert.ok(
      words.some((text) => text.includes("a=ice-ufrag")),
      "it described itself",
    );
    assert.deepEqual([candidates(words), tells(words)], [[], false]);
  });
});

describe("on a site whose relay is not there", async () => {
  const scene = await relayed({ there: false });

  for (const kind of KINDS) {
    test(`${kind}: who hides is not connected, tells nothing, and learns why`, async () => {
      const ana = await scene.visitor(kind, { first });
      const ben = await scene.visitor("chromium");
      await isHidden(ana, false);
      await ana.click("hide-address");
      await isHidden(ana, true);
      await ana.click("start");
      await ana.reads("status", "Looking for someone");
      await ben.click("start");
      await ana.waitFor(() =>
        document.querySelector("#wait-title")?.textContent?.includes("The relay cannot be reached"),
      );
      await ana.waitFor(() =>
        document
          .querySelector("#wait-advice")
          ?.textContent?.includes("While you hide your address, calls have no other way."),
      );
      await ben.waitFor(() =>
        document.querySelector("#wait-title")?.textContent?.includes("names no way to it"),
      );
      const words = await said(ana);
      assert.ok(
        words.some((text) => text.includes("a=ice-ufrag")),
        "it described itself",
      );
      assert.deepEqual([candidates(words), tells(words)], [[], false]);
    });
  }
});
