// What was found out, as text to be sent to somebody who helps. It holds words of our own and numbers
// alone, so that no address, name or password gets into it, whatever the facts hold.

import { diagnose } from "./diagnosis.js";

/** @import { Facts, Vitals } from "./diagnosis.js" */

const WAYS = ["host", "srflx", "prflx", "relay"];
const TRANSPORTS = ["udp", "tcp", "tls"];
const STATES = ["new", "connecting", "connected", "disconnected", "failed", "closed"];
const PERMISSIONS = ["granted", "denied", "prompt"];
const OUTCOMES = ["answered", "refused", "silent"];
/** Those of getUserMedia (Media Capture and Streams, section 10.3.1). */
const ERRORS = [
  "AbortError",
  "InvalidStateError",
  "NotAllowedError",
  "NotFoundError",
  "NotReadableError",
  "OverconstrainedError",
  "SecurityError",
  "TypeError",
];
/** By what their `User-Agent` holds. The first that fits: most of them name others, too. */
const BROWSERS = /** @type {const} */ ([
  ["Edge", /Edg(?:e|A|iOS)?\/(\d+)/],
  ["Opera", /OPR\/(\d+)/],
  ["Samsung Internet", /SamsungBrowser\/(\d+)/],
  ["Firefox", /(?:Firefox|FxiOS)\/(\d+)/],
  ["Chrome", /(?:Chrome|CriOS)\/(\d+)/],
  ["Safari", /Version\/(\d+).*Safari/],
]);
const SYSTEMS = /** @type {const} */ ([
  ["Android", /Android/],
  ["iOS", /iPhone|iPad|iPod/],
  ["Windows", /Windows/],
  ["macOS", /Macintosh/],
  ["ChromeOS", /CrOS/],
  ["Linux", /Linux/],
]);

/**
 * @param {string} userAgent
 * @returns {{ family: string, version: number, system: string }} empty and 0 where it is not known
 */
export function browserOf(userAgent) {
  const system = SYSTEMS.find(([, mark]) => mark.test(userAgent))?.[0] ?? "";
  for (const [family, mark] of BROWSERS) {
    const version = mark.exec(userAgent)?.[1];
    if (version) return { family, version: Number(version), system };
  }
  return { family: "", version: 0, system };
}

/** @param {Facts} facts @returns {string} some lines of text */
export function report(facts) {
  const { browser, server, probes, crossing, devices, call } = facts;
  const findings = diagnose(facts);
  const lines = ["EchoMingle connection report", ""];
  for (const [check, { tone, what }] of Object.entries(findings))
    lines.push(`${check}: ${what} (${tone})`);
  lines.push("");
  if (browser) {
    const { family, version, system, secure, calls } = browser;
    const families = BROWSERS.map(([name]) => name);
    const systems = SYSTEMS.map(([name]) => name);
    lines.push(
      `browser: ${one(family, families)} ${number(version)}, ${one(system, systems)}`,
      `secure address: ${yes(secure)}; WebRTC: ${yes(calls)}`,
    );
  }
  if (server) {
    const { online, there, welcome, names, roundTrip } = server;
    lines.push(
      `online: ${yes(online)}; server answers: ${yes(there)}; names ICE servers: ${yes(names)}; WebSocket: ${yes(welcome)}, ${number(roundTrip, "ms")}`,
    );
  }
  for (const { scheme, transport, outcome, code, ways } of probes ?? []) {
    const what = `${one(scheme, ["stun", "turn"])} over ${one(transport, TRANSPORTS)}`;
    const why = code === null ? "" : ` (${number(code)})`;
    lines.push(`${what}: ${one(outcome, OUTCOMES)}${why}; candidates: ${several(ways)}`);
  }
  if (probes?.length === 0) lines.push("no ICE servers");
  if (crossing) lines.push(`through the relay and back: ${vitals(crossing)}`);
  for (const device of /** @type {const} */ (["camera", "microphone"])) {
    if (!devices) continue;
    const { permissions, count, opened } = devices;
    const error = opened?.[device];
    const tried = opened ? (error ? one(error, ERRORS) : "works") : "not tried";
    lines.push(
      `${device}: ${number(count[device])} there, permission ${one(permissions[device], PERMISSIONS)}, ${tried}`,
    );
  }
  if (call) lines.push(`call: ${vitals(call)}`);
  return `${lines.join("\n")}\n`;
}

/** @param {Vitals} vitals */
function vitals({ state, heard, relayed, ours, theirs, pair, roundTrip, loss }) {
  const relay = pair?.relay ? `, to the relay over ${one(pair.relay, TRANSPORTS)}` : "";
  const way = pair
    ? `${one(pair.ours, WAYS)} to ${one(pair.theirs, WAYS)} over ${one(pair.protocol, TRANSPORTS)}${relay}`
    : "none";
  return [
    one(state, STATES),
    `heard of the other side: ${yes(heard)}`,
    `relays only: ${yes(relayed)}`,
    `candidates here: ${several(ours)}`,
    `there: ${several(theirs)}`,
    `pair: ${way}`,
    `round trip: ${number(roundTrip, "ms")}`,
    `lost: ${number(loss, "%")}`,
  ].join("; ");
}

/** @param {unknown} value @param {string[]} known */
const one = (value, known) => known.find((word) => word === value) ?? "unknown";

/** @param {unknown} values */
function several(values) {
  const found = WAYS.filter((way) => Array.isArray(values) && values.includes(way));
  return found.length > 0 ? found.join(" ") : "none";
}

/** @param {unknown} value @param {string} [unit] */
const number = (value, unit) =>
  typeof value === "number" && Number.isFinite(value)
    ? [value.toFixed(0), unit].filter(Boolean).join(" ")
    : "unknown";

/** @param {unknown} value */
const yes = (value) => (value === true ? "yes" : "no");
