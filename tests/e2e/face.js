// A stand-in for somebody before a camera: a drawn person who sways a little, as an uncompressed video
// that Chromium takes for a camera (--use-file-for-fake-video-capture).

import { writeFile } from "node:fs/promises";

const WIDTH = 640;
const HEIGHT = 480;
const FRAMES = 24;
/** Pictures a second. */
const RATE = 12;

/**
 * @typedef {object} Face
 * @property {number} back colours as 0xrrggbb
 * @property {number} skin
 * @property {number} hair
 * @property {number} shirt
 * @property {boolean} [long] hair down to the shoulders
 * @property {boolean} [beard]
 * @property {boolean} [glasses]
 */

/** @type {Face[]} */
export const FACES = [
  { back: 0x3b4a63, skin: 0xd3a386, hair: 0x3a2a22, shirt: 0x2f6b75 },
  { back: 0x6d4f47, skin: 0x8a5d45, hair: 0x1d1412, shirt: 0xb8553f },
  { back: 0x42604e, skin: 0xe3bda4, hair: 0xa8672f, shirt: 0xd9a441 },
  { back: 0x54506e, skin: 0xefcdab, hair: 0x17161c, shirt: 0xdfe3e6, long: true },
  { back: 0x35505c, skin: 0xdcae90, hair: 0x8d8a86, shirt: 0x3d4f8f, beard: true, glasses: true },
  { back: 0x5f5a44, skin: 0xb98560, hair: 0x5a2f24, shirt: 0x7c3f63, long: true, glasses: true },
];

/**
 * @param {string} path of a .y4m file to write
 * @param {Face} face
 * @param {number} [rate] pictures a second
 * @param {number} [grain] how much the picture swarms, as in bad light; a still picture needs few bits
 */
export async function film(path, face, rate = RATE, grain = 0) {
  const frames = Array.from({ length: FRAMES }, (_, number) => {
    const sway = Math.sin((number / FRAMES) * 2 * Math.PI);
    const picture = frame(face, sway);
    let dice = number + 1;
    for (let place = 0; grain > 0 && place < WIDTH * HEIGHT; place++) {
      // A linear congruential generator will do for grain.
      dice = (Math.imul(dice, 1_664_525) + 1_013_904_223) >>> 0;
      const swarm = ((dice >>> 24) / 128 - 1) * grain;
      picture[place] = Math.min(255, Math.max(0, (picture[place] ?? 0) + swarm));
    }
    return [Buffer.from("FRAME\n"), picture];
  });
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${rate}:1 Ip A1:1 C420jpeg\n`);
  await writeFile(path, Buffer.concat([header, ...frames.flat()]));
}

/**
 * @param {Face} face
 * @param {number} sway from -1 to 1
 */
function frame(face, sway) {
  const size = WIDTH * HEIGHT;
  const planes = Buffer.alloc(size * 1.5);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const [red, green, blue] = pixel(face, x - 4 * sway, y);
      planes[y * WIDTH + x] = 0.299 * red + 0.587 * green + 0.114 * blue;
      if (x % 2 || y % 2) continue;
      const place = (y / 2) * (WIDTH / 2) + x / 2;
      planes[size + place] = 128 - 0.169 * red - 0.331 * green + 0.5 * blue;
      planes[size * 1.25 + place] = 128 + 0.5 * red - 0.419 * green - 0.081 * blue;
    }
  }
  return planes;
}

/**
 * @param {Face} face
 * @param {number} x
 * @param {number} y
 * @returns {[number, number, number]}
 */
function pixel({ back, skin, hair, shirt, long, beard, glasses }, x, y) {
  /** @param {number} cx @param {number} cy @param {number} rx @param {number} ry */
  const inside = (cx, cy, rx, ry) => ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1;
  const light = 1.1 - Math.hypot(x - 420, y - 60) / 900;
  if (inside(320, 212, 74, 92)) {
    const eye = inside(293, 206, 7, 8) || inside(347, 206, 7, 8);
    const mouth = inside(320, 252, 26, 14) && !inside(320, 245, 30, 13);
    if (eye) return rgb(0x1b1513, 1);
    if (mouth) return rgb(0x7d3b36, 1);
    const frames = [293, 347].some((cx) => inside(cx, 206, 25, 22) && !inside(cx, 206, 21, 18));
    if (glasses && (frames || (Math.abs(x - 320) < 4 && Math.abs(y - 204) < 2)))
      return rgb(0x2b2624, 1);
    if (beard && y > 226 && !inside(320, 214, 62, 62)) return rgb(hair, light * 0.95);
    if (!inside(320, 236, 92, 92)) return rgb(hair, light);
    return rgb(skin, light);
  }
  if (inside(320, 198, 92, 104) && y < 262) return rgb(hair, light);
  const falling = Math.abs(x - 320) < 92 + (y - 198) / 12 && y >= 198 && y < 372;
  if (long && falling && Math.abs(x - 320) > 34) return rgb(hair, light * 0.94);
  if (Math.abs(x - 320) < 34 && y > 260 && y < 340) return rgb(skin, light * 0.88);
  if (inside(320, 520, 222, 208)) return rgb(shirt, light);
  return rgb(back, light * (0.55 + 0.45 * (1 - y / HEIGHT)));
}

/**
 * @param {number} colour
 * @param {number} light
 * @returns {[number, number, number]}
 */
function rgb(colour, light) {
  /** @param {number} shift */
  const part = (shift) => Math.min(255, ((colour >> shift) & 255) * light);
  return [part(16), part(8), part(0)];
}
