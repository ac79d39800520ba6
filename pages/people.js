// Who is in the room, as a list, with what its host may do about each.

import { find, icon } from "./page.js";
import { NAMELESS } from "./tiles.js";

/**
 * @typedef {object} Person
 * @property {string} id
 * @property {string} name
 * @property {boolean} microphone
 * @property {boolean} hand
 */

/** The buttons of a host, by what they do. */
const ACTIONS = /** @type {const} */ ([
  ["askToMute", "volume-x", "Ask to mute"],
  ["remove", "user-x", "Remove"],
]);

export class People {
  #list;
  #on;

  /**
   * @param {HTMLElement} list
   * @param {Record<"askToMute" | "remove", (id: string) => void>} on
   */
  constructor(list, on) {
    this.#list = list;
    this.#on = on;
  }

  /**
   * @param {Person[]} people ourselves first
   * @param {string} host
   */
  show(people, host) {
    const [me] = people;
    const hosting = me !== undefined && me.id === host;
    this.#list.replaceChildren(
      ...people.map((person) => this.#row(person, person === me, person.id === host, hosting)),
    );
    const button = find('[data-testid="people"] span');
    button.textContent = `People · ${people.length}`;
  }

  /** @param {Person} person @param {boolean} own @param {boolean} host @param {boolean} hosting */
  #row({ id, name, microphone, hand }, own, host, hosting) {
    const row = document.createElement("li");
    const label = document.createElement("span");
    label.className = "name";
    label.textContent = own ? (name ? `${name} (you)` : "You") : name || NAMELESS;
    row.append(label);
    if (host) row.append(note("crown", "Host"));
    if (hand) row.append(note("hand", "A raised hand"));
    if (!microphone) row.append(note("mic-off", "Muted"));
    for (const [action, symbol, text] of hosting && !own ? ACTIONS : []) {
      if (action === "askToMute" && !microphone) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "small";
      button.dataset.action = action;
      button.title = text;
      button.ariaLabel = `${text}: ${label.textContent}`;
      button.append(icon(symbol));
      button.addEventListener("click", () => this.#on[action](id));
      row.append(button);
    }
    return row;
  }
}

/** @param {string} symbol @param {string} text */
function note(symbol, text) {
  const svg = icon(symbol);
  svg.removeAttribute("aria-hidden");
  svg.setAttribute("role", "img");
  svg.ariaLabel = text;
  return svg;
}
