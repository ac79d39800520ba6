// Text can be read and controls can be seen in both themes: WCAG 2.2, 1.4.3 (4.5:1) and 1.4.11 (3:1), on the
// colours that pages/style.css names.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../../pages/style.css", import.meta.url), "utf8");
const [dark, light] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, body = ""]) => {
  const tokens = body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g);
  return Object.fromEntries([...tokens].map(([, name, value]) => [name, value]));
});
assert(dark && light, "style.css has a dark and a light :root");

/** @type {[string, string, number][]} what is seen, on what, and how well at least */
const PAIRS = [
  ["text", "ink", 4.5],
  ["text", "surface", 4.5],
  ["text", "raised", 4.5],
  ["soft", "ink", 4.5],
  ["soft", "surface", 4.5],
  ["soft", "raised", 4.5],
  ["accent-ink", "accent", 4.5],
  ["stop-ink", "stop", 4.5],
  ["accent", "ink", 3],
  ["accent", "surface", 3],
  ["edge", "surface", 3],
  ["edge", "ink", 3],
  ["live", "raised", 3],
  ["warn", "raised", 3],
  ["stop", "raised", 3],
];

/** @param {string} colour as #rrggbb @returns {number} relative luminance */
function luminance(colour) {
  const parts = [1, 3, 5].map((place) => {
    const part = Number.parseInt(colour.slice(place, place + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const [red = 0, green = 0, blue = 0] = parts;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {string} one @param {string} other */
function contrast(one, other) {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

for (const [theme, tokens] of Object.entries({ dark, light: { ...dark, ...light } })) {
  test(`everything can be seen in the ${theme} theme`, () => {
    for (const [seen, on, least] of PAIRS) {
      const [one, other] = [tokens[seen], tokens[on]];
      assert(one && other, `${seen} and ${on} are colours`);
      const ratio = contrast(one, other);
      assert(ratio >= least, `${seen} on ${on}: ${ratio.toFixed(2)} instead of ${least}`);
    }
  });
}
