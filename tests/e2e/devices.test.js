// Camera and microphone: what the buttons do to what the other one gets, and what is said when there
// is none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { meet, stage } from "./stage.js";

/** @import { Person } from "./browsers.js" */

const scene = stage();

/**
 * Waits until the sound or the picture of the other one is there, or is not.
 * @param {Person} person
 * @param {"sound" | "picture"} what
 * @param {boolean} there
 */
async function gets(person, what, there) {
  await person.page.evaluate(() => {
    const page = /** @type {any} */ (window);
    if (page.level) return;
    const video = /** @type {HTMLVideoElement} */ (
      document.querySelector('[data-testid="remote-video"]')
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
        drawing.drawImage(video, 0, 0, 32, 24);
        const { data } = drawing.getImageData(0, 0, 32, 24);
        return data.some((value, place) => place % 4 !== 3 && value > 60);
      },
    };
    page.heard = [];
  });
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
    without: ["--use-fake-device-for-media-stream"],
  });
  await person.waitFor(() =>
    document.querySelector("#notice-title")?.textContent?.includes("No camera or microphone"),
  );
});
