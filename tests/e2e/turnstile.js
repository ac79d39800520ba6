// Cloudflare Turnstile, played on this machine: the script that a page loads and the server that verifies its
// tokens. What they answer to the test keys is documented (Cloudflare Turnstile: "Test your Turnstile
// implementation", "Widget configurations", "Server-side validation"); the real ones are on the internet, where
// no test goes.

import { once } from "node:events";
import { createServer } from "node:http";

/** @import { Page } from "puppeteer-core" */

export const SITE_KEY = "1x00000000000000000000AA";
export const ALWAYS_PASSES = "1x0000000000000000000000000000000AA";
export const ALWAYS_FAILS = "2x0000000000000000000000000000000AA";
const DUMMY_TOKEN = "XXXX.DUMMY.TOKEN.XXXX";
const SCRIPT = "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit";

/** What becomes of a check: it is passed unseen, asks for a click first, fails; or its script is not loaded. */
/** @typedef {"passes" | "asks" | "fails" | "blocked"} Course */

/** Takes the place of the script, in the page. @param {string} siteKey @param {string} token @param {Course} course */
function api(siteKey, token, course) {
  Object.assign(globalThis, {
    turnstile: {
      render(/** @type {HTMLElement} */ place, /** @type {any} */ options) {
        if (options.sitekey !== siteKey || options.action !== "enter")
          throw new Error("bad options");
        if (!document.contains(place)) throw new Error("there is no place for the widget");
        const steps = {
          passes: () => options.callback(token),
          // "600***: also used by failing testing sitekey"
          fails: () => options["error-callback"]("600010"),
          asks() {
            const box = document.createElement("button");
            box.dataset.testid = "widget";
            box.textContent = "Verify you are human";
            box.onclick = () => {
              options["after-interactive-callback"]();
              options.callback(token);
            };
            options["before-interactive-callback"]();
            place.append(box);
          },
          blocked() {},
        };
        setTimeout(steps[course], 50);
        return "widget";
      },
      remove() {
        document.querySelector('[data-testid="widget"]')?.remove();
      },
    },
  });
}

/** The script of Turnstile as some pages get it. */
export class Script {
  /** How often it was asked for. */
  asked = 0;

  /** @param {Course} [course] */
  constructor(course = "passes") {
    this.course = course;
  }

  /** Has a page get this for what it would load from elsewhere. @param {Page} page */
  async serve(page) {
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      if (request.url() !== SCRIPT) return request.continue();
      this.asked++;
      if (this.course === "blocked") return request.abort("failed");
      const body = `(${api})(${JSON.stringify(SITE_KEY)}, "${DUMMY_TOKEN}", "${this.course}");`;
      return request.respond({ contentType: "text/javascript", body });
    });
  }
}

/** What siteverify says of a token. @param {{ secret?: string, response?: string }} question */
function verdict({ secret, response }) {
  if (response !== DUMMY_TOKEN)
    return { success: false, "error-codes": ["invalid-input-response"] };
  if (secret === ALWAYS_PASSES)
    return { success: true, "error-codes": [], hostname: "localhost", action: "test" };
  return { success: false, "error-codes": ["invalid-input-response"] };
}

/** Verifies tokens, as long as nobody stops it. */
export async function verify() {
  let asked = 0;
  const server = createServer(async (request, response) => {
    asked++;
    let text = "";
    for await (const chunk of request) text += chunk;
    const known = request.method === "POST" && request.url === "/turnstile/v0/siteverify";
    response.statusCode = known ? 200 : 404;
    response.end(known ? JSON.stringify(verdict(JSON.parse(text))) : "");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    /** How many tokens were shown so far. */
    asked: () => asked,
    stop: () => server.close(),
  };
}
