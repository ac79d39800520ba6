// The check of who comes: Cloudflare Turnstile says whether it is a person, and the server gives a pass for that.
// Loaded only where the server asks for it, and as good as always nobody sees anything of it.

import { nameObstacle } from "./page.js";

/** @import { Pass } from "./lib/protocol.js" */

/** Cloudflare Turnstile: "Embed the widget". It may come from nowhere else. */
const SCRIPT = "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit";
/** What the check is called; the server takes no other (src/core/turnstile.rs). */
const ACTION = "enter";
/** How long anything may take that waits for no person, in milliseconds. */
const PATIENCE = 30_000;

/** Why there is no pass, and what to do. */
class Failure extends Error {
  /** @param {string} what @param {string} advice */
  constructor(what, advice) {
    super(advice);
    this.what = what;
  }
}

const unloaded = new Failure(
  "The check cannot be loaded",
  "Something keeps challenges.cloudflare.com away, such as an ad blocker or your network. Allow it, then try again.",
);
const unreached = new Failure(
  "The server is not reached",
  "Check your connection, then try again.",
);
/** @param {string} advice */
const failed = (advice) => new Failure("The check did not work", advice);

/**
 * @param {string} siteKey
 * @param {URL} url that gives passes
 * @returns {Promise<string>} a pass, however often it takes to try
 */
export async function obtain(siteKey, url) {
  const card = new Card();
  try {
    for (;;) {
      nameObstacle(["One check first", "busy"]);
      try {
        return await exchange(url, await solve(siteKey, card));
      } catch (error) {
        const failure =
          error instanceof Failure ? error : failed("Try again, or in another browser.");
        nameObstacle(["The check did not work", "bad"]);
        await card.explain(failure);
      }
    }
  } finally {
    nameObstacle(null);
    card.close();
  }
}

/**
 * @param {string} siteKey
 * @param {Card} card where the widget is, and is seen if it has to ask something
 * @returns {Promise<string>} the token of the check
 */
async function solve(siteKey, card) {
  const turnstile = await load();
  const { promise, resolve, reject } = Promise.withResolvers();
  /** @param {string} [code] Cloudflare Turnstile: "Client-side errors" */
  const fail = (code) => {
    const named = code ? ` Cloudflare says: ${code}.` : "";
    reject(failed(`Try again, or in another browser.${named}`));
    // It is told here, and need not be in the console.
    return true;
  };
  let timer = setTimeout(fail, PATIENCE);
  const widget = turnstile.render(card.place, {
    sitekey: siteKey,
    action: ACTION,
    appearance: "interaction-only",
    size: "flexible",
    theme: "auto",
    retry: "never",
    "refresh-expired": "never",
    callback: resolve,
    "error-callback": fail,
    "timeout-callback": () => fail(),
    "unsupported-callback": () => fail(),
    "before-interactive-callback"() {
      clearTimeout(timer);
      card.show("One check first", "This site makes sure that you are a person.");
    },
    "after-interactive-callback"() {
      timer = setTimeout(fail, PATIENCE);
    },
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    if (widget) turnstile.remove(widget);
    card.hide();
  }
}

/** @returns {Promise<any>} what the script brings */
async function load() {
  const page = /** @type {any} */ (globalThis);
  if (page.turnstile) return page.turnstile;
  const script = document.createElement("script");
  script.src = SCRIPT;
  const { promise, resolve } = Promise.withResolvers();
  script.onload = script.onerror = resolve;
  const timer = setTimeout(resolve, PATIENCE);
  document.head.append(script);
  await promise;
  clearTimeout(timer);
  if (page.turnstile) return page.turnstile;
  script.remove();
  throw navigator.onLine ? unloaded : unreached;
}

/**
 * @param {URL} url
 * @param {string} token
 * @returns {Promise<string>} the pass for it
 */
async function exchange(url, token) {
  /** @type {Response} */
  let answer;
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    answer = await fetch(url, { method: "POST", body: token, signal });
  } catch {
    throw unreached;
  }
  // In words for whoever reads them.
  if (!answer.ok) throw failed(await answer.text());
  return /** @type {Pass} */ (await answer.json()).pass;
}

/** What is seen of the check, over the page, so that nothing moves for it. */
class Card {
  #element = document.createElement("section");
  #title = document.createElement("h2");
  #advice = document.createElement("p");
  #again = document.createElement("button");
  /** Where the widget is put. */
  place = document.createElement("div");

  constructor() {
    this.#element.className = "check";
    this.#element.role = "alert";
    this.#element.dataset.testid = "check";
    this.#again.type = "button";
    this.#again.className = "primary";
    this.#again.textContent = "Try again";
    this.#element.append(this.#title, this.#advice, this.place, this.#again);
    this.hide();
    document.body.append(this.#element);
  }

  /** @param {string} title @param {string} advice */
  show(title, advice) {
    this.#title.textContent = title;
    this.#advice.textContent = advice;
    this.#element.dataset.shown = "";
  }

  /** The widget stays, for it works unseen. */
  hide() {
    delete this.#element.dataset.shown;
    this.#again.hidden = true;
  }

  /** @param {Failure} failure @returns {Promise<void>} when the person wants to try again */
  async explain({ what, message }) {
    this.show(what, message);
    this.#again.hidden = false;
    await new Promise((resolve) => (this.#again.onclick = resolve));
    this.hide();
  }

  close() {
    this.#element.remove();
  }
}
