// Which camera and which microphone, and whether: two lists to choose from, a button that turns to the
// camera of the other side, and one each to mute and to hide.

import { devices } from "./media.js";
import { find, hook } from "./page.js";

/** @import { Device, Media, Problem } from "./media.js" */

/** @type {[Device, string][]} */
const LISTS = [
  ["camera", "camera-select"],
  ["microphone", "mic-select"],
];
/** @type {[Device, string][]} */
const SWITCHES = [
  ["camera", "toggle-camera"],
  ["microphone", "toggle-mic"],
];

export class Devices {
  #media;
  #on;

  /**
   * @param {Media} media
   * @param {object} on
   * @param {(problem: Problem) => void} on.failed
   * @param {() => void} on.switched told of every switch: once at once, and again when it is done
   */
  constructor(media, on) {
    this.#media = media;
    this.#on = on;
    for (const [device, name] of LISTS) {
      const list = /** @type {HTMLSelectElement} */ (hook(name));
      list.addEventListener("change", () => this.#do(media.choose(device, list.value)));
    }
    hook("camera-flip").addEventListener("click", () => this.#do(media.flip()));
    for (const [device, name] of SWITCHES) {
      hook(name).addEventListener("click", () => this.#switch(device));
    }
    navigator.mediaDevices?.addEventListener("devicechange", () => this.refresh());
  }

  /** Shows what there is now, and what of it is used. */
  async refresh() {
    const all = await devices();
    for (const [device, name] of LISTS) {
      const list = /** @type {HTMLSelectElement} */ (hook(name));
      // Before the first permission there are no names to choose by.
      const known = all[device].filter(({ deviceId, label }) => deviceId && label);
      list.replaceChildren(...known.map(({ deviceId, label }) => new Option(label, deviceId)));
      const used = this.#media.track(device)?.getSettings().deviceId;
      if (used) list.value = used;
      find(`label:has([data-testid="${name}"])`).hidden = known.length === 0;
    }
    hook("camera-flip").hidden = all.camera.length < 2;
  }

  /** @param {Promise<void>} change */
  async #do(change) {
    await change.catch(this.#on.failed);
    await this.refresh();
  }

  /** @param {Device} device */
  async #switch(device) {
    const done = this.#media.toggle(device).catch(this.#on.failed);
    this.#on.switched();
    await done;
    this.#on.switched();
  }
}
