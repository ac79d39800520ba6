// Eight people in a room, and what it costs one of them: an ordinary uplink has to do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { measure } from "./mesh.js";
import { start } from "./server.js";

/** What an ordinary uplink carries, in bits a second. */
const UPLINK = 2_500_000;
/** Headers of 50 sound packets a second, in bits a second: UDP and IP, RTP and its extensions, SRTP. */
const SOUND_HEADERS = 50 * 8 * 60;

test("one of eight uploads less than 2.5 Mbit/s, and all see all", async (t) => {
  const server = await start();
  t.after(() => server.stop());
  const { upload, limit, frames } = await measure(server.address, 8);
  t.diagnostic(`upload ${upload}, limits ${limit}, pictures a second ${frames}`);
  assert(upload < UPLINK, `it uploads ${upload} bits a second`);
  assert(upload > 0 && frames > 0, "nothing is sent");
  // However good the cameras are.
  assert(1.05 * limit + 7 * SOUND_HEADERS < UPLINK, `it may send ${limit} bits a second`);
});
