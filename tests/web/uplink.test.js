// That a room fits through an ordinary uplink, and that a sender is held to what it may take.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encoding, GROWTH, least, limit, lower, PICTURES, share } from "../../pages/uplink.js";

/** @import { Limit } from "../../pages/uplink.js" */

/** What an ordinary uplink carries, in bits a second. */
const UPLINK = 2_500_000;
/** The most others in a room (src/core/room.rs). */
const MOST = 15;
/** The headers of one packet: IP, UDP, RTP with its extensions, and the tag of SRTP, in bytes. */
const HEADERS = 50;
/** Opus sends so many packets a second. */
const PACKETS = 50;

const COUNTS = Array.from({ length: MOST }, (_, place) => place + 1);

for (const screen of [false, true]) {
  const shown = screen ? "with a screen" : "without a screen";

  test(`everything together fits through the uplink, headers too, ${shown}`, () => {
    for (const others of COUNTS) {
      const { microphone, camera, screen: shared } = share(others, screen);
      const pictures = camera.bitrate + (screen ? shared.bitrate : 0);
      const each = microphone.bitrate + PACKETS * HEADERS * 8 + pictures * 1.05;
      const sum = others * each;
      assert.ok(sum < UPLINK, `${others} others take ${Math.round(sum / 1_000)} kbit/s`);
    }
  });

  test(`all pictures together take what there is for them and no more, ${shown}`, () => {
    for (const others of COUNTS) {
      const { camera, screen: shared } = share(others, screen);
      const sum = others * (camera.bitrate + (screen ? shared.bitrate : 0));
      assert.ok(sum <= PICTURES, `${others}: ${sum}`);
    }
    for (const others of [0, 1]) {
      const { camera, screen: shared } = share(others, screen);
      assert.equal(camera.bitrate + (screen ? shared.bitrate : 0), PICTURES);
    }
  });

  test(`nobody gets more because somebody comes, ${shown}`, () => {
    for (const others of COUNTS.slice(1)) {
      const [before, after] = [share(others - 1, screen), share(others, screen)];
      for (const stream of /** @type {const} */ (["microphone", "camera", "screen"])) {
        for (const part of /** @type {const} */ (["bitrate", "height", "frames"])) {
          const [less, more] = [after[stream][part], before[stream][part]];
          assert.equal(less === undefined, more === undefined);
          assert.ok((less ?? 0) <= (more ?? 0), `${stream} ${part} with ${others}`);
        }
      }
    }
  });

  test(`there is always something to see and to hear, ${shown}`, () => {
    for (const others of [0, ...COUNTS]) {
      const { microphone, camera, screen: shared } = share(others, screen);
      // Opus at 24 kbit/s is speech in full band (RFC 6716, section 2.1.1).
      assert.ok(microphone.bitrate >= 24_000);
      assert.ok(camera.bitrate >= 20_000 && Number.isInteger(camera.bitrate));
      assert.ok((camera.height ?? 0) >= 180 && (camera.frames ?? 0) >= 15);
      assert.ok(shared.bitrate >= 60_000 && Number.isInteger(shared.bitrate));
      assert.ok((shared.frames ?? 0) >= 5);
      assert.equal(
        shared.height,
        undefined,
        "letters of a screen that is made smaller are not sharp",
      );
    }
  });
}

test("one other gets a picture in full", () => {
  assert.equal(share(1, false).camera.height, 720);
  assert.equal(share(1, false).camera.frames, 30);
});

test("the sound does not suffer from a screen, and the screen gets most of the pictures", () => {
  for (const others of COUNTS) {
    assert.deepEqual(share(others, true).microphone, share(others, false).microphone);
    const { camera, screen } = share(others, true);
    assert.ok(screen.bitrate > 2 * camera.bitrate, `${others}`);
    assert.deepEqual([camera.height, camera.frames], [180, 15], `${others}`);
    assert.ok(camera.bitrate < share(others, false).camera.bitrate, `${others}`);
  }
});

/** @type {Limit} */
const HD = { bitrate: 1_800_000, height: 720, frames: 30 };

test("what is not seen is not sent", () => {
  assert.deepEqual(encoding(least(HD, 0), null), { active: false });
});

test("what is seen small is sent small, with fewer bits and as smooth", () => {
  assert.deepEqual(least(HD, 360), { bitrate: 900_000, height: 360, frames: 30 });
  let before = least(HD, 720);
  for (let watched = 719; watched >= 180; watched--) {
    const now = least(HD, watched);
    assert.equal(now.height, watched);
    assert.ok(now.bitrate <= before.bitrate && Number.isInteger(now.bitrate), `${watched}`);
    assert.ok(now.bitrate > 0);
    before = now;
  }
});

test("nothing is sent smaller than 180 lines", () => {
  for (const watched of [1, 90, 179, 179.5]) {
    assert.deepEqual(least(HD, watched), least(HD, 180));
    assert.equal(least(HD, watched).height, 180);
  }
});

test("however large it is seen, it takes no more than its limit", () => {
  for (const others of COUNTS) {
    for (const stream of [share(others, false).camera, share(others, true).camera]) {
      for (const watched of [1, 90, 180, 270, 500, 720, 721, 5_000, Number.POSITIVE_INFINITY]) {
        const now = least(stream, watched);
        assert.ok(now.bitrate <= stream.bitrate && now.bitrate > 0);
        assert.ok((now.height ?? 0) <= (stream.height ?? 0) && (now.height ?? 0) >= 180);
        assert.equal(now.frames, stream.frames);
      }
      assert.deepEqual(least(stream, stream.height ?? 0), stream);
      assert.deepEqual(least(stream, Number.POSITIVE_INFINITY), stream);
    }
  }
});

test("a picture begins small, and grows to all that it may be", () => {
  assert.deepEqual(lower(HD), { ...HD, height: 180 });
  const heights = GROWTH.map(({ height }) => lower(HD, height).height);
  assert.deepEqual(heights, [360, 720]);
  const times = GROWTH.map(({ after }) => after);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  // Where it may be no larger anyway it stays as it is.
  const tiny = share(15, false).camera;
  for (const height of [undefined, ...heights]) assert.deepEqual(lower(tiny, height), tiny);
});

/** @param {number} height */
const track = (height) => /** @type {any} */ ({ getSettings: () => ({ height }) });

test("a sender is told bits, frames, and how much smaller than the camera", () => {
  const limit = { bitrate: 400_000, height: 360, frames: 20 };
  assert.deepEqual(encoding(limit, track(720)), {
    active: true,
    maxBitrate: 400_000,
    maxFramerate: 20,
    scaleResolutionDownBy: 2,
  });
  assert.equal(encoding(limit, track(480)).scaleResolutionDownBy, 480 / 360);
});

test("a picture is never made larger than the camera gives it", () => {
  assert.equal(encoding(HD, track(480)).scaleResolutionDownBy, 1);
  assert.equal(encoding(HD, track(720)).scaleResolutionDownBy, 1);
});

test("where the height is not known, nothing is said of it", () => {
  const told = { active: true, maxBitrate: 1_800_000, maxFramerate: 30 };
  assert.deepEqual(encoding(HD, null), told);
  assert.deepEqual(encoding(HD, /** @type {any} */ ({})), told);
  assert.deepEqual(encoding(HD, /** @type {any} */ ({ getSettings: () => ({}) })), told);
});

test("sound has bits only", () => {
  assert.deepEqual(encoding({ bitrate: 32_000 }, track(720)), {
    active: true,
    maxBitrate: 32_000,
  });
});

/**
 * A sender as the standard has it (W3C WebRTC 1.0, section 5.2): what is set must be what was got, one
 * at a time, and it takes a while.
 */
class Sender {
  /** @type {any} */
  track = track(720);
  /** @type {RTCRtpEncodingParameters[]} */
  encodings = [{}];
  /** @type {RTCRtpEncodingParameters[]} what was set, the oldest first */
  set = [];
  #got = /** @type {unknown} */ (null);
  /** @type {{ resolve: () => void, reject: (error: Error) => void } | null} */
  #busy = null;

  getParameters() {
    const parameters = structuredClone({ transactionId: "1", encodings: this.encodings });
    this.#got = parameters;
    return parameters;
  }

  /** @param {{ encodings: RTCRtpEncodingParameters[] }} parameters */
  setParameters(parameters) {
    assert.equal(this.#busy, null, "one change before the other was over");
    assert.equal(parameters, this.#got, "not what was got");
    this.#got = null;
    const { encodings } = structuredClone(parameters);
    return new Promise((resolve, reject) => {
      this.#busy = {
        resolve: () => {
          this.encodings = encodings;
          this.set.push(...encodings);
          resolve(undefined);
        },
        reject,
      };
    });
  }

  get busy() {
    return this.#busy !== null;
  }

  /** The change is over, well or not. @param {Error} [error] */
  async over(error) {
    const { resolve, reject } = this.#busy ?? assert.fail("nothing is to be set");
    this.#busy = null;
    if (error) reject(error);
    else resolve();
    await new Promise(setImmediate);
  }
}

/** @param {Sender} sender @param {number} bitrate */
const hold = (sender, bitrate) => limit(/** @type {any} */ (sender), { bitrate });

test("a sender is held to its limit", async () => {
  const sender = new Sender();
  const done = limit(/** @type {any} */ (sender), { bitrate: 400_000, height: 360, frames: 20 });
  await sender.over();
  await done;
  assert.deepEqual(sender.set, [
    { active: true, maxBitrate: 400_000, maxFramerate: 20, scaleResolutionDownBy: 2 },
  ]);
  assert.equal(sender.busy, false);
  // What it is held to already it is not told again.
  await limit(/** @type {any} */ (sender), { bitrate: 400_000, height: 360, frames: 20 });
  assert.equal(sender.set.length, 1);
});

test("what else is known of an encoding stays", async () => {
  const sender = new Sender();
  sender.encodings = [{ rid: "a", priority: "high" }];
  const done = hold(sender, 1_000);
  await sender.over();
  await done;
  assert.deepEqual(sender.encodings, [
    { rid: "a", priority: "high", active: true, maxBitrate: 1_000 },
  ]);
});

test("of several limits the last one wins, one after the other, and none between is set", async () => {
  const sender = new Sender();
  const all = [1_000, 2_000, 3_000, 4_000].map((bitrate) => hold(sender, bitrate));
  await sender.over();
  assert.equal(sender.busy, true);
  await sender.over();
  await Promise.all(all);
  assert.deepEqual(
    sender.set.map(({ maxBitrate }) => maxBitrate),
    [1_000, 4_000],
  );
  assert.equal(sender.busy, false);
});

test("a limit that comes while the one before is set is met, however often that happens", async () => {
  const sender = new Sender();
  hold(sender, 1_000);
  for (const bitrate of [2_000, 3_000, 4_000]) {
    hold(sender, bitrate);
    await sender.over();
  }
  await sender.over();
  assert.equal(sender.busy, false);
  assert.deepEqual(
    sender.set.map(({ maxBitrate }) => maxBitrate),
    [1_000, 2_000, 3_000, 4_000],
  );
});

test("the track is asked when its turn comes", async () => {
  const sender = new Sender();
  hold(sender, 1_000);
  limit(/** @type {any} */ (sender), { bitrate: 2_000, height: 180 });
  sender.track = track(360);
  await sender.over();
  await sender.over();
  assert.equal(sender.encodings[0]?.scaleResolutionDownBy, 2);
});

test("who stops sending and begins again is told both", async () => {
  const sender = new Sender();
  hold(sender, 0);
  await sender.over();
  assert.equal(sender.encodings[0]?.active, false);
  hold(sender, 1_000);
  await sender.over();
  assert.deepEqual(sender.encodings, [{ active: true, maxBitrate: 1_000 }]);
});

test("before there is an encoding there is nothing to hold, and later there is", async () => {
  const sender = new Sender();
  sender.encodings = [];
  await hold(sender, 1_000);
  assert.equal(sender.busy, false);
  const without = { getParameters: () => ({}), setParameters: () => assert.fail("set") };
  await limit(/** @type {any} */ (without), { bitrate: 1_000 });
  sender.encodings = [{}];
  hold(sender, 2_000);
  await sender.over();
  assert.deepEqual(sender.set, [{ active: true, maxBitrate: 2_000 }]);
});

test("a refusal is nothing to the page, and the next limit works", async () => {
  const sender = new Sender();
  const refused = hold(sender, 1_000);
  await sender.over(new DOMException("The connection is closed.", "InvalidStateError"));
  assert.equal(await refused, undefined);
  hold(sender, 2_000);
  await sender.over();
  assert.deepEqual(sender.set, [{ active: true, maxBitrate: 2_000 }]);
});

test("a sender that is closed is nothing to the page", async () => {
  const closed = {
    getParameters: () => {
      throw new DOMException("", "InvalidStateError");
    },
  };
  assert.equal(await limit(/** @type {any} */ (closed), { bitrate: 1_000 }), undefined);
});

test("every sender has its own turn", async () => {
  const [one, other] = [new Sender(), new Sender()];
  hold(one, 1_000);
  hold(other, 2_000);
  assert.ok(one.busy && other.busy);
  await other.over();
  await one.over();
  assert.equal(one.encodings[0]?.maxBitrate, 1_000);
  assert.equal(other.encodings[0]?.maxBitrate, 2_000);
});
