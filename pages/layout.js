// Where the tiles of a room are: as large as they can be side by side, or one large and the others beside
// it. Numbers in, numbers out.

/** @typedef {{ left: number, top: number, width: number, height: number }} Box in pixels */

/** Faces are seen best in something like this: width by height. */
const ASPECT = 4 / 3;
/** How much of the longer side goes to the others when one is large. */
const BESIDE = 0.24;

/**
 * Puts so many tiles into a space, all of one size; a last row that is not full stands in the middle.
 *
 * @param {number} count
 * @param {number} width of the space, in pixels
 * @param {number} height
 * @param {number} gap between two tiles
 * @returns {Box[]}
 */
export function arrange(count, width, height, gap) {
  let best = { columns: 1, across: width, down: height, seen: -1 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const across = (width - gap * (columns - 1)) / columns;
    const down = (height - gap * (rows - 1)) / rows;
    const seen = Math.min(across, down * ASPECT);
    if (seen > best.seen) best = { columns, across, down, seen };
  }
  const { columns, across, down } = best;
  return Array.from({ length: count }, (_, place) => {
    const row = Math.floor(place / columns);
    const inRow = Math.min(columns, count - row * columns);
    const spare = (columns - inRow) * (across + gap);
    return {
      left: spare / 2 + (place % columns) * (across + gap),
      top: row * (down + gap),
      width: across,
      height: down,
    };
  });
}

/**
 * Puts the first tile large, and the others beside or below it.
 *
 * @param {number} count
 * @param {number} width
 * @param {number} height
 * @param {number} gap
 * @returns {Box[]}
 */
export function spotlight(count, width, height, gap) {
  if (count < 2) return arrange(count, width, height, gap);
  const wide = width > height;
  const strip = (wide ? width : height) * BESIDE;
  const large = {
    left: 0,
    top: 0,
    width: wide ? width - strip - gap : width,
    height: wide ? height : height - strip - gap,
  };
  const others = wide
    ? arrange(count - 1, strip, height, gap)
    : arrange(count - 1, width, strip, gap);
  const moved = others.map((box) => ({
    ...box,
    left: box.left + (wide ? large.width + gap : 0),
    top: box.top + (wide ? 0 : large.height + gap),
  }));
  return [large, ...moved];
}

/**
 * Whether one more tile would make no other smaller.
 *
 * @param {number} count
 * @param {number} width
 * @param {number} height
 * @param {number} gap
 */
export function hasGap(count, width, height, gap) {
  const [now] = arrange(count, width, height, gap);
  const [then] = arrange(count + 1, width, height, gap);
  return now !== undefined && now.width === then?.width && now.height === then.height;
}
