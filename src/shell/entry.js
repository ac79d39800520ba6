// The module that the runtime loads: hands its events to the Rust side, and begins that anew after a panic.
//
// A panic leaves the memory of WebAssembly as it was in the middle of something, and every object of the
// isolate lives in that memory. So all of it is thrown away, and each object is made again when its next
// event comes, as after any other sleep (src/shell/actor.rs).
//
// Written by hand: what worker-build writes wraps every call of every object in two JavaScript proxies,
// which costs a relayed message a tenth of what it costs otherwise (docs/performance).

import { WorkerEntrypoint } from "cloudflare:workers";
import * as rust from "./index.js";

/** `criticalError` is set by the panic hook of the `worker` crate, or here. */
const health = rust.__worker_init_state();
/** Counts how often all was begun anew. */
let life = 0;

function recover() {
  if (!health.criticalError) return;
  console.log('{"event":"restarted-after-panic"}');
  rust.__wbg_reset_state();
  health.criticalError = false;
  life++;
}

/** @param {unknown} error */
function note(error) {
  if (error instanceof WebAssembly.RuntimeError) health.criticalError = true;
  return error;
}

addEventListener("error", (event) => void note(event.error));

export default class extends WorkerEntrypoint {
  /** @param {Request} request */
  async fetch(request) {
    recover();
    try {
      return await rust.fetch.call(this, request, this.env, this.ctx);
    } catch (error) {
      throw note(error);
    }
  }
}

/**
 * @template {import("./index.js").Actor} Actor
 * @param {new (state: DurableObjectState, env: unknown) => Actor} Class the Rust side of the object
 */
function durableObject(Class) {
  return class {
    #state;
    #env;
    /** @type {Actor | undefined} */
    #actor;
    #life = -1;

    /** @param {DurableObjectState} state @param {unknown} env */
    constructor(state, env) {
      this.#state = state;
      this.#env = env;
      this.#living();
    }

    #living() {
      recover();
      if (this.#actor && this.#life === life) return this.#actor;
      try {
        this.#actor = new Class(this.#state, this.#env);
        this.#life = life;
        return this.#actor;
      } catch (error) {
        health.criticalError = true;
        throw error;
      }
    }

    /** @param {Request} request */
    async fetch(request) {
      try {
        return await this.#living().fetch(request);
      } catch (error) {
        throw note(error);
      }
    }

    alarm() {
      try {
        this.#living().alarm();
      } catch (error) {
        throw note(error);
      }
    }

    /** @param {WebSocket} socket @param {string | ArrayBuffer} frame */
    webSocketMessage(socket, frame) {
      try {
        this.#living().webSocketMessage(socket, frame);
      } catch (error) {
        throw note(error);
      }
    }

    /** @param {WebSocket} socket @param {number} code */
    webSocketClose(socket, code) {
      try {
        this.#living().webSocketClose(socket, code);
      } catch (error) {
        throw note(error);
      }
    }

    /** @param {WebSocket} socket */
    webSocketError(socket) {
      try {
        this.#living().webSocketError(socket);
      } catch (error) {
        throw note(error);
      }
    }
  };
}

export const LobbyObject = durableObject(rust.LobbyObject);
export const RoomObject = durableObject(rust.RoomObject);
