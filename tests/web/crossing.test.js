// Two offers that need no answer: what has to be alike for that, and what each becomes for the other.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cross } from "../../pages/lib/crossing.js";

/** As Chromium 156 makes it of a camera, a microphone and a chat. */
const OURS = readFileSync(new URL("../bench/match/offer.sdp", import.meta.url), "utf8");

/** The same of somebody else: all that is one's own is another. */
const THEIRS = OURS.replace(/^o=- \d+/m, "o=- 42")
  .replace(/^(m=\w+) \d+/gm, "$1 61000")
  .replace(/^c=IN .*$/gm, "c=IN IP4 198.51.100.7")
  .replace(/^a=ice-ufrag:.*$/gm, "a=ice-ufrag:abcd")
  .replace(/^a=ice-pwd:.*$/gm, "a=ice-pwd:0123456789abcdefghijklmn")
  .replace(/^a=fingerprint:.*$/gm, "a=fingerprint:sha-256 00:11")
  .replace(/^a=candidate:.*\r\n/gm, "")
  .replace(/^a=(msid|ssrc|ssrc-group):.*\r\n/gm, "");

test("one is active, the other passive, and nothing else of the offer is another", () => {
  assert.notEqual(OURS, THEIRS);
  for (const [role, setup] of /** @type {const} */ ([
    ["offerer", "active"],
    ["answerer", "passive"],
  ])) {
    const answer = cross(OURS, THEIRS, role) ?? assert.fail("they are alike");
    assert.equal(answer.match(/a=setup:actpass/g), null);
    assert.equal(answer.replaceAll(`a=setup:${setup}`, "a=setup:actpass"), THEIRS);
  }
});

/** What an answer would have to agree on. @type {Record<string, (sdp: string) => string>} */
const DIFFERENCES = {
  "a codec": (sdp) => sdp.replace(/^a=rtpmap:.*VP8.*\r\n/m, ""),
  "the number of a codec": (sdp) => sdp.replace("a=rtpmap:111 ", "a=rtpmap:109 "),
  "a parameter of a codec": (sdp) => sdp.replace("useinbandfec=1", "useinbandfec=0"),
  "an extension": (sdp) => sdp.replace(/^a=extmap:1 .*\r\n/m, ""),
  "a direction": (sdp) => sdp.replace("a=sendrecv", "a=recvonly"),
  "the order of sections": (sdp) => sdp.replace("a=mid:0", "a=mid:9"),
  "a section": (sdp) => sdp.slice(0, sdp.lastIndexOf("m=")),
  "what is said with each packet": (sdp) => sdp.replace("a=rtcp-mux\r\n", ""),
};

for (const [what, change] of Object.entries(DIFFERENCES)) {
  test(`where ${what} differs an answer is needed, and both find so`, () => {
    const other = change(THEIRS);
    assert.notEqual(other, THEIRS, "nothing was changed");
    assert.equal(cross(OURS, other, "offerer"), null);
    assert.equal(cross(other, OURS, "answerer"), null);
  });
}
