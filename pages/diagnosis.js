// Why calls connect or do not, in plain words: facts in, findings out. Nothing here looks at anything;
// examination.js does.

import { INSECURE, problem } from "./media.js";

/** @import { Device, Problem } from "./media.js" */

/** What is looked at. @typedef {"browser" | "server" | "network" | "relay" | "devices" | "call"} Check */
/** `calm`: good to know, and in nobody's way. @typedef {"good" | "calm" | "bad"} Tone */
/** @typedef {{ tone: Tone, what: string, advice: string }} Finding */

/** How a candidate was come by (RFC 8445, section 5.1.1). @typedef {RTCIceCandidateType} Way */
/** How a server is spoken to; TLS is over TCP. @typedef {"udp" | "tcp" | "tls"} Transport */

/**
 * What an ICE server said to a browser that asked it for candidates. `refused`: with this code (RFC 8489,
 * section 14.8; RFC 8656, section 19). `silent`: nothing came back in time.
 * @typedef {object} Probe
 * @property {"stun" | "turn"} scheme
 * @property {Transport} transport
 * @property {"answered" | "refused" | "silent"} outcome
 * @property {number | null} code
 * @property {Way[]} ways of the candidates that came
 */

/**
 * The way that two browsers chose. `relay`: how ours speaks to its relay, if it goes through one.
 * @typedef {object} Pair
 * @property {Way} ours
 * @property {Way} theirs
 * @property {string} protocol
 * @property {string | null} relay
 */

/**
 * What a connection knows of itself.
 * @typedef {object} Vitals
 * @property {RTCPeerConnectionState} state
 * @property {boolean} heard whether the other side has described itself
 * @property {boolean} relayed whether it may go through relays only
 * @property {Way[]} ours ways that we found
 * @property {Way[]} theirs ways that we were told of
 * @property {Pair | null} pair
 * @property {number | null} roundTrip in milliseconds; null where it is not known
 * @property {number | null} loss of what should have arrived here, in per cent; null where it is not known
 */

/**
 * Of camera and microphone. `opened`: after a try, the name of the error of each that did not open.
 * @typedef {object} Devices
 * @property {Record<Device, PermissionState | null>} permissions null where the browser does not tell
 * @property {Record<Device, number>} count
 * @property {Record<Device, string | null>} [opened]
 */

/**
 * How the signaling server is reached.
 * @typedef {object} Server
 * @property {boolean} online whether this machine is in any network
 * @property {boolean} there whether it answers
 * @property {boolean} welcome whether a WebSocket to it works
 * @property {boolean} names whether it told the ICE servers
 * @property {number | null} roundTrip of the WebSocket, in milliseconds
 * @property {boolean} checked whether it would let us in, where it tells people from machines
 */

/**
 * What was found out. What nobody has looked at is not there.
 * @typedef {object} Facts
 * @property {{ family: string, version: number, system: string, secure: boolean, calls: boolean }} [browser]
 *   `calls`: whether it has WebRTC at all
 * @property {Server} [server]
 * @property {Probe[]} [probes] one of each URL of an ICE server
 * @property {Vitals | null} [crossing] of a connection through the relay and back; null without a relay
 * @property {Devices} [devices]
 * @property {Vitals} [call]
 */

/** Of a relay that would help if it had room (RFC 8656, section 19). */
const FULL = [486, 508];
const ELSEWHERE = "Try another network, such as your phone's";

/** @param {Facts} facts @returns {Partial<Record<Check, Finding>>} of all that was looked at, in order */
export function diagnose(facts) {
  const { browser, server, probes, crossing, devices, call } = facts;
  return {
    ...(browser && { browser: ofBrowser(browser) }),
    ...(server && { server: ofServer(server) }),
    ...(probes && { network: ofNetwork(probes, server?.names ?? true) }),
    ...(probes &&
      crossing !== undefined && { relay: ofRelay(probes, crossing, server?.names ?? true) }),
    ...(devices && { devices: ofDevices(devices, browser?.secure ?? true) }),
    ...(call && { call: ofCall(call, probes ?? []) }),
  };
}

/**
 * All of it in two sentences.
 * @param {Partial<Record<Check, Finding>>} findings
 * @returns {Finding}
 */
export function summary({ devices, ...connection }) {
  const all = Object.values(connection);
  const bad = all.filter(({ tone }) => tone === "bad");
  if (bad[0]) {
    const more = bad.length > 1 ? " There is more below." : "";
    // Without a relay there is the direct way, where the network has one.
    const direct = bad.length === 1 && connection.relay === bad[0];
    const some = direct && connection.network?.tone === "good" ? "Some" : "Your";
    return {
      tone: "bad",
      what: `${some} calls will not connect`,
      advice: `${bad[0].what}.${more}`,
    };
  }
  if (devices?.tone === "bad")
    return { tone: "bad", what: "Nobody will see or hear you", advice: `${devices.what}.` };
  const limit = all.find(({ tone }) => tone === "calm");
  if (limit) return { tone: "calm", what: "Most calls will connect", advice: `${limit.what}.` };
  return {
    tone: "good",
    what: "Your calls will connect",
    advice:
      "Nothing is in the way here. If one fails all the same, the other side should look, too.",
  };
}

/** @param {NonNullable<Facts["browser"]>} browser @returns {Finding} */
function ofBrowser({ secure, calls }) {
  if (!calls) {
    return {
      tone: "bad",
      what: "This browser cannot make calls",
      advice: "Use a current one, and switch off what keeps it from calling, such as an extension.",
    };
  }
  if (!secure) return { tone: "bad", what: INSECURE.title, advice: `${INSECURE.advice}.` };
  return {
    tone: "good",
    what: "Your browser can make calls",
    advice: "It has all that is needed, and the address of this page is secure.",
  };
}

/** @param {Server} server @returns {Finding} */
function ofServer({ online, there, welcome, roundTrip, checked }) {
  if (welcome)
    return {
      tone: "good",
      what: "The server answers",
      advice: `There and back: ${time(roundTrip)}.`,
    };
  if (!online) {
    return {
      tone: "bad",
      what: "You are offline",
      advice: "Connect to the internet, then press Check again.",
    };
  }
  if (there && !checked) {
    return {
      tone: "bad",
      what: "The check of this site did not let you in",
      advice:
        "It asks Cloudflare whether you are a person. Allow challenges.cloudflare.com, do what it asks, then press Check again.",
    };
  }
  if (there) {
    return {
      tone: "bad",
      what: "The server is there, but keeps no connection",
      advice:
        "Something on the way may not let WebSockets through, such as an extension or a proxy. Try a private window or another network.",
    };
  }
  return {
    tone: "bad",
    what: "The server cannot be reached",
    advice: `${ELSEWHERE}. If it cannot be reached from there either, it is down: try again later.`,
  };
}

/** @param {Probe[]} probes @param {boolean} asked whether the server told whom to ask @returns {Finding} */
function ofNetwork(probes, asked) {
  if (!asked) return untested("Your network");
  if (hidden(probes)) {
    return {
      tone: "bad",
      what: "Your browser hides every way to it",
      advice:
        "An extension or a setting does that, such as one of a VPN. Switch it off for this site, then press Check again.",
    };
  }
  const open = passes(probes, "udp");
  if (open === null) {
    return {
      tone: "calm",
      what: "Your network was not tested",
      advice:
        "This site names no server to test it with. Within one network people meet all the same.",
    };
  }
  if (open) {
    return {
      tone: "good",
      what: "Your network lets calls through",
      advice: "What carries them best, UDP, gets out and comes back.",
    };
  }
  if (reached(probes).length > 0) {
    return {
      tone: "calm",
      what: "Your network blocks UDP",
      advice: `Calls go through the relay instead, which is slower. ${ELSEWHERE} for better ones.`,
    };
  }
  return {
    tone: "bad",
    what: "Your network blocks UDP",
    advice: `Calls need it here. ${ELSEWHERE}, or ask whoever runs yours to let UDP out.`,
  };
}

/**
 * @param {Probe[]} probes
 * @param {Vitals | null} crossing
 * @param {boolean} asked whether the server told whom to ask
 * @returns {Finding}
 */
function ofRelay(probes, crossing, asked) {
  if (!asked) return untested("The relay");
  if (!relays(probes).length) {
    if (passes(probes, "udp") !== false) return NO_RELAY;
    return {
      tone: "bad",
      what: "This site has no relay",
      advice: `Your network needs one: without it, only people in the same network reach you. ${ELSEWHERE}.`,
    };
  }
  const refusal = refused(probes);
  if (refusal) return refusal;
  if (crossing?.state !== "connected") {
    return {
      tone: "bad",
      what: "The relay lets nothing through",
      advice:
        "It answers, but what is sent over it does not arrive. Whoever runs this site has to look at it: copy the report for them.",
    };
  }
  const lost = crossing.loss ? ` Of what was sent, ${whole(crossing.loss)} % did not arrive.` : "";
  return {
    tone: "good",
    what: "The relay works",
    advice: `Through it and back: ${time(crossing.roundTrip)}.${lost}`,
  };
}

/** @type {Finding} */
const NO_RELAY = {
  tone: "calm",
  what: "This site has no relay",
  advice:
    "Most people meet without one; two strict networks do not. Whoever runs this site can add one.",
};

/** Why no relay helps, if none does. @param {Probe[]} probes @returns {Finding | null} */
function refused(probes) {
  const all = relays(probes);
  if (all.some(({ outcome }) => outcome === "answered")) return null;
  const refusals = all.filter(({ outcome }) => outcome === "refused");
  if (refusals.some(({ code }) => FULL.includes(code ?? 0))) {
    return { tone: "bad", what: "The relay is full", advice: "Try again in a few minutes." };
  }
  if (refusals.length > 0) {
    return {
      tone: "bad",
      what: "The relay refused us",
      advice:
        "Load the page again. If that does not help, whoever runs this site has to look at its password: copy the report for them.",
    };
  }
  return {
    tone: "bad",
    what: "The relay cannot be reached",
    advice: `Your network may block it. ${ELSEWHERE}.`,
  };
}

/** @param {Devices} devices @param {boolean} secure @returns {Finding} */
function ofDevices({ permissions, count, opened }, secure) {
  if (!secure) return trouble(INSECURE);
  const both = /** @type {Device[]} */ (["camera", "microphone"]);
  const name = (/** @type {Device[]} */ some) => some.join(" and ");
  if (opened) {
    const failed = both.filter((device) => opened[device] !== null);
    if (failed.length === 0) {
      return {
        tone: "good",
        what: "Camera and microphone work",
        advice: "They were opened, and closed again.",
      };
    }
    const names = [...new Set(failed.map((device) => opened[device] ?? ""))];
    const alike = (/** @type {string} */ error) =>
      failed.filter((device) => opened[device] === error);
    return trouble(...names.map((error) => problem(error, name(alike(error)))));
  }
  const denied = both.filter((device) => permissions[device] === "denied");
  if (denied.length > 0) return trouble(problem("NotAllowedError", name(denied)));
  const missing = both.filter((device) => count[device] === 0);
  if (missing.length > 0) return trouble(problem("NotFoundError", name(missing)));
  const granted = both.every((device) => permissions[device] === "granted");
  return {
    tone: "calm",
    what: granted ? "Camera and microphone are allowed" : "Camera and microphone were not tested",
    advice: granted
      ? "Press Test to see whether they open."
      : "Press Test to open them for a moment. Your browser asks first; nobody sees you.",
  };
}

/** @param {Problem[]} problems @returns {Finding} */
const trouble = (...problems) => ({
  tone: "bad",
  what: problems[0]?.title ?? "",
  advice: `${problems
    .flatMap(({ title, advice }, place) => (place > 0 ? [title, advice] : [advice]))
    .join(". ")}, then press Test.`,
});

/** Why two people are not connected, or how they are. @param {Vitals} call @param {Probe[]} probes @returns {Finding} */
function ofCall({ state, heard, relayed, ours, theirs, pair, roundTrip, loss }, probes) {
  if (state === "connected") {
    const through =
      pair?.ours === "relay" || pair?.theirs === "relay" ? "through the relay" : "directly";
    const lost = loss === null ? "" : ` ${whole(loss)} % is lost.`;
    return {
      tone: "good",
      what: `You are connected ${through}`,
      advice: `There and back: ${time(roundTrip)}.${lost}`,
    };
  }
  const bad = (/** @type {string} */ what, /** @type {string} */ advice) =>
    /** @type {Finding} */ ({ tone: "bad", what, advice });
  if (!heard) {
    return bad(
      "Nothing comes from the other side",
      "Its browser may be asleep, busy or closed. Wait a moment, or let it load the page again.",
    );
  }
  if (relayed && relays(probes).length === 0) {
    return bad(
      "You hide your address, and this site has no relay",
      "Calls have no way like that. Stop hiding it, or meet people elsewhere.",
    );
  }
  if (ours.length === 0 && !relayed) {
    return bad(
      "Your browser hides every way to it",
      "An extension or a setting does that, such as one of a VPN. Switch it off for this site.",
    );
  }
  const refusal = refused(probes);
  if (relayed && ours.length === 0 && refusal) {
    const advice = `${refusal.advice} While you hide your address, calls have no other way.`;
    return { ...refusal, advice };
  }
  if (theirs.length === 0) {
    return bad(
      "The other side names no way to it",
      "Its browser or its network hides them all, or it hides its address and reaches no relay. Another network there may help.",
    );
  }
  if (pair) {
    return bad(
      "There is a way between you, but no call over it",
      "Something on it stops what browsers agree on first. One of you should try another network.",
    );
  }
  const open = passes(probes, "udp");
  if (relays(probes).length === 0) {
    return open === false
      ? bad(
          "Your network blocks UDP, and this site has no relay",
          `${ELSEWHERE}, or ask whoever runs yours to let UDP out.`,
        )
      : bad(
          "There is no direct way between your two networks",
          "This site has no relay to help. One of you should try another network, such as a phone's.",
        );
  }
  return (
    refusal ??
    bad(
      "The relay did not bring you together",
      "You reach it, so the other side may not. Another network there may help.",
    )
  );
}

/** @param {string} what @returns {Finding} */
const untested = (what) => ({
  tone: "calm",
  what: `${what} was not tested`,
  advice: "Only the server knows whom to ask for that, and it did not say.",
});

/** @param {Probe[]} probes */
const relays = (probes) => probes.filter(({ scheme }) => scheme === "turn");

/** @param {Probe[]} probes @returns {Probe[]} of those who said something; a refusal got through as well */
const reached = (probes) => probes.filter(({ outcome }) => outcome !== "silent");

/** Whether a browser that asked for every kind of candidate got none at all. @param {Probe[]} probes */
function hidden(probes) {
  const asked = probes.filter(({ scheme }) => scheme === "stun");
  return asked.length > 0 && probes.every(({ ways }) => ways.length === 0);
}

/**
 * @param {Probe[]} probes
 * @param {Transport} transport
 * @returns {boolean | null} null where nobody was asked
 */
function passes(probes, transport) {
  const asked = probes.filter((probe) => probe.transport === transport);
  return asked.length > 0 ? reached(asked).length > 0 : null;
}

/** @param {number} number */
const whole = (number) => (Number.isFinite(number) ? number.toFixed(0) : "?");

/** @param {number | null} milliseconds */
function time(milliseconds) {
  if (milliseconds === null) return "not known";
  return milliseconds < 1 ? "less than 1 ms" : `${whole(milliseconds)} ms`;
}
