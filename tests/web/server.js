// The far end of the client's WebSocket, played by the test: the one seam of these tests. It keeps the
// order of the standard (WHATWG WebSockets): nothing arrives before the opening and nothing after the
// close, a frame sent too late vanishes, and the close event comes some time after `close`.

/** @import { TestContext } from "node:test" */

/** What a browser calls a WebSocket, as far as the client may know it. */
class Socket {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;

  /** @type {number} */
  readyState = Socket.CONNECTING;
  /** @type {((event: Event) => void) | null} */
  onopen = null;
  /** @type {((event: { data: unknown }) => void) | null} */
  onmessage = null;
  /** @type {((event: { code: number, reason: string, wasClean: boolean }) => void) | null} */
  onclose = null;
  /** @type {((event: Event) => void) | null} */
  onerror = null;
  /** @type {unknown[]} the frames that reached the server */
  received = [];

  /** @param {string | URL} url @param {string[]} protocols */
  constructor(url, protocols) {
    this.url = String(url);
    this.protocols = protocols;
  }

  /** @param {unknown} frame */
  send(frame) {
    if (this.readyState === Socket.CONNECTING) {
      throw new DOMException("Still in CONNECTING state.", "InvalidStateError");
    }
    if (this.readyState === Socket.OPEN) this.received.push(frame);
  }

  close() {
    if (this.readyState !== Socket.CLOSED) this.readyState = Socket.CLOSING;
  }
}

/** The server, with a clock that only the test moves. */
export class Server {
  /** @type {Socket[]} every one that was ever made, the oldest first */
  sockets = [];

  /** @param {TestContext} t at whose end all is as before */
  constructor(t) {
    const { sockets } = this;
    const scope = /** @type {any} */ (globalThis);
    const before = scope.WebSocket;
    scope.WebSocket = class extends Socket {
      /** @param {string | URL} url @param {string[]} protocols */
      constructor(url, protocols) {
        super(url, protocols);
        sockets.push(this);
      }
    };
    t.after(() => {
      scope.WebSocket = before;
    });
    t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    this.clock = t.mock.timers;
  }

  /** The newest socket. */
  get socket() {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("nobody has connected");
    return socket;
  }

  /** Accepts the newest socket. */
  accept(socket = this.socket) {
    if (socket.readyState !== Socket.CONNECTING) throw new Error("this socket is not connecting");
    socket.readyState = Socket.OPEN;
    socket.onopen?.(new Event("open"));
  }

  /** @param {unknown} frame what the server says, to the letter */
  say(frame, socket = this.socket) {
    if (socket.readyState !== Socket.OPEN && socket.readyState !== Socket.CLOSING) {
      throw new Error("this socket is not open");
    }
    socket.onmessage?.({ data: frame });
  }

  /** Accepts the newest socket and says the first message. */
  welcome() {
    this.accept();
    this.say(WELCOME);
  }

  /** The connection is on its way down; the browser has not told the page yet. */
  failing(socket = this.socket) {
    socket.readyState = Socket.CLOSING;
  }

  /** The connection is gone, and the page is told. */
  drop(socket = this.socket) {
    const refused = socket.readyState === Socket.CONNECTING;
    socket.readyState = Socket.CLOSED;
    if (refused) socket.onerror?.(new Event("error"));
    socket.onclose?.({ code: 1006, reason: "", wasClean: false });
  }

  /**
   * Lets time go by, second by second, so that timers that set timers are met.
   * @param {number} milliseconds
   * @param {() => void} [eachSecond]
   */
  pass(milliseconds, eachSecond) {
    for (let left = milliseconds; left > 0; left -= 1_000) {
      this.clock.tick(Math.min(left, 1_000));
      eachSecond?.();
    }
  }
}

/** The first message on every socket. */
export const WELCOME = JSON.stringify({
  type: "welcome",
  id: "5g7m0c2kx9",
  graceMs: 0,
  version: 1,
  peers: [],
});
