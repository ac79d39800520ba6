// What people are told when camera and microphone do not come, with devices that are played.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Media } from "../../pages/media.js";

/** @import { TestContext } from "node:test" */

/** Every error of `getUserMedia` (Media Capture and Streams, section 10.3.1), and one of a later version. */
const ERRORS = [
  "AbortError",
  "InvalidStateError",
  "NotAllowedError",
  "NotFoundError",
  "NotReadableError",
  "OverconstrainedError",
  "SecurityError",
  "UnheardOfError",
].map((name) => new DOMException("in the words of the browser", name));

/** The labels of the page that an advice may name. */
const LABELS = ["Try again", "Text only"];

/**
 * Answers every request for devices.
 * @param {TestContext} t
 * @param {((wanted: MediaStreamConstraints) => unknown) | null} getUserMedia null where the page may have none
 */
function devices(t, getUserMedia) {
  Object.defineProperty(navigator, "mediaDevices", {
    configurable: true,
    value: getUserMedia ? { getUserMedia } : undefined,
  });
  t.after(() => Reflect.deleteProperty(navigator, "mediaDevices"));
}

/** @param {string[]} kinds of the tracks */
function stream(...kinds) {
  const tracks = kinds.map((kind) => ({
    kind,
    enabled: true,
    stopped: false,
    stop() {
      this.stopped = true;
    },
  }));
  const of = (/** @type {string} */ wanted) => tracks.filter(({ kind }) => kind === wanted);
  return {
    tracks,
    getTracks: () => tracks,
    getAudioTracks: () => of("audio"),
    getVideoTracks: () => of("video"),
  };
}

/** @param {unknown} problem */
function helps(problem) {
  const { title, advice, ...more } = /** @type {import("../../pages/media.js").Problem} */ (
    problem
  );
  assert.deepEqual(more, {});
  assert.match(title, /^[A-Z].*[a-z]$/);
  assert.match(advice, /^[A-Z].*\.$/);
  assert.ok(
    LABELS.some((label) => advice.includes(label)),
    `no way on in: ${advice}`,
  );
  assert.doesNotMatch(`${title} ${advice}`, /Error|undefined|words of the browser/);
  return true;
}

test("what the advice names is on the page", () => {
  const page = ["index.html", "main.js"].map((file) =>
    readFileSync(new URL(`../../pages/${file}`, import.meta.url), "utf8"),
  );
  for (const label of LABELS) {
    assert.ok(
      page.some((text) => text.includes(`>${label}<`) || text.includes(`"${label}"`)),
      label,
    );
  }
});

for (const error of [
  ...ERRORS,
  new TypeError("in the words of the browser"),
  "not even an error",
]) {
  test(`who meets ${error instanceof Error ? error.name : error} is told what to do`, async (t) => {
    devices(t, () => Promise.reject(error));
    const media = new Media();
    await assert.rejects(media.open(), helps);
    assert.equal(media.stream, null);
  });
}

test("who opens the page without https is told so", async (t) => {
  devices(t, null);
  await assert.rejects(new Media().open(), (problem) => {
    assert.match(/** @type {any} */ (problem).advice, /https/);
    return helps(problem);
  });
});

test("who is not allowed is asked once, and told where to allow it", async (t) => {
  let asked = 0;
  devices(t, () => {
    asked++;
    return Promise.reject(new DOMException("", "NotAllowedError"));
  });
  await assert.rejects(new Media().open(), (problem) => {
    assert.match(/** @type {any} */ (problem).advice, /address bar/);
    return helps(problem);
  });
  assert.equal(asked, 1);
});

for (const [missing, there] of /** @type {const} */ ([
  ["video", "audio"],
  ["audio", "video"],
])) {
  test(`without ${missing} there is still ${there}`, async (t) => {
    const one = stream(there);
    devices(t, (wanted) =>
      /** @type {any} */ (wanted)[missing]
        ? Promise.reject(new DOMException("", "NotFoundError"))
        : Promise.resolve(one),
    );
    const media = new Media();
    assert.equal(/** @type {unknown} */ (await media.open()), one);
    assert.deepEqual(media.state, { microphone: there === "audio", camera: there === "video" });
  });
}

test("devices that come after they were given back are let go", async (t) => {
  const late = stream("audio", "video");
  /** @type {(stream: unknown) => void} */
  let allow = () => assert.fail("nobody asked");
  devices(t, () => new Promise((resolve) => (allow = resolve)));
  const media = new Media();
  const opening = media.open();
  media.close();
  allow(late);
  await assert.rejects(opening, helps);
  assert.equal(media.stream, null);
  assert.deepEqual(
    late.tracks.map(({ stopped }) => stopped),
    [true, true],
  );
});

test("who turns back to video while still being asked gets the camera", async (t) => {
  /** @type {ReturnType<typeof stream>[]} */
  const streams = [];
  /** @type {(() => void)[]} */
  const questions = [];
  let allowed = false;
  devices(t, async () => {
    if (!allowed) await new Promise((resolve) => questions.push(() => resolve(null)));
    const given = stream("audio", "video");
    streams.push(given);
    return given;
  });
  const media = new Media();
  const first = media.open().catch(() => null);
  media.close();
  const second = media.open();
  allowed = true;
  for (const allow of questions) allow();
  await first;
  assert.equal(await second, media.stream);
  for (const given of streams) {
    const kept = /** @type {unknown} */ (given) === media.stream;
    assert.deepEqual(
      given.tracks.map(({ stopped }) => stopped),
      [!kept, !kept],
    );
  }
});
