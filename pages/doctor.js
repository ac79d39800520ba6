// The connection doctor: looks at one thing after the other, and says of each what it is and what to do.

import { diagnose, summary } from "./diagnosis.js";
import {
  cross,
  lookAtBrowser,
  lookAtDevices,
  openDevices,
  probe,
  reachServer,
} from "./examination.js";
import { copy } from "./link.js";
import { ASKING, find, hook, mention, showStatus } from "./page.js";
import { report } from "./report.js";
import { admission, pass, socketUrl, subprotocols } from "./server.js";

/** @import { Check, Facts } from "./diagnosis.js" */

/** How a check stands: its tone, the icon of that, and what the icon says. */
const TONES = /** @type {const} */ ([
  ["wait", "circle-dashed", "To come"],
  ["busy", "circle-dashed", "Looking"],
  ["good", "circle-check", "Good"],
  ["calm", "info", "To know"],
  ["bad", "circle-x", "A problem"],
]);

/** What is done for each check, after those before it. @type {[Check, string, () => Promise<Facts>][]} */
const LOOKS = [
  ["browser", "Looking at your browser", async () => ({ browser: lookAtBrowser() })],
  ["server", "Reaching the server", reach],
  ["network", "Trying your network", async () => (able() ? { probes: await probe(servers) } : {})],
  ["relay", "Trying the relay", async () => (able() ? { crossing: await throughRelay() } : {})],
  [
    "devices",
    "Looking for camera and microphone",
    async () => ({ devices: await lookAtDevices() }),
  ],
];

/** @type {Facts} */
let facts = {};
/** @type {RTCIceServer[]} */
let servers = [];

/** Without WebRTC there is nothing to try. */
const able = () => facts.browser?.calls === true;

async function reach() {
  const look = () => reachServer(socketUrl("/v1/match"), pass, subprotocols());
  let found = await look();
  if (!found.server.checked && (await admission())) found = await look();
  servers = found.servers;
  return { server: found.server };
}

async function throughRelay() {
  const there = facts.probes?.some(
    ({ scheme, outcome }) => scheme === "turn" && outcome === "answered",
  );
  return there ? cross(servers) : null;
}

async function examine() {
  enable(false);
  facts = {};
  for (const [check] of LOOKS) show(check, "wait");
  for (const [check, doing, look] of LOOKS) {
    showStatus(doing, "busy");
    show(check, "busy");
    facts = { ...facts, ...(await look()) };
    tell();
  }
  conclude();
}

async function test() {
  enable(false);
  showStatus(ASKING.title, "busy");
  show("devices", "busy");
  facts = { ...facts, devices: await openDevices() };
  tell();
  conclude();
}

/** Says what is known so far. */
function tell() {
  for (const [check, finding] of Object.entries(diagnose(facts))) {
    show(check, finding.tone);
    const row = hook(`check-${check}`);
    find("h2", row).textContent = finding.what;
    find("p", row).textContent = finding.advice;
  }
}

function conclude() {
  const { tone, what, advice } = summary(diagnose(facts));
  find("#summary-what").textContent = what;
  find("#summary-advice").textContent = advice;
  hook("summary").dataset.tone = tone;
  hook("report").textContent = report(facts);
  showStatus(tone === "bad" ? "A problem was found" : "Done", tone === "bad" ? "bad" : "calm");
  enable(true);
}

/** @param {string} check @param {string} tone */
function show(check, tone) {
  const row = hook(`check-${check}`);
  const [, name, label] = TONES.find(([one]) => one === tone) ?? TONES[0];
  row.dataset.tone = tone;
  const icon = find("svg", row);
  icon.ariaLabel = label;
  find("use", icon).setAttribute("href", `/icons.svg#${name}`);
}

/** @param {boolean} on whether there is something to press */
function enable(on) {
  for (const name of ["test-devices", "copy-report", "check-again"]) {
    /** @type {HTMLButtonElement} */ (hook(name)).disabled = !on;
  }
}

hook("check-again").addEventListener("click", examine);
hook("test-devices").addEventListener("click", test);
hook("copy-report").addEventListener("click", async () => {
  const copied = await copy(report(facts));
  mention(
    copied ? "The report is on the clipboard." : "The report stands below. Copy it from there.",
  );
  if (!copied) find("details").toggleAttribute("open", true);
});
examine();
