// One WebSocket to the signaling server, and another when it is lost.
//
// Nothing is queued: what is sent while there is no connection is refused, since an old offer must
// never arrive in a new call. Every connection begins with a `welcome`; who is told of that knows that
// whatever the server held before is gone.

import { backoff } from "./backoff.js";

/** @import { ClientMessage, ServerMessage } from "./protocol.js" */

/**
 * `welcome`, `waiting`, ...: every message of the server by its type. `lost`: the connection is gone
 * and is being made anew.
 * @typedef {{ [Message in ServerMessage as Message["type"]]: Message } & { lost: null }} Events
 */

/** How often the connection is asked whether it lives, in milliseconds, however much arrives on it: by
 * this the server knows that we live, too (SILENCE in src/core/actor.rs). The runtime answers without
 * waking the object; 100 s of silence would end a proxied connection. */
const PING_EVERY = 25_000;
/** How long the answer may take, in milliseconds. */
const PONG_WITHIN = 10_000;

export class Signaling {
  /** @type {Map<string, Set<(event: any) => void>>} */
  #listeners = new Map();
  /** @type {WebSocket | null} */
  #socket = null;
  #welcome = false;
  #wanted = false;
  /** Whether an answer is due. */
  #asking = false;
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {string | URL} url of `/v1/match`, with the scheme ws or wss */
  constructor(url) {
    this.url = url;
  }

  /** Whether messages can be sent. */
  get connected() {
    return this.#welcome;
  }

  /**
   * @template {keyof Events} Type
   * @param {Type} type
   * @param {(event: Events[Type]) => void} listener
   * @returns {() => void} stops listening
   */
  on(type, listener) {
    const all = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, all.add(listener));
    return () => all.delete(listener);
  }

  /** Connects and stays connected until `disconnect`. Called again, it tries at once. */
  connect() {
    this.#wanted = true;
    if (!this.#socket) this.#open();
  }

  /** Lets go of the server. */
  disconnect() {
    this.#wanted = false;
    this.#drop();
  }

  /**
   * @param {ClientMessage} message
   * @returns {boolean} whether it was sent; nothing is kept for later
   */
  send(message) {
    // What is sent into a closing socket vanishes.
    if (!this.#welcome || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #open() {
    clearTimeout(this.#timer);
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      // Whatever arrives is an answer.
      if (this.#asking) this.#expectPing();
      const message = decode(data);
      // `lost` is our own word.
      if (!message || /** @type {string} */ (message.type) === "lost") return;
      if (message.type === "welcome") {
        this.#welcome = true;
        this.#failures = 0;
      }
      this.#tell(message.type, message);
    };
    // An error is always followed by a close.
    socket.onclose = () => this.#lose();
    this.#expectPong();
  }

  /** The connection lives: ask again in a while. */
  #expectPing() {
    this.#asking = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#socket?.send("ping");
      this.#expectPong();
    }, PING_EVERY);
  }

  /** An answer is due, be it a `pong` or the `welcome` of a new connection. */
  #expectPong() {
    this.#asking = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lose(), PONG_WITHIN);
  }

  #lose() {
    this.#drop();
    if (!this.#wanted) return;
    // Who is told may connect or disconnect at once, or throw.
    this.#timer = setTimeout(() => this.#open(), backoff(this.#failures++));
    this.#tell("lost", null);
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#welcome = false;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /**
   * @template {keyof Events} Type
   * @param {Type} type
   * @param {any} event
   */
  #tell(type, event) {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }
}

/**
 * Reads one frame of the server.
 *
 * @param {unknown} frame
 * @returns {ServerMessage | null} null for what is not a message, such as the `pong`
 */
export function decode(frame) {
  if (typeof frame !== "string" || !frame.startsWith("{")) return null;
  try {
    const message = JSON.parse(frame);
    return typeof message.type === "string" ? message : null;
  } catch {
    return null;
  }
}
