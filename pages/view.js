// The page's elements, by what they are for. Nothing here knows of calls or servers.

import { listen } from "./media.js";

/** @import { Problem } from "./media.js" */
/** @typedef {"start" | "searching" | "connecting" | "call" | "left"} Phase */
/** @typedef {"calm" | "busy" | "bad"} Tone */

/**
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} selector
 * @returns {Kind}
 */
export function find(selector) {
  const found = document.querySelector(selector);
  if (!found) throw new Error(`${selector} is not on the page`);
  return /** @type {Kind} */ (found);
}

/** @param {string} name of a test hook, which stays when looks change */
export const hook = (name) => find(`[data-testid="${name}"]`);

const status = hook("status");
const self = find("#self");
const own = /** @type {HTMLVideoElement} */ (hook("local-video"));
const remote = /** @type {HTMLVideoElement} */ (hook("remote-video"));
const covered = find("#covered");
const tag = find("#remote-tag");

/** @param {Phase} phase */
export function showPhase(phase) {
  document.body.dataset.phase = phase;
  const told = phase === "searching" || phase === "connecting" || phase === "left";
  find(".wait").ariaHidden = String(!told);
  showLevel();
}

/**
 * @param {string} text what is happening, in a few words
 * @param {Tone} [tone]
 */
export function showStatus(text, tone = "calm") {
  if (status.textContent !== text) status.textContent = text;
  status.dataset.tone = tone;
}

/**
 * What stands in the middle while there is nobody.
 * @param {string} title
 * @param {string} [advice]
 */
export function tell(title, advice = "") {
  find("#wait-title").textContent = title;
  find("#wait-advice").textContent = advice;
}

/** @type {MediaStream | null} */
let heard = null;
/** @type {() => void} */
let stopListening = () => {};

/** The meter lives on the start alone: in a call nobody sees it, and it would cost every frame. */
function showLevel() {
  stopListening();
  stopListening = () => {};
  if (!heard || document.body.dataset.phase !== "start") return;
  const bars = [...find("#meter").children].map((bar) => /** @type {HTMLElement} */ (bar));
  stopListening = listen(heard, (level) => {
    bars.forEach((bar, place) => {
      const height = Math.max(0.15, Math.min(1, level * (1.6 - Math.abs(place - 2) * 0.35)));
      bar.style.transform = `scaleY(${height})`;
    });
  });
}

/** @param {MediaStream | null} stream of our own devices */
export function showSelf(stream) {
  const camera = stream?.getVideoTracks().length ? stream : null;
  self.dataset.camera = camera ? "on" : "off";
  if (own.srcObject !== camera) own.srcObject = camera;
  heard = stream;
  showLevel();
}

/**
 * @param {Problem} notice in place of the own picture
 * @param {string | null} action what its button says; none without one
 */
export function showNotice({ title, advice }, action) {
  find("#notice-title").textContent = title;
  find("#notice-advice").textContent = advice;
  const button = find("#open-camera");
  button.hidden = action === null;
  button.textContent = action;
}

/** @param {{ microphone: boolean, camera: boolean }} state of our own devices, as wanted */
export function showDevices({ microphone, camera }) {
  find("#muted").hidden = microphone;
  device(hook("toggle-mic"), microphone, "mic", microphone ? "Mute" : "Unmute");
  device(hook("toggle-camera"), camera, "video", camera ? "Hide camera" : "Show camera");
}

/**
 * @param {HTMLElement} button
 * @param {boolean} on
 * @param {string} icon
 * @param {string} label
 */
function device(button, on, icon, label) {
  button.ariaPressed = String(!on);
  button.ariaLabel = label;
  button.querySelector("use")?.setAttribute("href", `icons.svg#${icon}${on ? "" : "-off"}`);
}

/**
 * @param {MediaStream | null} stream of the other one; it is seen from its first frame on
 * @param {() => void} [seen]
 */
export function showRemote(stream, seen) {
  if (stream && remote.srcObject === stream) return;
  remote.srcObject = stream;
  remote.classList.remove("live");
  covered.hidden = true;
  tag.hidden = true;
  remote.onloadeddata = () => {
    remote.classList.add("live");
    seen?.();
  };
  if (stream) remote.play().catch(() => {});
}

/** @param {boolean} off whether the other one hides */
export function coverRemote(off) {
  covered.hidden = !off;
}

/** @param {string[]} shared interests */
export function showShared(shared) {
  tag.hidden = shared.length === 0;
  tag.textContent = likes(shared);
}

/**
 * @param {string[]} shared
 * @returns {string}
 */
export function likes(shared) {
  return `You both like ${new Intl.ListFormat("en").format(shared)}`;
}

/** @param {number} online */
export function showOnline(online) {
  const pill = find("#online");
  pill.hidden = online < 2;
  pill.textContent = `${online.toLocaleString("en")} online`;
}
