// Under which rules the pages are served (pages/_headers): what they may load, and what of the browser they use.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { directives, rules } from "./headers.js";

const [rule, ...others] = rules();
assert(rule, "there is a rule");
const header = (/** @type {string} */ name) => rule.set.get(name) ?? "";

test("one rule is for all files, and Cloudflare takes it", () => {
  assert.equal(rule.path, "/*");
  // What two rules say of one header is joined.
  assert.deepEqual(others, []);
  const lines = readFileSync(new URL("../../pages/_headers", import.meta.url), "utf8").split("\n");
  for (const line of lines) assert(line.length <= 2_000, line);
});

test("a page is made of the site's own files, and of no text", () => {
  assert.deepEqual(directives(header("content-security-policy")), {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "media-src": ["'self'", "blob:", "mediastream:"],
    "connect-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
    "require-trusted-types-for": ["'script'"],
    "trusted-types": ["'none'"],
  });
});

test("a page may use what a call needs, and nothing else that a browser has", () => {
  const features = header("permissions-policy").split(", ");
  const allowed = features.filter((feature) => feature.endsWith("=(self)"));
  const denied = features.filter((feature) => feature.endsWith("=()"));
  assert.equal(allowed.length + denied.length, features.length);
  assert.deepEqual(allowed.map((feature) => feature.replace("=(self)", "")).sort(), [
    "autoplay",
    "camera",
    "clipboard-write",
    "display-capture",
    "microphone",
    "picture-in-picture",
    "web-share",
  ]);
  const powers = ["geolocation", "usb", "serial", "hid", "bluetooth", "payment", "clipboard-read"];
  for (const power of [...powers, "midi", "local-fonts", "idle-detection", "browsing-topics"])
    assert(denied.includes(`${power}=()`), power);
  assert.equal(new Set(features.map((feature) => feature.split("=")[0])).size, features.length);
  // In time these may decide whether a call finds its way within a network.
  assert.doesNotMatch(header("permissions-policy"), /local-network|loopback-network/);
});

test("nothing is kept without being asked for anew, told to others, or opened by them", () => {
  const { set, unset } = rule;
  assert.deepEqual(
    Object.fromEntries(
      [...set].filter(([name]) => !name.endsWith("-policy") || /^cross/.test(name)),
    ),
    {
      "cache-control": "public, max-age=0, must-revalidate",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "strict-transport-security": "max-age=31536000",
      "x-content-type-options": "nosniff",
    },
  );
  assert.equal(header("referrer-policy"), "no-referrer");
  // Pages lets every other site read its files.
  assert.deepEqual(unset, ["access-control-allow-origin"]);
  assert.equal(set.size, 8);
});
