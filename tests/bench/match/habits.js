// Two ways of clients to use the same server.

import { readFileSync } from "node:fs";

/** @import { Person } from "./person.js" */

/** Candidates of each side: addresses of two families, each as it is, through the router and by a relay, over
 * UDP and TCP. */
const CANDIDATES = 12;

/** What Chromium 156 makes of a camera, a microphone and a chat. @param {string} name */
const sdp = (name) => readFileSync(new URL(`${name}.sdp`, import.meta.url), "utf8");
const offer = { type: "offer", sdp: sdp("offer") };
const answer = { type: "answer", sdp: sdp("answer") };
const [addresses = ""] = offer.sdp.match(/candidate:.*/) ?? [];
const candidate = { candidate: addresses, sdpMid: "0", sdpMLineIndex: 0, usernameFragment: "lbmV" };
const candidates = Array.from({ length: CANDIDATES }, () => candidate);

/**
 * @typedef {object} Habit
 * @property {string} name
 * @property {string} config of its server
 * @property {boolean} compresses
 * @property {number} beatSeconds from one heartbeat to the next
 * @property {boolean} beatWakes whether the object has to handle it
 * @property {object} find what looks for somebody
 * @property {(offerer: Person, answerer: Person) => Promise<unknown>} negotiate
 * @property {(person: Person) => Promise<unknown>} beat
 */

/** Ours: the offer is there before there is anybody (pages/prepared.js), candidates come together, and the
 * runtime answers the heartbeat (pages/lib/signaling.js). @type {Habit} */
export const prepared = {
  name: "prepared",
  config: "tests/common/workerd.capnp",
  compresses: false,
  beatSeconds: 25,
  beatWakes: false,
  find: { type: "find", mode: "video", offer: offer.sdp },
  negotiate(offerer, answerer) {
    answerer.signals({ description: answer });
    answerer.signals({ candidates });
    return offerer.hearsSignals(2);
  },
  beat: (person) => person.pings(),
};

/** One message a candidate, all of them compressed, and a heartbeat that the object handles: it passes it on,
 * the least that an answer costs. @type {Habit} */
export const trickling = {
  name: "trickling",
  config: "tests/bench/match/workerd.capnp",
  compresses: true,
  beatSeconds: 30,
  beatWakes: true,
  find: { type: "find", mode: "video" },
  async negotiate(offerer, answerer) {
    await trickle(offerer, answerer, offer);
    await trickle(answerer, offerer, answer);
  },
  beat(person) {
    person.signals({ heartbeat: true });
    return person.hearsSignals(1);
  },
};

/** @param {Person} from @param {Person} to @param {object} description */
function trickle(from, to, description) {
  from.signals({ description });
  for (const one of candidates) from.signals({ candidate: one });
  return to.hearsSignals(1 + CANDIDATES);
}
