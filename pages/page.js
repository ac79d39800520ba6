// What both pages are made of: finding elements, the status line, the buttons of the devices, icons, and
// the short word that comes up and goes.

import { closure } from "./server.js";

/** @import { Problem } from "./media.js" */
/** @typedef {"calm" | "busy" | "bad"} Tone */

/** How long a word stays, in milliseconds; longer where there is something to press. */
const SHORT = 5_000;
const LONG = 15_000;
/** While the browser asks. @type {Problem} */
export const ASKING = {
  title: "Your browser is asking",
  advice: "Allow the camera and the microphone, so that people can see and hear you.",
};

/**
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {Kind}
 */
export function find(selector, root = document) {
  const found = root.querySelector(selector);
  if (!found) throw new Error(`${selector} is not on the page`);
  return /** @type {Kind} */ (found);
}

/** @param {string} name of a test hook, which stays when looks change */
export const hook = (name) => find(`[data-testid="${name}"]`);

/**
 * @param {string} text what is happening, in a few words
 * @param {Tone} [tone]
 */
export function showStatus(text, tone = "calm") {
  const status = hook("status");
  if (status.textContent !== text) status.textContent = text;
  status.dataset.tone = tone;
}

/** What keeps us from the server, if that is known. @type {[text: string, tone: Tone] | null} */
let obstacle = null;

/** Has it shown whenever there is no connection: a call that goes on needs none. @param {typeof obstacle} known */
export function nameObstacle(known) {
  obstacle = known;
}

/** After so many connections that failed, it is asked why. Before that it may be a deploy. */
const DOUBT = 3;

const CLOSURES = {
  full: {
    title: "Full for today",
    advice: "This site has served all that it can today. It opens again at",
  },
  closed: {
    title: "Nobody is let in right now",
    advice: "This site may have served all that it can today. Then it opens again at",
  },
};

/**
 * The connection to the server is lost, and is being made anew.
 *
 * @param {import("./lib/signaling.js").Signaling} signaling
 * @param {(title: string, advice: string) => void} tell what there is to know if that takes long
 */
export async function showLost(signaling, tell) {
  if (!navigator.onLine) return showStatus("You are offline", "bad");
  if (obstacle) return showStatus(...obstacle);
  showStatus("Reaching the server", "busy");
  const reason = signaling.failures < DOUBT ? null : await closure();
  // By now it may be there again.
  if (!reason || signaling.connected) return;
  const { title, advice } = CLOSURES[reason];
  showStatus(title, "bad");
  tell(title, `${advice} ${midnight()}.`);
}

/** When the day ends by which the limits of a plan are counted (Cloudflare: Workers, Limits), in local time. */
function midnight() {
  const now = new Date();
  const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1);
  return new Intl.DateTimeFormat("en", { timeStyle: "short" }).format(end);
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
  find("#muted").toggleAttribute("hidden", microphone);
  showSwitch(hook("toggle-mic"), !microphone, microphone ? "mic" : "mic-off");
  hook("toggle-mic").ariaLabel = microphone ? "Mute" : "Unmute";
  showSwitch(hook("toggle-camera"), !camera, camera ? "video" : "video-off");
  hook("toggle-camera").ariaLabel = camera ? "Turn camera off" : "Turn camera on";
}

/**
 * @param {HTMLElement} button
 * @param {boolean} pressed
 * @param {string} name of its icon
 */
export function showSwitch(button, pressed, name) {
  button.ariaPressed = String(pressed);
  button.querySelector("use")?.setAttribute("href", `/icons.svg#${name}`);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let fading;

/**
 * Says something in passing.
 * @param {string} text
 * @param {{ label: string, act: () => void }} [action]
 */
export function mention(text, action) {
  const toast = find("#toast");
  find("span", toast).textContent = text;
  const button = find("button", toast);
  button.hidden = !action;
  button.textContent = action?.label ?? "";
  button.onclick = () => {
    toast.hidden = true;
    action?.act();
  };
  toast.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (toast.hidden = true), action ? LONG : SHORT);
}

/** Nothing that was said in passing matters any more, or this does not. @param {string} [text] */
export function hush(text) {
  const toast = find("#toast");
  if (text === undefined || find("span", toast).textContent === text) toast.hidden = true;
}

/** Says in passing why a device does not work. @param {Problem} problem */
export function mentionProblem({ title, advice }) {
  mention(`${title}. ${advice}, then turn it on again.`);
}

/**
 * @param {string} name of a symbol of icons.svg
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `/icons.svg#${name}`);
  svg.append(use);
  return svg;
}
