// The wire of EchoMingle, version 1. Made from src/core/protocol.rs; do not edit.

/**
 * What a client says.
 */
export type ClientMessage<D = unknown> = { "type": "find",
  /** Video or text. */
  mode: Mode,
  /** What one likes: at most 8 strings of at most 32 characters. */
  interests?: Array<string>,
  /** The SDP offer of a connection prepared in advance, handed to whoever is met. */
  offer?: string,
  /** Whether two offers are enough for this client, where those of both are alike: each takes the
 * other's for an answer, and nobody has to answer. */
  crosses?: boolean,
  /** How the last call came about, for who runs the server to see; nothing depends on it. */
  last?: Report, }
  | { "type": "offer",
  /** The SDP offer. */
  offer: string, }
  | { "type": "join",
  /** What to be called: at most 32 characters. */
  name?: string, }
  | { "type": "lock",
  /** Whether the room is to be locked. */
  on: boolean, }
  | { "type": "ask-to-mute",
  /** Whom. */
  peer: string, }
  | { "type": "remove",
  /** Whom. */
  peer: string, }
  | { "type": "missing",
  /** Whom one misses. */
  peer: string, }
  | { "type": "signal",
  /** A peer of the sender's call. */
  to: string,
  /** Any JSON; between EchoMingle clients a description or a batch of candidates. */
  data: D, }
  | { "type": "leave", }
  | { "type": "away", }
  | { "type": "resume",
  /** The latest token that the lost socket was given. */
  token: string, };

/**
 * What the server says. Clients ignore messages whose type they do not know.
 */
export type ServerMessage<D = unknown> = { "type": "welcome",
  /** Who you are. */
  id: string,
  /** The token to resume with; absent where the server keeps no seats. */
  resume?: string,
  /** For how many milliseconds a lost seat is kept; 0: not at all. */
  graceMs: number,
  /** The version of the protocol. */
  version: number,
  /** The peers of the call that goes on; those of them who are away are told next. */
  peers: Array<Peer>, }
  | { "type": "waiting", }
  | { "type": "room",
  /** Who may lock it, remove and ask to mute: who has been in it longest. */
  host: string,
  /** Whether nobody is let in. */
  locked: boolean,
  /** How many people fit in. */
  capacity: number,
  /** The token to resume with from now on. */
  resume?: string, }
  | { "type": "asked-to-mute", }
  | { "type": "peer-joined",
  /** Who, and who of you two offers. */
  peer: Peer,
  /** The token to resume this call with. */
  resume?: string, }
  | { "type": "peer-away",
  /** Who. */
  peer: string, }
  | { "type": "peer-back",
  /** Who. */
  peer: string, }
  | { "type": "peer-left",
  /** Who. You yourself, if the host has removed you. */
  peer: string,
  /** Why. */
  reason: LeaveReason, }
  | { "type": "signal",
  /** Who sent it. */
  from: string,
  /** What it sent, as it was. */
  data: D, }
  | { "type": "still-there", }
  | { "type": "redirect",
  /** A WebSocket address; it may be relative to that of this socket (RFC 3986, section 5). */
  url: string,
  /** The token to resume with there; absent where the one you came with holds. */
  resume?: string, }
  | { "type": "error",
  /** For programs. */
  code: ErrorCode,
  /** For people: what happened and what to do. */
  message: string, };

/**
 * Somebody in your call.
 */
export type Peer = {
  /** Where to send signals. */
  id: string,
  /** Your role towards this peer. */
  role: Role,
  /** The name it goes by, where there are names. */
  name?: string,
  /** The interests that you share. What else it likes is its own business. */
  interests?: Array<string>,
  /** The SDP offer it prepared; then you are the answerer, unless your offers have crossed. */
  offer?: string,
  /** Whether it has your prepared offer as you have its own, and both of you know what to do then. */
  crossed?: boolean, };

/**
 * Video and text searches never meet.
 */
export type Mode = "video" | "text";

/**
 * Who begins the negotiation: one of the two, so that the first offers never collide.
 */
export type Role = "offerer" | "answerer";

/**
 * Why a peer is gone.
 */
export type LeaveReason = "left" | "skipped" | "lost" | "removed";

/**
 * The kinds of `error`.
 */
export type ErrorCode = "bad-message" | "too-large" | "rate-limited" | "unknown-peer" | "room-full" | "room-locked" | "bad-token" | "not-allowed" | "internal";

/**
 * The answer of `GET /v1/stats`.
 */
export type Stats = {
  /** Connected sockets. */
  online: number,
  /** Of these, in the queue. */
  waiting: number,
  /** Calls of two or more. */
  calls: number,
  /** How many have waited at most 0, 1, 3, 10, 30, 60 and 300 seconds until they met somebody, and longer, since
 * the server woke up. */
  waits: Waits, };

/**
 * How long people waited until they met somebody, since the object woke up.
 */
export type Waits = Array<number>;

/**
 * How a call came about for one of its two.
 */
export type Report = {
  /** Whether it did. */
  connected: boolean,
  /** For how many milliseconds both tried. */
  ms: number,
  /** Whether it went by a relay. */
  relayed: boolean, };

/**
 * The answer of `GET /v1/ice`.
 */
export type IceConfiguration = {
  /** As `RTCConfiguration.iceServers` takes them, best first. */
  iceServers: Array<IceServer>,
  /** For how many seconds they hold, counted from when they were asked for. */
  ttl: number,
  /** Whether whoever has not chosen uses relays only, so as to hide its address; there may be none. */
  hideAddress: boolean,
  /** The site key of Cloudflare Turnstile, where a pass is needed and none that is good came along. */
  check?: string, };

/**
 * An `RTCIceServer` (W3C WebRTC 1.0, section 4.2.4).
 */
export type IceServer = {
  /** URLs of the schemes `stun`, `stuns`, `turn` or `turns`. */
  urls: Array<string>,
  /** Who one is to a relay. */
  username?: string,
  /** The password that belongs to it. */
  credential?: string, };

/**
 * The answer of `POST /v1/pass`.
 */
export type Pass = {
  /** To be named as the subprotocol `pass.<pass>` beside `echomingle`, and posted to `/v1/ice`. */
  pass: string,
  /** For how many seconds it holds. */
  ttl: number, };
