// The words of a call: what was said, who is typing, and the line to type in. What a peer wrote is
// only ever text.

import { find } from "./page.js";
import { sentence } from "./words.js";

/** For how long somebody counts as typing after the last key, in milliseconds. */
const TYPING = 3_000;
/** The most messages kept on the page. */
const KEPT = 500;

export class Chat {
  #log;
  #typing;
  #form;
  #input;
  #send;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #own;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #others;

  /**
   * @param {HTMLElement} root
   * @param {object} on
   * @param {(text: string) => boolean} on.say whether it reached anybody
   * @param {(on: boolean) => void} on.typing
   */
  constructor(root, on) {
    this.#log = find(".log", root);
    this.#typing = find(".typing", root);
    this.#form = find("form", root);
    this.#input = /** @type {HTMLInputElement} */ (find("input", root));
    this.#send = /** @type {HTMLButtonElement} */ (find("form button", root));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = sentence(this.#input.value).trim();
      if (!text || !on.say(text)) return;
      this.#stopTyping(on.typing);
      this.#input.value = "";
      this.add("me", text);
    });
    this.#input.addEventListener("input", () => {
      if (!this.#own) on.typing(true);
      clearTimeout(this.#own);
      this.#own = setTimeout(() => this.#stopTyping(on.typing), TYPING);
    });
  }

  /** @param {(on: boolean) => void} tell */
  #stopTyping(tell) {
    if (!this.#own) return;
    clearTimeout(this.#own);
    this.#own = undefined;
    tell(false);
  }

  /** Begins a new conversation. */
  clear() {
    for (const line of this.#log.querySelectorAll("p:not(.typing)")) line.remove();
    this.typing(false);
  }

  /** @param {boolean} open whether there is somebody to write to */
  open(open) {
    this.#input.disabled = this.#send.disabled = !open;
    if (open) return;
    clearTimeout(this.#own);
    this.#own = undefined;
    this.typing(false);
  }

  /** Shows what was said last. */
  showLast() {
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** Puts the cursor where one writes. */
  focus() {
    this.#input.focus();
  }

  /**
   * @param {"me" | "you" | "note"} who
   * @param {string} text
   * @param {string} [name] of who wrote it, where there are several
   */
  add(who, text, name) {
    const line = document.createElement("p");
    line.className = who;
    line.textContent = text;
    if (name) {
      const from = document.createElement("b");
      from.textContent = name;
      line.prepend(from);
    }
    this.#typing.before(line);
    const lines = this.#log.querySelectorAll("p:not(.typing)");
    if (lines.length > KEPT) lines[0]?.remove();
    if (who === "you") this.typing(false);
    this.showLast();
  }

  /** @param {boolean} on whether somebody is typing @param {string} [name] */
  typing(on, name = "Stranger") {
    clearTimeout(this.#others);
    this.#typing.hidden = !on;
    if (!on) return;
    this.#typing.textContent = `${name} is typing…`;
    this.showLast();
    // Its word that it stopped may never come.
    this.#others = setTimeout(() => this.typing(false), 2 * TYPING);
  }
}
