// What goes over a network when the Worker is deployed and when somebody opens the site must not grow unseen.

import assert from "node:assert/strict";
import { test } from "node:test";
import { measureSizes } from "../../scripts/build.mjs";

/** Bytes: what they were when this was written, and some room. A change that needs more says here why. Lately: the
 * page on privacy, what words may hold (pages/words.js), the check of who comes (pages/pass.js), which is loaded only
 * where a site has one, and the status page; in the Worker that check, and what is counted.
 * Then the directory, the layout and the moves between lobbies: 30,000 of WebAssembly and
 * 700 of JavaScript around it. */
const MOST = { wasmGzipped: 185_000, scriptGzipped: 6_000, pagesGzipped: 96_000, pageFiles: 46 };

test("neither the Worker nor the site has grown", async () => {
  const sizes = await measureSizes();
  for (const [what, most] of Object.entries(MOST)) {
    const now = sizes[/** @type {keyof typeof MOST} */ (what)];
    assert(now <= most, `${what}: ${now}, and at most ${most} is expected`);
  }
});
