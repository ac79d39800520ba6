// One WebSocket to the signaling server, and another when it is lost, which takes the same seat again, or
// when the server sends us elsewhere.
//
// Nothing is queued: what is sent while there is no connection is refused, since an old offer must
// never arrive in a new call. Every connection begins with `welcome`, `resumed` or `moved`: who is told
// `welcome` knows that whatever the server held before is gone, who is told `resumed` that it is as it
// was, but for what was said meanwhile, and who is told `moved` that its search goes on in another lobby.

import { backoff } from "./backoff.js";

/** @import { ClientMessage, ServerMessage } from "./protocol.js" */

/** @typedef {Extract<ServerMessage, { type: "welcome" }>} Welcome */
/** @typedef {Extract<ServerMessage, { type: "redirect" }>} Redirect */

/**
 * `welcome`, `waiting`, ...: every message of the server by its type. `lost`: the connection is gone
 * and is being made anew. `resumed`: it is there again, and the seat is the one from before. `redirect` is
 * told on the way to another address; `moved`: we are there, and what the redirect's token holds goes on.
 * @typedef {{ [Message in ServerMessage as Message["type"]]: Message }
 *   & { lost: null, resumed: Welcome, moved: Welcome }} Events
 */

/** How often the connection is asked whether it lives, in milliseconds, however much arrives on it: by
 * this the server knows that we live, too (SILENCE in src/core/actor.rs). The runtime answers without
 * waking the object; 100 s of silence would end a proxied connection. */
const PING_EVERY = 25_000;
/** How long the answer may take, in milliseconds. */
const PONG_WITHIN = 10_000;
/** And how long when there is reason to doubt that the connection lives. */
const PONG_AT_ONCE = 3_000;
/** How many redirects in a row are followed: as many more as there may be is a circle. */
const REDIRECTS = 5;
/** What the server never says. */
const OURS = ["lost", "resumed", "moved"];

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
  /** How many redirects have led here. */
  #redirects = 0;
  /** Whether the token is that of a redirect, and was not answered yet. */
  #moved = false;

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

  /** Whether we are on the way to where the server has sent us. */
  get moving() {
    return this.#redirects > 0 && this.#socket !== null;
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

  /** @param {URL} [redirected] to this address */
  #open(redirected) {
    this.#drop();
    if (!redirected) this.#redirects = 0;
    const protocols = this.#protocols(this.#failures);
    if (!protocols) return this.#lose();
    const socket = new WebSocket(redirected ?? this.#address(), protocols);
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

  /** That of the lobby which keeps our seat. It may be full or gone: where it does not answer, the server
   * is to say where else. */
  #address() {
    const [, lobby] = /^([a-z]+(?:\/[0-9]+)?)\./.exec(this.#token) ?? [];
    if (!lobby || this.#failures > 1) return this.url;
    const address = new URL(this.url);
    address.pathname += `/${lobby}`;
    return address;
  }

  /** @param {Redirect} message */
  #follow(message) {
    // What a socket names, such as a pass, is for this server alone.
    const address = resolve(message.url, this.#socket?.url ?? this.url);
    if (!address) return;
    if (message.resume) {
      this.#token = message.resume;
      this.#moved = true;
    }
    if (++this.#redirects > REDIRECTS) return this.#lose();
    this.#open(address);
    // Who is told may disconnect, or throw.
    if (this.moving) this.#tell("redirect", message);
  }

  /** @param {ServerMessage} message */
  #hear(message) {
    const { type } = message;
    if (OURS.includes(type)) return;
    if (type === "redirect") return this.#follow(message);
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
    const event = this.#instead === null ? "welcome" : this.#moved ? "moved" : "resumed";
    this.#instead = null;
    this.#moved = false;
    this.#welcome = true;
    this.#failures = this.#redirects = 0;
    this.#tell(event, message);
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
 * @param {string} url as a redirect has it
 * @param {string | URL} from the address it came from
 * @returns {URL | null} null for what is no address of the same server
 */
function resolve(url, from) {
  try {
    const address = new URL(url, from);
    return address.origin === new URL(from).origin ? address : null;
  } catch {
    return null;
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
