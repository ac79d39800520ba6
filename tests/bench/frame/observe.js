// What both pages are asked alike: when what happened in them, and how long it took to the first frame.

/** One thing that happened: when, in milliseconds of the clock, and what. @typedef {[number, string]} Happened */

/**
 * Runs in each page before its own scripts: writes down what goes over its sockets and what becomes of its
 * connections. Listening costs microseconds.
 */
export function observe() {
  // Whoever comes is somebody new.
  if (location.protocol !== "about:") sessionStorage.clear();
  /** @type {Happened[]} */
  const happened = [];
  const note = (/** @type {string} */ what) =>
    happened.push([performance.timeOrigin + performance.now(), what]);
  Object.assign(window, { happened });

  const words = (/** @type {unknown} */ text) =>
    [...String(text).matchAll(/"type":"([a-z-]+)"|"(answer|candidates)"/g)]
      .map(([, type, word]) => type ?? word)
      .join(" ");
  window.WebSocket = class extends WebSocket {
    /** @param {ConstructorParameters<typeof WebSocket>} args */
    constructor(...args) {
      super(...args);
      this.addEventListener("open", () => note("open"));
      this.addEventListener("message", ({ data }) => note(`heard ${words(data)}`));
    }
    /** @override @param {string} text */
    send(text) {
      note(`said ${words(text)}`);
      super.send(text);
    }
  };
  window.RTCPeerConnection = class extends RTCPeerConnection {
    /** @param {ConstructorParameters<typeof RTCPeerConnection>} args */
    constructor(...args) {
      super(...args);
      note("connection");
      for (const kind of /** @type {const} */ (["iceGathering", "iceConnection", "connection"])) {
        this.addEventListener(`${kind.toLowerCase()}statechange`, () =>
          note(`${kind} ${this[`${kind}State`]}`),
        );
      }
    }
  };
  const { mediaDevices } = navigator;
  if (!mediaDevices) return;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    note("camera");
    return stream;
  };
}

/**
 * Runs in a page: presses a button, and says when the first frame of somebody new had arrived and was shown,
 * and what happened until then, all in milliseconds since the click.
 *
 * @param {string} name of the button
 * @param {number} patience in milliseconds
 * @returns {Promise<{ shown: number, arrived: number, width: number, happened: Happened[] }>} `width` of
 *   the frame in pixels
 */
export function click(name, patience) {
  const button = /** @type {HTMLElement} */ (document.querySelector(`[data-testid="${name}"]`));
  const video = /** @type {HTMLVideoElement} */ (
    document.querySelector('[data-testid="remote-video"]')
  );
  /** @type {Happened[]} */
  const happened = /** @type {any} */ (window).happened;
  const earlier = happened.length;
  const before = video.srcObject;
  const since = performance.now();
  button.click();
  return new Promise((resolve, reject) => {
    /** @type {VideoFrameRequestCallback} */
    const shown = (_, frame) => {
      if (!video.srcObject || video.srcObject === before)
        return video.requestVideoFrameCallback(shown);
      const now = performance.now() - since;
      resolve({
        shown: now,
        arrived: (frame.receiveTime ?? Number.NaN) - since,
        width: frame.width,
        happened: happened
          .slice(earlier)
          .map(([at, what]) => [at - performance.timeOrigin - since, what]),
      });
    };
    video.requestVideoFrameCallback(shown);
    setTimeout(() => reject(new Error(`no frame: ${JSON.stringify(happened)}`)), patience);
  });
}

/**
 * Runs in a page: whether all this has happened, and nothing since for some time.
 *
 * @param {number} quiet in milliseconds
 * @param {string[]} after
 */
export function rests(quiet, after) {
  /** @type {Happened[]} */
  const happened = /** @type {any} */ (window).happened;
  const last = happened.at(-1)?.[0] ?? Number.POSITIVE_INFINITY;
  const done = after.every((what) => happened.some(([, name]) => name === what));
  return done && performance.timeOrigin + performance.now() - last > quiet;
}
