// The module that the runtime loads: hands its events to the Rust side, and begins that anew after a panic.
//
// A panic leaves the memory of WebAssembly as it was in the middle of something, and every object of the
// isolate lives in that memory. So all of it is thrown away, and each object is made again when its next
// event comes, as after any other sleep (src/shell/actor.rs).
//
// Written by hand, for the module that worker-build writes puts two JavaScript proxies around every call of
// every object. The types of the runtime are not those of a page, so it is not among what tsc checks.

import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { full } from "./full.js";
import * as rust from "./index.js";

/** Whether the Rust side is to be begun anew. */
let broken = false;
/** Counts how often all was begun anew. */
let life = 0;

function recover() {
  if (!broken) return;
  console.log('{"event":"restarted-after-panic"}');
  rust.__wbg_reset_state();
  broken = false;
  life++;
}

/** Takes note of what broke the Rust side: a panic, or a stack that ran out. */
function note(error) {
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) broken = true;
  return error;
}

export default class extends WorkerEntrypoint {
  async fetch(request) {
    recover();
    try {
      const answer = rust.fetch(request, this.env);
      if (rust.wants_layout()) this.ctx.waitUntil(askForLayout(this.env));
      return await answer;
    } catch (error) {
      const answer = full(error, Date.now());
      if (answer) return answer;
      throw note(error);
    }
  }
}

/** Where the directory does not answer, what it said last holds. */
async function askForLayout(env) {
  const layout = await env.DIRECTORY.getByName("directory")
    .layout()
    .catch(() => undefined);
  if (layout) rust.take_layout(layout);
}

/**
 * A Durable Object of the runtime, of which `Class` is the Rust side. `asked` names what other objects and the Worker
 * may ask of it (Cloudflare: Workers, RPC).
 */
function durableObject(Class, asked = []) {
  return class Living extends DurableObject {
    static {
      for (const name of asked) {
        Living.prototype[name] = function (...given) {
          return this.#do((actor) => actor[name](...given));
        };
      }
    }

    #actor;
    #life = -1;
    #answers = {
      advised: (advice) => advice && this.#do((actor) => actor.advised(advice)),
      expected: (peer, number, token) => this.#do((actor) => actor.expected(peer, number, token)),
    };

    constructor(state, env) {
      super(state, env);
      this.#living();
    }

    /** The Rust side, made again if all was begun anew since. */
    #living() {
      recover();
      if (this.#actor && this.#life === life) return this.#actor;
      try {
        this.#actor = new Class(this.ctx, this.env, this.#answers);
        this.#life = life;
        return this.#actor;
      } catch (error) {
        broken = true;
        throw error;
      }
    }

    fetch(request) {
      return this.#do((actor) => actor.fetch(request));
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
        return act(this.#living());
      } catch (error) {
        throw note(error);
      }
    }
  };
}

export const DirectoryObject = durableObject(rust.DirectoryObject, ["hear", "layout"]);
export const LobbyObject = durableObject(rust.LobbyObject, ["expect"]);
export const RoomObject = durableObject(rust.RoomObject);
