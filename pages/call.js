// A call is a set of peers, each with a connection of its own: a random pair is a set of one, a room is a
// mesh of up to fifteen.
//
// Media and chat go over these connections alone. Once one is up it needs the server no more, so a call
// ends when a peer says so or its media goes, and not when somebody's socket does.

import { Negotiation } from "./lib/negotiation.js";
import { encoding, least, limit, share } from "./uplink.js";

/** @import { Peer as Met } from "./lib/protocol.js" */
/** @import { Signal } from "./lib/negotiation.js" */

/** How somebody is in a call, in its own words. */
/** @typedef {{ microphone: boolean, camera: boolean, name: string, hand: boolean, screen: boolean }} State */

/**
 * What peers tell each other over the data channel. `watch`: how large our picture is on the other's
 * screen, in pixels of height; 0 where it is not seen at all.
 * @typedef {{ type: "chat", text: string } | { type: "typing", on: boolean } | { type: "state" } & State
 *   | { type: "watch", height: number } | { type: "ping" } | { type: "pong" }} Message
 */
/** The messages that are for the page. @typedef {Extract<Message, { type: "chat" | "typing" | "state" }>} Said */

/** Why a peer is gone: it hung up, its media stopped, or there was never a way to it. */
/** @typedef {"left" | "lost" | "unreachable"} Reason */

/** @typedef {"audio" | "video"} Kind */

/**
 * What a call tells its page; the first argument is the peer's id.
 * @typedef {object} Listener
 * @property {(id: string, stream: MediaStream) => void} onstream its video and sound
 * @property {(id: string, stream: MediaStream) => void} [onscreen] what it shows of its screen
 * @property {(id: string, message: Said) => void} onmessage
 * @property {(id: string, state: "connected" | "unstable") => void} onstate
 * @property {(id: string, reason: Reason) => void} ongone
 */

/** The longest chat message, in UTF-16 units. */
export const LONGEST_TEXT = 2_000;
/** The longest name, in characters (src/core/protocol.rs). */
export const LONGEST_NAME = 32;

/** How long a connection that does not get on may take to come about or to come back, in milliseconds. */
const PATIENCE = 20_000;
/** How long a peer that the server has lost may take to say that it is there, in milliseconds. */
const SIGN_OF_LIFE = 3_000;
/** Packets whose sound is louder than this, from 0 to 1, are somebody speaking. */
const SPEECH = 0.02;

/**
 * @typedef {object} Options
 * @property {() => Promise<RTCIceServer[]>} iceServers asked for each peer: credentials grow old
 * @property {Record<Kind, MediaStreamTrack | null> | null} tracks what we send; null in a text chat
 * @property {(to: string, signal: Signal) => void} send
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

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
  }

  /** @param {Met} met somebody the server introduced */
  async add(met) {
    /** @type {unknown[]} */
    const early = [];
    this.#early.set(met.id, early);
    const iceServers = await this.#options.iceServers();
    // Gone again, or introduced anew.
    if (this.#early.get(met.id) !== early) return;
    this.#early.delete(met.id);
    const gone = (/** @type {Reason} */ reason) => this.#gone(met.id, reason);
    const shares = share(this.#peers.size + 1, this.#screen !== null);
    const peer = new Peer(met, iceServers, shares, this.#options, gone);
    this.#peers.set(met.id, peer);
    if (this.#screen) peer.show(this.#screen);
    this.#divide();
    for (const signal of early) peer.negotiation.receive(signal);
  }

  /**
   * @param {string} from
   * @param {unknown} signal
   */
  receive(from, signal) {
    this.#early.get(from)?.push(signal);
    this.#peers.get(from)?.negotiation.receive(signal);
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

  /** We see the server no more: what is connected stays, what is not never will be. */
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

  /** Hangs up on everybody. */
  close() {
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    this.#early.clear();
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
  #connection;
  #channel;
  #options;
  #id;
  #gone;
  #connected = false;
  #onItsOwn = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** What goes both ways, one section of the description each from the first offer on, so that a camera
   * or a microphone comes and goes without another one. @type {Map<string, RTCRtpTransceiver>} */
  #both = new Map();
  /** Sound and picture belong together by what they are sent as. */
  #ours = new MediaStream();
  #theirs = new MediaStream();
  /** @type {RTCRtpTransceiver | null} */
  #screen = null;
  #shares;
  /** How large our picture is over there. */
  #watched = Number.POSITIVE_INFINITY;

  /**
   * @param {Met} met
   * @param {RTCIceServer[]} iceServers
   * @param {ReturnType<typeof share>} shares
   * @param {Options} options
   * @param {(reason: Reason) => void} gone
   */
  constructor(met, iceServers, shares, options, gone) {
    const { tracks, send } = options;
    this.#shares = shares;
    this.#id = met.id;
    this.#options = options;
    this.#gone = gone;
    const connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.#connection = connection;
    this.negotiation = new Negotiation(connection, met.role, (signal) => send(met.id, signal));
    connection.ontrack = ({ track, transceiver }) => this.#receive(track, transceiver);
    connection.onconnectionstatechange = () => this.#follow(connection.connectionState);
    connection.onsignalingstatechange = () => {
      // Until something is agreed on there is nothing to limit.
      this.#limit();
      this.#goOn();
    };
    connection.oniceconnectionstatechange = () => this.#goOn();
    this.#channel = this.#open(connection);
    if (tracks && met.role === "offerer" && !met.offer) {
      for (const kind of /** @type {Kind[]} */ (["audio", "video"])) {
        const track = tracks[kind];
        const limit = kind === "audio" ? shares.microphone : shares.camera;
        const options = { streams: [this.#ours], sendEncodings: [encoding(limit, track)] };
        this.#both.set(kind, connection.addTransceiver(track ?? kind, options));
      }
    }
    this.#wait("unreachable");
    if (met.offer) this.negotiation.receive({ description: { type: "offer", sdp: met.offer } });
  }

  /** Both sides open the same channel, so that it is there with the connection. @param {RTCPeerConnection} connection */
  #open(connection) {
    const channel = connection.createDataChannel("call", { negotiated: true, id: 0 });
    channel.onmessage = ({ data }) => {
      const message = read(data);
      if (message) this.#hear(message);
    };
    channel.onopen = () => this.#follow("connected");
    channel.onclose = () => this.#gone("left");
    return channel;
  }

  /** @param {Message} message */
  #hear(message) {
    switch (message.type) {
      case "ping":
        return this.tell({ type: "pong" });
      case "pong":
        return clearTimeout(this.#timer);
      case "watch":
        this.#watched = message.height;
        return this.#limit();
      default:
        return this.#options.listener.onmessage(this.#id, message);
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
    if (!this.#both.has(kind)) {
      // The answer says that we send, too, even if there is nothing yet.
      this.#both.set(kind, transceiver);
      transceiver.direction = "sendrecv";
      transceiver.sender.setStreams?.(this.#ours);
      this.use(kind, tracks[kind]);
    }
    if (this.#both.get(kind) === transceiver) {
      this.#theirs.addTrack(track);
      listener.onstream(this.#id, this.#theirs);
    } else if (kind === "video") {
      listener.onscreen?.(this.#id, new MediaStream([track]));
    }
  }

  /**
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  use(kind, track) {
    const sender = this.#both.get(kind)?.sender;
    // Refused only where the connection is closed.
    sender?.replaceTrack(track).then(
      () => this.#limit(),
      () => {},
    );
  }

  /** @param {MediaStreamTrack | null} track of our screen */
  show(track) {
    if (this.#screen) {
      this.#screen.sender.replaceTrack(track).catch(() => {});
    } else if (track && this.#options.tracks) {
      this.#screen = this.#connection.addTransceiver(track, {
        direction: "sendonly",
        streams: [new MediaStream()],
      });
    }
  }

  /** How loud it is, from 0 to 1 (RFC 6464). */
  get level() {
    const [source] = this.#both.get("audio")?.receiver.getSynchronizationSources() ?? [];
    return source?.audioLevel ?? 0;
  }

  /** @param {ReturnType<typeof share>} shares */
  limit(shares) {
    this.#shares = shares;
    this.#limit();
  }

  #limit() {
    const { microphone, camera, screen } = this.#shares;
    const [audio, video] = [this.#both.get("audio"), this.#both.get("video")];
    if (audio) limit(audio.sender, microphone);
    if (video) limit(video.sender, least(camera, this.#watched));
    if (this.#screen) limit(this.#screen.sender, screen);
  }

  /** @param {RTCPeerConnectionState} state */
  #follow(state) {
    if (state === "connected" && this.#channel.readyState === "open") {
      clearTimeout(this.#timer);
      this.#connected = true;
      this.#limit();
      this.#options.listener.onstate(this.#id, "connected");
    } else if (state === "disconnected" && this.#connected) {
      // Without the server nobody can look for another way.
      if (this.#onItsOwn) return this.#gone("lost");
      this.#options.listener.onstate(this.#id, "unstable");
      this.#wait("lost");
    } else if (state === "failed") {
      if (!this.#connected || this.#onItsOwn)
        return this.#gone(this.#connected ? "lost" : "unreachable");
      this.negotiation.restartIce();
    }
  }

  /** It takes its time, but it gets on: the other side may be busy with many others. */
  #goOn() {
    if (!this.#connected) this.#wait("unreachable");
  }

  /** There is no signaling to this peer any more; it may be there all the same, or be gone. */
  onItsOwn() {
    this.#onItsOwn = true;
    if (this.#connection.connectionState !== "connected") return this.#gone("lost");
    this.tell({ type: "ping" });
    this.#wait("lost", SIGN_OF_LIFE);
  }

  /**
   * @param {Reason} reason that will hold if nothing changes soon
   * @param {number} [patience] in milliseconds
   */
  #wait(reason, patience = PATIENCE) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#gone(reason), patience);
  }

  /** @param {Message} message */
  tell(message) {
    if (this.#channel.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  close() {
    clearTimeout(this.#timer);
    this.negotiation.close();
    this.#channel.onclose = this.#channel.onmessage = this.#channel.onopen = null;
    const connection = this.#connection;
    connection.ontrack = connection.onconnectionstatechange = null;
    connection.onsignalingstatechange = connection.oniceconnectionstatechange = null;
    connection.close();
  }
}

/**
 * Reads what a peer sent, which may be anything.
 *
 * @param {unknown} data
 * @returns {Message | null}
 */
export function read(data) {
  if (typeof data !== "string" || data.length > 6 * LONGEST_TEXT + 100) return null;
  try {
    const { type, ...fields } = JSON.parse(data);
    switch (type) {
      case "chat": {
        const text = typeof fields.text === "string" ? fields.text.slice(0, LONGEST_TEXT) : "";
        return text.trim() ? { type, text } : null;
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
      case "ping":
      case "pong":
        return { type };
    }
  } catch {
    // Not ours.
  }
  return null;
}

/**
 * A name as the server would have it (src/core/room.rs): words, and not too long.
 * @param {string} name
 */
export function tidy(name) {
  const words = name
    .replace(/\p{Cc}/gu, " ")
    .trim()
    .split(/\s+/u)
    .join(" ");
  return [...words].slice(0, LONGEST_NAME).join("").trim();
}
