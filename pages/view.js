// The elements of random chat, by what they are for. Nothing here knows of calls or servers.

import { Meter } from "./media.js";
import { find, hook } from "./page.js";

/** @typedef {"start" | "searching" | "connecting" | "call" | "left"} Phase */

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
 * What stands in the middle while there is nobody.
 * @param {string} title
 * @param {string} [advice]
 */
export function tell(title, advice = "") {
  find("#wait-title").textContent = title;
  find("#wait-advice").textContent = advice;
}

/** @type {MediaStreamTrack | null} */
let heard = null;
/** @type {() => void} */
let stopListening = () => {};

/** The meter lives on the start alone: in a call nobody sees it, and it would cost every frame. */
function showLevel() {
  stopListening();
  stopListening = () => {};
  if (!heard || document.body.dataset.phase !== "start") return;
  const bars = [...find("#meter").children].map((bar) => /** @type {HTMLElement} */ (bar));
  const meter = new Meter(heard);
  const measure = () => {
    const { level } = meter;
    bars.forEach((bar, place) => {
      const height = Math.max(0.15, Math.min(1, level * (1.6 - Math.abs(place - 2) * 0.35)));
      bar.style.transform = `scaleY(${height})`;
    });
    frame = requestAnimationFrame(measure);
  };
  let frame = requestAnimationFrame(measure);
  stopListening = () => {
    cancelAnimationFrame(frame);
    meter.close();
  };
}

/**
 * @param {MediaStream | null} stream of our own devices
 * @param {boolean} [mirrored]
 */
export function showSelf(stream, mirrored = true) {
  const camera = stream?.getVideoTracks().length ? stream : null;
  self.dataset.camera = camera ? "on" : "off";
  self.classList.toggle("mirrored", mirrored);
  if (own.srcObject !== camera) own.srcObject = camera;
  heard = stream?.getAudioTracks()[0] ?? null;
  showLevel();
}

/**
 * @param {MediaStream | null} stream of the other one, seen from its first frame on; null where there is no
 *   other one any more. What the other one said of itself may have come before it.
 * @param {() => void} [seen]
 */
export function showRemote(stream, seen) {
  if (stream && remote.srcObject === stream) return;
  remote.srcObject = stream;
  remote.classList.remove("live");
  remote.onloadeddata = () => {
    remote.classList.add("live");
    seen?.();
  };
  if (stream) remote.play().catch(() => {});
  else covered.hidden = tag.hidden = true;
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

/** How it stands with the address of whoever sits here. @param {{ offered: boolean, hidden: boolean }} address */
export function showAddress({ offered, hidden }) {
  find("#hide").hidden = !offered;
  /** @type {HTMLInputElement} */ (hook("hide-address")).checked = hidden;
  hook("address").textContent = hidden
    ? "Nobody you meet learns your IP address."
    : "The person you meet can learn your IP address.";
}

/**
 * What helps whoever does not get a connection; nothing where that is not needed.
 * @param {(() => void) | null} copyReport
 */
export function showHelp(copyReport) {
  find("#help").hidden = copyReport === null;
  hook("copy-report").onclick = copyReport;
}
