// The faces of a room: one tile a person, one more for each screen that is shown, all in sight at once.

import { arrange, hasGap, spotlight } from "./layout.js";
import { find } from "./page.js";

/** @import { State } from "./call.js" */

/** Where no name was given. */
export const NAMELESS = "Guest";
/** The invitation needs as much, in pixels. */
const INVITATION = { width: 230, height: 150 };
/** Between two words one still speaks, in milliseconds. */
const BREATH = 700;
/** Pictures are as wide as this, by their height. */
const ASPECT = 16 / 9;

/**
 * @typedef {object} Tile
 * @property {HTMLElement} box
 * @property {HTMLVideoElement} video
 * @property {HTMLElement} [screen] the tile of what it shows
 * @property {MediaStream} [shown]
 * @property {State} state
 * @property {number} watched how large its picture is here, in pixels, as it was told last
 */

export class Tiles {
  /** @type {Map<string, Tile>} in the order in which they came */
  #tiles = new Map();
  #root;
  #own;
  #invitation;
  #template;
  #onwatch;
  /** Whether there is a room to invite to. */
  #inviting = false;
  /** When each who speaks will have stopped. @type {WeakMap<HTMLElement, ReturnType<typeof setTimeout>>} */
  #silences = new WeakMap();
  /** @type {HTMLElement | null} the one that is large */
  #pinned = null;

  /**
   * @param {HTMLElement} root
   * @param {(id: string, height: number) => void} onwatch how large somebody's picture is to be
   */
  constructor(root, onwatch) {
    this.#root = root;
    this.#own = find(".own", root);
    this.#invitation = find(".invitation", root);
    this.#template = /** @type {HTMLTemplateElement} */ (find("template", root));
    this.#onwatch = onwatch;
    new ResizeObserver(() => this.#arrange()).observe(root);
    document.addEventListener("visibilitychange", () => this.watch());
  }

  /** @returns {[string, State][]} */
  get people() {
    return [...this.#tiles].map(([id, { state }]) => [id, state]);
  }

  /** @param {string} id @param {string} [name] */
  add(id, name = "") {
    this.remove(id);
    const box = this.#make("tile", id);
    const video = /** @type {HTMLVideoElement} */ (find("video", box));
    const state = { microphone: true, camera: true, hand: false, screen: false, name };
    this.#tiles.set(id, { box, video, state, watched: -1 });
    this.cover(id, "Connecting");
    this.describe(id, state);
    this.#arrange();
  }

  /** @param {string} id */
  remove(id) {
    const tile = this.#tiles.get(id);
    if (!tile) return;
    this.#tiles.delete(id);
    this.#take(tile.box);
    if (tile.screen) this.#take(tile.screen);
    this.#arrange();
  }

  clear() {
    for (const id of [...this.#tiles.keys()]) this.remove(id);
  }

  /** @param {string} id @returns {string} */
  name(id) {
    return this.#tiles.get(id)?.state.name || NAMELESS;
  }

  /** @param {string} id @param {MediaStream} stream */
  play(id, stream) {
    const tile = this.#tiles.get(id);
    if (!tile || tile.video.srcObject === stream) return;
    play(tile.video, stream);
    tile.video.onloadeddata = () => this.#uncover(tile);
  }

  /** @param {string} id @param {State} state */
  describe(id, state) {
    const tile = this.#tiles.get(id);
    if (!tile) return;
    tile.state = state;
    const { box } = tile;
    const name = state.name || NAMELESS;
    find(".name", box).textContent = name;
    find(".initial", box).textContent = [...name][0]?.toUpperCase() ?? "";
    find(".mic", box).toggleAttribute("hidden", state.microphone);
    find(".hand", box).toggleAttribute("hidden", !state.hand);
    box.ariaLabel = name;
    this.#uncover(tile);
    this.#showScreen(id, tile);
  }

  /** What somebody shows of its screen, as soon as it says that it does. @param {string} id @param {MediaStream} stream */
  show(id, stream) {
    const tile = this.#tiles.get(id);
    if (!tile) return;
    tile.shown = stream;
    this.#showScreen(id, tile);
  }

  /** @param {string} id @param {string} [why] there is no picture; nothing where there is one */
  cover(id, why = "") {
    const tile = this.#tiles.get(id);
    if (!tile) return;
    find(".why", tile.box).textContent = why;
    this.#uncover(tile);
  }

  /** @param {{ camera: boolean, mirrored: boolean }} state of our own */
  own({ camera, mirrored }) {
    this.#own.classList.toggle("covered", !camera);
    this.#own.classList.toggle("mirrored", mirrored);
  }

  /** Somebody makes itself heard; we ourselves without an id. @param {string} [id] */
  speak(id) {
    const tile = id === undefined ? undefined : this.#tiles.get(id);
    const box = tile?.box ?? this.#own;
    if (tile && !tile.state.microphone) return;
    box.classList.add("speaking");
    clearTimeout(this.#silences.get(box));
    const silence = setTimeout(() => box.classList.remove("speaking"), BREATH);
    this.#silences.set(box, silence);
  }

  /**
   * Tells everybody whose picture's size has changed how large it is here.
   * @param {string} [anew] whom to tell in any case
   */
  watch(anew) {
    for (const [id, tile] of this.#tiles) {
      const { width, height } = tile.box.getBoundingClientRect();
      const seen = document.hidden ? 0 : Math.max(height, width / ASPECT) * devicePixelRatio;
      // In steps, so that a window that is drawn larger does not talk all the time.
      const watched = Math.ceil(seen / 90) * 90;
      if (watched === tile.watched && id !== anew) continue;
      tile.watched = watched;
      this.#onwatch(id, watched);
    }
  }

  /** Everything in sight; the people's order is that of their coming. @param {boolean} inviting */
  arrange(inviting) {
    this.#inviting = inviting;
    this.#arrange();
  }

  /** @param {Tile} tile there is a picture, or something else to see in its place */
  #uncover({ box, video, state }) {
    const why = find(".why", box).textContent;
    const picture = state.camera && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    box.classList.toggle("covered", Boolean(why) || !picture);
  }

  /** @param {string} id @param {Tile} tile */
  #showScreen(id, tile) {
    if (tile.screen) find(".name", tile.screen).textContent = screenOf(tile.state.name);
    const wanted = tile.state.screen && tile.shown;
    if (wanted && !tile.screen) {
      const box = this.#make("screen", id);
      tile.screen = box;
      find(".name", box).textContent = screenOf(tile.state.name);
      box.ariaLabel = screenOf(tile.state.name);
      const video = /** @type {HTMLVideoElement} */ (find("video", box));
      video.onloadeddata = () => box.classList.remove("covered");
      play(video, wanted);
      this.#pinned = box;
      this.#arrange();
    } else if (!wanted && tile.screen) {
      this.#take(tile.screen);
      tile.screen = undefined;
      this.#arrange();
    }
  }

  /** @param {"tile" | "screen"} kind @param {string} id */
  #make(kind, id) {
    const made = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const box = find(".tile", made);
    box.classList.add(kind);
    box.dataset.testid = kind;
    box.dataset.peer = id;
    const pin = find(".pin", box);
    const turn = () => {
      this.#pinned = this.#pinned === box ? null : box;
      this.#arrange();
    };
    pin.addEventListener("click", turn);
    box.addEventListener("dblclick", ({ target }) => {
      if (!pin.contains(/** @type {Node} */ (target))) turn();
    });
    this.#invitation.before(box);
    return box;
  }

  /** @param {HTMLElement} box */
  #take(box) {
    const video = /** @type {HTMLVideoElement} */ (find("video", box));
    video.srcObject = null;
    if (this.#pinned === box) this.#pinned = null;
    box.remove();
  }

  #arrange() {
    const { clientWidth: width, clientHeight: height } = this.#root;
    if (width === 0) return;
    const gap = width < 600 ? 6 : 12;
    const screens = [...this.#tiles.values()].flatMap(({ screen }) => screen ?? []);
    const faces = [this.#own, ...[...this.#tiles.values()].map(({ box }) => box)];
    const all = [...screens, ...faces];
    const pinned = this.#pinned;
    if (pinned) all.sort((a, b) => Number(b === pinned) - Number(a === pinned));
    this.#invitation.hidden = !this.#invites(all.length, width, height, gap);
    if (!this.#invitation.hidden) all.push(this.#invitation);
    const boxes = (pinned ? spotlight : arrange)(all.length, width, height, gap);
    all.forEach((tile, place) => {
      const box = boxes[place];
      if (!box) return;
      const { style } = tile;
      for (const side of /** @type {const} */ (["left", "top", "width", "height"]))
        style[side] = `${box[side].toFixed(2)}px`;
      tile.classList.toggle("small", box.width < 180 || box.height < 130);
      tile.classList.toggle("pinned", tile === pinned);
      tile.querySelector(".pin")?.setAttribute("aria-pressed", String(tile === pinned));
    });
    this.watch();
  }

  /** Whether there is a place for the invitation that nobody else needs. @param {number} count @param {number} width @param {number} height @param {number} gap */
  #invites(count, width, height, gap) {
    if (!this.#inviting) return false;
    if (this.#tiles.size === 0) return true;
    if (this.#pinned || !hasGap(count, width, height, gap)) return false;
    const [box] = arrange(count, width, height, gap);
    return box !== undefined && box.width >= INVITATION.width && box.height >= INVITATION.height;
  }
}

/** @param {string} name */
const screenOf = (name) => `${name || NAMELESS}'s screen`;

/** @param {HTMLVideoElement} video @param {MediaStream} stream */
function play(video, stream) {
  video.srcObject = stream;
  // Refused where the page may make no sound before it was touched: it may then.
  video.play().catch((error) => {
    if (error.name !== "NotAllowedError") return;
    addEventListener("pointerdown", () => video.play().catch(() => {}), { once: true });
  });
}
