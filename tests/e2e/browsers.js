// Real browsers, stock builds, each person one of them with an empty profile, and what a person does
// and sees. Cameras and microphones are the browsers' own test devices.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";

/** How long anything that is waited for may take, in milliseconds: far longer than it does, since four
 * browsers on a small machine that is busy with something else are ten times as slow as alone. */
export const PATIENCE = 120_000;

/** Has Chromium show test pictures and beep instead of what its machine has. */
export const TEST_DEVICES = "--use-fake-device-for-media-stream";

const CHROMIUM_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
  // Without a camera's permission Chromium hides its addresses behind multicast names, which need a
  // network that this machine may not have.
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

const FIREFOX_PREFERENCES = {
  "media.navigator.streams.fake": true,
  "media.navigator.permission.disabled": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "media.peerconnection.ice.loopback": true,
  "media.autoplay.default": 0,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "app.update.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  // The test device plays H.264 as little as any stock build without downloads does.
  "media.gmp-manager.updateEnabled": false,
};

/** Runs Chromium in a network namespace. */
const ELSEWHERE = fileURLToPath(new URL("../nat/chromium.sh", import.meta.url));

/** @typedef {"chromium" | "firefox"} Kind */

/** One person at one browser. */
export class Person {
  /**
   * @param {import("puppeteer-core").Browser} browser
   * @param {import("puppeteer-core").Page} page
   * @param {() => Promise<void>} cleanUp
   */
  constructor(browser, page, cleanUp) {
    this.browser = browser;
    this.page = page;
    this.cleanUp = cleanUp;
    this.frozen = false;
    /** @type {string[]} what the page complained about */
    this.complaints = [];
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (line) => {
      if (line.type() === "error") this.complaints.push(line.text());
    });
  }

  /** @param {string} name */
  async click(name) {
    const hook = await this.page.waitForSelector(`[data-testid="${name}"]`, {
      visible: true,
      timeout: PATIENCE,
    });
    await hook?.click();
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  async type(name, text) {
    await this.page.waitForSelector(`[data-testid="${name}"]:enabled`, { timeout: PATIENCE });
    await this.page.type(`[data-testid="${name}"]`, text);
  }

  /**
   * Waits until an element says something.
   * @param {string} name
   * @param {string} text
   */
  async reads(name, text) {
    await this.waitFor(
      (name, text) =>
        document.querySelector(`[data-testid="${name}"]`)?.textContent?.includes(text) ?? false,
      name,
      text,
    );
  }

  /** Waits until a video shows something new: several frames after this was asked for. */
  async sees(name = "remote-video") {
    await this.page.$eval(`[data-testid="${name}"]`, (element) => {
      const video = /** @type {HTMLVideoElement & { shown: number }} */ (element);
      video.shown = 0;
      const count = () => {
        video.shown++;
        video.requestVideoFrameCallback(count);
      };
      video.requestVideoFrameCallback(count);
    });
    await this.waitFor((name) => {
      const video = /** @type {any} */ (document.querySelector(`[data-testid="${name}"]`));
      return video.shown > 5 && video.videoWidth > 0;
    }, name);
  }

  /**
   * Waits until just so many others are in the room, and all of them show something new.
   * @param {number} others
   * @param {"tile" | "screen"} [what] their faces, or their screens
   */
  async seesAll(others, what = "tile") {
    const selector = `[data-testid="${what}"] video`;
    await this.page.$$eval(selector, (videos) => {
      for (const video of videos) Object.assign(video, { shown: 0 });
    });
    await this.waitFor(
      (others, selector) => {
        const videos = [...document.querySelectorAll(selector)];
        for (const video of /** @type {any[]} */ (videos)) {
          if (video.counted) continue;
          video.counted = true;
          video.shown = 0;
          const count = () => {
            video.shown++;
            video.requestVideoFrameCallback(count);
          };
          video.requestVideoFrameCallback(count);
        }
        const showing = /** @type {any[]} */ (videos).filter(
          (video) => video.shown > 5 && video.videoWidth > 0 && !video.closest(".covered"),
        );
        return videos.length === others && showing.length === others;
      },
      others,
      selector,
    );
  }

  /**
   * Waits until a function of the page is true.
   * @template {unknown[]} Args
   * @param {(...args: Args) => unknown} condition
   * @param {Args} args
   */
  async waitFor(condition, ...args) {
    try {
      await this.page.waitForFunction(
        /** @type {any} */ (condition),
        { timeout: PATIENCE, polling: 50 },
        ...args,
      );
    } catch (error) {
      const status = await this.page
        .$eval('[data-testid="status"]', (element) => element.textContent)
        .catch(() => "gone");
      const seen = `status: ${status}; complaints: ${this.complaints.join(" | ") || "none"}`;
      throw new Error(`not seen within ${PATIENCE} ms: ${condition} ${args} (${seen})`, {
        cause: error,
      });
    }
  }

  /**
   * Stops the browser with all its processes, or lets it go on: to everybody else its network is gone,
   * for it says nothing and closes nothing.
   * @param {boolean} frozen
   */
  freeze(frozen) {
    const { pid } = this.browser.process() ?? {};
    if (pid) process.kill(-pid, frozen ? "SIGSTOP" : "SIGCONT");
    this.frozen = frozen;
  }

  /** What is on the clipboard. The site's pages may not read it, and an answer of its server is no page. */
  async clipboard() {
    const page = await this.page.browserContext().newPage();
    await page.goto(new URL("/healthz", this.page.url()).href);
    const text = await page.evaluate(() => navigator.clipboard.readText());
    await page.close();
    return text;
  }

  async close() {
    if (this.frozen) this.freeze(false);
    await this.page.close().catch(() => {});
    await this.cleanUp();
  }

  /** Ends the browser as a crash does: nothing is said to anybody. */
  async vanish() {
    this.browser.process()?.kill("SIGKILL");
    await this.cleanUp();
  }
}

/**
 * @typedef {object} Circumstances
 * @property {string[]} [args] more arguments of Chromium
 * @property {string[]} [without] arguments of Chromium to leave out
 * @property {Person} [beside] somebody in whose browser to sit, with nothing in common but the program
 * @property {number} [cameras] how many test cameras Chromium has, instead of one
 * @property {number} [fps] pictures a second of Chromium's test cameras, instead of 20
 * @property {import("puppeteer-core").Viewport} [viewport]
 * @property {"dark" | "light"} [theme]
 * @property {string} [namespace] the network namespace that Chromium lives in
 * @property {(() => void) | (() => void)[]} [first] what each page runs before its own scripts
 * @property {(page: import("puppeteer-core").Page) => Promise<unknown>} [ready] what is done before the page
 *   goes anywhere
 */

/**
 * @param {string} address of the site
 * @param {Kind} [kind]
 * @param {Circumstances} [circumstances]
 * @returns {Promise<Person>} at the site, which has loaded
 */
export async function visit(address, kind = "chromium", circumstances = {}) {
  const { args = [], without = [], beside, viewport, theme, namespace } = circumstances;
  const scripts = [circumstances.first ?? []].flat();
  if (beside) {
    const context = await beside.browser.createBrowserContext();
    const person = new Person(beside.browser, await context.newPage(), () => context.close());
    for (const script of scripts) await person.page.evaluateOnNewDocument(script);
    await person.page.goto(address, { waitUntil: "load" });
    return person;
  }
  const profile = await mkdtemp(join(tmpdir(), "echomingle-"));
  const common = {
    headless: true,
    userDataDir: profile,
    defaultViewport: viewport ?? { width: 1280, height: 800 },
  };
  const browser = await puppeteer.launch(
    kind === "chromium"
      ? {
          ...common,
          executablePath: program("CHROMIUM_BIN"),
          ...(namespace && elsewhere(namespace)),
          args: [...CHROMIUM_ARGS, ...testDevices(circumstances), ...args].filter(
            (arg) => !without.includes(arg),
          ),
        }
      : {
          ...common,
          browser: "firefox",
          executablePath: program("FIREFOX_BIN"),
          extraPrefsFirefox: FIREFOX_PREFERENCES,
        },
  );
  const [first] = await browser.pages();
  const page = first ?? (await browser.newPage());
  const cleanUp = async () => {
    await browser.close().catch(() => {});
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  const person = new Person(browser, page, cleanUp);
  for (const script of scripts) await page.evaluateOnNewDocument(script);
  if (theme) await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
  await circumstances.ready?.(page);
  await page.goto(address, { waitUntil: "load" });
  return person;
}

/** @param {Circumstances} circumstances */
function testDevices({ without = [], cameras, fps }) {
  if (without.includes(TEST_DEVICES)) return [];
  const options = Object.entries({ "device-count": cameras, fps }).filter(([, value]) => value);
  const all = options.map(([name, value]) => `${name}=${value}`).join();
  return [all ? `${TEST_DEVICES}=${all}` : TEST_DEVICES];
}

/** Only a pipe leads to a browser in another network. @param {string} namespace */
function elsewhere(namespace) {
  const env = { ...process.env, NETWORK_NAMESPACE: namespace };
  return { executablePath: ELSEWHERE, env, pipe: true };
}

/** @param {string} variable */
function program(variable) {
  const path = process.env[variable];
  if (!path) throw new Error(`${variable} is not set; run the tests with: npm test -- e2e`);
  return path;
}
