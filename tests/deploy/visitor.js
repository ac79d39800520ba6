// Somebody who visits a server: a request, or a socket and what is heard on it.

import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { WebSocket } from "ws";

/** How long an answer may take, in milliseconds. */
const PATIENCE = 30_000;

/** @typedef {{ status: number, headers: Record<string, string>, body: string }} Answer */
/** @typedef {{ headers?: Record<string, string>, origin?: string }} Manner */

/**
 * Asks for exactly this path, which `fetch` would tidy up first.
 *
 * @param {string} url
 * @param {{ method?: string, headers?: Record<string, string> }} [options]
 * @returns {Promise<Answer>}
 */
export async function ask(url, { method = "GET", headers = {} } = {}) {
  const [, origin = "", path = ""] = /^(https?:\/\/[^/]+)(.*)$/.exec(url) ?? [];
  const { request } = origin.startsWith("https") ? https : http;
  // The certificate is one that the test has made.
  const options = { method, headers, path: path || "/", rejectUnauthorized: false, agent: false };
  const asked = request(origin, { ...options, timeout: PATIENCE }).end();
  asked.once("timeout", () => asked.destroy(new Error(`${url} does not answer`)));
  const [answer] = /** @type {[http.IncomingMessage]} */ (await once(asked, "response"));
  let body = "";
  for await (const text of answer.setEncoding("latin1")) body += text;
  const names = /** @type {Record<string, string>} */ (answer.headers);
  return { status: answer.statusCode ?? 0, headers: names, body };
}

export class Visitor {
  #socket;
  #manner;
  /** @type {any[]} */
  #messages = [];
  #token = "";
  /** Who the server says it is. */
  id = "";
  /** The socket is closed. @type {Promise<unknown>} */
  gone;

  /**
   * @param {string} address
   * @param {Manner} manner
   */
  constructor(address, manner) {
    this.#manner = manner;
    const { headers = {}, origin = address } = manner;
    this.#socket = new WebSocket(`${address.replace("http", "ws")}/v1/match`, {
      handshakeTimeout: PATIENCE,
      headers,
      origin,
      rejectUnauthorized: false,
    });
    this.gone = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#socket.on("message", (text) => {
      const message = JSON.parse(String(text));
      if (message.resume) this.#token = message.resume;
      if (message.type === "welcome") this.id = message.id;
      this.#messages.push(message);
      this.#socket.emit("heard");
    });
  }

  /**
   * @param {string} address
   * @param {Manner} [manner]
   */
  static async come(address, manner = {}) {
    const visitor = new Visitor(address, manner);
    await once(visitor.#socket, "open");
    await visitor.heard("welcome");
    return visitor;
  }

  /** On a new socket, in its old seat. @param {string} address */
  async comeBack(address) {
    const again = await Visitor.come(address, this.#manner);
    again.#messages = [];
    again.say({ type: "resume", token: this.#token });
    const { id, peers } = await again.heard("welcome");
    if (id !== this.id || peers.length === 0) throw new Error(`${this.id} came back as ${id}`);
    return again;
  }

  /** @param {object} message */
  say(message) {
    this.#socket.send(JSON.stringify(message));
  }

  /**
   * @param {string} type
   * @returns {Promise<any>} the first message of that type
   */
  async heard(type) {
    const signal = AbortSignal.timeout(PATIENCE);
    for (;;) {
      const found = this.#messages.find((message) => message.type === type);
      if (found) return found;
      await once(this.#socket, "heard", { signal }).catch((error) => {
        const heard = this.#messages.map((message) => message.type);
        throw new Error(`no ${type}, but ${heard}`, { cause: error });
      });
    }
  }

  leave() {
    this.#socket.close();
  }
}
