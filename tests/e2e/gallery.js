// Pictures of every state of the pages, taken of the real thing: `npm run gallery` writes docs/gallery,
// `npm run gallery -- strangers`, `-- rooms`, `-- doctor`, `-- privacy`, `-- status` or `-- recovery` only
// that part of it.

import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { TEST_DEVICES, visit } from "./browsers.js";
import { pages as closed, hurry } from "./closed.js";
import { FACES, film } from "./face.js";
import { freePort, start } from "./server.js";
import { meet } from "./stage.js";

/** @import { Circumstances, Person } from "./browsers.js" */

const FOLDER = fileURLToPath(new URL("../../docs/gallery/", import.meta.url));
const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 1 };
const DESKTOP = { width: 1280, height: 800 };
const THEMES = /** @type {const} */ (["dark", "light"]);
const SIZES = /** @type {const} */ ([
  ["desktop-dark", { viewport: DESKTOP, theme: "dark" }],
  ["desktop-light", { viewport: DESKTOP, theme: "light" }],
  ["phone-dark", { viewport: PHONE, theme: "dark" }],
  ["phone-light", { viewport: PHONE, theme: "light" }],
]);
/** Just large enough for the people who come. */
const variables = { ROOM_CAPACITY: "5" };
const ROOM = "/r/book-club";
const FAKE_ANSWER = "--use-fake-ui-for-media-stream";
/** @param {string} part of the gallery, of which all are wanted if none is named */
const wanted = (part) => [undefined, part].includes(process.argv[2]);

await mkdir(FOLDER, { recursive: true });
const films = await mkdtemp(join(tmpdir(), "echomingle-films-"));
const cameras = FACES.map((_, number) => join(films, `${number}.y4m`));
await Promise.all(FACES.map((face, number) => film(/** @type {string} */ (cameras[number]), face)));
const silence = join(films, "silence.wav");
const still = `--use-file-for-fake-audio-capture=${silence}`;
await writeFile(silence, quiet());
let server = await start({ variables });
/** @type {Person[]} */
let people = [];

/** A second without a sound, as a WAV file. */
function quiet() {
  const sound = Buffer.alloc(44 + 2 * 48_000);
  sound.write("RIFF");
  sound.writeUInt32LE(sound.length - 8, 4);
  sound.write("WAVEfmt ", 8);
  sound.writeUInt32LE(16, 16);
  sound.writeUInt16LE(1, 20);
  sound.writeUInt16LE(1, 22);
  sound.writeUInt32LE(48_000, 24);
  sound.writeUInt32LE(2 * 48_000, 28);
  sound.writeUInt16LE(2, 32);
  sound.writeUInt16LE(16, 34);
  sound.write("data", 36);
  sound.writeUInt32LE(sound.length - 44, 40);
  return sound;
}

/** @param {number} face @param {Circumstances & { path?: string, site?: string }} [circumstances] */
async function person(face, { path = "/", site = server.address, ...circumstances } = {}) {
  const camera = `--use-file-for-fake-video-capture=${cameras[face]}`;
  const somebody = await visit(site + path, "chromium", {
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
    // A test camera is called by the path of its film.
    for (const option of document.querySelectorAll("option"))
      option.textContent = option.textContent?.replace(/^.*\.y4m$/, "Built-in camera") ?? "";
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
  const asked = await person(0, { ...circumstances, without: [FAKE_ANSWER] });
  await picture(asked, `before-camera-${name}`);
  await asked.page.click("#open-camera");
  await picture(asked, `permission-asked-${name}`);
  const denied = await person(0, { ...circumstances, without: [FAKE_ANSWER] });
  await denied.page.browserContext().overridePermissions(server.address, []);
  await denied.page.click("#open-camera");
  await denied.waitFor(() =>
    document.querySelector("#notice-title")?.textContent?.includes("not allowed"),
  );
  await picture(denied, `permission-denied-${name}`);
  const none = await visit(server.address, "chromium", {
    ...circumstances,
    without: [TEST_DEVICES],
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
  server = await start({ port: server.port, variables });
  await ana.reads("status", "Looking");
  await leave();
}

/** @typedef {"desktop" | "phone"} Kind of what somebody looks at */

/** @param {Person} somebody @param {Kind} kind @param {string} name @param {() => Promise<void>} [first] */
async function both(somebody, kind, name, first) {
  for (const theme of THEMES) {
    await somebody.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
    await somebody.page.mouse.move(1, 1);
    await first?.();
    await picture(somebody, `${name}-${kind}-${theme}`);
  }
}

/** Nobody is told anything in passing any more. @param {Person} somebody */
function calm(somebody) {
  return somebody.waitFor(() => document.querySelector("#toast")?.hasAttribute("hidden"));
}

/** Presses what may be hard to hit. @param {Person} somebody @param {string} selector */
async function press(somebody, selector) {
  await somebody.page.waitForSelector(selector);
  await somebody.page.$eval(selector, (button) => /** @type {HTMLElement} */ (button).click());
}

/** @param {Person} somebody @param {string} name @param {string} status */
async function comesIn(somebody, name, status) {
  await somebody.page.goto(server.address + ROOM, { waitUntil: "load" });
  await somebody.reads("status", status);
  await somebody.page.$eval('[data-testid="name"]', (input) => {
    /** @type {HTMLInputElement} */ (input).value = "";
  });
  await somebody.type("name", name);
  await somebody.page.keyboard.press("Enter");
}

/** @param {Person} somebody @param {string} button */
async function turnsOff(somebody, button) {
  const pressed = await somebody.page.$eval(`[data-testid="${button}"]`, (one) => one.ariaPressed);
  if (pressed === "false") await somebody.click(button);
}

/** Whoever may ask the others to mute. @param {Person[]} people */
async function hostOf(people) {
  for (const somebody of people)
    if (await somebody.page.$('#people [data-action="remove"]')) return somebody;
  throw new Error("nobody is the host");
}

/** Who comes to every room, in this order. */
async function company() {
  return {
    amara: await person(1),
    tomas: await person(4, { args: [still] }),
    yuki: await person(3, { args: [still] }),
    leila: await person(5, { args: [still] }),
  };
}

/** @param {Kind} kind @param {Awaited<ReturnType<typeof company>>} others */
async function room(kind, { amara, tomas, yuki, leila }) {
  const viewport = kind === "phone" ? PHONE : DESKTOP;
  const asked = await person(0, { viewport, without: [FAKE_ANSWER] });
  await asked.page.goto(server.address + ROOM, { waitUntil: "load" });
  await asked.waitFor(() =>
    document.querySelector("#notice-title")?.textContent?.includes("not allowed"),
  );
  await both(asked, kind, "room-denied");
  // Nobody answers in a browser without a window: it says no by itself, after a while.
  await asked.page.evaluateOnNewDocument(() => {
    navigator.mediaDevices.getUserMedia = () => new Promise(() => {});
  });
  await asked.page.reload({ waitUntil: "load" });
  await asked.reads("status", "Waiting for your camera");
  await both(asked, kind, "room-entering");
  await asked.close();

  const ana = await person(0, { viewport, args: [still] });
  await comesIn(ana, "Ana", "Only you");
  await ana.sees("local-video");
  await both(ana, kind, "room-alone");

  await comesIn(amara, "Amara", "2 people");
  await comesIn(tomas, "Tomas", "3 people");
  await comesIn(yuki, "Yuki", "4 people");
  await comesIn(leila, "Leïla", "5 people");
  await turnsOff(tomas, "toggle-mic");
  await turnsOff(leila, "toggle-camera");
  await yuki.click("hand");
  await ana.waitFor(() => {
    const tiles = [...document.querySelectorAll('[data-testid="tile"]')];
    const names = tiles.map((tile) => tile.querySelector(".name")?.textContent);
    return (
      names.join() === "Amara,Tomas,Yuki,Leïla" &&
      tiles.every((tile, place) => tile.classList.contains("covered") === (place === 3)) &&
      tiles[1]?.querySelector(".mic:not([hidden])") &&
      tiles[2]?.querySelector(".hand:not([hidden])")
    );
  });
  await say(amara, "Has everybody finished it?");
  await say(tomas, "Two chapters to go. No spoilers please");
  await ana.reads("chat-log", "spoilers");
  if (kind === "desktop") await say(ana, "Then we begin with the first half.");
  await say(leila, "Fine with me, my camera rests today");
  await ana.reads("chat-log", "rests");
  await ana.page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).blur());
  const speaking = async () => {
    await calm(ana);
    await ana.waitFor(() => document.querySelector('[data-testid="tile"].speaking'));
  };
  await both(ana, kind, "room-call", speaking);
  if (kind === "phone") {
    await ana.click("people");
    await both(ana, kind, "room-people");
    await ana.page.click("#close-side");
  }
  const pin = '[data-testid="tile"] .pin';
  await press(ana, pin);
  await both(ana, kind, "room-pinned", speaking);
  await press(ana, pin);

  await tomas.click("share-screen");
  await ana.waitFor(() => {
    const video = /** @type {HTMLVideoElement | null} */ (
      document.querySelector('[data-testid="screen"] video')
    );
    return video && video.videoWidth > 0;
  });
  await both(ana, kind, "room-screen");
  await tomas.click("share-screen");

  // Whoever comes back is no host any more.
  await ana.click("leave");
  await ana.click("again");
  await ana.reads("status", "5 people");
  await ana.waitFor(() => document.querySelectorAll('[data-testid="tile"].covered').length === 1);
  await calm(ana);
  const host = await hostOf([amara, tomas, yuki, leila]);
  await both(ana, kind, "room-asked-to-mute", async () => {
    await press(host, '#people [data-action="askToMute"][aria-label$="Ana"]');
    await ana.waitFor(() => !document.querySelector("#toast")?.hasAttribute("hidden"));
  });
  await press(ana, "#toast button");
  await press(host, '#people [data-action="remove"][aria-label$="Ana"]');
  await ana.reads("status", "removed");
  await both(ana, kind, "room-removed");
  const guest = await visit(server.address + ROOM, "chromium", { beside: host });
  await guest.reads("status", "5 people");
  await ana.click("again");
  await ana.reads("status", "full");
  await both(ana, kind, "room-full");
  await guest.close();
  await host.reads("status", "4 people");
  await host.click("lock");
  await host.reads("lock", "Locked");
  await ana.click("again");
  await ana.reads("status", "locked");
  await both(ana, kind, "room-locked");
  await ana.close();
  await Promise.all([amara, tomas, yuki, leila].map(({ page }) => page.goto("about:blank")));
}

/** In a page: whatever is chosen to be shown is this slide; Chromium's own test screen is a green clock. */
function showSlide() {
  const canvas = document.createElement("canvas");
  canvas.width = 1280;
  canvas.height = 720;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const books = ["The Waves", "Austerlitz", "Pedro Páramo", "The Housekeeper and the Professor"];
  const draw = () => {
    pen.fillStyle = "#fbf7ee";
    pen.fillRect(0, 0, 1280, 720);
    pen.fillStyle = "#2f6b75";
    pen.fillRect(1020, 440, 150, 200);
    pen.fillStyle = "#d9a441";
    pen.fillRect(1020, 440, 18, 200);
    pen.fillStyle = "#24303c";
    pen.font = "bold 68px sans-serif";
    pen.fillText("What to read next", 100, 150);
    pen.font = "40px sans-serif";
    books.forEach((book, place) => {
      pen.fillText(`${place + 1}.  ${book}`, 100, 270 + 80 * place);
    });
  };
  navigator.mediaDevices.getDisplayMedia = async () => {
    // A canvas gives a frame whenever something is drawn.
    setInterval(draw, 100);
    return canvas.captureStream(10);
  };
}

async function rooms() {
  const others = await company();
  await others.tomas.page.evaluateOnNewDocument(showSlide);
  for (const kind of /** @type {const} */ (["desktop", "phone"])) await room(kind, others);
  await leave();
}

async function doctor() {
  for (const kind of /** @type {const} */ (["desktop", "phone"])) {
    const viewport = kind === "phone" ? PHONE : DESKTOP;
    const ana = await person(0, { path: "/doctor", viewport });
    const done = () => ana.page.waitForSelector('[data-testid="check-again"]:enabled');
    await done();
    await ana.click("test-devices");
    await ana.reads("check-devices", "work");
    await done();
    await both(ana, kind, "doctor");
    await server.stop();
    await ana.click("check-again");
    await ana.reads("summary", "will not connect");
    await done();
    await both(ana, kind, "doctor-problem");
    server = await start({ port: server.port, variables });
    await leave();
  }
}

async function privacy() {
  for (const kind of /** @type {const} */ (["desktop", "phone"])) {
    const viewport = kind === "phone" ? PHONE : DESKTOP;
    await both(await person(0, { path: "/privacy", viewport }), kind, "privacy");
    await leave();
  }
}

/** Who is here, and how it is when the day is full. */
async function status() {
  /** Six meet, and one more waits. @type {WebSocket[]} */
  const sockets = [];
  for (let number = 0; number < 7; number++) {
    const socket = new WebSocket(`${server.address.replace("http", "ws")}/v1/match`);
    sockets.push(socket);
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "find", mode: "text" }));
  }
  const full = await closed(server.address);
  for (const kind of /** @type {const} */ (["desktop", "phone"])) {
    const viewport = kind === "phone" ? PHONE : DESKTOP;
    const ana = await person(0, { path: "/status", viewport });
    await ana.reads("calls", "3");
    await both(ana, kind, "status");
    const ben = await person(1, { site: full.address, viewport, first: [hurry] });
    await ben.click("start");
    await ben.waitFor(() => document.querySelector("#wait-title")?.textContent?.includes("Full"));
    await both(ben, kind, "full");
    await leave();
  }
  for (const socket of sockets) socket.close();
  full.close();
}

/** How it is when something is in the way: dark on a desktop, light on a phone. */
async function recovery() {
  const turn = { TURN_URLS: `turn:127.0.0.1:${await freePort()}`, TURN_SECRET: "of nobody" };
  await server.stop();
  // Its relay is not there.
  server = await start({ port: server.port, variables: { ...variables, ...turn } });
  for (const [name, circumstances] of SIZES.filter((_, place) => place % 3 === 0)) {
    await hiding(name, circumstances);
    await away(name, circumstances);
    await roomAway(name, circumstances);
  }
  await server.stop();
  server = await start({ port: server.port, variables });
}

/** @param {string} name @param {Circumstances} circumstances */
async function hiding(name, circumstances) {
  const ana = await person(0, circumstances);
  const ben = await person(1);
  await ana.sees("local-video");
  await ana.click("hide-address");
  await picture(ana, `hiding-${name}`);
  await ana.click("start");
  await ana.reads("status", "Looking");
  await ben.click("start");
  await ana.waitFor(() => document.querySelector("#help")?.checkVisibility());
  await picture(ana, `not-connecting-${name}`);
  await leave();
}

/** @param {string} name @param {Circumstances} circumstances */
async function away(name, circumstances) {
  const ana = await person(0, circumstances);
  const ben = await person(1);
  await meet(ana, ben);
  await ana.page.evaluateOnNewDocument(() => {
    RTCPeerConnection.prototype.setRemoteDescription = () => new Promise(() => {});
  });
  await ana.page.reload({ waitUntil: "load" });
  await ana.sees("local-video");
  await ana.reads("status", "Connecting");
  await picture(ana, `coming-back-${name}`);
  await ana.close();
  await ben.reads("status", "left");
  await ben.click("stop");
  const cem = await person(0, circumstances);
  await meet(cem, ben);
  await ben.page.goto("about:blank");
  await cem.reads("status", "may be back");
  await picture(cem, `away-${name}`);
  await leave();
}

/** @param {string} name @param {Circumstances} circumstances */
async function roomAway(name, circumstances) {
  const ana = await person(0, circumstances);
  await comesIn(ana, "Ana", "Only you");
  const amara = await person(1);
  await comesIn(amara, "Amara", "2 people");
  const yuki = await person(3);
  await comesIn(yuki, "Yuki", "3 people");
  await ana.seesAll(2);
  await yuki.page.goto("about:blank");
  await ana.waitFor(() =>
    [...document.querySelectorAll(".why")].some(({ textContent }) => textContent?.includes("Back")),
  );
  await picture(ana, `room-away-${name}`);
  await leave();
}

async function leave() {
  await Promise.all(people.map((somebody) => somebody.close()));
  people = [];
}

try {
  for (const [name, circumstances] of wanted("strangers") ? SIZES : []) {
    await conversation(name, circumstances);
    await alone(name, circumstances);
    await words(name, circumstances);
    await trouble(name, circumstances);
  }
  if (wanted("rooms")) await rooms();
  if (wanted("doctor")) await doctor();
  if (wanted("privacy")) await privacy();
  if (wanted("status")) await status();
  if (wanted("recovery")) await recovery();
} finally {
  await leave();
  await server.stop();
  await rm(films, { recursive: true, force: true });
}
