// Finds out what diagnosis.js judges: what this browser can do, whether the server and each ICE server are
// reached, whether the relay lets anything through, how a call is. Every look has its bound.
//
// The addresses that are met here stay here: what is handed on are kinds, codes and times.

import { diagnose } from "./diagnosis.js";
import { decode } from "./lib/signaling.js";
import { browserOf, report } from "./report.js";

/** @import { Devices, Facts, Finding, Pair, Probe, Server, Vitals, Way } from "./diagnosis.js" */

/** How long anything may take to answer, in milliseconds. */
const PATIENCE = 5_000;
/** What is sent through the relay: so many messages, so many milliseconds apart. */
const MESSAGES = 20;
const APART = 25;
/** What a browser says where no server answered (W3C WebRTC 1.0, section 4.8.3), or none was reached. */
const UNREACHED = 701;

/** @returns {NonNullable<Facts["browser"]>} */
export function lookAtBrowser() {
  return {
    ...browserOf(navigator.userAgent),
    secure: isSecureContext,
    calls: "RTCPeerConnection" in globalThis,
  };
}

/**
 * @param {URL} url of a WebSocket of the signaling server
 * @param {string} pass to be let in by, if that takes one
 * @param {string[]} protocols to be named then
 * @returns {Promise<{ server: Server, servers: RTCIceServer[] }>} and the ICE servers
 *   that it names
 */
export async function reachServer(url, pass, protocols) {
  const [answer, roundTrip] = await Promise.all([askServer(url, pass), greets(url, protocols)]);
  const welcome = roundTrip !== null;
  const { onLine: online } = navigator;
  const { there, checked, servers } = answer;
  const names = servers !== null;
  return {
    server: { online, there: there || welcome, checked, welcome, names, roundTrip },
    servers: servers ?? [],
  };
}

/**
 * @param {URL} url @param {string} pass
 * @returns {Promise<{ there: boolean, checked: boolean, servers: RTCIceServer[] | null }>}
 */
async function askServer(url, pass) {
  const ice = new URL("/v1/ice", url);
  ice.protocol = url.protocol === "wss:" ? "https:" : "http:";
  let there = false;
  try {
    // Asked anew: what a call was told may have been that there are none, for want of an answer.
    const how = pass ? { method: "POST", body: pass } : {};
    const answer = await fetch(ice, { ...how, signal: AbortSignal.timeout(PATIENCE) });
    there = true;
    if (!answer.ok) return { there, checked: true, servers: null };
    /** @type {import("./lib/protocol.js").IceConfiguration} */
    const { iceServers, check } = await answer.json();
    return { there, checked: check === undefined, servers: iceServers };
  } catch {
    return { there, checked: true, servers: null };
  }
}

/** @param {URL} url @param {string[]} protocols @returns {Promise<number | null>} the shortest of some round trips,
 * in milliseconds */
async function greets(url, protocols) {
  const socket = new WebSocket(url, protocols);
  let left = 3;
  let asked = 0;
  let least = Number.POSITIVE_INFINITY;
  const ask = () => {
    asked = performance.now();
    socket.send("ping");
  };
  const { promise, resolve } = Promise.withResolvers();
  socket.onclose = resolve;
  socket.onmessage = ({ data }) => {
    if (data === "pong") least = Math.min(least, performance.now() - asked);
    else if (decode(data)?.type !== "welcome") return;
    if (left-- > 0) ask();
    else resolve(null);
  };
  await within(promise);
  socket.onclose = socket.onmessage = null;
  socket.close();
  return Number.isFinite(least) ? least : null;
}

/**
 * Asks each ICE server for candidates, all at once.
 * @param {RTCIceServer[]} servers
 * @returns {Promise<Probe[]>} one for each URL
 */
export function probe(servers) {
  const each = servers.flatMap(({ urls, ...server }) =>
    [urls].flat().map((url) => ({ ...server, urls: url })),
  );
  const known = each.flatMap((server) => {
    const kind = kindOf(server.urls);
    return kind ? [{ server, kind }] : [];
  });
  return Promise.all(known.map(({ server, kind }) => ask(server, kind)));
}

/**
 * @param {string} url of an ICE server (RFC 7064, RFC 7065)
 * @returns {Pick<Probe, "scheme" | "transport"> | null} null for what is no such URL
 */
export function kindOf(url) {
  const [, scheme = "", secure, transport] =
    /^(stun|turn)(s?):[^?]+(?:\?transport=(udp|tcp))?$/i.exec(url) ?? [];
  if (!scheme) return null;
  const stream = transport ? transport.toLowerCase() === "tcp" : secure !== "";
  return {
    scheme: scheme.toLowerCase() === "turn" ? "turn" : "stun",
    transport: stream ? (secure ? "tls" : "tcp") : "udp",
  };
}

/**
 * @param {RTCIceServer} server with one URL
 * @param {Pick<Probe, "scheme" | "transport">} kind
 * @returns {Promise<Probe>}
 */
async function ask(server, kind) {
  const wanted = kind.scheme === "turn" ? "relay" : "srflx";
  /** @type {Set<Way>} */
  const ways = new Set();
  /** @type {number[]} */
  const codes = [];
  const connection = connect([server], wanted === "relay");
  const { promise, resolve } = Promise.withResolvers();
  connection.onicecandidate = ({ candidate }) => {
    if (candidate?.type) ways.add(candidate.type);
    if (!candidate || candidate.type === wanted) resolve(true);
  };
  connection.onicecandidateerror = ({ errorCode }) => codes.push(errorCode);
  connection.createDataChannel("probe");
  await connection.setLocalDescription();
  const done = await within(promise);
  connection.close();
  const code = codes.find((one) => one !== UNREACHED) ?? null;
  // A browser whose address is the same from outside keeps the second candidate of it to itself: then the
  // server has answered if all is gathered and nothing was wrong (RFC 8445, section 5.1.3).
  const plain = done && kind.scheme === "stun" && ways.size > 0 && codes.length === 0;
  if (ways.has(wanted) || plain)
    return { ...kind, outcome: "answered", code: null, ways: [...ways] };
  return { ...kind, outcome: code === null ? "silent" : "refused", code, ways: [...ways] };
}

/**
 * Sends something through the relay to this page itself.
 * @param {RTCIceServer[]} servers
 * @returns {Promise<Vitals>} of the connection; its loss and its round trip are those of what was sent
 */
export async function cross(servers) {
  const [here, there] = [connect(servers, true), connect(servers, true)];
  try {
    here.onicecandidate = ({ candidate }) => there.addIceCandidate(candidate).catch(() => {});
    there.onicecandidate = ({ candidate }) => here.addIceCandidate(candidate).catch(() => {});
    const options = { negotiated: true, id: 0, ordered: false, maxRetransmits: 0 };
    const [near, far] = [here, there].map((one) => one.createDataChannel("crossing", options));
    if (!near || !far) throw new Error("two channels");
    far.onmessage = ({ data }) => far.send(data);
    const { promise: open, resolve } = Promise.withResolvers();
    near.onopen = () => resolve(true);
    await here.setLocalDescription();
    await there.setRemoteDescription(/** @type {RTCSessionDescription} */ (here.localDescription));
    await there.setLocalDescription();
    await here.setRemoteDescription(/** @type {RTCSessionDescription} */ (there.localDescription));
    if (!(await within(open))) return await vitals(here);
    const times = await echoes(near);
    const middle = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? null;
    const loss = 100 * (1 - times.length / MESSAGES);
    return { ...(await vitals(here)), roundTrip: middle, loss };
  } finally {
    here.close();
    there.close();
  }
}

/** @param {RTCDataChannel} channel whose other end says what it hears @returns {Promise<number[]>} */
async function echoes(channel) {
  /** @type {number[]} */
  const times = [];
  const { promise, resolve } = Promise.withResolvers();
  channel.onmessage = ({ data }) => {
    times.push(performance.now() - Number(data));
    if (times.length === MESSAGES) resolve(true);
  };
  for (let sent = 0; sent < MESSAGES; sent++) {
    channel.send(String(performance.now()));
    await new Promise((next) => setTimeout(next, APART));
  }
  // What is not back after a second is lost to a call.
  await within(promise, 1_000);
  return times;
}

/** @returns {Promise<Devices>} as far as it is seen without opening any */
export async function lookAtDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const count = (/** @type {MediaDeviceKind} */ wanted) =>
    all.filter(({ kind }) => kind === wanted).length;
  const [camera, microphone] = await Promise.all([permission("camera"), permission("microphone")]);
  return {
    permissions: { camera, microphone },
    count: { camera: count("videoinput"), microphone: count("audioinput") },
  };
}

/** @param {string} name @returns {Promise<PermissionState | null>} */
async function permission(name) {
  try {
    return (await navigator.permissions.query({ name: /** @type {PermissionName} */ (name) }))
      .state;
  } catch {
    return null;
  }
}

/** Opens camera and microphone and closes them again. Asks the person where needed. @returns {Promise<Devices>} */
export async function openDevices() {
  const both = await opens({ video: true, audio: true });
  // Together they say but of one of them what is wrong with it.
  const opened =
    both === null
      ? { camera: null, microphone: null }
      : { camera: await opens({ video: true }), microphone: await opens({ audio: true }) };
  return { ...(await lookAtDevices()), opened };
}

/** @param {MediaStreamConstraints} wanted @returns {Promise<string | null>} the name of the error */
async function opens(wanted) {
  try {
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    for (const track of stream.getTracks()) track.stop();
    return null;
  } catch (error) {
    return error instanceof Error ? error.name : "AbortError";
  }
}

/**
 * @param {RTCPeerConnection} connection
 * @returns {Promise<Vitals>}
 */
export async function vitals(connection) {
  const { connectionState: state, remoteDescription } = connection;
  const { iceTransportPolicy } = connection.getConfiguration();
  /** @type {any[]} the dictionaries of W3C WebRTC Statistics, section 8 */
  const all = [...(await connection.getStats()).values()];
  const of = (/** @type {string} */ type) => all.filter((one) => one.type === type);
  const byId = (/** @type {string} */ id) => all.find((one) => one.id === id);
  const [transport] = of("transport");
  const selected =
    byId(transport?.selectedCandidatePairId) ?? of("candidate-pair").find((pair) => pair.selected);
  const [ours, theirs] = [byId(selected?.localCandidateId), byId(selected?.remoteCandidateId)];
  /** @type {Pair | null} */
  const pair = ours &&
    theirs && {
      ours: ours.candidateType,
      theirs: theirs.candidateType,
      protocol: ours.protocol,
      relay: ours.candidateType === "relay" ? (ours.relayProtocol ?? null) : null,
    };
  const seconds =
    selected?.currentRoundTripTime ??
    of("remote-inbound-rtp").find((one) => one.roundTripTime)?.roundTripTime;
  const sum = (/** @type {string} */ field) =>
    of("inbound-rtp").reduce((total, one) => total + (one[field] ?? 0), 0);
  const [received, lost] = [sum("packetsReceived"), sum("packetsLost")];
  return {
    state,
    heard: remoteDescription !== null,
    relayed: iceTransportPolicy === "relay",
    ours: types(of("local-candidate")),
    // Chromium counts only those that it has tried: none, where it has no way of its own.
    theirs: [...new Set([...types(of("remote-candidate")), ...named(remoteDescription)])],
    pair: pair ?? null,
    roundTrip: seconds === undefined ? null : 1_000 * seconds,
    // More may arrive than was missed, when some comes twice.
    loss: received + lost > 0 ? Math.max(0, (100 * lost) / (received + lost)) : null,
  };
}

/** @param {{ candidateType: Way }[]} candidates */
const types = (candidates) => [...new Set(candidates.map(({ candidateType }) => candidateType))];

/** Those that the other side named (RFC 8839, section 5.1). @param {RTCSessionDescription | null} description */
const named = (description) =>
  [...(description?.sdp.matchAll(/^a=candidate:.* typ (\w+)/gm) ?? [])].map(
    ([, type]) => /** @type {Way} */ (type),
  );

/**
 * Why a call does not connect, or how it does.
 *
 * @param {RTCPeerConnection} connection of the call, which may close meanwhile
 * @param {RTCIceServer[]} servers it was given
 * @returns {Promise<{ finding: Finding, report: string }>} within some seconds; the report holds no address
 */
export async function explain(connection, servers) {
  const before = await vitals(connection);
  const probes = await probe(servers);
  const closed = connection.connectionState === "closed";
  const facts = {
    browser: lookAtBrowser(),
    probes,
    call: closed ? before : await vitals(connection),
  };
  return {
    finding: /** @type {Finding} */ (diagnose(facts).call),
    report: report(facts),
  };
}

/** @param {RTCIceServer[]} iceServers @param {boolean} relayed whether only through a relay */
const connect = (iceServers, relayed) =>
  new RTCPeerConnection({ iceServers, iceTransportPolicy: relayed ? "relay" : "all" });

/**
 * @template Result
 * @param {Promise<Result>} promise
 * @param {number} [patience] in milliseconds
 * @returns {Promise<Result | null>} null when it takes longer
 */
async function within(promise, patience = PATIENCE) {
  /** @type {PromiseWithResolvers<null>} */
  const over = Promise.withResolvers();
  const timer = setTimeout(() => over.resolve(null), patience);
  const result = await Promise.race([promise, over.promise]);
  clearTimeout(timer);
  return result;
}
