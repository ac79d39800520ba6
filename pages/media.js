// The camera and the microphone of this page: opened once, kept over every call, and every way in which
// they can fail told in words that help.

/**
 * What kept us from camera or microphone, for people.
 * @typedef {{ title: string, advice: string }} Problem
 */

/** @type {Record<string, Problem>} by the name of the error (Media Capture and Streams, section 10.2) */
const PROBLEMS = {
  NotAllowedError: {
    title: "Your browser is not allowed to use the camera",
    advice: "Allow it in the address bar, then press Try again.",
  },
  NotFoundError: {
    title: "No camera or microphone was found",
    advice: "Plug one in and press Try again, or choose Text only.",
  },
  NotReadableError: {
    title: "Another program is using the camera",
    advice: "Close it, then press Try again.",
  },
  SecurityError: {
    title: "This page may not use the camera",
    advice: "Open it with https, or choose Text only.",
  },
};
const OTHER = {
  title: "The camera did not start",
  advice: "Press Try again, or choose Text only.",
};

const WANTED = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" },
};

export class Media {
  /** @type {MediaStream | null} */
  stream = null;
  /** What the person wants, whether or not the devices are open. */
  wants = { microphone: true, camera: true };
  /** @type {Promise<MediaStream> | null} */
  #opening = null;
  #generation = 0;

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
    if (this.stream) return Promise.resolve(this.stream);
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
    const stream = await capture();
    // Closed while the person was being asked: the light of the camera must not stay on.
    if (generation !== this.#generation) {
      for (const track of stream.getTracks()) track.stop();
      throw OTHER;
    }
    this.stream = stream;
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
   * Mutes or unmutes, hides or shows.
   * @param {"microphone" | "camera"} device
   */
  toggle(device) {
    this.wants[device] = !this.wants[device];
    this.#apply();
  }

  /** What others get of us. */
  get state() {
    return {
      microphone: this.wants.microphone && this.stream?.getAudioTracks().length !== 0,
      camera: this.wants.camera && this.stream?.getVideoTracks().length !== 0,
    };
  }

  #apply() {
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = this.wants.microphone;
    for (const track of this.stream?.getVideoTracks() ?? []) track.enabled = this.wants.camera;
  }
}

async function capture() {
  if (!navigator.mediaDevices) throw PROBLEMS.SecurityError;
  try {
    return await navigator.mediaDevices.getUserMedia(WANTED);
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    // One of the two may be there all the same.
    if (name === "NotFoundError" || name === "NotReadableError") {
      for (const kind of /** @type {const} */ (["audio", "video"])) {
        try {
          return await navigator.mediaDevices.getUserMedia({ [kind]: WANTED[kind] });
        } catch {
          // The first error is the one to tell.
        }
      }
    }
    throw PROBLEMS[name] ?? OTHER;
  }
}

/**
 * How loud a stream is, as long as it is listened to.
 *
 * @param {MediaStream} stream
 * @param {(level: number) => void} listener gets a number from 0 to 1 with every frame of the screen
 * @returns {() => void} stops listening
 */
export function listen(stream, listener) {
  if (stream.getAudioTracks().length === 0) return () => {};
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 512 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let frame = requestAnimationFrame(measure);
  function measure() {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    // Speech lies between about -50 and -10 dB of full scale.
    listener(Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 50) / 40)));
    frame = requestAnimationFrame(measure);
  }
  return () => {
    cancelAnimationFrame(frame);
    context.close();
  };
}
