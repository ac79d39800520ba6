// One WebSocket to the signaling server, and another when it is lost, which takes the same seat again.
//
// Nothing is queued: what is sent while there is no connection is refused, since an old offer must
// never arrive in a new call. Every connection begins with `welcome` or with `resumed`: who is told
// `welcome` knows that whatever the server held before is gone, and who is told `resumed` that it is as
// it was, but for what was said meanwhile.

import { backoff } from "./backoff.js";

/** @import { ClientMessage, ServerMessage } from "./protocol.js" */

/** @typedef {Extract<ServerMessage, { type: "welcome" }>} Welcome */

/**
 * `welcome`, `waiting`, ...: every message of the server by its type. `lost`: the connection is gone
 * and is being made anew. `resumed`: it is there again, and the seat is the one from before.
 * @typedef {{ [Message in ServerMessage as Message["type"]]: Message }
 *   & { lost: null, resumed: Welcome }} Events
 */

/** How often the connection is asked whether it lives, in milliseconds, however much arrives on it: by
 * this the server knows that we live, too (SILENCE in src/core/actor.rs). The runtime answers without
 * waking the object; 100 s of silence would end a proxied connection. */
const PING_EVERY = 25_000;
/** How long the answer may take, in milliseconds. */
const PONG_WITHIN = 10_000;
/** And how long when there is reason to doubt that the connection lives. */
const PONG_AT_ONCE = 3_000;

export class Signaling {
  /** @type {Map<string, Set<(event: any) => void>>} */
  #listeners = new Map();
  #protocols;
  /** @type {WebSocket | null} */
  #socket = null;
  #welcome = false;
  #wanted = false;
  /** Whether an answer is due. */
  #asking = false;
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** What our seat is resumed with: the latest that the server gave us. */
  #token;
  /** The welcome of a socket that asked for the seat from before, while that is not answered: what holds
   * if it is refused. @type {Welcome | "expected" | null} */
  #instead = null;

  /**
   * @param {string | URL} url of `/v1/match` or of a room, with the scheme ws or wss
   * @param {string} [token] of a seat to resume at first, such as that of the page before a reload
   * @param {(failures: number) => string[] | null} [protocols] the subprotocols to name after so many failures
   *   in a row; null while there can be no connection, which counts as another
   */
  constructor(url, token = "", protocols = () => []) {
    this.url = url;
    this.#token = token;
    this.#protocols = protocols;
    // A network that was away is another one now, most likely, and nothing arrives over the one before.
    globalThis.addEventListener?.("online", () => this.#renew());
    // The page was asleep: timers may not have run, and the socket may be dead without knowing it.
    globalThis.addEventListener?.("pageshow", () => this.check());
    globalThis.document?.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.check();
    });
  }

  /** What another page can resume this seat with; empty where there is none. */
  get token() {
    return this.#token;
  }

  /** How many connections have failed in a row. */
  get failures() {
    return this.#failures;
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

  /** There is reason to doubt that the connection lives: asks at once, or makes it anew at once. */
  check() {
    if (!this.#wanted) return;
    if (!this.#socket) return this.#open();
    if (this.#socket.readyState !== WebSocket.OPEN || this.#asking) return;
    this.#socket.send("ping");
    this.#expectPong(PONG_AT_ONCE);
  }

  /** Lets go of the server, and of the seat there. */
  disconnect() {
    this.#wanted = false;
    this.#token = "";
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
    this.#drop();
    const protocols = this.#protocols(this.#failures);
    if (!protocols) return this.#lose();
    const socket = new WebSocket(this.url, protocols);
    this.#socket = socket;
    socket.onopen = () => {
      if (!this.#token) return;
      this.#instead = "expected";
      socket.send(JSON.stringify({ type: "resume", token: this.#token }));
    };
    socket.onmessage = ({ data }) => {
      // Whatever arrives is an answer.
      if (this.#asking) this.#expectPing();
      const message = decode(data);
      if (message) this.#hear(message);
    };
    // An error is always followed by a close.
    socket.onclose = () => this.#lose();
    this.#expectPong();
  }

  /** @param {ServerMessage} message */
  #hear(message) {
    const { type } = message;
    // These are our own words.
    if (/** @type {string} */ (type) === "lost" || /** @type {string} */ (type) === "resumed")
      return;
    if (type === "welcome" && this.#instead === "expected") {
      this.#instead = message;
      return this.#expectPong();
    }
    if (type === "error" && message.code === "bad-token" && this.#instead) {
      const welcome = this.#instead;
      this.#instead = null;
      if (welcome !== "expected") this.#hear(welcome);
      return;
    }
    if ("resume" in message && message.resume) this.#token = message.resume;
    if (type === "still-there") return this.#socket?.send("ping");
    if (type !== "welcome") return this.#tell(type, message);
    const resumed = this.#instead !== null;
    this.#instead = null;
    this.#welcome = true;
    this.#failures = 0;
    this.#tell(resumed ? "resumed" : "welcome", message);
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
  #expectPong(within = PONG_WITHIN) {
    this.#asking = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lose(), within);
  }

  #lose() {
    this.#drop();
    if (!this.#wanted) return;
    // Who is told may connect or disconnect at once, or throw.
    this.#timer = setTimeout(() => this.#open(), backoff(this.#failures++));
    this.#tell("lost", null);
  }

  #renew() {
    if (!this.#wanted) return;
    this.#open();
    this.#tell("lost", null);
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#welcome = false;
    this.#instead = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
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
