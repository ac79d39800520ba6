// Which camera and which microphone: two lists to choose from, and a button that turns to the camera of
// the other side.

import { devices } from "./media.js";
import { find, hook } from "./page.js";

/** @import { Device, Media, Problem } from "./media.js" */

/** @type {[Device, string][]} */
const LISTS = [
  ["camera", "camera-select"],
  ["microphone", "mic-select"],
];

export class Devices {
  #media;
  #failed;

  /**
   * @param {Media} media
   * @param {(problem: Problem) => void} failed
   */
  constructor(media, failed) {
    this.#media = media;
    this.#failed = failed;
    for (const [device, name] of LISTS) {
      const list = /** @type {HTMLSelectElement} */ (hook(name));
      list.addEventListener("change", () => this.#do(media.choose(device, list.value)));
    }
    hook("camera-flip").addEventListener("click", () => this.#do(media.flip()));
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
    await change.catch(this.#failed);
    await this.refresh();
  }
}
