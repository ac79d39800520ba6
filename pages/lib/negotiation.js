// Agrees with one peer on what is sent: perfect negotiation (W3C WebRTC 1.0, section 10.7), and the
// polite side asks before it offers.
//
// Either side may change its connection at any time. Three flags tell whether an offer collides with
// one of our own; then the impolite side ignores it and the polite side takes its own back. The very
// first offer never collides, since the server named who makes it.
//
// Later ones are not to collide either: in Chromium (156) a video that was being received stands still
// for good once an offer was taken back. So the polite side says that it wants to offer, and the other
// one, when it has nothing on the way, that it may, and holds its own offers back meanwhile. Who does
// not know these words says nothing, and is offered to all the same.
//
// The first offer may be made before there is anybody. Then nothing is said until a peer is there.

/** @import { Role } from "./protocol.js" */

/**
 * What travels as `data` of a `signal`.
 * @typedef {{ description: RTCSessionDescriptionInit } | { candidates: RTCIceCandidateInit[] }
 *   | { want: true } | { go: true }} Signal
 */

/** For how long candidates are collected before they travel in one message, in milliseconds: most
 * arrive within some tens of milliseconds, and the server pays for each message. */
const COLLECT = 30;
/** How long the polite side waits for its turn, and how long the other one waits for it to take it, in
 * milliseconds. */
const TURN = 1_000;

export class Negotiation {
  #connection;
  /** Nothing while there is nobody. @type {((signal: Signal) => void) | null} */
  #send;
  #polite;
  /** Whether offers may be made: the answerer waits for the first one. */
  #offers;
  #makingOffer = false;
  #ignoringOffer = false;
  #settingAnswer = false;
  /** @type {RTCIceCandidateInit[]} candidates that arrived before the description they belong to */
  #early = [];
  /** @type {RTCIceCandidateInit[]} */
  #collected = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** While the polite side waits for its turn. @type {ReturnType<typeof setTimeout> | undefined} */
  #asking;
  /** While the impolite side leaves the turn to the other. @type {ReturnType<typeof setTimeout> | undefined} */
  #yielding;
  /** Whether the other side waits for its turn. */
  #asked = false;
  /** Whether we hold an offer back for it. */
  #held = false;

  /**
   * @param {RTCPeerConnection} connection
   * @param {Role} role ours towards the peer, or towards whoever will be
   * @param {((signal: Signal) => void) | null} [send] carries a signal to the peer's `receive`, in order;
   *   nothing while there is no peer
   */
  constructor(connection, role, send = null) {
    this.#connection = connection;
    this.#send = send;
    this.#polite = role === "answerer";
    this.#offers = role === "offerer";
    connection.onnegotiationneeded = () => this.#change();
    connection.onicecandidate = ({ candidate }) => this.#collect(candidate);
  }

  /** The first offer with all candidates so far, to be handed to whoever will be the peer. Nothing where
   * there is none. @returns {string | null} */
  handOver() {
    const offer = this.#connection.pendingLocalDescription;
    if (offer?.type !== "offer") return null;
    this.#collected = [];
    return offer.sdp;
  }

  /**
   * There is somebody.
   * @param {Role} role ours towards this peer
   * @param {(signal: Signal) => void} send carries a signal to the peer's `receive`, in order
   * @param {boolean} [offered] whether the peer has what was handed over
   */
  begin(role, send, offered = false) {
    this.#polite = role === "answerer";
    this.#send = send;
    if (!offered) this.repeat();
    this.#flush();
  }

  /**
   * Takes a signal of the peer. What is not one, or cannot be applied, is left out.
   *
   * @param {any} signal
   * @returns {Promise<void>} when it is applied
   */
  async receive(signal) {
    try {
      if (signal?.description) await this.#describe(signal.description);
      else if (Array.isArray(signal?.candidates)) await this.#add(signal.candidates);
      else if (signal?.want === true) this.#yield();
      else if (signal?.go === true && this.#asking) await this.#offer();
    } catch (error) {
      complain("description", error);
    }
  }

  /** Looks for another way between the two networks; the call goes on meanwhile. */
  restartIce() {
    this.#connection.restartIce();
  }

  /** Says again what may not have arrived: an offer that nobody answered, with all its candidates so
   * far. Where it had arrived and the answer was lost, there is another answer. */
  repeat() {
    if (this.#connection.signalingState === "have-local-offer") this.#sendDescription();
    else if (this.#asking) this.#send?.({ want: true });
  }

  /** Says nothing any more. */
  close() {
    for (const timer of [this.#timer, this.#asking, this.#yielding]) clearTimeout(timer);
    this.#send = null;
    this.#connection.onnegotiationneeded = this.#connection.onicecandidate = null;
  }

  /** Something is to be agreed on. What has to wait is said again once the state is stable. */
  #change() {
    if (!this.#offers || this.#asking) return;
    if (this.#yielding) this.#held = true;
    else if (!this.#polite) this.#offer();
    else {
      this.#asking = setTimeout(() => this.#offer(), TURN);
      this.#send?.({ want: true });
    }
  }

  /** Leaves the turn to the other side, as soon as nothing of ours is on the way. */
  #yield() {
    this.#asked = this.#makingOffer || this.#connection.signalingState !== "stable";
    if (this.#asked) return;
    clearTimeout(this.#yielding);
    this.#yielding = setTimeout(() => {
      this.#yielding = undefined;
      if (this.#held) this.#offer();
    }, TURN);
    this.#send?.({ go: true });
  }

  /** An offer came, so nobody has to wait for one. */
  #take() {
    clearTimeout(this.#asking);
    clearTimeout(this.#yielding);
    this.#asking = this.#yielding = undefined;
    this.#held = false;
  }

  async #offer() {
    this.#take();
    if (this.#connection.signalingState !== "stable") return;
    try {
      this.#makingOffer = true;
      await this.#connection.setLocalDescription();
      this.#sendDescription();
    } catch (error) {
      complain("offer", error);
    } finally {
      this.#makingOffer = false;
    }
  }

  /** @param {RTCSessionDescriptionInit} description */
  async #describe(description) {
    const connection = this.#connection;
    // While an answer is being set the state still says that we have offered, but the next offer of
    // the peer was made after that answer and does not collide.
    const ready =
      !this.#makingOffer && (connection.signalingState === "stable" || this.#settingAnswer);
    this.#ignoringOffer = description.type === "offer" && !ready && !this.#polite;
    if (this.#ignoringOffer) return;
    if (description.type === "offer") this.#take();
    this.#settingAnswer = description.type === "answer";
    try {
      // On the polite side this takes back an offer of its own.
      await connection.setRemoteDescription(description);
    } finally {
      this.#settingAnswer = false;
    }
    this.#offers = true;
    await this.#add(this.#early.splice(0));
    if (description.type === "offer") {
      await connection.setLocalDescription();
      this.#sendDescription();
    }
    if (this.#asked) this.#yield();
  }

  /** @param {RTCIceCandidateInit[]} candidates */
  async #add(candidates) {
    if (this.#ignoringOffer) return;
    if (!this.#connection.remoteDescription) {
      this.#early.push(...candidates);
      return;
    }
    const added = candidates.map((candidate) => this.#connection.addIceCandidate(candidate));
    for (const outcome of await Promise.allSettled(added)) {
      if (outcome.status === "rejected") complain("candidate", outcome.reason);
    }
  }

  #sendDescription() {
    const description = this.#connection.localDescription;
    if (!description || !this.#send) return;
    // It holds the candidates so far.
    this.#collected = [];
    this.#send({ description: { type: description.type, sdp: description.sdp } });
  }

  /** @param {RTCIceCandidate | null} candidate null when there are no more */
  #collect(candidate) {
    if (candidate?.candidate) this.#collected.push(candidate.toJSON());
    if (!candidate) return this.#flush();
    this.#timer ??= setTimeout(() => this.#flush(), COLLECT);
  }

  #flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#send || this.#collected.length === 0) return;
    this.#send({ candidates: this.#collected.splice(0) });
  }
}

/**
 * A peer's nonsense, or a connection closed meanwhile. Candidates and descriptions hold addresses, and
 * the message of an error may quote them, so only its name is shown.
 *
 * @param {string} what
 * @param {unknown} error
 */
function complain(what, error) {
  console.debug(`${what} not applied:`, error instanceof Error ? error.name : "");
}
