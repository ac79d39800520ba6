// Somebody at the other end of a WebSocket, and of its page's requests.

import assert from "node:assert/strict";
import { on, once } from "node:events";
import { get } from "node:http";
import WebSocket from "ws";

/** What a socket may say at once, and each second from then on (src/core/rate.rs). */
export const BURST = 120;
export const PER_SECOND = 20;

/** How long a session may take, in milliseconds: some ten times what it does. */
const PATIENCE = 120_000;

export class Person {
  #socket;
  #ears;
  /** How many messages for the object it has said. */
  said = 0;
  /** Whom it talks to, by the server's name for them. */
  partner = "";

  /** @param {number} port */
  constructor(port) {
    // As browsers do, it offers to compress whatever it says, and the server decides.
    const options = { perMessageDeflate: { threshold: 0 } };
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/v1/match`, options);
    const signal = AbortSignal.timeout(PATIENCE);
    this.#ears = on(this.#socket, "message", { close: ["close"], signal });
  }

  /** @param {boolean} compressed what is to be agreed on */
  async welcomed(compressed) {
    await this.hears("welcome");
    assert.equal(this.#socket.extensions.startsWith("permessage-deflate"), compressed);
  }

  /** @param {object} message */
  says(message) {
    this.said += 1;
    this.#socket.send(JSON.stringify(message));
  }

  /** @param {object} data */
  signals(data) {
    this.says({ type: "signal", to: this.partner, data });
  }

  /** Asks the runtime, which answers for the object, whether the connection lives. */
  async pings() {
    this.#socket.send("ping");
    assert.equal(await this.#next(), "pong");
  }

  /** Waits for a message of this type. @param {string} type @returns {Promise<any>} */
  async hears(type) {
    for (;;) {
      const message = JSON.parse(await this.#next());
      assert.notEqual(message.type, "error", message.message);
      if (message.type === type) return message;
    }
  }

  /** Waits for so many signals. @param {number} count */
  async hearsSignals(count) {
    for (let heard = 0; heard < count; heard += 1) await this.hears("signal");
  }

  async #next() {
    const { done, value } = await this.#ears.next();
    assert(!done, "the socket is closed");
    return String(value[0]);
  }

  /** Goes as a page does that is closed in order, and waits until the server has seen it. */
  async leaves() {
    this.says({ type: "leave" });
    const closed = once(this.#socket, "close");
    this.#socket.close(1000);
    await closed;
  }
}

/** What a page asks for beside the socket. @param {number} port @param {string} path */
export async function ask(port, path) {
  const [answer] = await once(get({ port, path, agent: false }), "response");
  answer.resume();
  await once(answer, "end");
  assert.equal(answer.statusCode, 200);
}
