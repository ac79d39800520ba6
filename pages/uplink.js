// What one person sends in a mesh grows with everybody who is there, and an ordinary uplink does not. So
// what it carries is divided: the more people, the smaller, slower and rougher the picture for each.

/** How much one stream may take: bits a second, pixels of height, frames a second. */
/** @typedef {{ bitrate: number, height?: number, frames?: number }} Limit */

/** For all pictures together, in bits a second. With sound and packet headers for seven others it comes
 * to less than 2.5 Mbit/s (docs/mesh.md). */
export const PICTURES = 1_600_000;
/** For the sound to each, in bits a second: Opus is good at that (RFC 6716, section 2.1.1). */
const SOUND = 32_000;
/** The share of the pictures that goes to a screen while one is shown. */
const SCREEN = 0.75;

/** The picture for so many others at most. */
const PICTURE = [
  { others: 1, height: 720, frames: 30 },
  { others: 2, height: 540, frames: 30 },
  { others: 3, height: 480, frames: 24 },
  { others: 5, height: 360, frames: 20 },
  { others: 7, height: 270, frames: 15 },
  { others: Number.POSITIVE_INFINITY, height: 180, frames: 15 },
];
const SMALLEST = 180;

/**
 * What each of so many others gets.
 *
 * @param {number} others
 * @param {boolean} screen whether a screen is shown beside the camera
 * @returns {{ microphone: Limit, camera: Limit, screen: Limit }}
 */
export function share(others, screen) {
  const each = PICTURES / Math.max(1, others);
  const picture = PICTURE.find((step) => others <= step.others);
  const { height = SMALLEST, frames = 15 } = screen ? {} : (picture ?? {});
  return {
    microphone: { bitrate: SOUND },
    camera: { bitrate: Math.floor(screen ? each * (1 - SCREEN) : each), height, frames },
    // Letters have to be sharp and need not move.
    screen: { bitrate: Math.floor(each * SCREEN), frames: others > 2 ? 5 : 10 },
  };
}

/**
 * No more than is seen: a picture that is small on the other's screen need not be large.
 *
 * @param {Limit} limit
 * @param {number} watched its height over there, in pixels; 0 where it is not seen
 * @returns {Limit}
 */
export function least(limit, watched) {
  const { bitrate, height = SMALLEST, frames } = limit;
  if (watched === 0) return { bitrate: 0 };
  const seen = Math.max(SMALLEST, watched);
  if (seen >= height) return limit;
  // Half the height has a quarter of the pixels, and needs about half the bits to look as good.
  return { bitrate: Math.floor((bitrate * seen) / height), height: seen, frames };
}

/**
 * How a picture grows from the smallest: how long after it has begun, in milliseconds, to what height. Sent in
 * full, the first that arrives is half as high or less all the same, and later: Chromium (156) seems to drop frames
 * until they are small enough for a way of which nothing is known. One that is small already is there at once.
 */
export const GROWTH = [
  { after: 500, height: 360 },
  { after: 2_000, height: Number.POSITIVE_INFINITY },
];

/**
 * Not higher than that, for as many bits.
 *
 * @param {Limit} limit
 * @param {number} [height] in pixels; as at first where none is named
 * @returns {Limit}
 */
export function lower(limit, height = SMALLEST) {
  return { ...limit, height: Math.min(limit.height ?? SMALLEST, height) };
}

/**
 * What a sender is to be told of its limit.
 *
 * @param {Limit} limit
 * @param {MediaStreamTrack | null} track
 * @returns {RTCRtpEncodingParameters}
 */
export function encoding({ bitrate, height, frames }, track) {
  const own = track?.getSettings?.().height;
  return {
    active: bitrate > 0,
    ...(bitrate > 0 && { maxBitrate: bitrate }),
    ...(frames && { maxFramerate: frames }),
    ...(height && own && { scaleResolutionDownBy: Math.max(1, own / height) }),
  };
}

/** The latest limit of each sender that is being told of one. @type {WeakMap<RTCRtpSender, Limit>} */
const next = new WeakMap();

/**
 * Holds a sender to its limit. One change has to be over before the next (W3C WebRTC 1.0, section 5.2,
 * `setParameters`); of several that wait, the last counts. Before the first negotiation there is nothing
 * to hold, and after the end nothing matters.
 *
 * @param {RTCRtpSender} sender
 * @param {Limit} limit
 */
export async function limit(sender, limit) {
  const busy = next.has(sender);
  next.set(sender, limit);
  if (busy) return;
  for (let done = null; done !== next.get(sender); ) {
    done = next.get(sender) ?? limit;
    try {
      const parameters = sender.getParameters();
      const [current] = parameters.encodings ?? [];
      if (!current) break;
      const before = JSON.stringify(current);
      Object.assign(current, encoding(done, sender.track));
      if (JSON.stringify(current) === before) continue;
      await sender.setParameters(parameters);
    } catch {
      // The connection is closed.
    }
  }
  next.delete(sender);
}
