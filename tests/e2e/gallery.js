// Pictures of every state of the page, taken of the real thing: `npm run gallery` writes docs/gallery.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { visit } from "./browsers.js";
import { FACES, film } from "./face.js";
import { start } from "./server.js";

/** @import { Circumstances, Person } from "./browsers.js" */

const FOLDER = fileURLToPath(new URL("../../docs/gallery/", import.meta.url));
const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 1 };
const DESKTOP = { width: 1280, height: 800 };

await mkdir(FOLDER, { recursive: true });
const films = await mkdtemp(join(tmpdir(), "echomingle-films-"));
const cameras = FACES.map((_, number) => join(films, `${number}.y4m`));
await Promise.all(FACES.map((face, number) => film(/** @type {string} */ (cameras[number]), face)));
let server = await start();
/** @type {Person[]} */
let people = [];

/** @param {number} face @param {Circumstances} [circumstances] */
async function person(face, circumstances = {}) {
  const camera = `--use-file-for-fake-video-capture=${cameras[face]}`;
  const somebody = await visit(server.address, "chromium", {
    ...circumstances,
    args: [camera, ...(circumstances.args ?? [])],
  });
  people.push(somebody);
  return somebody;
}

/** @param {Person} somebody @param {string} name */
async function picture(somebody, name) {
  // Fonts, icons and transitions are there first.
  await somebody.page.evaluate(async () => {
    await document.fonts.ready;
    const moving = document
      .getAnimations()
      .filter((one) => one.effect?.getTiming().iterations !== Infinity);
    await Promise.allSettled(moving.map((one) => one.finished));
  });
  await somebody.page.screenshot({ path: join(FOLDER, `${name}.png`) });
  console.log(name);
}

/** @param {Person} somebody @param {string} text */
async function say(somebody, text) {
  await somebody.type("chat-input", text);
  await somebody.page.keyboard.press("Enter");
}

/** @param {string} name @param {Circumstances} circumstances */
async function conversation(name, circumstances) {
  const ana = await person(0, circumstances);
  const ben = await person(1);
  await ana.sees("local-video");
  await ana.type("interests", "jazz,");
  await ana.type("interests", "astronomy,");
  await ana.page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).blur());
  await picture(ana, `start-${name}`);
  await ana.click("start");
  await ana.reads("status", "Looking");
  await picture(ana, `searching-${name}`);
  await ben.type("interests", "jazz");
  await ben.click("start");
  await Promise.all([ana.sees(), ben.sees()]);
  await say(ben, "Hi! Where are you?");
  await ana.reads("chat-log", "Hi!");
  await say(ana, "Lviv, and you?");
  await ben.reads("chat-log", "Lviv");
  await say(ben, "Porto. It is raining here ☔");
  await ana.reads("chat-log", "Porto");
  await say(ana, "Perfect weather for Chet Baker");
  await ben.type("chat-input", "I");
  await ana.waitFor(() => !document.querySelector("#typing")?.hasAttribute("hidden"));
  await ana.page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).blur());
  await ana.page.mouse.move(300, 300);
  await picture(ana, `call-${name}`);
  await ana.click("toggle-mic");
  await ben.click("toggle-camera");
  await ana.waitFor(() => !document.querySelector("#covered")?.hasAttribute("hidden"));
  await picture(ana, `camera-off-${name}`);
  await ben.click("stop");
  await ana.reads("status", "left");
  await picture(ana, `left-${name}`);
  await leave();
}

/** @param {string} name @param {Circumstances} circumstances */
async function alone(name, circumstances) {
  const fakes = ["--use-fake-ui-for-media-stream"];
  const asked = await person(0, { ...circumstances, without: fakes });
  await picture(asked, `before-camera-${name}`);
  await asked.page.click("#open-camera");
  await picture(asked, `permission-asked-${name}`);
  const denied = await person(0, { ...circumstances, without: fakes });
  await denied.page.browserContext().overridePermissions(server.address, []);
  await denied.page.click("#open-camera");
  await denied.waitFor(() =>
    document.querySelector("#notice-title")?.textContent?.includes("not allowed"),
  );
  await picture(denied, `permission-denied-${name}`);
  const none = await visit(server.address, "chromium", {
    ...circumstances,
    without: ["--use-fake-device-for-media-stream"],
  });
  people.push(none);
  await none.waitFor(() =>
    document.querySelector("#notice-title")?.textContent?.includes("No camera"),
  );
  await picture(none, `no-devices-${name}`);
  await leave();
}

/** @param {string} name @param {Circumstances} circumstances */
async function words(name, circumstances) {
  const ana = await person(0, circumstances);
  const ben = await person(1);
  for (const somebody of [ana, ben]) {
    await somebody.click("mode-text");
  }
  await picture(ana, `text-start-${name}`);
  await ana.click("start");
  await ana.waitFor(() =>
    document.querySelector("#wait-advice")?.textContent?.includes("Few people"),
  );
  await picture(ana, `text-searching-long-${name}`);
  await ben.click("start");
  await ana.reads("status", "Connected");
  await say(ben, "No camera today, but I do like words.");
  await ana.reads("chat-log", "words");
  await say(ana, "Same here. What are you reading?");
  await picture(ana, `text-call-${name}`);
  await leave();
}

/** @param {string} name @param {Circumstances} circumstances */
async function trouble(name, circumstances) {
  const ana = await person(0, circumstances);
  await ana.click("start");
  await ana.reads("status", "Looking");
  await ana.page.setOfflineMode(true);
  await server.stop();
  await ana.reads("status", "offline");
  await picture(ana, `offline-${name}`);
  await ana.page.setOfflineMode(false);
  server = await start({ port: server.port });
  await ana.reads("status", "Looking");
  await leave();
}

async function leave() {
  await Promise.all(people.map((somebody) => somebody.close()));
  people = [];
}

try {
  const sizes = /** @type {const} */ ([
    ["desktop-dark", { viewport: DESKTOP, theme: "dark" }],
    ["desktop-light", { viewport: DESKTOP, theme: "light" }],
    ["phone-dark", { viewport: PHONE, theme: "dark" }],
    ["phone-light", { viewport: PHONE, theme: "light" }],
  ]);
  for (const [name, circumstances] of sizes) {
    await conversation(name, circumstances);
    await alone(name, circumstances);
    await words(name, circumstances);
    await trouble(name, circumstances);
  }
} finally {
  await leave();
  await server.stop();
  await rm(films, { recursive: true, force: true });
}
