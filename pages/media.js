// The camera and the microphone of this page: opened once, kept over every call, changed while one goes
// on, and every way in which they can fail told in words that help.

import { recall, remember } from "./memory.js";

/**
 * What kept us from a device, for people. The advice goes on with what to press then.
 * @typedef {{ title: string, advice: string }} Problem
 */
/** @typedef {"microphone" | "camera"} Device */

/** @type {Record<string, (what: string) => Problem>} by the name of the error (Media Capture and Streams,
 * section 10.3.1); `what` is "camera", "microphone" or both */
const PROBLEMS = {
  NotAllowedError: (what) => ({
    title: `Your browser is not allowed to use the ${what}`,
    advice: "Allow it in the address bar",
  }),
  NotFoundError: (what) => ({
    title: `No ${what.replace(" and ", " or ")} was found`,
    advice: "Plug one in",
  }),
  NotReadableError: (what) => ({
    title: `Another program is using the ${what}`,
    advice: "Close it",
  }),
  OverconstrainedError: (what) => ({
    title: `This ${what} cannot do what is needed`,
    advice: "Choose another one",
  }),
  SecurityError: (what) => ({
    title: `This page may not use the ${what}`,
    advice: "Open it by itself and not inside another page, with https",
  }),
};
/** @type {(what: string) => Problem} */
const OTHER = (what) => ({
  title: `The ${what} did not start`,
  advice: "Unplug it or restart the browser",
});
/** Without a secure origin there are no devices at all (section 9.2). @type {Problem} */
export const INSECURE = {
  title: "The address of this page is not secure",
  advice: "Open it with https, or at localhost",
};

/**
 * @param {string} name of the error that the browser gave
 * @param {string} what "camera", "microphone" or both
 * @returns {Problem}
 */
export const problem = (name, what) => (PROBLEMS[name] ?? OTHER)(what);

/** @type {Record<Device, "audio" | "video">} */
const KINDS = { microphone: "audio", camera: "video" };

/** @type {Record<Device, MediaTrackConstraints>} */
const WANTED = {
  microphone: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  camera: { width: { ideal: 1280 }, height: { ideal: 720 } },
};

export class Media {
  /** What is open now; the same stream until `close`, while its tracks change. Null while nothing is.
   * @type {MediaStream | null} */
  stream = null;
  /** What the person wants, whether or not the devices are open. */
  wants = { microphone: true, camera: true };
  /** Told of every track that comes or goes after `open`. */
  onchange = (/** @type {Device} */ _device, /** @type {MediaStreamTrack | null} */ _track) => {};
  /** Told when a device is gone that nobody closed. */
  onlost = (/** @type {Problem} */ _problem) => {};
  /** @type {Promise<MediaStream> | null} */
  #opening = null;
  #generation = 0;
  /** Changes of devices, one after the other. @type {Promise<unknown>} */
  #turn = Promise.resolve();
  /** Which one, beside what is wanted of any. @type {Record<Device, MediaTrackConstraints>} */
  #which = { microphone: preferred("microphone"), camera: preferred("camera") };

  /** Whether the devices can be opened without asking the person. */
  static async allowed() {
    try {
      const name = /** @type {PermissionName} */ ("camera");
      return (await navigator.permissions.query({ name })).state === "granted";
    } catch {
      return false;
    }
  }

  /**
   * Opens camera and microphone, or the one there is. Asks the person where needed.
   *
   * @returns {Promise<MediaStream>} the same one until `close`
   * @throws {Problem}
   */
  open() {
    const { stream } = this;
    if (stream) return this.#inTurn(() => this.#settle("microphone", "camera")).then(() => stream);
    if (!this.#opening) {
      const opening = this.#open(++this.#generation).finally(() => {
        if (this.#opening === opening) this.#opening = null;
      });
      this.#opening = opening;
    }
    return this.#opening;
  }

  /** @param {number} generation */
  async #open(generation) {
    const stream = await this.#capture(["microphone", "camera"]);
    // Closed while the person was being asked: the light of the camera must not stay on.
    if (generation !== this.#generation) {
      for (const track of stream.getTracks()) track.stop();
      throw OTHER("camera");
    }
    this.stream = stream;
    // Hidden while the person was being asked.
    const hidden = this.wants.camera ? null : this.track("camera");
    if (hidden) this.#drop(hidden);
    for (const device of /** @type {Device[]} */ (["microphone", "camera"])) {
      const track = this.track(device);
      if (track) this.#watch(device, track);
    }
    this.#apply();
    return stream;
  }

  /** Gives the devices back. */
  close() {
    this.#generation++;
    this.#opening = null;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
  }

  /**
   * The open track of a device.
   * @param {Device} device
   * @returns {MediaStreamTrack | null}
   */
  track(device) {
    const tracks = this.stream?.getTracks() ?? [];
    return tracks.find(({ kind }) => kind === KINDS[device]) ?? null;
  }

  /**
   * Mutes or unmutes, hides or shows. A camera that is hidden is given back to the system; a microphone
   * stays open, so that unmuting loses no word.
   *
   * @param {Device} device
   * @returns {Promise<void>} when it is done
   * @throws {Problem}
   */
  async toggle(device) {
    this.wants[device] = !this.wants[device];
    this.#apply();
    await this.#inTurn(() => this.#settle(device));
  }

  /**
   * Uses this one from now on.
   * @param {Device} device
   * @param {string} id
   * @throws {Problem} and goes on with the one before
   */
  choose(device, id) {
    return this.#change(device, async () => ({ deviceId: { exact: id } }));
  }

  /**
   * Uses the camera of the other side of the phone, or the next one there is.
   * @throws {Problem} and goes on with the one before
   */
  async flip() {
    const { facingMode } = this.track("camera")?.getSettings() ?? {};
    if (facingMode) {
      const exact = facingMode === "environment" ? "user" : "environment";
      try {
        return await this.#change("camera", async () => ({ facingMode: { exact } }));
      } catch {
        // None looks that way; there is another one all the same.
      }
    }
    return this.#change("camera", async () => {
      const { deviceId = "" } = this.track("camera")?.getSettings() ?? {};
      const all = (await devices()).camera.map((camera) => camera.deviceId);
      return { deviceId: { exact: all[(all.indexOf(deviceId) + 1) % all.length] ?? "" } };
    });
  }

  /** Whether people expect to see themselves as in a mirror: not through a camera that looks away. */
  get mirrored() {
    return this.track("camera")?.getSettings?.().facingMode !== "environment";
  }

  /** What others get of us. */
  get state() {
    return {
      microphone: this.wants.microphone && this.track("microphone") !== null,
      camera: this.wants.camera && this.track("camera") !== null,
    };
  }

  /**
   * @param {Device} device
   * @param {() => Promise<MediaTrackConstraints>} which
   */
  #change(device, which) {
    const generation = this.#generation;
    return this.#inTurn(async () => {
      const before = this.#which[device];
      this.#which[device] = await which();
      const old = this.track(device);
      if (!old) return this.#settle(device);
      // Phones have one camera at a time: the old one is let go before the new one is asked for.
      this.#drop(old);
      try {
        await this.#obtain(device, true);
      } catch (problem) {
        this.#which[device] = before;
        if (generation !== this.#generation) throw problem;
        await this.#obtain(device).catch(() => this.#without(device));
        throw problem;
      }
    });
  }

  /** Makes it as it is wanted. @param {...Device} devices */
  async #settle(...devices) {
    await this.#opening?.catch(() => {});
    for (const device of devices) {
      const track = this.track(device);
      if (track && device === "camera" && !this.wants.camera) {
        this.#drop(track);
        this.onchange(device, null);
      } else if (!track && this.wants[device]) {
        try {
          await this.#obtain(device);
        } catch (problem) {
          this.#without(device);
          throw problem;
        }
      }
    }
  }

  /** @param {Device} device @param {boolean} [strictly] no other one than the one that was chosen */
  async #obtain(device, strictly = false) {
    const generation = this.#generation;
    const [track] = (await this.#capture([device], strictly)).getTracks();
    if (!track || generation !== this.#generation) return track?.stop();
    this.stream ??= new MediaStream();
    this.stream.addTrack(track);
    this.#watch(device, track);
    this.#apply();
    this.onchange(device, track);
  }

  /** @param {Device} device */
  #without(device) {
    this.wants[device] = false;
    this.onchange(device, null);
  }

  /** @param {MediaStreamTrack} track */
  #drop(track) {
    track.onended = null;
    track.stop();
    this.stream?.removeTrack(track);
  }

  /** @param {Device} device @param {MediaStreamTrack} track */
  #watch(device, track) {
    const { deviceId } = track.getSettings?.() ?? {};
    if (deviceId) remember(device, deviceId);
    // Unplugged, or taken by the system: another one may be there.
    track.onended = () => {
      this.#inTurn(() => {
        if (this.track(device) !== track) return;
        this.#drop(track);
        this.#which[device] = {};
        return this.#settle(device);
      }).catch(this.onlost);
    };
  }

  #apply() {
    for (const device of /** @type {Device[]} */ (["microphone", "camera"])) {
      const track = this.track(device);
      if (track) track.enabled = this.wants[device];
    }
  }

  /** @param {() => Promise<void> | void} action */
  #inTurn(action) {
    const generation = this.#generation;
    // What waited while all was given back is not wanted any more.
    const done = this.#turn.then(() => (generation === this.#generation ? action() : undefined));
    this.#turn = done.catch(() => {});
    return done;
  }

  /**
   * @param {Device[]} wanted
   * @param {boolean} [strictly]
   * @returns {Promise<MediaStream>} of all of them, or of the one there is
   */
  async #capture(wanted, strictly = false) {
    if (!navigator.mediaDevices) throw INSECURE;
    const constraints = (/** @type {Device[]} */ some) =>
      Object.fromEntries(some.map((one) => [KINDS[one], { ...WANTED[one], ...this.#which[one] }]));
    try {
      return await navigator.mediaDevices.getUserMedia(constraints(wanted));
    } catch (error) {
      const name = error instanceof Error ? error.name : "";
      const [first] = wanted;
      if (name === "OverconstrainedError" && wanted.length === 1 && first && !strictly) {
        // The one that was chosen was unplugged meanwhile.
        this.#which[first] = {};
        return this.#capture(wanted, true);
      }
      // One of the two may be there all the same.
      const alone = name === "NotFoundError" || name === "NotReadableError";
      for (const one of alone && wanted.length > 1 ? wanted : []) {
        try {
          const stream = await navigator.mediaDevices.getUserMedia(constraints([one]));
          for (const other of wanted) this.wants[other] &&= other === one;
          return stream;
        } catch {
          // The first error is the one to tell.
        }
      }
      throw problem(name, wanted.toReversed().join(" and "));
    }
  }
}

/**
 * Which devices there are. They have labels only once one of their kind was allowed.
 * @returns {Promise<Record<Device, MediaDeviceInfo[]>>}
 */
export async function devices() {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return {
    microphone: all.filter(({ kind }) => kind === "audioinput"),
    camera: all.filter(({ kind }) => kind === "videoinput"),
  };
}

/**
 * The one used last, if it is still there; for want of one, the camera that looks at its person.
 * @param {Device} device
 * @returns {MediaTrackConstraints}
 */
function preferred(device) {
  const id = recall(device);
  if (typeof id === "string") return { deviceId: { ideal: id } };
  return device === "camera" ? { facingMode: "user" } : {};
}

/** How loud a stream is, asked as often as one likes. */
export class Meter {
  #context = new AudioContext();
  #analyser = new AnalyserNode(this.#context, { fftSize: 512 });
  #samples = new Float32Array(this.#analyser.fftSize);

  /** @param {MediaStreamTrack} track of sound */
  constructor(track) {
    const stream = new MediaStream([track]);
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
  }

  /** From 0 to 1: speech lies between about -50 and -10 dB of full scale. */
  get level() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0);
    const decibels = 10 * Math.log10(power / this.#samples.length + 1e-9);
    return Math.min(1, Math.max(0, (decibels + 50) / 40));
  }

  close() {
    this.#context.close();
  }
}
