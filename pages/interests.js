// What the person likes: a few words, each a button that takes itself away again.

import { find, icon } from "./page.js";
import { words as visible } from "./words.js";

/** As many as a search may name, and as long as each may be (src/core/interest.rs). */
const MOST = 8;
const LONGEST = 32;

export class Interests {
  /** @type {string[]} */
  #words = [];
  #box;
  #input;
  #changed;

  /**
   * @param {HTMLElement} box around the input and the words
   * @param {string[]} words to begin with
   * @param {(words: string[]) => void} changed
   */
  constructor(box, words, changed) {
    this.#box = box;
    this.#input = /** @type {HTMLInputElement} */ (find("input", box));
    this.#changed = changed;
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && this.#input.value.trim()) {
        event.preventDefault();
        this.#take();
      } else if (event.key === "Backspace" && !this.#input.value && this.#words.length > 0) {
        this.#set(this.#words.slice(0, -1));
      }
    });
    this.#input.addEventListener("input", () => {
      if (this.#input.value.includes(",")) this.#take();
    });
    this.#input.addEventListener("blur", () => this.#take());
    this.#set(words);
  }

  /** The words, with what is still being typed. */
  get words() {
    this.#take();
    return this.#words;
  }

  #take() {
    const typed = this.#input.value.split(",");
    this.#input.value = "";
    if (typed.some((word) => word.trim())) this.#set([...this.#words, ...typed]);
  }

  /** @param {string[]} words */
  #set(words) {
    const tidy = words.map((word) => visible(word.toLowerCase(), LONGEST));
    this.#words = [...new Set(tidy.filter(Boolean))].slice(0, MOST);
    for (const button of this.#box.querySelectorAll("button")) button.remove();
    this.#input.before(...this.#words.map((word) => this.#button(word)));
    this.#input.placeholder = this.#words.length > 0 ? "Add…" : "What do you like?";
    this.#input.disabled = this.#words.length === MOST;
    this.#changed(this.#words);
  }

  /** @param {string} word */
  #button(word) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = word;
    button.setAttribute("aria-label", `Remove ${word}`);
    button.append(icon("x"));
    button.addEventListener("click", () => {
      this.#set(this.#words.filter((other) => other !== word));
      this.#input.focus();
    });
    return button;
  }
}
