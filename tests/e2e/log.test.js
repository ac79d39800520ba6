// What the server writes while people meet, lose it, come back, and send it rubbish: nothing of theirs.
// What each kind of message leaves in the log, tests/worker/privacy.rs tells.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { keepConnections, keepWords } from "./connections.js";
import { freePort } from "./server.js";
import { stage } from "./stage.js";
import { startRelay } from "./turnserver.js";

/** @import { Person } from "./browsers.js" */
/** @import { Page } from "./connections.js" */

const SECRET = "shared-with-the-relay";
const LIKED = "old maps of the moon";
const ROOM = "/r/where-nobody-else-is";
/** What is a secret of somebody's only where it is longer than this. */
const SHORTEST = 8;
/** What no description, candidate or credential is without (RFC 8866, section 5; RFC 8839; RFC 7064). */
const NEVER = ["v=0", "a=", "ice-ufrag", "ice-pwd", "fingerprint", "candidate", "typ host"];

const port = await freePort();
const url = `127.0.0.1:${port}`;
/** @type {Awaited<ReturnType<typeof startRelay>> | undefined} */
let relay;
before(async () => {
  relay = await startRelay({ port, secret: SECRET });
});
after(() => relay?.stop());
const scene = stage({ STUN_URLS: `stun:${url}`, TURN_URLS: `turn:${url}`, TURN_SECRET: SECRET });

/** In a page: what is heard is kept with what is said. */
const keepAnswers = () => {
  const page = /** @type {Page} */ (/** @type {unknown} */ (window));
  window.WebSocket = class extends WebSocket {
    /** @param {string | URL} url */
    constructor(url) {
      super(url);
      this.addEventListener("message", ({ data }) => page.said.push(String(data)));
    }
  };
};
const first = [keepConnections, keepWords, keepAnswers];

/** All text within a value. @param {unknown} value @returns {string[]} */
function texts(value) {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value ? Object.values(value).flatMap(texts) : [];
}

/** @param {string} frame */
function read(frame) {
  try {
    return JSON.parse(frame);
  } catch {
    return frame;
  }
}

/** All that a page has said and heard since it was loaded, and by what it is reached. @param {Person} person */
async function known({ page }) {
  const { frames, servers } = await page.evaluate(() => {
    const { said, connections } = /** @type {Page} */ (/** @type {unknown} */ (window));
    const servers = connections.flatMap((one) => one.getConfiguration().iceServers ?? []);
    return { frames: said, servers };
  });
  const words = texts([...frames.map(read), servers]);
  const lines = words.flatMap((word) => word.match(/candidate:[^\r\n]*/g) ?? []);
  const addresses = lines.map((line) => line.split(" ")[4] ?? "");
  return [...words.filter((word) => word.length >= SHORTEST), ...addresses];
}

/** @param {Person} from @param {Person} to @param {string} text */
async function says(from, to, text) {
  await from.type("chat-input", text);
  await from.page.keyboard.press("Enter");
  await to.reads("chat-log", text);
}

test("the log holds nothing of anybody", async () => {
  const wire = await scene.wire();
  const ana = await scene.visitor("chromium", { first, wire });
  const ben = await scene.visitor("chromium", { first });
  for (const person of [ana, ben]) {
    await person.type("interests", LIKED);
    await person.click("start");
  }
  await Promise.all([ana.sees(), ben.sees()]);
  await ana.reads("chat-log", LIKED);
  await says(ana, ben, "Meet me at the harbour");
  wire.cut();
  await ana.reads("status", "reaching the server");
  wire.mend();
  await ana.waitFor(
    () => document.querySelector('[data-testid="status"]')?.textContent === "Connected",
  );
  const words = [LIKED, "Meet me at the harbour", SECRET];
  // Somebody who has heard of a seat wants it, and says what is no message.
  await ben.page.evaluate(async (path) => {
    const { said } = /** @type {Page} */ (/** @type {unknown} */ (window));
    const [, token = ""] = said.join().match(/"resume":"([^"]+)"/) ?? [];
    const socket = new WebSocket(path);
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    for (const frame of [
      JSON.stringify({ type: "resume", token: `${token}A` }),
      JSON.stringify({ type: "resume", token }),
      JSON.stringify({ type: "signal", to: "0000000000", data: "a word of nobody's" }),
      JSON.stringify({ type: "find", mode: "words of nobody's" }),
      '{"type":"join","name":"Nobody at all"',
    ])
      socket.send(frame);
    await new Promise((resolve) => socket.addEventListener("message", resolve));
    socket.close();
  }, "/v1/match");
  words.push(...(await known(ana)), ...(await known(ben)));

  for (const [person, name] of /** @type {const} */ ([
    [ana, "Ana of the harbour"],
    [ben, "Ben of the harbour"],
  ])) {
    await person.page.goto(new URL(ROOM, person.page.url()).href, { waitUntil: "load" });
    await person.type("name", name);
    words.push(name);
  }
  await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
  await ben.reads("tile", "Ana of the harbour");
  await says(ben, ana, "Nobody else knows this room");
  words.push(...(await known(ana)), ...(await known(ben)));
  await ana.page.reload({ waitUntil: "load" });
  await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
  words.push(...(await known(ana)), ...(await known(ben)));

  // There was something of each kind.
  for (const kind of [
    /^v=0/,
    /^candidate:/,
    /^turn:/,
    /^\d{10}:\w+$/,
    /^[\w-]{60,}$/,
    /^127\.0\.0\.1$/,
  ])
    assert(
      words.some((word) => kind.test(word)),
      `${kind}`,
    );
  const log = scene.log();
  for (const event of ["lobby-awake", "room-awake"]) assert(log.includes(event), log);
  for (const word of [...NEVER, ...new Set(words)])
    assert(!log.includes(word), `${JSON.stringify(word)} is in the log:\n${log}`);
  // wrangler names the paths that it serves, and nothing but it serves them where people are let in.
  const ours = log.replace(/^\[wrangler:info\] .*$/gm, "");
  assert(!ours.includes(ROOM.slice("/r/".length)), ours);
});
