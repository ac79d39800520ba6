// The connections that are ready before there is anybody: one that has offered and knows its own addresses,
// and one to answer with. The server keeps the offer while we wait and hands it to whoever comes, who
// answers at once. What grows old is made anew, and what the server has is kept until it has the new one.

import { cross } from "./lib/crossing.js";
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
  /** The newest that offers. @type {Line | null} */
  #offering = null;
  /** Whether its offer can be handed over. */
  #ready = false;
  /** @type {Line | null} */
  #answering = null;
  /** The one that the server has the offer of; null where it has none, and undefined while it has not
   * answered the search. @type {Line | null | undefined} */
  #held;
  /** Those whose offers the server has not taken yet, in order. @type {(Line | null)[]} */
  #sent = [];
  /** What was handed over of each. @type {WeakMap<Line, string>} */
  #offers = new WeakMap();
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

  /** Makes what there is not. */
  async prepare() {
    if (!this.#offering || !this.#answering) await this.#renew();
  }

  async #renew() {
    const attempt = {};
    this.#attempt = attempt;
    const ways = await this.#options.ways();
    const tracks = this.#options.tracks();
    if (this.#attempt !== attempt || tracks === undefined) return;
    const [offering, answering] = [new Line(ways, "offerer"), new Line(ways, "answerer")];
    if (tracks) {
      const shares = share(1, false);
      offering.furnish(tracks, shares);
      answering.expect(tracks, shares);
    }
    this.#replace(offering, answering);
    this.#age = setTimeout(() => this.#expire(), freshFor(ways.until));
    const done = () => {
      clearTimeout(patience);
      if (this.#offering !== offering || this.#ready) return;
      this.#ready = true;
      this.#options.onready();
    };
    const patience = setTimeout(done, GATHER_WITHIN);
    const { connection } = offering;
    connection.onicegatheringstatechange = () =>
      connection.iceGatheringState === "complete" && done();
  }

  /** Nobody looks at a page that is hidden, unless it waits for somebody. */
  #expire() {
    const waits = this.#held !== undefined || this.#sent.length > 0;
    if (waits || !document.hidden) this.#renew();
    else this.discard();
  }

  /** What there is does not fit any more, or may be known to somebody whom we do not know of. */
  discard() {
    this.#attempt = {};
    this.#forget();
    this.#replace(null, null);
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
    return this.#ready && this.#offering !== this.#held ? this.#handOver() : undefined;
  }

  #handOver() {
    const offer = this.#ready ? this.#offering?.negotiation.handOver() : null;
    if (!this.#offering || !offer || offer.length > LONGEST) {
      this.#sent.push(null);
      return undefined;
    }
    this.#sent.push(this.#offering);
    this.#offers.set(this.#offering, offer);
    return offer;
  }

  /** The server has us wait, with the next of the offers that were sent. */
  taken() {
    const before = this.#held;
    if (this.#sent.length > 0) this.#held = this.#sent.shift();
    this.#close(before);
  }

  /**
   * Somebody is there.
   * @param {Peer} peer
   * @returns {Ready | null} what is prepared for it
   */
  take({ role, offer, crossed }) {
    // Who is met at once is met with the offer of the search.
    const [handed = null] = this.#held === undefined ? this.#sent : [this.#held];
    const ours = handed && this.#offers.get(handed);
    const answer = crossed && offer && ours ? cross(ours, offer, role) : null;
    const offers = role === "offerer" || answer !== null;
    const line = offers ? (handed ?? this.#offering) : this.#answering;
    if (line === this.#offering) this.#offering = null;
    if (line === this.#answering) this.#answering = null;
    this.#forget(line);
    return line && { line, offered: offers && handed !== null, answer };
  }

  /**
   * Will send this.
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  use(kind, track) {
    for (const line of this.#all()) line.use(kind, track);
  }

  #all() {
    const all = [this.#offering, this.#answering, this.#held, ...this.#sent];
    return new Set(all.filter((line) => line != null));
  }

  /**
   * @param {Line | null} offering
   * @param {Line | null} answering
   */
  #replace(offering, answering) {
    const before = [this.#offering, this.#answering];
    clearTimeout(this.#age);
    this.#offering = offering;
    this.#answering = answering;
    this.#ready = false;
    for (const line of before) this.#close(line);
  }

  /** What the server has does not count any more. @param {Line | null} [used] what is to stay */
  #forget(used) {
    const before = [this.#held, ...this.#sent.splice(0)];
    this.#held = undefined;
    for (const line of before) if (line !== used) this.#close(line);
  }

  /** Closes what is of no use any more. @param {Line | null | undefined} line */
  #close(line) {
    if (line && !this.#all().has(line)) line.close();
  }
}
