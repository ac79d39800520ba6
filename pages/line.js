// One connection as this site makes it: a channel for words, and a place each for sound and picture, where
// a microphone and a camera come and go without another offer. It may be made before there is anybody at
// its other end.

import { Negotiation } from "./lib/negotiation.js";
import { encoding, limit, lower } from "./uplink.js";

/** @import { Role } from "./lib/protocol.js" */
/** @import { share } from "./uplink.js" */

/** @typedef {"audio" | "video"} Kind */

const KINDS = /** @type {Kind[]} */ (["audio", "video"]);

/** What is sent of each kind. @typedef {Record<Kind, MediaStreamTrack | null>} Tracks */

/** What finds the way, and until when it holds, in milliseconds of the clock.
 * @typedef {Pick<RTCConfiguration, "iceServers" | "iceTransportPolicy"> & { until: number }} Ways */

/** How long before the ways grow old they are asked for anew, and how often at most, in milliseconds. */
const MARGIN = 60_000;
const RENEW_AT_MOST = 30_000;

/** For how long from now on ways are as good as new, in milliseconds. @param {number} until they hold */
export function freshFor(until) {
  return Math.max(RENEW_AT_MOST, until - Date.now() - MARGIN);
}

export class Line {
  /** @type {Map<Kind, RTCRtpTransceiver>} */
  #places = new Map();
  /** Sound and picture belong together by what they are sent as. */
  #ours = new MediaStream();

  /**
   * @param {Ways} ways
   * @param {Role} role ours towards who is at the other end, or will be
   */
  constructor(ways, role) {
    this.until = ways.until;
    this.connection = new RTCPeerConnection(configuration(ways));
    // Both sides open the same one, so that it is there with the connection.
    this.channel = this.connection.createDataChannel("call", { negotiated: true, id: 0 });
    this.negotiation = new Negotiation(this.connection, role);
  }

  /**
   * Makes the places, one section of the description each from the first offer on. Once is enough.
   * @param {Tracks} tracks
   * @param {ReturnType<typeof share>} shares
   */
  furnish(tracks, shares) {
    for (const kind of KINDS) {
      if (this.#places.has(kind)) continue;
      const track = tracks[kind];
      const sendEncodings = [encoding(first(kind, shares), track)];
      const options = { streams: [this.#ours], sendEncodings };
      this.#places.set(kind, this.connection.addTransceiver(track ?? kind, options));
    }
  }

  /**
   * Likewise, for an offer that is still to come.
   * @param {Tracks} tracks
   * @param {ReturnType<typeof share>} shares
   */
  expect(tracks, shares) {
    for (const kind of KINDS) {
      const track = tracks[kind];
      const sender = track && this.connection.addTrack(track, this.#ours);
      const place = this.connection.getTransceivers().find((one) => one.sender === sender);
      if (!place) continue;
      this.#places.set(kind, place);
      limit(place.sender, first(kind, shares));
    }
  }

  /**
   * What arrives first of each kind is where ours goes back.
   * @param {Kind} kind
   * @param {RTCRtpTransceiver} transceiver
   * @returns {boolean} whether it is the first
   */
  settle(kind, transceiver) {
    if (this.#places.has(kind)) return false;
    this.#places.set(kind, transceiver);
    // The answer says that we send, too, even if there is nothing yet.
    transceiver.direction = "sendrecv";
    transceiver.sender.setStreams?.(this.#ours);
    return true;
  }

  /** Where a kind comes and goes, if that is agreed on. @param {Kind} kind */
  place(kind) {
    return this.#places.get(kind);
  }

  /**
   * Sends this from now on.
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  async use(kind, track) {
    try {
      await this.place(kind)?.sender.replaceTrack(track);
    } catch {
      // Refused only where the connection is closed.
    }
  }

  /** With what finds a way now. @param {Ways} ways */
  reroute(ways) {
    if (this.connection.signalingState !== "closed")
      this.connection.setConfiguration(configuration(ways));
  }

  close() {
    this.negotiation.close();
    this.channel.onclose = this.channel.onmessage = this.channel.onopen = null;
    const { connection } = this;
    connection.ontrack = connection.onconnectionstatechange = null;
    connection.onsignalingstatechange = connection.oniceconnectionstatechange = null;
    connection.onicegatheringstatechange = null;
    connection.close();
  }
}

/**
 * What a kind begins with.
 * @param {Kind} kind
 * @param {ReturnType<typeof share>} shares
 */
function first(kind, { microphone, camera }) {
  return kind === "audio" ? microphone : lower(camera);
}

/**
 * @param {Ways} ways
 * @returns {RTCConfiguration}
 */
function configuration({ until, ...ways }) {
  return { ...ways, bundlePolicy: "max-bundle" };
}
