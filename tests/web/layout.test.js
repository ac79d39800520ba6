// Where the tiles of a room are, for every number of people and the screens that there are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange, hasGap, spotlight } from "../../pages/layout.js";

/** @import { Box } from "../../pages/layout.js" */

/** Sixteen people, a screen, and the invitation. */
const MOST = 18;
/** Width, height and gap: phones both ways, windows, screens, and shapes that nobody expects. */
const SPACES = /** @type {const} */ ([
  [390, 640, 6],
  [390, 700, 6],
  [844, 300, 12],
  [320, 480, 6],
  [1240, 640, 12],
  [880, 640, 12],
  [1900, 950, 12],
  [640, 640, 12],
  [333.3, 777.7, 6],
  [1001, 301, 0],
  [2560, 320, 12],
  [300, 1400, 6],
]);
/** Half a thousandth of a pixel: what is computed in fractions does not come out even. */
const HAIR = 0.0005;

/**
 * @param {(count: number, width: number, height: number, gap: number, where: string) => void} check
 * @param {number} [fewest]
 */
function everywhere(check, fewest = 1) {
  for (const [width, height, gap] of SPACES) {
    for (let count = fewest; count <= MOST; count++)
      check(count, width, height, gap, `${count} in ${width}x${height}`);
  }
}

/** @param {Box[]} boxes @param {number} width @param {number} height @param {string} where */
function inside(boxes, width, height, where) {
  for (const box of boxes) {
    assert.ok(box.left >= -HAIR && box.left + box.width <= width + HAIR, `${where}: too wide`);
    assert.ok(box.top >= -HAIR && box.top + box.height <= height + HAIR, `${where}: too high`);
  }
}

/** @param {Box[]} boxes @param {number} gap @param {string} where */
function apart(boxes, gap, where) {
  boxes.forEach((one, place) => {
    for (const other of boxes.slice(place + 1)) {
      const [left, right] = one.left < other.left ? [one, other] : [other, one];
      const [upper, lower] = one.top < other.top ? [one, other] : [other, one];
      assert.ok(
        right.left - left.left - left.width >= gap - HAIR ||
          lower.top - upper.top - upper.height >= gap - HAIR,
        `${where}: tiles nearer than the gap`,
      );
    }
  });
}

/** @param {Box[]} boxes @returns {Box[][]} those of one height each, from the top */
function rows(boxes) {
  const tops = [...new Set(boxes.map(({ top }) => top))].sort((a, b) => a - b);
  return tops.map((wanted) => boxes.filter(({ top }) => top === wanted));
}

/** How large a face is seen in a tile, whatever its shape. @param {Box | undefined} box */
const seen = (box) => (box ? Math.min(box.width, (box.height * 4) / 3) : 0);

test("there are as many tiles as people, in the space and apart from each other", () => {
  everywhere((count, width, height, gap, where) => {
    const boxes = arrange(count, width, height, gap);
    assert.equal(boxes.length, count, where);
    inside(boxes, width, height, where);
    apart(boxes, gap, where);
  });
});

test("nobody is larger than another", () => {
  everywhere((count, width, height, gap, where) => {
    const [first, ...others] = arrange(count, width, height, gap);
    for (const other of others) {
      assert.equal(other.width, first?.width, where);
      assert.equal(other.height, first?.height, where);
    }
  });
});

test("the tiles follow each other as words do: from the left, and from the top", () => {
  everywhere((count, width, height, gap, where) => {
    const boxes = arrange(count, width, height, gap);
    assert.deepEqual(rows(boxes).flat(), boxes, where);
    for (const row of rows(boxes)) {
      const lefts = row.map(({ left }) => left);
      assert.deepEqual(
        lefts,
        lefts.toSorted((a, b) => a - b),
        where,
      );
    }
  });
});

test("full rows take the whole width, and all rows the whole height", () => {
  everywhere((count, width, height, gap, where) => {
    const [first = []] = rows(arrange(count, width, height, gap));
    assert.ok(Math.abs((first[0]?.left ?? -1) - 0) < HAIR, where);
    const right = first.at(-1);
    assert.ok(right && Math.abs(right.left + right.width - width) < HAIR, where);
    const all = arrange(count, width, height, gap);
    assert.equal(all[0]?.top, 0, where);
    const last = all.at(-1);
    assert.ok(last && Math.abs(last.top + last.height - height) < HAIR, where);
  });
});

test("a last row that is not full stands in the middle, and no row before it is short", () => {
  everywhere((count, width, height, gap, where) => {
    const all = rows(arrange(count, width, height, gap));
    const last = all.at(-1) ?? [];
    const [left, right] = [last[0], last.at(-1)];
    assert.ok(left && right, where);
    assert.ok(Math.abs(left.left - (width - right.left - right.width)) < HAIR, where);
    for (const row of all.slice(0, -1)) assert.equal(row.length, all[0]?.length, where);
    assert.ok(last.length <= (all[0]?.length ?? 0), where);
  });
});

test("no other number of columns would show faces larger", () => {
  everywhere((count, width, height, gap, where) => {
    const best = seen(arrange(count, width, height, gap)[0]);
    for (let columns = 1; columns <= count; columns++) {
      const down = Math.ceil(count / columns);
      const box = {
        left: 0,
        top: 0,
        width: (width - gap * (columns - 1)) / columns,
        height: (height - gap * (down - 1)) / down,
      };
      assert.ok(seen(box) <= best + HAIR, `${where}: ${columns} columns are better`);
    }
  });
});

test("sixteen people can still be told apart on a phone", () => {
  for (const [width, height, least] of /** @type {const} */ ([
    [390, 640, 90],
    [320, 480, 70],
    [844, 300, 90],
  ])) {
    for (const box of arrange(16, width, height, 6)) {
      assert.ok(Math.min(box.width, box.height) >= least, `${width}x${height}`);
    }
  }
});

test("one has the whole space, two on a phone are one above the other, and on a screen side by side", () => {
  assert.deepEqual(arrange(1, 390, 640, 6), [{ left: 0, top: 0, width: 390, height: 640 }]);
  assert.deepEqual(arrange(2, 390, 640, 6), [
    { left: 0, top: 0, width: 390, height: 317 },
    { left: 0, top: 323, width: 390, height: 317 },
  ]);
  assert.deepEqual(arrange(2, 1240, 640, 12), [
    { left: 0, top: 0, width: 614, height: 640 },
    { left: 626, top: 0, width: 614, height: 640 },
  ]);
});

test("nobody takes no place", () => {
  assert.deepEqual(arrange(0, 390, 640, 6), []);
  assert.deepEqual(spotlight(0, 390, 640, 6), []);
  assert.equal(hasGap(0, 390, 640, 6), false);
});

test("with one large there are as many tiles, in the space and apart from each other", () => {
  everywhere((count, width, height, gap, where) => {
    const boxes = spotlight(count, width, height, gap);
    assert.equal(boxes.length, count, where);
    inside(boxes, width, height, where);
    apart(boxes, gap, where);
    for (const box of boxes) assert.ok(box.width > 0 && box.height > 0, where);
  });
});

test("the first is the large one, with more than two thirds of the space", () => {
  everywhere((count, width, height, gap, where) => {
    const [large, ...others] = spotlight(count, width, height, gap);
    assert.ok(large && large.left === 0 && large.top === 0, where);
    assert.ok(large.width * large.height > (width * height * 2) / 3, where);
    for (const other of others) {
      assert.ok(other.width <= large.width && other.height <= large.height, where);
      assert.ok(other.width * other.height < large.width * large.height, where);
      assert.equal(other.width, others[0]?.width, where);
      assert.equal(other.height, others[0]?.height, where);
    }
  }, 2);
});

test("the others have about a quarter of the longer side", () => {
  everywhere((count, width, height, gap, where) => {
    const [large] = spotlight(count, width, height, gap);
    assert.ok(large, where);
    const part = width > height ? large.width / width : large.height / height;
    assert.ok(part > 0.7 && part < 0.78, `${where}: ${part}`);
  }, 2);
});

test("the others stand where there is more room: beside what is wide, and below what is high", () => {
  everywhere((count, width, height, gap, where) => {
    const [large, ...others] = spotlight(count, width, height, gap);
    assert.ok(large, where);
    for (const other of others) {
      if (width > height) assert.ok(other.left >= large.width + gap - HAIR, where);
      else assert.ok(other.top >= large.height + gap - HAIR, where);
    }
  }, 2);
});

test("who is alone in the light has the whole space", () => {
  assert.deepEqual(spotlight(1, 844, 300, 12), [{ left: 0, top: 0, width: 844, height: 300 }]);
});

test("there is a gap exactly where the last row is not full", () => {
  let gaps = 0;
  everywhere((count, width, height, gap, where) => {
    const all = rows(arrange(count, width, height, gap));
    const full = all.at(-1)?.length === all[0]?.length;
    assert.equal(hasGap(count, width, height, gap), !full, where);
    if (!full) gaps++;
  });
  assert.ok(gaps > 20, "too few to prove anything");
});

test("whoever comes into the gap makes nobody smaller", () => {
  everywhere((count, width, height, gap, where) => {
    const [now] = arrange(count, width, height, gap);
    const [then] = arrange(count + 1, width, height, gap);
    const same = now?.width === then?.width && now?.height === then?.height;
    assert.equal(hasGap(count, width, height, gap), same, where);
  });
});
