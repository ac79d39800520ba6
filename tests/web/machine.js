// The cameras and microphones of a machine and what a browser gives a page of them, played by the test. It
// keeps the rules of the standard (Media Capture and Streams): all that is asked for comes, or nothing;
// what has to be "exact" is refused where it is not there, and what is "ideal" is not; every answer comes
// later; a track that is stopped says nothing of it, and one that is unplugged does.

/** @import { TestContext } from "node:test" */

/** @typedef {"audio" | "video"} Kind */
/** @typedef {{ id: string, kind: Kind, facing?: "user" | "environment" }} Device */
/** @typedef {Record<string, any>} Wanted what is asked of one kind */

/** What a browser calls a MediaStreamTrack. */
class Track {
  /** @type {"live" | "ended"} */
  readyState = "live";
  enabled = true;
  /** @type {(() => void) | null} */
  onended = null;
  #log;

  /** @param {Device} device @param {string[]} log */
  constructor(device, log) {
    this.device = device;
    this.kind = device.kind;
    this.#log = log;
  }

  stop() {
    if (this.readyState === "live") this.#log.push(`${this.device.id} is let go`);
    this.readyState = "ended";
  }

  getSettings() {
    const { id, facing } = this.device;
    return { deviceId: id, ...(facing && { facingMode: facing }) };
  }
}

/** What a browser calls a MediaStream. */
class Stream {
  /** @type {Set<Track>} */
  #tracks;

  /** @param {Track[] | Stream} [tracks] */
  constructor(tracks = []) {
    this.#tracks = new Set(tracks instanceof Stream ? tracks.getTracks() : tracks);
  }

  /** @param {Track} track */
  addTrack(track) {
    this.#tracks.add(track);
  }

  /** @param {Track} track */
  removeTrack(track) {
    this.#tracks.delete(track);
  }

  getTracks() {
    return [...this.#tracks];
  }

  getAudioTracks() {
    return this.getTracks().filter(({ kind }) => kind === "audio");
  }

  getVideoTracks() {
    return this.getTracks().filter(({ kind }) => kind === "video");
  }
}

export class Machine {
  /** @type {string[]} what was asked for, given, and let go, in this order */
  log = [];
  /** @type {Partial<Record<Kind, Wanted>>[]} every question, the oldest first */
  asked = [];
  /** @type {Track[]} every one that was ever given, the oldest first */
  given = [];
  /** The most cameras that were ever open at once. */
  most = 0;
  /**
   * Names an error for what is asked, or none.
   * @type {(wanted: Partial<Record<Kind, Wanted>>) => string | null}
   */
  fails = () => null;
  /** What the page has stored. @type {Map<string, string>} */
  stored = new Map();
  /** @type {Device[]} */
  #devices;
  /** @type {(() => void)[] | null} the questions that wait for the person, while it takes its time */
  #held = null;
  #unanswered = 0;

  /**
   * @param {TestContext} t at whose end all is as before
   * @param {...Device} devices that are plugged in
   */
  constructor(t, ...devices) {
    this.#devices = devices;
    play(t, navigator, "mediaDevices", {
      getUserMedia: (/** @type {any} */ wanted) => this.#ask(wanted),
      enumerateDevices: async () => [
        ...this.#devices.map(({ id, kind }) => ({ deviceId: id, kind: `${kind}input`, label: id })),
        { deviceId: "speaker", kind: "audiooutput", label: "speaker" },
      ],
    });
    play(t, globalThis, "MediaStream", Stream);
    play(t, globalThis, "localStorage", {
      getItem: (/** @type {string} */ key) => this.stored.get(key) ?? null,
      setItem: (/** @type {string} */ key, /** @type {string} */ value) =>
        void this.stored.set(key, value),
    });
  }

  /** @param {Device} device */
  plug(device) {
    this.#devices.push(device);
  }

  /** @param {string} id */
  async unplug(id) {
    this.#devices = this.#devices.filter((device) => device.id !== id);
    for (const track of this.given) {
      if (track.device.id !== id || track.readyState === "ended") continue;
      track.readyState = "ended";
      track.onended?.();
    }
    await this.idle();
  }

  /** From now on the person takes its time to answer. */
  hold() {
    this.#held = [];
  }

  /** The person answers whatever was asked, and what will be. */
  async answer() {
    const held = this.#held ?? [];
    this.#held = null;
    for (const go of held) go();
    await this.idle();
  }

  /** The person answers the first question, and takes its time with the others. */
  async answerFirst() {
    this.#held?.shift()?.();
    await this.idle();
  }

  /** When nothing moves any more, except for what the person was asked. */
  async idle() {
    for (let quiet = 0; quiet < 2; quiet++) {
      const before = this.log.length;
      await new Promise(setImmediate);
      if (this.log.length !== before || this.#unanswered > (this.#held?.length ?? 0)) quiet = -1;
    }
  }

  /** Those of a kind that are open now. @param {Kind} kind @returns {string[]} */
  open(kind) {
    const live = this.given.filter((track) => track.kind === kind && track.readyState === "live");
    return live.map(({ device }) => device.id);
  }

  /** @param {Partial<Record<Kind, Wanted>>} wanted */
  async #ask(wanted) {
    const kinds = /** @type {Kind[]} */ (["audio", "video"]).filter((kind) => wanted[kind]);
    if (kinds.length === 0) throw new TypeError("nothing is asked for");
    this.asked.push(wanted);
    this.log.push(`${kinds.join(" and ")} asked for`);
    this.#unanswered++;
    try {
      await new Promise((resolve) => {
        if (this.#held) this.#held.push(() => resolve(null));
        else setImmediate(resolve);
      });
      return this.#give(wanted, kinds);
    } finally {
      this.#unanswered--;
    }
  }

  /** @param {Partial<Record<Kind, Wanted>>} wanted @param {Kind[]} kinds */
  #give(wanted, kinds) {
    const chosen = kinds.map((kind) => {
      const all = this.#devices.filter((device) => device.kind === kind);
      if (all.length === 0) throw error("NotFoundError");
      const { deviceId = {}, facingMode = {} } = wanted[kind] ?? {};
      const fits = (/** @type {Device} */ device) =>
        (deviceId.exact ?? device.id) === device.id &&
        (facingMode.exact ?? device.facing) === device.facing;
      const ideal = (/** @type {Device} */ device) =>
        deviceId.ideal === device.id || facingMode === device.facing;
      const possible = all.filter(fits);
      const device = possible.find(ideal) ?? possible[0];
      if (!device) throw error("OverconstrainedError");
      return device;
    });
    const name = this.fails(wanted);
    if (name !== null) throw error(name);
    const tracks = chosen.map((device) => new Track(device, this.log));
    this.given.push(...tracks);
    for (const { device } of tracks) this.log.push(`${device.id} is given`);
    this.most = Math.max(this.most, this.open("video").length);
    return new Stream(tracks);
  }
}

/** @param {string} name */
function error(name) {
  return name === "TypeError"
    ? new TypeError("in the words of the browser")
    : new DOMException("in the words of the browser", name);
}

/**
 * Puts something in the place of what a browser has there.
 * @param {TestContext} t
 * @param {object} owner
 * @param {string} name
 * @param {unknown} value
 */
export function play(t, owner, name, value) {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { configurable: true, writable: true, value });
  t.after(() => {
    if (before) Object.defineProperty(owner, name, before);
    else Reflect.deleteProperty(owner, name);
  });
}
