// A call is a set of peers, each with a connection of its own; a random pair is a set of one.
//
// Media and chat go over these connections alone. Once one is up it needs the server no more, so a call
// ends when a peer says so or its media goes, and not when somebody's socket does.

import { Negotiation } from "./lib/negotiation.js";

/** @import { Peer as Met } from "./lib/protocol.js" */
/** @import { Signal } from "./lib/negotiation.js" */

/**
 * What peers tell each other over the data channel.
 * @typedef {{ type: "chat", text: string } | { type: "typing", on: boolean }
 *   | { type: "state", microphone: boolean, camera: boolean }} Message
 */

/** Why a peer is gone: it hung up, its media stopped, or there was never a way to it. */
/** @typedef {"left" | "lost" | "unreachable"} Reason */

/**
 * What a call tells its page; the first argument is the peer's id.
 * @typedef {object} Listener
 * @property {(id: string, stream: MediaStream) => void} onstream its video and sound
 * @property {(id: string, message: Message) => void} onmessage
 * @property {(id: string, state: "connected" | "unstable") => void} onstate
 * @property {(id: string, reason: Reason) => void} ongone
 */

/** The longest chat message, in UTF-16 units. */
export const LONGEST_TEXT = 2_000;

/** How long a connection may take to come about or to come back, in milliseconds. */
const PATIENCE = 20_000;

export class Call {
  /** @type {Map<string, Peer>} */
  #peers = new Map();
  #options;

  /**
   * @param {object} options
   * @param {RTCIceServer[]} options.iceServers
   * @param {MediaStream | null} options.stream what we send; null in a text chat
   * @param {(to: string, signal: Signal) => void} options.send
   * @param {Listener} options.listener
   */
  constructor(options) {
    this.#options = options;
  }

  /** @param {Met} met somebody the server introduced */
  add(met) {
    this.#peers.set(met.id, new Peer(met, this.#options, (reason) => this.#gone(met.id, reason)));
  }

  /**
   * @param {string} from
   * @param {unknown} signal
   */
  receive(from, signal) {
    this.#peers.get(from)?.negotiation.receive(signal);
  }

  /**
   * The server sees a peer no more.
   * @param {string} id
   * @param {boolean} deliberately whether it hung up, or its socket was lost
   */
  left(id, deliberately) {
    const peer = this.#peers.get(id);
    if (deliberately) this.#gone(id, "left");
    else if (peer) peer.onItsOwn();
  }

  /** We see the server no more: what is connected stays, what is not never will be. */
  onItsOwn() {
    for (const peer of this.#peers.values()) peer.onItsOwn();
  }

  /**
   * @param {Message} message
   * @returns {boolean} whether anybody gets it
   */
  tell(message) {
    return [...this.#peers.values()].map((peer) => peer.tell(message)).includes(true);
  }

  /** Hangs up on everybody. */
  close() {
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
  }

  /**
   * @param {string} id
   * @param {Reason} reason
   */
  #gone(id, reason) {
    const peer = this.#peers.get(id);
    if (!peer) return;
    this.#peers.delete(id);
    peer.close();
    this.#options.listener.ongone(id, reason);
  }
}

/** One other person, and the connection to it. */
class Peer {
  #connection;
  #channel;
  #listener;
  #id;
  #gone;
  #connected = false;
  #onItsOwn = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Met} met
   * @param {ConstructorParameters<typeof Call>[0]} options
   * @param {(reason: Reason) => void} gone
   */
  constructor(met, { iceServers, stream, send, listener }, gone) {
    this.#id = met.id;
    this.#listener = listener;
    this.#gone = gone;
    const connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.#connection = connection;
    this.negotiation = new Negotiation(connection, met.role, (signal) => send(met.id, signal));
    connection.ontrack = ({ streams: [remote] }) => remote && listener.onstream(met.id, remote);
    connection.onconnectionstatechange = () => this.#follow(connection.connectionState);
    this.#channel = this.#open(connection);
    for (const track of stream?.getTracks() ?? [])
      connection.addTrack(track, /** @type {MediaStream} */ (stream));
    // Who has no camera still wants to see.
    for (const kind of stream && met.role === "offerer" ? ["audio", "video"] : []) {
      const sent = connection.getSenders().some((sender) => sender.track?.kind === kind);
      if (!sent) connection.addTransceiver(kind, { direction: "recvonly" });
    }
    this.#wait("unreachable");
    if (met.offer) this.negotiation.receive({ description: { type: "offer", sdp: met.offer } });
  }

  /** Both sides open the same channel, so that it is there with the connection. @param {RTCPeerConnection} connection */
  #open(connection) {
    const channel = connection.createDataChannel("call", { negotiated: true, id: 0 });
    channel.onmessage = ({ data }) => {
      const message = read(data);
      if (message) this.#listener.onmessage(this.#id, message);
    };
    channel.onopen = () => this.#follow("connected");
    channel.onclose = () => this.#gone("left");
    return channel;
  }

  /** @param {RTCPeerConnectionState} state */
  #follow(state) {
    if (state === "connected" && this.#channel.readyState === "open") {
      clearTimeout(this.#timer);
      this.#connected = true;
      this.#listener.onstate(this.#id, "connected");
    } else if (state === "disconnected" && this.#connected) {
      // Without the server nobody can look for another way.
      if (this.#onItsOwn) return this.#gone("lost");
      this.#listener.onstate(this.#id, "unstable");
      this.#wait("lost");
    } else if (state === "failed") {
      if (!this.#connected || this.#onItsOwn)
        return this.#gone(this.#connected ? "lost" : "unreachable");
      this.negotiation.restartIce();
    }
  }

  /** There is no signaling to this peer any more. */
  onItsOwn() {
    this.#onItsOwn = true;
    if (this.#connection.connectionState !== "connected") this.#gone("lost");
  }

  /** @param {Reason} reason that will hold if nothing changes soon */
  #wait(reason) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#gone(reason), PATIENCE);
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
    this.#connection.ontrack = this.#connection.onconnectionstatechange = null;
    this.#connection.close();
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
    const { type, text, on, microphone, camera } = JSON.parse(data);
    if (type === "chat" && typeof text === "string") {
      const shown = text.slice(0, LONGEST_TEXT);
      return shown.trim() ? { type, text: shown } : null;
    }
    if (type === "typing") return { type, on: on === true };
    if (type === "state")
      return { type, microphone: microphone !== false, camera: camera !== false };
  } catch {
    // Not ours.
  }
  return null;
}
