// Text can be read and controls can be seen in both themes: WCAG 2.2, 1.4.3 (4.5:1) and 1.4.11 (3:1), on the
// colours that pages/style.css names, and wherever a rule of a style sheet puts one on another.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** @param {string} file */
const sheet = (file) =>
  readFileSync(new URL(`../../pages/${file}`, import.meta.url), "utf8").replace(
    /\/\*[\s\S]*?\*\//g,
    "",
  );
const SHEETS = ["style.css", "random.css", "room.css", "doctor.css"];
const css = sheet("style.css");
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
  // A word in passing, with a button in it.
  ["ink", "text", 4.5],
  // What was not read yet, and what is focused in the controls.
  ["accent", "raised", 3],
];

/** Rules whose colour is that of an icon alone, which need not be read. */
const ICONS = [".badges .icon", ".badges .off", ".muted", ".pin", ".leave"];
/** The worst that may be behind what one can see through: a white wall, seen by the camera. */
const BEHIND = 255;

/**
 * Every rule that says both what is seen and on what.
 * @param {string} file
 * @returns {{ selector: string, seen: string, on: string }[]}
 */
function rules(file) {
  return [...sheet(file).matchAll(/([^{}]+)\{([^{}]*)\}/g)].flatMap(
    ([, selector = "", body = ""]) => {
      const seen = /(?:^|[\s;])color: ([^;]+);/.exec(body)?.[1];
      const on = /(?:^|[\s;])background: ([^;]+);/.exec(body)?.[1];
      return seen && on && on !== "none" && seen !== "inherit"
        ? [{ selector: selector.trim().replace(/\s+/g, " "), seen, on }]
        : [];
    },
  );
}

/**
 * @param {string} value of a property
 * @param {Record<string, string | undefined>} tokens
 * @returns {string} as #rrggbb
 */
function colour(value, tokens) {
  const token = /^var\(--([\w-]+)\)$/.exec(value)?.[1];
  if (token) return tokens[token] ?? assert.fail(`${value} is no colour`);
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/.exec(value);
  if (short)
    return `#${short
      .slice(1)
      .map((part) => part + part)
      .join("")}`;
  const black = /^rgb\(0 0 0 \/ (\d+)%\)$/.exec(value)?.[1];
  if (black) {
    const part = Math.round(BEHIND * (1 - Number(black) / 100));
    return `#${part.toString(16).padStart(2, "0").repeat(3)}`;
  }
  assert.match(value, /^#[0-9a-f]{6}$/);
  return value;
}

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

  test(`what a rule writes on its own ground can be read in the ${theme} theme`, () => {
    const found = SHEETS.flatMap(rules);
    for (const icon of ICONS)
      assert(
        found.some(({ selector }) => selector === icon),
        icon,
      );
    for (const { selector, seen, on } of found) {
      // A mix lies between two colours that are looked at above.
      if (on.startsWith("color-mix")) continue;
      const ratio = contrast(colour(seen, tokens), colour(on, tokens));
      const least = ICONS.includes(selector) ? 3 : 4.5;
      assert(ratio >= least, `${selector}: ${ratio.toFixed(2)} instead of ${least}`);
    }
  });
}

test("what is new in a room is among what is looked at", () => {
  const found = SHEETS.flatMap(rules);
  for (const [selector, seen, on] of [
    [".toast", "var(--ink)", "var(--text)"],
    [".toast button", "var(--text)", "var(--ink)"],
    [".badges .icon", "var(--warn-ink)", "var(--warn)"],
    [".badges .off", "var(--stop-ink)", "var(--stop)"],
    ['.lock[aria-pressed="true"]', "var(--accent-ink)", "var(--accent)"],
    [".leave", "var(--stop-ink)", "var(--stop)"],
  ]) {
    const rule = found.find((one) => one.selector === selector);
    assert.deepEqual(rule, { selector, seen, on });
  }
});
