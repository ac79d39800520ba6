// The connection doctor in real browsers: in each trouble that it knows, it says what it is; and what it
// lets one copy holds no address, though it has met real ones.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, before, describe, test } from "node:test";
import { PATIENCE, TEST_DEVICES } from "./browsers.js";
import { freePort } from "./server.js";
import { stage } from "./stage.js";
import { startRelay } from "./turnserver.js";

/** @import { Kind, Person } from "./browsers.js" */

const KINDS = /** @type {Kind[]} */ (["chromium", "firefox"]);
const SECRET = "of the relay alone";
/** @type {{ path: string }} */
const DOCTOR = { path: "/doctor" };

/** Waits until the doctor has looked at everything. @param {Person} person */
function ready(person) {
  return person.page.waitForSelector('[data-testid="check-again"]:enabled', {
    timeout: PATIENCE,
  });
}

/** @param {Person} person @param {string} button pressed, and what it begins is over */
async function presses(person, button) {
  await ready(person);
  await person.click(button);
  await ready(person);
}

/** What is said of each check: its tone and its words. @param {Person} person */
async function told(person) {
  await ready(person);
  return person.page.$$eval(".checks li", (rows) =>
    Object.fromEntries(
      rows.map((row) => [
        row.getAttribute("data-testid")?.replace("check-", ""),
        `${/** @type {HTMLElement} */ (row).dataset.tone}: ${row.querySelector("h2")?.textContent}`,
      ]),
    ),
  );
}

/** @param {Person} person */
const report = (person) =>
  person.page.$eval('[data-testid="report"]', (element) => element.textContent ?? "");

/**
 * That nothing in a report says who or where somebody is.
 * @param {Person} person
 * @param {string} text
 */
async function namesNobody(person, text) {
  assert.match(text, /^EchoMingle connection report\n/);
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  // What this browser finds of itself, as it would tell it to somebody else.
  const { candidates, servers } = await person.page.evaluate(async () => {
    const { iceServers } = await (await fetch("/v1/ice")).json();
    const connection = new RTCPeerConnection({ iceServers });
    connection.createDataChannel("any");
    /** @type {RTCIceCandidate[]} */
    const found = [];
    const some = new Promise((resolve) => {
      connection.onicecandidate = ({ candidate }) => {
        if (candidate?.candidate) found.push(candidate);
        if (candidate?.type === "host") resolve(null);
      };
    });
    await connection.setLocalDescription();
    await some;
    connection.close();
    return {
      candidates: found.map(({ address, candidate }) => [address, candidate]),
      servers: iceServers,
    };
  });
  const met = candidates.flat().filter((text) => text !== null);
  assert.ok(
    met.some((text) => /^\d+\.\d+\.\d+\.\d+$/.test(text)),
    "a real address was met",
  );
  const secrets = [
    ...met,
    ...own.map(({ address }) => address),
    ...servers.flatMap((/** @type {any} */ { urls, username = [], credential = [] }) =>
      [urls, username, credential].flat(),
    ),
  ];
  for (const secret of secrets) assert.ok(!text.includes(secret), secret);
  assert.doesNotMatch(text, /\d+\.\d+\.\d+|[0-9a-f]*::?[0-9a-f]+:|\.local|localhost|candidate:/i);
}

describe("without any ICE server", () => {
  const scene = stage();

  for (const kind of KINDS) {
    test(`${kind}: nothing is in the way, but there is no relay`, async () => {
      const ana = await scene.visitor(kind, DOCTOR);
      const { devices, ...rest } = await told(ana);
      assert.deepEqual(rest, {
        browser: "good: Your browser can make calls",
        server: "good: The server answers",
        network: "calm: Your network was not tested",
        relay: "calm: This site has no relay",
      });
      // Firefox is not asked for its permission in tests.
      assert.match(devices ?? "", /^calm: Camera and microphone (are allowed|were not tested)$/);
      await ana.reads("summary", "Most calls will connect");
      await presses(ana, "test-devices");
      assert.equal((await told(ana)).devices, "good: Camera and microphone work");
      await namesNobody(ana, await report(ana));
    });
  }

  test("the camera is closed again after its test", async () => {
    const ana = await scene.visitor("chromium", DOCTOR);
    await ready(ana);
    await ana.page.evaluate(() => {
      const page = /** @type {any} */ (window);
      page.tracks = [];
      const { mediaDevices } = navigator;
      const ask = mediaDevices.getUserMedia.bind(mediaDevices);
      mediaDevices.getUserMedia = async (wanted) => {
        const stream = await ask(wanted);
        page.tracks.push(...stream.getTracks());
        return stream;
      };
    });
    await presses(ana, "test-devices");
    const states = await ana.page.evaluate(() =>
      /** @type {any} */ (window).tracks.map(
        (/** @type {MediaStreamTrack} */ one) => one.readyState,
      ),
    );
    assert.deepEqual(states, ["ended", "ended"]);
  });

  test("who forbids camera and microphone is told what to do, before and after a test", async () => {
    const ana = await scene.visitor("chromium", {
      ...DOCTOR,
      without: ["--use-fake-ui-for-media-stream"],
    });
    await ana.page.browserContext().overridePermissions(scene.address, []);
    await presses(ana, "check-again");
    const denied = "bad: Your browser is not allowed to use the camera and microphone";
    assert.equal((await told(ana)).devices, denied);
    await presses(ana, "test-devices");
    assert.equal((await told(ana)).devices, denied);
    await ana.reads("summary", "Nobody will see or hear you");
    await ana.reads("check-devices", "Allow it in the address bar, then press Test.");
    assert.match(await report(ana), /camera: \d there, permission denied, NotAllowedError/);
  });

  test("a microphone that is there and does not open is taken for one that is in use", async () => {
    const ana = await scene.visitor("chromium", {
      ...DOCTOR,
      without: [TEST_DEVICES],
      // One of a card that this machine does not have: it is listed, and opening it fails.
      args: ["--alsa-input-device=hw:31"],
    });
    await presses(ana, "test-devices");
    await ana.reads("check-devices", "Another program is using the microphone. Close it");
    const text = await report(ana);
    assert.match(text, /^camera: 0 there, .*, NotFoundError$/m);
    assert.match(text, /^microphone: [1-9] there, .*, NotReadableError$/m);
  });

  test("who has no devices is told so", async () => {
    const ana = await scene.visitor("chromium", {
      ...DOCTOR,
      without: [TEST_DEVICES],
    });
    assert.equal((await told(ana)).devices, "bad: No camera or microphone was found");
  });

  for (const kind of KINDS) {
    test(`${kind}: a server that is gone is told, and that it is back`, async () => {
      const ana = await scene.visitor(kind, DOCTOR);
      await ready(ana);
      await scene.without(async () => {
        await presses(ana, "check-again");
        const { server, network, relay } = await told(ana);
        assert.equal(server, "bad: The server cannot be reached");
        assert.equal(network, "calm: Your network was not tested");
        assert.equal(relay, "calm: The relay was not tested");
        await ana.reads("summary", "Your calls will not connect");
      });
      await presses(ana, "check-again");
      assert.equal((await told(ana)).server, "good: The server answers");
    });
  }

  test("who is offline is told so", async () => {
    const ana = await scene.visitor("chromium", DOCTOR);
    await ready(ana);
    await scene.without(async () => {
      await ana.page.setOfflineMode(true);
      await presses(ana, "check-again");
      assert.equal((await told(ana)).server, "bad: You are offline");
    });
  });

  test("an address that is not secure is told", async () => {
    // A name for this machine that browsers do not take for it.
    const ana = await scene.visitor("chromium", {
      ...DOCTOR,
      args: ["--host-resolver-rules=MAP plain.example 127.0.0.1"],
    });
    await ana.page.goto(scene.address.replace("localhost", "plain.example") + DOCTOR.path);
    const { browser, devices } = await told(ana);
    assert.equal(browser, "bad: The address of this page is not secure");
    assert.equal(devices, "bad: The address of this page is not secure");
  });

  test("the report is copied as it stands there", async () => {
    const ana = await scene.visitor("chromium", DOCTOR);
    await ana.page
      .browserContext()
      .overridePermissions(scene.address, ["clipboard-read", "clipboard-sanitized-write"]);
    await ready(ana);
    await ana.click("copy-report");
    await ana.waitFor(() =>
      document.querySelector("#toast:not([hidden])")?.textContent?.includes("on the clipboard"),
    );
    const copied = await ana.clipboard();
    assert.equal(copied, await report(ana));
    await namesNobody(ana, copied);
  });

  test("a report that cannot be copied is shown", async () => {
    const ana = await scene.visitor("chromium", DOCTOR);
    await ana.page.browserContext().overridePermissions(scene.address, []);
    await ready(ana);
    assert.equal(await ana.page.$eval("details", (element) => element.open), false);
    await ana.click("copy-report");
    await ana.waitFor(() => document.querySelector("details")?.open);
  });
});

/**
 * A site with a relay, whose secret the site may not know.
 * @param {{ known?: boolean, udp?: boolean }} [options]
 */
async function relayed({ known = true, udp = true } = {}) {
  const port = await freePort();
  const url = `127.0.0.1:${port}`;
  /** @type {Awaited<ReturnType<typeof startRelay>> | undefined} */
  let relay;
  before(async () => {
    relay = await startRelay({ port, udp, secret: known ? SECRET : "another one" });
  });
  after(() => relay?.stop());
  return stage({
    STUN_URLS: `stun:${url}`,
    TURN_URLS: `turn:${url}?transport=udp,turn:${url}?transport=tcp`,
    TURN_SECRET: SECRET,
  });
}

describe("with a relay", async () => {
  const scene = await relayed();
  for (const kind of KINDS) {
    test(`${kind}: everything works, and what comes through the relay is counted`, async () => {
      const ana = await scene.visitor(kind, DOCTOR);
      const { network, relay } = await told(ana);
      assert.equal(network, "good: Your network lets calls through");
      assert.equal(relay, "good: The relay works");
      await ana.reads("summary", "Your calls will connect");
      const text = await report(ana);
      assert.match(text, /^stun over udp: answered/m);
      assert.match(text, /^turn over udp: answered; candidates: relay$/m);
      assert.match(text, /^turn over tcp: answered; candidates: relay$/m);
      assert.match(text, /relay to relay over udp.*round trip: \d+ ms; lost: \d+ %$/m);
      await namesNobody(ana, text);
    });
  }
});

describe("with a relay that does not know the site", async () => {
  const scene = await relayed({ known: false });
  for (const kind of KINDS) {
    test(`${kind}: it refuses, and that is told`, async () => {
      const ana = await scene.visitor(kind, DOCTOR);
      const { network, relay } = await told(ana);
      assert.equal(network, "good: Your network lets calls through");
      assert.equal(relay, "bad: The relay refused us");
      await ana.reads("summary", "The relay refused us.");
      const text = await report(ana);
      assert.match(text, /^turn over udp: refused \(401\)/m);
      await namesNobody(ana, text);
    });
  }
});

describe("where nothing comes back over UDP", async () => {
  const scene = await relayed({ udp: false });
  for (const kind of KINDS) {
    test(`${kind}: it is told, and that the relay helps`, async () => {
      const ana = await scene.visitor(kind, DOCTOR);
      const { network, relay } = await told(ana);
      assert.equal(network, "calm: Your network blocks UDP");
      assert.equal(relay, "good: The relay works");
      const text = await report(ana);
      assert.match(text, /^stun over udp: silent/m);
      assert.match(text, /^turn over tcp: answered/m);
      assert.match(text, /to the relay over tcp/);
      await namesNobody(ana, text);
    });
  }
});

describe("where nothing comes back over UDP, and there is no relay", async () => {
  const port = await freePort();
  /** @type {Awaited<ReturnType<typeof startRelay>> | undefined} */
  let silence;
  before(async () => {
    silence = await startRelay({ port, secret: SECRET, udp: false });
  });
  after(() => silence?.stop());
  const scene = stage({ STUN_URLS: `stun:127.0.0.1:${port}` });

  test("both are told", async () => {
    const ana = await scene.visitor("chromium", DOCTOR);
    const { network, relay } = await told(ana);
    assert.equal(network, "bad: Your network blocks UDP");
    assert.equal(relay, "bad: This site has no relay");
    await ana.reads("summary", "Your network blocks UDP.");
  });
});
