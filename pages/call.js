// A call is a set of peers, each with a connection of its own: a random pair is a set of one, a room is a
// mesh of up to fifteen.
//
// Media and chat go over these connections alone. Once one is up it needs the server no more, so a call
// ends when a peer says so or its media goes, and not when somebody's socket does. What the two
// connections have to agree on later goes by the server, and over the data channel where that is away.
//
// A connection whose way is lost looks for another one (an ICE restart) and stays the same connection. One
// whose page is a new one, after a reload, is begun `anew` on both sides.

import { freshFor, Line } from "./line.js";
import { GROWTH, least, limit, lower, share } from "./uplink.js";
import { sentence, words } from "./words.js";

/** @import { Peer as Met } from "./lib/protocol.js" */
/** @import { Signal } from "./lib/negotiation.js" */
/** @import { Kind, Tracks, Ways } from "./line.js" */

/** How somebody is in a call, in its own words. */
/** @typedef {{ microphone: boolean, camera: boolean, name: string, hand: boolean, screen: boolean }} State */

/**
 * What peers tell each other over the data channel. `watch`: how large our picture is on the other's
 * screen, in pixels of height; 0 where it is not seen at all. `signal`: as by the server.
 * @typedef {{ type: "chat", text: string } | { type: "typing", on: boolean } | { type: "state" } & State
 *   | { type: "watch", height: number } | { type: "ping" } | { type: "pong" }
 *   | { type: "signal", data: unknown }} Message
 */
/** The messages that are for the page. @typedef {Extract<Message, { type: "chat" | "typing" | "state" }>} Said */

/** Why a peer is gone: it hung up, its media stopped, or there was never a way to it. */
/** @typedef {"left" | "lost" | "unreachable"} Reason */

/**
 * What a call tells its page; the first argument is the peer's id.
 * @typedef {object} Listener
 * @property {(id: string, stream: MediaStream) => void} onstream its video and sound
 * @property {(id: string, stream: MediaStream) => void} [onscreen] what it shows of its screen
 * @property {(id: string, message: Said) => void} onmessage
 * @property {(id: string, state: "connected" | "unstable" | "away") => void} onstate `away`: its page is
 *   gone, and may come back
 * @property {(id: string, reason: Reason) => void} ongone
 */

/** The longest chat message, in UTF-16 units. */
export const LONGEST_TEXT = 2_000;
/** The longest message that carries a signal, in UTF-16 units: as much as the server takes. */
const LONGEST_SIGNAL = 65_536;
/** The longest name, in characters (src/core/protocol.rs). */
export const LONGEST_NAME = 32;

/** How long a connection that does not get on may take to come about or to come back, in milliseconds. */
const PATIENCE = 20_000;
/** How long a peer that the server has lost may take to say that it is there, in milliseconds. */
const SIGN_OF_LIFE = 3_000;
/** How long a connection may be interrupted before another way is looked for, in milliseconds: most
 * interruptions are over by then. */
const INTERRUPTED = 2_000;
/** Packets whose sound is louder than this, from 0 to 1, are somebody speaking. */
const SPEECH = 0.02;

/**
 * Beside what a negotiation says: this is another connection than before, forget the other one.
 * @typedef {Signal | { anew: true }} PeerSignal
 */

/** A line that was prepared before there was anybody, whether the peer has its offer, and the peer's answer if
 * that is known already.
 * @typedef {{ line: Line, offered: boolean, answer: string | null }} Ready */

/**
 * @typedef {object} Options
 * @property {() => Promise<Ways>} ways asked for each peer: credentials grow old
 * @property {Tracks | null} tracks what we send; null in a text chat
 * @property {(to: string, signal: PeerSignal) => boolean} send by the server; whether it was sent
 * @property {Listener} listener
 */

export class Call {
  /** @type {Map<string, Peer>} */
  #peers = new Map();
  /** What those said for whom there is no connection yet. @type {Map<string, unknown[]>} */
  #early = new Map();
  /** @type {MediaStreamTrack | null} */
  #screen = null;
  #options;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #renewal;
  #onchange = () => {
    for (const peer of this.#peers.values()) peer.findWay();
  };

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    // Another network, most likely.
    addEventListener("online", this.#onchange);
  }

  /**
   * @param {Met} met somebody the server introduced
   * @param {boolean} [anew] whether it may have a connection from before, to a page that is gone
   * @param {Ready | null} [ready]
   */
  async add(met, anew = false, ready = null) {
    const before = this.#peers.get(met.id);
    this.#peers.delete(met.id);
    before?.close();
    /** @type {unknown[]} */
    const early = [];
    this.#early.set(met.id, early);
    const line = ready?.line ?? new Line(await this.#options.ways(), met.role);
    // Gone again, or introduced anew.
    if (this.#early.get(met.id) !== early) return line.close();
    this.#early.delete(met.id);
    this.#expect(line.until);
    const shares = share(this.#peers.size + 1, this.#screen !== null);
    const prepared = ready ?? { line, offered: false, answer: null };
    const peer = new Peer(met, prepared, shares, this.#options, {
      gone: (reason) => this.#gone(met.id, reason),
      broken: () => this.#begin(met, true),
    });
    this.#peers.set(met.id, peer);
    if (anew) peer.announce();
    if (this.#screen) peer.show(this.#screen);
    this.#divide();
    for (const signal of early) peer.receive(signal);
  }

  /**
   * Begins a connection anew, with the same roles.
   * @param {Met} met
   * @param {boolean} announce whether the other side does not know
   */
  #begin({ offer, crossed, ...met }, announce) {
    this.#options.listener.onstate(met.id, "unstable");
    this.add(met, announce);
  }

  /**
   * @param {string} from
   * @param {unknown} signal
   */
  receive(from, signal) {
    this.#early.get(from)?.push(signal);
    const peer = this.#peers.get(from);
    // Where nothing was agreed on yet both have begun anew, and this is as good as the other.
    if (/** @type {any} */ (signal)?.anew !== true) peer?.receive(signal);
    else if (peer && !peer.untouched) this.#begin(peer.met, false);
  }

  /**
   * The server sees a peer no more.
   * @param {string} id
   * @param {boolean} deliberately whether it hung up, or its socket was lost
   */
  left(id, deliberately) {
    if (deliberately || this.#early.has(id)) this.#gone(id, "left");
    else this.#peers.get(id)?.onItsOwn();
  }

  /** The server does not see a peer, but may soon. @param {string} id */
  away(id) {
    this.#peers.get(id)?.leave();
  }

  /** The server sees a peer again. @param {string} id */
  back(id) {
    this.#peers.get(id)?.comeBack();
  }

  /** The server sees us again, and knows these to be in the call. @param {Met[]} peers */
  resumed(peers) {
    const ids = peers.map(({ id }) => id);
    for (const id of this.#peers.keys()) if (!ids.includes(id)) this.left(id, false);
    for (const met of peers) {
      if (this.has(met.id)) this.back(met.id);
      else this.add(met, true);
    }
  }

  /** The server knows nothing of us any more: what is connected stays, what is not never will be. */
  onItsOwn() {
    for (const id of this.#early.keys()) this.#gone(id, "lost");
    for (const peer of this.#peers.values()) peer.onItsOwn();
  }

  /** Whether there is a connection to somebody, or one coming about. @param {string} id */
  has(id) {
    return this.#peers.has(id) || this.#early.has(id);
  }

  /**
   * @param {Message} message
   * @param {string} [to] one peer instead of all
   * @returns {boolean} whether anybody gets it
   */
  tell(message, to) {
    const one = to === undefined ? undefined : this.#peers.get(to);
    const peers = to === undefined ? [...this.#peers.values()] : one ? [one] : [];
    return peers.map((peer) => peer.tell(message)).includes(true);
  }

  /**
   * Sends this from now on, to everybody.
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  use(kind, track) {
    if (this.#options.tracks) this.#options.tracks[kind] = track;
    for (const peer of this.#peers.values()) peer.use(kind, track);
  }

  /** Shows a screen to everybody, or no more. @param {MediaStreamTrack | null} track */
  show(track) {
    this.#screen = track;
    for (const peer of this.#peers.values()) peer.show(track);
    this.#divide();
  }

  /** Who speaks at this moment. @returns {string[]} */
  speaking() {
    const loud = [...this.#peers].filter(([, peer]) => peer.level > SPEECH);
    return loud.map(([id]) => id);
  }

  /** The connection to somebody, to be looked at. @param {string} id */
  connection(id) {
    return this.#peers.get(id)?.connection ?? null;
  }

  /** Hangs up on everybody. */
  close() {
    removeEventListener("online", this.#onchange);
    clearTimeout(this.#renewal);
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    this.#early.clear();
  }

  /** The ways grow old, and with them the relays: they are asked for anew before. @param {number} until */
  #expect(until) {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(async () => {
      const ways = await this.#options.ways();
      for (const peer of this.#peers.values()) peer.renew(ways);
      if (this.#peers.size > 0) this.#expect(ways.until);
    }, freshFor(until));
  }

  /** What we can send, divided among those who are there. */
  #divide() {
    const shares = share(this.#peers.size, this.#screen !== null);
    for (const peer of this.#peers.values()) peer.limit(shares);
  }

  /**
   * @param {string} id
   * @param {Reason} reason
   */
  #gone(id, reason) {
    const peer = this.#peers.get(id);
    if (!this.#peers.delete(id) && !this.#early.delete(id)) return;
    peer?.close();
    this.#divide();
    this.#options.listener.ongone(id, reason);
  }
}

/** One other person, and the connection to it. */
class Peer {
  #line;
  #options;
  #on;
  #connected = false;
  /** Whether the page was told that something is wrong. */
  #doubted = false;
  #onItsOwn = false;
  /** Whether the server does not see it. */
  #away = false;
  /** Whether it was told that this is another connection, and has not answered yet. */
  #announced = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #interruption;
  #theirs = new MediaStream();
  /** @type {RTCRtpTransceiver | null} */
  #screen = null;
  #shares;
  /** How large our picture is over there. */
  #watched = Number.POSITIVE_INFINITY;
  /** And how large it may be so far. @type {number | undefined} */
  #grown;
  /** @type {ReturnType<typeof setTimeout>[]} */
  #growth = [];

  /**
   * @param {Met} met
   * @param {Ready} ready
   * @param {ReturnType<typeof share>} shares
   * @param {Options} options
   * @param {{ gone: (reason: Reason) => void, broken: () => void }} on `broken`: this connection cannot
   *   go on, but another one could
   */
  constructor(met, { line, offered, answer }, shares, options, on) {
    this.met = met;
    this.#line = line;
    this.#shares = shares;
    this.#options = options;
    this.#on = on;
    const { connection, channel, negotiation } = line;
    connection.ontrack = ({ track, transceiver }) => this.#receive(track, transceiver);
    connection.onconnectionstatechange = () => this.#follow(connection.connectionState);
    connection.onsignalingstatechange = () => {
      // Until something is agreed on there is nothing to limit.
      this.#limit();
      this.#goOn();
    };
    connection.oniceconnectionstatechange = () => this.#goOn();
    channel.onmessage = ({ data }) => {
      const message = read(data);
      if (message) this.#hear(message);
    };
    channel.onopen = () => this.#follow("connected");
    channel.onclose = () => this.#break();
    const { tracks } = options;
    if (tracks && met.role === "offerer") line.furnish(tracks, shares);
    negotiation.begin(met.role, (signal) => this.#send(signal), offered);
    this.#wait("unreachable");
    if (answer) this.receive({ description: { type: "answer", sdp: answer } });
    else if (met.offer && met.role === "answerer")
      this.receive({ description: { type: "offer", sdp: met.offer } });
  }

  get connection() {
    return this.#line.connection;
  }

  /** @param {unknown} signal */
  receive(signal) {
    this.#line.negotiation.receive(signal);
  }

  /** By the server, or where that is away by the way there is. @param {PeerSignal} signal */
  #send(signal) {
    const sent = !this.#away && this.#options.send(this.met.id, signal);
    if (!sent && !("anew" in signal)) this.tell({ type: "signal", data: signal });
  }

  /** Whether nothing has been agreed on. */
  get untouched() {
    return this.connection.remoteDescription === null;
  }

  /** Says that this is another connection than before. */
  announce() {
    this.#announced = true;
    this.#send({ anew: true });
  }

  /** The page over there is gone, or the network was for too long. The server knows which: it sees the
   * peer leave, or come back. */
  #break() {
    if (this.#onItsOwn) return this.#on.gone("left");
    this.#doubt();
    if (this.#away) return;
    clearTimeout(this.#interruption);
    this.#interruption = setTimeout(() => this.#away || this.#on.broken(), SIGN_OF_LIFE);
  }

  /** @param {Message} message */
  #hear(message) {
    switch (message.type) {
      case "ping":
        return this.tell({ type: "pong" });
      case "pong":
        return this.#settle();
      case "watch":
        this.#watched = message.height;
        return this.#limit();
      case "signal":
        return this.receive(message.data);
      default:
        return this.#options.listener.onmessage(this.met.id, message);
    }
  }

  /**
   * What arrives first of each kind is the person; another picture is its screen.
   * @param {MediaStreamTrack} track
   * @param {RTCRtpTransceiver} transceiver
   */
  #receive(track, transceiver) {
    const { tracks, listener } = this.#options;
    if (!tracks) return;
    const kind = /** @type {Kind} */ (track.kind);
    if (this.#line.settle(kind, transceiver)) this.use(kind, tracks[kind]);
    if (this.#line.place(kind) === transceiver) {
      this.#theirs.addTrack(track);
      listener.onstream(this.met.id, this.#theirs);
    } else if (kind === "video") {
      listener.onscreen?.(this.met.id, new MediaStream([track]));
    }
  }

  /**
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  async use(kind, track) {
    await this.#line.use(kind, track);
    this.#limit();
  }

  /** @param {MediaStreamTrack | null} track of our screen */
  show(track) {
    if (this.#screen) {
      this.#screen.sender.replaceTrack(track).catch(() => {});
    } else if (track && this.#options.tracks) {
      this.#screen = this.connection.addTransceiver(track, {
        direction: "sendonly",
        streams: [new MediaStream()],
      });
    }
  }

  /** How loud it is, from 0 to 1 (RFC 6464). */
  get level() {
    const [source] = this.#line.place("audio")?.receiver.getSynchronizationSources() ?? [];
    return source?.audioLevel ?? 0;
  }

  /** @param {ReturnType<typeof share>} shares */
  limit(shares) {
    this.#shares = shares;
    this.#limit();
  }

  #limit() {
    const { microphone, camera, screen } = this.#shares;
    const [audio, video] = [this.#line.place("audio"), this.#line.place("video")];
    if (audio) limit(audio.sender, microphone);
    if (video) limit(video.sender, lower(least(camera, this.#watched), this.#grown));
    if (this.#screen) limit(this.#screen.sender, screen);
  }

  /** @param {RTCPeerConnectionState} state */
  #follow(state) {
    if (state === "connected" && this.#line.channel.readyState === "open") {
      this.#doubted = false;
      this.#settle();
      if (!this.#connected) this.#grow();
      this.#connected = true;
      this.#announced = false;
      this.#options.listener.onstate(this.met.id, "connected");
    } else if (state === "disconnected" && this.#connected) {
      this.#doubt();
      clearTimeout(this.#interruption);
      this.#interruption = setTimeout(() => this.findWay(), INTERRUPTED);
    } else if (state === "failed") {
      if (!this.#connected) return this.#on.gone("unreachable");
      this.#doubt();
      this.findWay();
    }
  }

  /** The picture begins. */
  #grow() {
    this.#growth = GROWTH.map(({ after, height }) =>
      setTimeout(() => {
        this.#grown = height;
        this.#limit();
      }, after),
    );
  }

  /** It is not certain any more that it is there. */
  #doubt() {
    this.#doubted = true;
    this.#options.listener.onstate(this.met.id, this.#away ? "away" : "unstable");
    this.#wait("lost");
  }

  /** It is there. */
  #settle() {
    clearTimeout(this.#timer);
    clearTimeout(this.#interruption);
    if (this.#doubted) this.#follow(this.connection.connectionState);
  }

  /** Looks for another way, with what finds one now. */
  async findWay() {
    if (this.untouched) return;
    this.#line.reroute(await this.#options.ways());
    if (this.connection.signalingState !== "closed") this.#line.negotiation.restartIce();
  }

  /** A relay serves those who know what finds the way now. @param {Ways} ways */
  async renew(ways) {
    this.#line.reroute(ways);
    if (this.#connected && (await relayed(this.connection))) this.#line.negotiation.restartIce();
  }

  /** It takes its time, but it gets on: the other side may be busy with many others. */
  #goOn() {
    if (!this.#connected) this.#wait("unreachable");
  }

  /** The server does not see it, but may soon. */
  leave() {
    this.#away = true;
    // With a closed page its connection goes without a word.
    if (!this.tell({ type: "ping" })) return this.#doubt();
    clearTimeout(this.#interruption);
    this.#interruption = setTimeout(() => this.#doubt(), INTERRUPTED);
  }

  /** Either of us is back: what was said meanwhile is lost. */
  comeBack() {
    this.#away = false;
    if (this.#announced) this.announce();
    this.#line.negotiation.repeat();
    const { connectionState } = this.connection;
    if (connectionState !== "connected") this.findWay();
    if (this.#line.channel.readyState === "closed") this.#break();
    else this.tell({ type: "ping" });
  }

  /** There is no signaling to this peer any more; it may be there all the same, or be gone. */
  onItsOwn() {
    this.#onItsOwn = true;
    const there = this.#line.channel.readyState === "open" && !this.#doubted;
    if (this.connection.connectionState !== "connected" || !there) return this.#on.gone("lost");
    this.tell({ type: "ping" });
    this.#wait("lost", SIGN_OF_LIFE);
  }

  /**
   * @param {Reason} reason that will hold if nothing changes soon
   * @param {number} [patience] in milliseconds
   */
  #wait(reason, patience = PATIENCE) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#on.gone(reason), patience);
  }

  /** @param {Message} message */
  tell(message) {
    if (this.#line.channel.readyState !== "open") return false;
    this.#line.channel.send(JSON.stringify(message));
    return true;
  }

  close() {
    for (const timer of [this.#timer, this.#interruption, ...this.#growth]) clearTimeout(timer);
    this.#line.close();
  }
}

/** Whether a connection goes by a relay of ours. @param {RTCPeerConnection} connection */
export async function relayed(connection) {
  const stats = [...(await connection.getStats()).values()];
  const used = stats.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  const pair = stats.find(({ id, nominated, type }) =>
    used ? id === used : type === "candidate-pair" && nominated,
  );
  return stats.find(({ id }) => id === pair?.localCandidateId)?.candidateType === "relay";
}

/**
 * Reads what a peer sent, which may be anything.
 *
 * @param {unknown} data
 * @returns {Message | null}
 */
export function read(data) {
  if (typeof data !== "string" || data.length > LONGEST_SIGNAL) return null;
  if (data.length > 6 * LONGEST_TEXT + 100 && !data.startsWith('{"type":"signal"')) return null;
  try {
    const { type, ...fields } = JSON.parse(data);
    switch (type) {
      case "chat": {
        const said = typeof fields.text === "string" ? fields.text.slice(0, LONGEST_TEXT) : "";
        const text = sentence(said);
        return text ? { type, text } : null;
      }
      case "typing":
        return { type, on: fields.on === true };
      case "state": {
        const { microphone, camera, hand, screen } = fields;
        const name = typeof fields.name === "string" ? tidy(fields.name) : "";
        return {
          type,
          microphone: microphone !== false,
          camera: camera !== false,
          name,
          hand: hand === true,
          screen: screen === true,
        };
      }
      case "watch":
        return Number.isFinite(fields.height) ? { type, height: Math.max(0, fields.height) } : null;
      case "signal":
        return { type, data: fields.data };
      case "ping":
      case "pong":
        return { type };
    }
  } catch {
    // Not ours.
  }
  return null;
}

/** A name as others are told it. @param {string} name */
export const tidy = (name) => words(name, LONGEST_NAME);
