// The module that the runtime loads: hands its events to the Rust side, and begins that anew after a panic.
//
// A panic leaves the memory of WebAssembly as it was in the middle of something, and every object of the
// isolate lives in that memory. So all of it is thrown away, and each object is made again when its next
// event comes, as after any other sleep (src/shell/actor.rs).
//
// Written by hand, for the module that worker-build writes puts two JavaScript proxies around every call of
// every object. The types of the runtime are not those of a page, so it is not among what tsc checks.

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

/** Takes note of what was a panic, or ran out of memory or stack. */
function note(error) {
  if (error instanceof WebAssembly.RuntimeError) health.criticalError = true;
  return error;
}

addEventListener("error", (event) => void note(event.error));

export default class extends WorkerEntrypoint {
  async fetch(request) {
    recover();
    try {
      return await rust.fetch.call(this, request, this.env, this.ctx);
    } catch (error) {
      throw note(error);
    }
  }
}

/** A Durable Object of the runtime, of which `Class` is the Rust side. */
function durableObject(Class) {
  return class {
    #state;
    #env;
    #actor;
    #life = -1;

    constructor(state, env) {
      this.#state = state;
      this.#env = env;
      this.#living();
    }

    /** The Rust side, made again if all was begun anew since. */
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

    async fetch(request) {
      try {
        return await this.#living().fetch(request);
      } catch (error) {
        throw note(error);
      }
    }

    alarm() {
      this.#do((actor) => actor.alarm());
    }

    webSocketMessage(socket, frame) {
      this.#do((actor) => actor.webSocketMessage(socket, frame));
    }

    webSocketClose(socket, code) {
      this.#do((actor) => actor.webSocketClose(socket, code));
    }

    webSocketError(socket) {
      this.#do((actor) => actor.webSocketError(socket));
    }

    #do(act) {
      try {
        act(this.#living());
      } catch (error) {
        throw note(error);
      }
    }
  };
}

export const LobbyObject = durableObject(rust.LobbyObject);
export const RoomObject = durableObject(rust.RoomObject);
