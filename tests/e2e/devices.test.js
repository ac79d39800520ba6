// Camera and microphone: what the buttons do to what the other one gets, and what is said when there
// is none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TEST_DEVICES } from "./browsers.js";
import { meet, stage } from "./stage.js";

/** @import { Person } from "./browsers.js" */

const scene = stage();

/**
 * Waits until the sound or the picture of the other one is there, or is not.
 * @param {Person} person
 * @param {"sound" | "picture"} what
 * @param {boolean} there
 * @param {string} [remote] the hook of the other one
 */
async function gets(person, what, there, remote = "remote-video") {
  await person.page.evaluate((remote) => {
    const page = /** @type {any} */ (window);
    if (page.level) return;
    const hook = `[data-testid="${remote}"]`;
    const video = /** @type {HTMLVideoElement} */ (
      document.querySelector(`video${hook}, ${hook} video`)
    );
    const stream = /** @type {MediaStream} */ (video.srcObject);
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 2048 });
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const canvas = new OffscreenCanvas(32, 24);
    const drawing = /** @type {OffscreenCanvasRenderingContext2D} */ (
      canvas.getContext("2d", { willReadFrequently: true })
    );
    page.level = {
      sound: () => {
        analyser.getFloatTimeDomainData(samples);
        return Math.max(...samples.map(Math.abs)) > 0.01;
      },
      picture: () => {
        if (page.frames === page.seen) return false;
        page.seen = page.frames;
        drawing.drawImage(video, 0, 0, 32, 24);
        const { data } = drawing.getImageData(0, 0, 32, 24);
        return data.some((value, place) => place % 4 !== 3 && value > 60);
      },
    };
    page.heard = [];
    page.frames = 0;
    const count = () => {
      page.frames++;
      video.requestVideoFrameCallback(count);
    };
    video.requestVideoFrameCallback(count);
  }, remote);
  // The test device beeps once a second, so silence is what lasts longer than that.
  await person.waitFor(
    (what, there) => {
      const page = /** @type {any} */ (window);
      page.heard = [...page.heard.slice(-29), page.level[what]()];
      if (there) return page.heard.at(-1);
      return page.heard.length === 30 && !page.heard.includes(true);
    },
    what,
    there,
  );
}

test("mute and hide act on what is sent, and say so on both sides", async () => {
  const [ana, ben] = await scene.visitors("chromium", "chromium");
  assert(ana && ben);
  await meet(ana, ben);
  await gets(ben, "sound", true);
  await gets(ben, "picture", true);

  await ana.click("toggle-mic");
  await gets(ben, "sound", false);
  await gets(ben, "picture", true);
  await ana.click("toggle-mic");
  await gets(ben, "sound", true);

  await ana.click("toggle-camera");
  await ben.waitFor(() => !document.querySelector("#covered")?.hasAttribute("hidden"));
  await gets(ben, "picture", false);
  await gets(ben, "sound", true);
  await ana.click("toggle-camera");
  await ben.waitFor(() => document.querySelector("#covered")?.hasAttribute("hidden"));
  await gets(ben, "picture", true);
});

test("who is muted stays muted for the next one, who is told of a hidden camera", async () => {
  const [ana, ben, cem] = await scene.visitors("chromium", "chromium", "chromium");
  assert(ana && ben && cem);
  await meet(ana, ben);
  await ana.click("toggle-mic");
  await ana.click("toggle-camera");
  await cem.click("start");
  await ana.click("next");
  await cem.reads("status", "Connected");
  await cem.waitFor(() => !document.querySelector("#covered")?.hasAttribute("hidden"));
  await gets(cem, "sound", false);
  assert.equal(
    await ana.page.$eval('[data-testid="toggle-mic"]', (button) => button.ariaPressed),
    "true",
  );
});

test("who hides is hidden from the next one, too, whose page hears of it before the picture comes", async () => {
  const [ana, ben] = await scene.visitors("chromium", "chromium");
  const cem = await scene.visitor("chromium", { first: picturesComeLast });
  assert(ana && ben);
  await meet(ana, ben);
  await ana.click("toggle-camera");
  await ben.waitFor(() => !document.querySelector("#covered")?.hasAttribute("hidden"));
  await cem.click("start");
  await ana.click("next");
  await cem.waitFor(() => {
    const remote = /** @type {HTMLVideoElement | null} */ (
      document.querySelector('[data-testid="remote-video"]')
    );
    return remote?.srcObject;
  });
  const uncovered = await cem.page.$eval("#covered", (cover) => cover.hasAttribute("hidden"));
  assert.equal(uncovered, false);
});

/** Tracks arrive after what is said first, as they do where the page is busy: the two come by different
 * queues of the browser. */
function picturesComeLast() {
  window.RTCPeerConnection = class extends RTCPeerConnection {
    /** @type {PromiseWithResolvers<void>} */
    #said = Promise.withResolvers();

    /**
     * @override
     * @param {Parameters<RTCPeerConnection["createDataChannel"]>} all
     */
    createDataChannel(...all) {
      const channel = super.createDataChannel(...all);
      // After the page's own listener.
      channel.addEventListener("message", () => setTimeout(this.#said.resolve));
      return channel;
    }

    /**
     * @override
     * @param {((event: RTCTrackEvent) => void) | null} listener
     */
    set ontrack(listener) {
      super.ontrack = listener && ((event) => this.#said.promise.then(() => listener(event)));
    }
  };
}

/** Notes in order what becomes of devices. @param {Person} person */
async function isWatched(person) {
  await person.page.evaluate(() => {
    const page = /** @type {any} */ (window);
    page.events = [];
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wanted) => {
      page.events.push(`open ${Object.keys(wanted ?? {})}`);
      return ask(wanted);
    };
    const { stop } = MediaStreamTrack.prototype;
    MediaStreamTrack.prototype.stop = function () {
      page.events.push(`stop ${this.kind}`);
      stop.call(this);
    };
  });
}

/** Which devices are open, by what the own picture shows. @param {Person} person */
function opened(person) {
  return person.page.$eval('[data-testid="local-video"]', (element) => {
    const { srcObject } = /** @type {HTMLVideoElement} */ (element);
    const tracks = /** @type {MediaStream | null} */ (srcObject)?.getTracks() ?? [];
    const live = tracks.filter(({ readyState }) => readyState === "live");
    return Object.fromEntries(live.map((track) => [track.kind, track.getSettings().deviceId]));
  });
}

/** @param {Person} person */
const events = (person) => person.page.evaluate(() => /** @type {any} */ (window).events);

for (const where of ["with a stranger", "in a room"]) {
  test(`${where}, another camera is opened after the old one is let go, and mute stays`, async () => {
    const path = where === "in a room" ? "/r/cameras" : "/";
    const ana = await scene.visitor("chromium", { path, cameras: 2 });
    const ben = await scene.visitor("chromium", { path });
    const remote = path === "/" ? "remote-video" : "tile";
    if (path === "/") await meet(ana, ben);
    else await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
    await gets(ben, "sound", true, remote);
    await ana.click("toggle-mic");
    await gets(ben, "sound", false, remote);
    await isWatched(ana);
    const before = await opened(ana);

    await ana.click("camera-flip");
    await ana.waitFor(() => /** @type {any} */ (window).events.length === 2);
    assert.deepEqual(await events(ana), ["stop video", "open video"]);
    await gets(ben, "picture", true, remote);
    await ana.waitFor((old) => {
      const list = document.querySelector('[data-testid="camera-select"]');
      return /** @type {HTMLSelectElement} */ (list).value !== old;
    }, before.video);
    const after = await opened(ana);
    assert.notEqual(after.video, before.video);
    assert.equal(after.audio, before.audio);
    const chosen = await ana.page.$eval(
      '[data-testid="camera-select"]',
      (list) => /** @type {HTMLSelectElement} */ (list).value,
    );
    assert.equal(chosen, after.video);

    // And back by the list.
    await ana.page.select('[data-testid="camera-select"]', before.video ?? "");
    await ana.waitFor(() => /** @type {any} */ (window).events.length === 4);
    await gets(ben, "picture", true, remote);
    assert.deepEqual(await opened(ana), before);

    // Another microphone is as muted as the one before.
    const other = await ana.page.$eval('[data-testid="mic-select"]', (element) => {
      const list = /** @type {HTMLSelectElement} */ (element);
      return [...list.options].map(({ value }) => value).find((value) => value !== list.value);
    });
    await ana.page.select('[data-testid="mic-select"]', other ?? "");
    await ana.waitFor(() => /** @type {any} */ (window).events.length === 6);
    assert.deepEqual((await events(ana)).slice(4), ["stop audio", "open audio"]);
    await gets(ben, "sound", false, remote);
    assert.equal((await opened(ana)).audio, other);
    await ana.click("toggle-mic");
    await gets(ben, "sound", true, remote);

    // A camera that is off is let go, and the button works on the one that is sent.
    await ana.click("toggle-camera");
    await ana.waitFor(() => /** @type {any} */ (window).events.length === 7);
    assert.equal((await opened(ana)).video, undefined);
    await ana.click("toggle-camera");
    await ana.waitFor(() => {
      const video = document.querySelector('[data-testid="local-video"]');
      const { srcObject } = /** @type {HTMLVideoElement} */ (video);
      return /** @type {MediaStream | null} */ (srcObject)?.getVideoTracks().length === 1;
    });
    assert.deepEqual(await opened(ana), { audio: other, video: before.video });
    await gets(ben, "picture", true, remote);
  });
}

test("in a room, who has no camera and no microphone may join without", async () => {
  const ben = await scene.visitor("chromium", { path: "/r/without" });
  const ana = await scene.visitor("chromium", {
    path: "/r/without",
    without: [TEST_DEVICES],
  });
  await ana.waitFor(() =>
    document.querySelector("#notice-title")?.textContent?.includes("No camera or microphone"),
  );
  await ana.click("without");
  await ana.seesAll(1);
  await ben.waitFor(() =>
    document.querySelector('[data-testid="tile"].covered .mic:not([hidden])'),
  );
  await ana.type("chat-input", "I only listen");
  await ana.page.keyboard.press("Enter");
  await ben.reads("chat-log", "I only listen");
});

test("in a room, who forbade the camera may allow it and try again", async () => {
  const ana = await scene.visitor("chromium", {
    path: "/r/denied",
    without: ["--use-fake-ui-for-media-stream"],
  });
  const context = ana.page.browserContext();
  await context.overridePermissions(scene.address, []);
  await ana.page.reload();
  await ana.waitFor(() =>
    document.querySelector("#notice-title")?.textContent?.includes("not allowed to use the camera"),
  );
  await ana.reads("status", "No camera");
  await context.overridePermissions(scene.address, ["camera", "microphone"]);
  await ana.page.click("#open-camera");
  await ana.reads("status", "Only you are here");
  await ana.sees("local-video");
});

test("who forbids the camera is told what to do, and can still use text", async () => {
  const person = await scene.visitor("chromium", { without: ["--use-fake-ui-for-media-stream"] });
  await person.page.browserContext().overridePermissions(scene.address, []);
  await person.click("start");
  await person.waitFor(() =>
    document.querySelector("#notice-title")?.textContent?.includes("not allowed to use the camera"),
  );
  await person.reads("status", "No camera");
  await person.click("mode-text");
  await person.click("start");
  await person.reads("status", "Looking for someone");
});

test("who has no devices is told so", async () => {
  const person = await scene.visitor("chromium", {
    without: [TEST_DEVICES],
  });
  await person.waitFor(() =>
    document.querySelector("#notice-title")?.textContent?.includes("No camera or microphone"),
  );
});
