// Whoever one meets may say anything, and a link may name anything. It is shown as text or not at all, and
// nothing else comes of it: with the policy that the pages are served under, and without, so that neither the
// one nor the other is all there is. Files are not sent from page to page, so there are no names of files.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { meet, stage } from "./stage.js";

/** @import { Kind, Person } from "./browsers.js" */

/** What a page of the victim notices, and the channel by which one of the attacker says what it likes.
 * @typedef {Window & { ran?: boolean, owned: () => void, violations: string[], channel: RTCDataChannel }} Page */

const KINDS = /** @type {Kind[]} */ (["chromium", "firefox"]);
const EVIL = "https://evil.example";
/** `owned` is there for it to be called. */
const MARKUP = [
  "<img src=x onerror=owned()>",
  '"><svg onload=owned()>',
  "'><body onload=owned()>",
  "<script>owned()</script>",
  "</script><script>owned()</script>",
  "</p></div><iframe srcdoc='<script>parent.owned()</script>'></iframe>",
  "<a href=javascript:owned()>x</a>",
  "<style>@import '//evil.example/x.css'</style>",
  "<link rel=stylesheet href=//evil.example/x.css>",
  "<meta http-equiv=refresh content='0;url=javascript:owned()'>",
  "<base href=//evil.example/>",
  "<math><mtext><table><mglyph><style><!--</style><img src onerror=owned()>",
  "<!--><img src=x onerror=owned()>-->",
  "\0<img src=x onerror=owned()>",
  "&lt;img src=x onerror=owned()&gt;",
  "&#60;script&#62;owned()&#60;/script&#62;",
  "{{constructor.constructor('owned()')()}}",
  "$" + "{owned()}",
];
const LINKS = [
  "javascript:owned()",
  "JaVaScRiPt:owned()",
  "java\nscript:owned()",
  "data:text/html,<script>owned()</script>",
  "data:text/html;base64,PHNjcmlwdD5vd25lZCgpPC9zY3JpcHQ+",
  "vbscript:owned()",
  "//evil.example/x.js",
  `${EVIL}/?"><img src=x onerror=owned()>`,
  "https://echomingle.example@evil.example/",
  // A Cyrillic letter, and the same in ASCII.
  "https://\u0430pple.example",
  "https://xn--pple-43d.example",
];

/** What is said, and what is shown of it. @type {[string, string][]} */
const SAID = [
  ...[...MARKUP, ...LINKS].map((text) => /** @type {[string, string]} */ ([text, text])),
  ["\u202egnp.exe", "gnp.exe"],
  ["\u2067\u202e)\u202c(\u2069 right", ")( right"],
  ["a\u200bb", "a\u200bb"],
  ["__proto__", "__proto__"],
  ["z".repeat(2_000), "z".repeat(2_000)],
  ["z".repeat(9_000), "z".repeat(2_000)],
  [`e${"\u0301".repeat(1_999)}`, `e${"\u0301".repeat(1_999)}`],
  ["\ud83d", "\ud83d"],
];

/** Names, and what their owners are called. @type {[string, string][]} */
const NAMES = [
  ...[...MARKUP, ...LINKS].map(
    (name) =>
      /** @type {[string, string]} */ ([
        name,
        [...name.replace(/[\0\n]/g, " ").trim()].slice(0, 32).join("").trim(),
      ]),
  ),
  ["\u202eanA", "anA"],
  ["Ana\u2066 (host)", "Ana (host)"],
  ["\u200b\u2060", "Guest"],
  ["\u3164\u3164", "Guest"],
  ["\u2800", "Guest"],
  ["  \t ", "Guest"],
  ["n".repeat(5_000), "n".repeat(32)],
  ["constructor", "constructor"],
];

const CANDIDATE = "candidate:1 1 udp 1 127.0.0.1 9 typ host";
/** Frames that no page sends. What cannot be told apart from a word in time, such as `typing`, is none of them. */
const FRAMES = [
  "",
  "null",
  "0",
  "[]",
  "{",
  '"chat"',
  "[".repeat(60_000),
  "z".repeat(200_000),
  '{"type":"chat"}',
  '{"type":"chat","text":null}',
  '{"type":"chat","text":{"toString":"owned()"}}',
  '{"type":"chat","text":["<img src=x onerror=owned()>"]}',
  `{"type":"chat","text":"${"z".repeat(60_000)}"}`,
  '{"type":"chat","text":"\\u200b\\u3164"}',
  '{"type":"html","html":"<img src=x onerror=owned()>"}',
  '{"type":"__proto__","polluted":true}',
  '{"type":"constructor"}',
  '{"type":["chat"],"text":"hi"}',
  '{"__proto__":{"polluted":true,"type":"chat","text":"hi"}}',
  '{"type":"watch","height":"180"}',
  '{"type":"watch","height":1e999}',
  '{"type":"watch","height":-1e308}',
  '{"type":"watch","height":1080}',
  '{"type":"signal"}',
  '{"type":"signal","data":null}',
  '{"type":"signal","data":{"__proto__":{"polluted":true}}}',
  '{"type":"signal","data":{"description":"<script>owned()</script>"}}',
  '{"type":"signal","data":{"description":{"type":"offer","sdp":"v=0 <script>owned()</script>"}}}',
  '{"type":"signal","data":{"description":{"type":"answer","sdp":null}}}',
  '{"type":"signal","data":{"description":{"type":"rollback"}}}',
  '{"type":"signal","data":{"candidates":{"length":1e9}}}',
  '{"type":"signal","data":{"candidates":[null,1,{},{"candidate":"<img>"},{"candidate":[]}]}}',
  `{"type":"signal","data":{"candidates":[{"candidate":"${CANDIDATE}","sdpMLineIndex":99}]}}`,
  `{"type":"signal","data":{"want":"true","go":{},"padding":"${"z".repeat(64_000)}"}}`,
  '{"type":"signal","data":{"go":true}}',
  '{"type":"pong","pong":{"pong":{}}}',
];
const STATES = [
  '{"type":"state","name":{"toString":"x"},"microphone":"no","camera":1,"hand":"up","screen":[]}',
  '{"type":"state","__proto__":{"polluted":true,"name":"Eve"},"constructor":{"prototype":{"polluted":true}}}',
  '{"type":"state"}',
];

/** In a page: notices what a policy forbids, and whether any text of an attacker is run. */
const notice = () => {
  const page = /** @type {Page} */ (/** @type {unknown} */ (window));
  page.violations = [];
  page.owned = () => (page.ran = true);
  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    page.violations.push(`${effectiveDirective} ${blockedURI}`);
  });
};

/** In a page: keeps the channel to the peer. */
const keepChannel = () => {
  const page = /** @type {Page} */ (/** @type {unknown} */ (window));
  const { send } = RTCDataChannel.prototype;
  /** @param {any} data */
  RTCDataChannel.prototype.send = function (data) {
    page.channel = this;
    send.call(this, data);
  };
};

const scene = stage();

/** @param {Kind} kind @param {boolean} policy whether the one of the pages is in force @param {string} [path] */
async function victim(kind, policy, path = "/") {
  const ben = await scene.visitor(kind, { first: notice, path: policy ? path : "/privacy" });
  if (policy) return ben;
  await ben.page.setBypassCSP(true);
  await ben.page.goto(scene.address + path, { waitUntil: "load" });
  return ben;
}

const attacker = (/** @type {string} */ path = "/") =>
  scene.visitor("chromium", { first: keepChannel, path });

/** Sends frames to the peer as they are. @param {Person} mal @param {string[]} frames */
function sends(mal, frames) {
  return mal.page.evaluate((frames) => {
    const { channel } = /** @type {Page} */ (/** @type {unknown} */ (window));
    for (const frame of frames) channel.send(frame);
  }, frames);
}

/** Everything in the document but what was said, and what else could have changed. @param {Person} person */
function standing({ page }) {
  return page.evaluate(() => {
    const all = [...document.querySelectorAll("*")].filter(
      ({ localName }) => localName !== "option",
    );
    const own = all.filter((element) => !element.closest(".log > *, .tile, .people > *"));
    return {
      elements: own.map((element) => element.localName).join(" "),
      handlers: all.flatMap((element) => element.getAttributeNames()).filter((n) => /^on/.test(n)),
      links: [...document.links].map(({ href }) => href),
      kinds: [...new Set(all.map(({ localName }) => localName))].sort().join(" "),
      title: document.title,
      address: location.href,
      prototype: Object.keys(Object.prototype),
    };
  });
}

/**
 * Does something to somebody, of which nothing comes.
 * @param {Person} ben
 * @param {() => Promise<void>} action
 */
async function harmless(ben, action) {
  /** @type {string[]} */
  const events = [];
  const asked = (/** @type {import("puppeteer-core").HTTPRequest} */ request) => {
    if (!request.url().startsWith(`${scene.address}/icons.svg#`)) events.push(request.url());
  };
  const opened = (/** @type {import("puppeteer-core").Dialog} */ dialog) => {
    events.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  };
  const before = await standing(ben);
  ben.page.on("request", asked).on("dialog", opened);
  try {
    await action();
    assert.deepEqual(await standing(ben), before);
    const { ran, violations } = await ben.page.evaluate(() => {
      const { ran, violations } = /** @type {Page} */ (/** @type {unknown} */ (window));
      return { ran, violations };
    });
    assert.equal(ran, undefined, "a script ran");
    assert.deepEqual(violations, []);
    assert.deepEqual(events, []);
    assert.equal((await ben.page.browserContext().pages()).length, 1, "a window was opened");
  } finally {
    ben.page.off("request", asked).off("dialog", opened);
  }
}

/** @param {Person} person what the other one has said, element by element */
const heard = ({ page }) =>
  page.$$eval('[data-testid="chat-log"] .you', (lines) =>
    lines.map((line) => ({
      text: [...line.childNodes]
        .filter((n) => n.nodeType === 3)
        .map((n) => n.nodeValue)
        .join(""),
      elements: [...line.querySelectorAll("*")].map(({ localName }) => localName).join(),
    })),
  );

/** @param {Person} from @param {Person} to @param {string} text */
async function says(from, to, text) {
  await from.type("chat-input", text);
  await from.page.keyboard.press("Enter");
  await to.reads("chat-log", text);
}

const chat = (/** @type {string} */ text) => JSON.stringify({ type: "chat", text });
const state = (/** @type {object} */ fields) => JSON.stringify({ type: "state", ...fields });

for (const policy of [true, false]) {
  for (const kind of policy ? KINDS : KINDS.slice(0, 1)) {
    describe(`${kind}${policy ? "" : ", without any policy"}`, () => {
      test("a stranger says what it likes, and the call goes on", async () => {
        const [mal, ben] = [await attacker(), await victim(kind, policy)];
        const [liked = ""] = MARKUP;
        for (const person of [mal, ben]) {
          await person.click("mode-text");
          await person.type("interests", liked);
          await person.click("start");
        }
        for (const person of [mal, ben]) await person.reads("status", "Connected");
        await ben.reads("chat-log", `You both like ${liked}`);
        await says(ben, mal, "Who are you?");
        await harmless(ben, async () => {
          await sends(
            mal,
            SAID.map(([text]) => chat(text)),
          );
          await sends(mal, [...FRAMES, ...STATES]);
          await mal.page.evaluate(() => {
            const { channel } = /** @type {Page} */ (/** @type {unknown} */ (window));
            channel.send(new Uint8Array(0));
            channel.send(Uint8Array.from({ length: 256 }, (_, byte) => byte));
            channel.send(new Blob(['{"type":"chat","text":"binary"}']));
            channel.send(new Uint8Array(200_000));
          });
          await says(mal, ben, "Nobody");
          const expected = [...SAID.map(([, shown]) => shown), "Nobody"];
          assert.deepEqual(
            await heard(ben),
            expected.map((text) => ({ text, elements: "" })),
          );
        });
        await says(ben, mal, "I see");
        await ben.reads("status", "Connected");
      });

      // Of a room the browser makes no difference, and it takes its time.
      if (kind === "firefox") return;
      test("somebody in a room is called what it likes, and the call goes on", async () => {
        const path = `/r/hostile-${kind}-${policy}`;
        const [mal, ben] = [await attacker(path), await victim(kind, policy, path)];
        await Promise.all([mal.seesAll(1), ben.seesAll(1)]);
        await says(ben, mal, "Who are you?");
        await says(mal, ben, "Somebody");
        await harmless(ben, async () => {
          for (const [name, shown] of NAMES) {
            // The same words in the tile, in the list, in passing and before what it says.
            await sends(mal, [
              state({ name, hand: false }),
              state({ name, hand: true }),
              chat(name),
            ]);
            await ben.waitFor((shown) => {
              const [tile] = document.querySelectorAll('[data-testid="tile"]');
              const [, row] = document.querySelectorAll("#people .name");
              const toast = document.querySelector("#toast span");
              const told = [tile?.querySelector(".name"), row, tile, toast].map((element, place) =>
                place === 2 ? element?.ariaLabel : element?.textContent,
              );
              return [shown, shown, shown, `${shown} raises a hand.`].every(
                (text, place) => told[place] === text,
              );
            }, shown);
          }
          await sends(mal, [...FRAMES, ...STATES]);
          await says(mal, ben, "Still here");
        });
        for (const { elements } of await heard(ben)) assert.equal(elements, "b");
        await Promise.all([mal.seesAll(1), ben.seesAll(1)]);
        await says(ben, mal, "I see");
      });
    });
  }
}

test("a link to a room names what it likes, and leads into a room or nowhere", async () => {
  const ben = await scene.visitor("chromium", { first: notice });
  /** @type {[string, boolean][]} */
  const rooms = [
    ["__proto__", true],
    ["constructor", true],
    ["hasOwnProperty", true],
    ["a?<script>owned()</script>#<img src=x onerror=owned()>", true],
    ["javascript:owned()", false],
    ["%3Cimg%20src=x%20onerror=owned()%3E", false],
    ['"><script>owned()</script>', false],
    ["%E2%80%AEnimda", false],
    ["%00", false],
    ["a%2F..%2F..%2Fdoctor", false],
    ["z".repeat(4_000), false],
    ["/evil.example", false],
  ];
  for (const [room, leads] of rooms) {
    await ben.page.goto(`${scene.address}/r/${room}`, { waitUntil: "load" });
    await ben.reads("status", leads ? "Only you are here" : "There is no such room");
    const { elements, links, handlers } = await standing(ben);
    assert.equal(new URL(ben.page.url()).origin, scene.address);
    assert.doesNotMatch(elements, /\b(?:img|iframe|style|base)\b/);
    assert.deepEqual(handlers, []);
    for (const link of links) assert(link.startsWith(`${scene.address}/`), link);
    const ran = await ben.page.evaluate(() => "ran" in window);
    assert.equal(ran, false, room);
  }
});

test("markup that got into a page all the same does nothing, and is told of", async () => {
  const ben = await scene.visitor("chromium", { first: notice, path: "/privacy" });
  const served = await fetch(scene.address);
  const headers = Object.fromEntries(served.headers);
  const html = (await served.text()).replace(
    "</body>",
    `<script>owned()</script><script src="${EVIL}/x.js"></script><p id="styled" style="color: red">x</p>
     <img src=x onerror=owned()><img src="${EVIL}/x.png"><style>@import "${EVIL}/x.css"</style>
     <iframe src="${EVIL}/"></iframe><object data="${EVIL}/x"></object><base href="${EVIL}/">
     <audio src="${EVIL}/x.mp3"></audio><form action="${EVIL}/"></form>
     <a id="run" href="javascript:owned()">x</a></body>`,
  );
  await ben.page.setRequestInterception(true);
  ben.page.on("request", (request) => {
    if (request.isNavigationRequest() && request.frame() === ben.page.mainFrame())
      return request.respond({ status: 200, headers, body: html });
    request.continue();
  });
  await ben.page.goto(scene.address, { waitUntil: "load" });
  await ben.page.evaluate(async (evil) => {
    const attempts = [
      // biome-ignore lint/security/noGlobalEval: it is what is forbidden
      () => globalThis.eval("owned()"),
      () => new Function("owned()")(),
      () => setTimeout(/** @type {any} */ ("owned()")),
      () => import(/** @type {string} */ ("data:text/javascript,owned()")),
      () => (document.body.innerHTML += "<b></b>"),
      () => document.body.setAttribute("onclick", "owned()"),
      () => fetch(evil),
      () => new WebSocket(evil.replace("https", "wss")),
      () => /** @type {HTMLFormElement} */ (document.querySelector("[action]")).submit(),
      () => /** @type {HTMLElement} */ (document.querySelector("#run")).click(),
    ];
    // Whoever looks into a page from outside may do more than the page: not in a later turn.
    await new Promise((resolve) => setTimeout(resolve));
    for (const attempt of attempts) {
      try {
        await attempt();
      } catch {
        // Refused, which is told otherwise.
      }
    }
  }, EVIL);
  const expected = [
    "base-uri https://evil.example/",
    "connect-src https://evil.example/",
    "connect-src wss://evil.example/",
    "form-action https://evil.example/?",
    "frame-src https://evil.example",
    "img-src https://evil.example/x.png",
    "media-src https://evil.example/x.mp3",
    "object-src https://evil.example",
    "require-trusted-types-for trusted-types-sink",
    "script-src-attr inline",
    "script-src-elem data",
    "script-src-elem https://evil.example/x.js",
    "script-src-elem inline",
    "style-src-attr inline",
    "style-src-elem inline",
  ];
  // Each is told of in a later turn, those of what is loaded when its turn comes.
  await ben.waitFor((count) => {
    const { violations } = /** @type {Page} */ (/** @type {unknown} */ (window));
    return new Set(violations).size >= count;
  }, expected.length);
  const violations = await ben.page.evaluate(() => {
    const { violations } = /** @type {Page} */ (/** @type {unknown} */ (window));
    return violations;
  });
  assert.equal(await ben.page.evaluate(() => "ran" in window), false);
  // It said so aloud, too.
  ben.complaints = [];
  assert.deepEqual([...new Set(violations)].sort(), expected);
});

for (const kind of KINDS) {
  test(`${kind}: the pages do nothing that their policy forbids`, async () => {
    const [ana, ben] = [await victim(kind, true), await victim("chromium", true)];
    const breaksNothing = async () => {
      for (const { page } of [ana, ben]) {
        const violations = await page.evaluate(() => {
          const { violations } = /** @type {Page} */ (/** @type {unknown} */ (window));
          return violations;
        });
        assert.deepEqual(violations, [], page.url());
      }
    };
    await meet(ana, ben);
    await says(ana, ben, "Hello");
    await ben.click("next");
    await ana.reads("status", "The stranger left");
    await breaksNothing();
    for (const { page } of [ana, ben]) await page.goto(`${scene.address}/r/policy-${kind}`);
    await Promise.all([ana.seesAll(1), ben.seesAll(1)]);
    await breaksNothing();
    for (const person of [ana, ben]) {
      await person.page.goto(`${scene.address}/doctor`);
      await person.page.waitForSelector('[data-testid="test-devices"]:enabled');
      await person.click("test-devices");
      await person.reads("check-devices", "work");
    }
    await breaksNothing();
    for (const { page } of [ana, ben]) await page.goto(`${scene.address}/privacy`);
    await breaksNothing();
  });
}

test("a page may use what a call needs, and not where somebody is", async () => {
  const ben = await scene.visitor("chromium");
  const allowed = await ben.page.evaluate(() =>
    /** @type {any} */ (document).featurePolicy.allowedFeatures(),
  );
  for (const needed of ["camera", "microphone", "display-capture", "autoplay", "clipboard-write"])
    assert(allowed.includes(needed), needed);
  for (const needless of ["geolocation", "usb", "payment", "clipboard-read", "fullscreen", "midi"])
    assert(!allowed.includes(needless), needless);
});
