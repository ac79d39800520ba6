// The connection that is ready before there is anybody: it has offered, and knows its own addresses. The
// server keeps its offer while we wait, and hands it to whoever comes, who answers at once. What grows old
// is made anew, and what the server has is kept until it has the new one.

import { freshFor, Line } from "./line.js";
import { share } from "./uplink.js";

/** @import { Ready } from "./call.js" */
/** @import { Peer } from "./lib/protocol.js" */
/** @import { Kind, Tracks, Ways } from "./line.js" */

/** The longest offer that the server takes, in bytes (src/core/protocol.rs). */
const LONGEST = 12_288;
/** How long our addresses are waited for, in milliseconds: what comes later is signaled. */
const GATHER_WITHIN = 1_000;

/**
 * @typedef {object} Options
 * @property {() => Promise<Ways>} ways
 * @property {() => Tracks | null | undefined} tracks what will be sent; null in a text chat, and nothing
 *   where that is not known yet
 * @property {() => void} onready there is an offer, or another one
 */

export class Prepared {
  #options;
  /** The newest. @type {Line | null} */
  #line = null;
  /** Whether its offer can be handed over. */
  #ready = false;
  /** The one that the server has the offer of; null where it has none, and undefined while it has not
   * answered the search. @type {Line | null | undefined} */
  #held;
  /** Those whose offers the server has not taken yet, in order. @type {(Line | null)[]} */
  #sent = [];
  /** Changes with all that makes what is being made needless. */
  #attempt = {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #age;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    // Another network, most likely, and other addresses.
    addEventListener("online", () => this.#renew());
    document.addEventListener("visibilitychange", () => document.hidden || this.prepare());
  }

  /** Makes one unless there is one. */
  async prepare() {
    if (!this.#line) await this.#renew();
  }

  async #renew() {
    const attempt = {};
    this.#attempt = attempt;
    const ways = await this.#options.ways();
    const tracks = this.#options.tracks();
    if (this.#attempt !== attempt || tracks === undefined) return;
    const line = new Line(ways, "offerer");
    if (tracks) line.furnish(tracks, share(1, false));
    this.#replace(line);
    clearTimeout(this.#age);
    this.#age = setTimeout(() => this.#expire(), freshFor(ways.until));
    const done = () => {
      clearTimeout(patience);
      if (this.#line !== line || this.#ready) return;
      this.#ready = true;
      this.#options.onready();
    };
    const patience = setTimeout(done, GATHER_WITHIN);
    const { connection } = line;
    connection.onicegatheringstatechange = () =>
      connection.iceGatheringState === "complete" && done();
  }

  /** Nobody looks at a page that is hidden, unless it waits for somebody. */
  #expire() {
    const waits = this.#held !== undefined || this.#sent.length > 0;
    if (waits || !document.hidden) this.#renew();
    else this.discard();
  }

  /** What there is does not fit any more, or is known to who knows whom. */
  discard() {
    this.#attempt = {};
    clearTimeout(this.#age);
    this.#forget();
    this.#replace(null);
  }

  /** The offer for a search that begins, if there is one. */
  offer() {
    this.#forget();
    return this.#handOver();
  }

  /** An offer for a search that goes on, if there is a newer one than the server has. It has to have
   * answered before it is told of another. */
  newOffer() {
    if (this.#held === undefined || this.#sent.length > 0) return undefined;
    return this.#ready && this.#line !== this.#held ? this.#handOver() : undefined;
  }

  #handOver() {
    const offer = this.#ready ? this.#line?.negotiation.handOver() : null;
    const fits = offer && offer.length <= LONGEST;
    this.#sent.push(fits ? this.#line : null);
    return fits ? offer : undefined;
  }

  /** The server has us wait, with the next of the offers that were sent. */
  taken() {
    const before = this.#held;
    if (this.#sent.length > 0) this.#held = this.#sent.shift();
    if (before !== this.#held) this.#close(before);
  }

  /**
   * Somebody is there.
   * @param {Peer} peer
   * @returns {Ready | null} what is prepared for it
   */
  take({ role }) {
    // Who is met at once is met with the offer of the search.
    const [handed = null] = this.#held === undefined ? this.#sent : [this.#held];
    const line = handed ?? this.#line;
    if (role === "answerer" || !line) {
      this.#forget();
      return null;
    }
    if (line === this.#line) {
      clearTimeout(this.#age);
      this.#line = null;
    }
    this.#held = undefined;
    this.#sent = this.#sent.filter((other) => other !== line);
    this.#forget();
    line.connection.onicegatheringstatechange = null;
    return { line, offered: handed !== null };
  }

  /**
   * Will send this.
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  use(kind, track) {
    for (const line of new Set([this.#line, this.#held, ...this.#sent])) line?.use(kind, track);
  }

  /** @param {Line | null} line */
  #replace(line) {
    const before = this.#line;
    this.#line = line;
    this.#ready = false;
    this.#close(before);
  }

  /** What the server has does not count any more. */
  #forget() {
    const before = [this.#held, ...this.#sent.splice(0)];
    this.#held = undefined;
    for (const line of before) this.#close(line);
  }

  /** Closes what is of no use any more. @param {Line | null | undefined} line */
  #close(line) {
    if (line && ![this.#line, this.#held, ...this.#sent].includes(line)) line.close();
  }
}
