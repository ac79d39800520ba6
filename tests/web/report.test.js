// A report is sent to whoever helps, so nothing in it may say who or where somebody is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { browserOf, report } from "../../pages/report.js";

/** @import { Facts, Vitals } from "../../pages/diagnosis.js" */

/** @type {Vitals} */
const CALL = {
  state: "connecting",
  heard: true,
  relayed: false,
  ours: ["host", "srflx"],
  theirs: ["host", "relay"],
  pair: { ours: "relay", theirs: "prflx", protocol: "udp", relay: "tls" },
  roundTrip: 41.6,
  loss: 2.4,
};
/** @type {Facts} */
const FACTS = {
  browser: { family: "Firefox", version: 150, system: "Android", secure: true, calls: true },
  server: { online: true, there: true, checked: true, welcome: true, names: true, roundTrip: 23.4 },
  probes: [
    { scheme: "stun", transport: "udp", outcome: "silent", code: null, ways: ["host"] },
    { scheme: "turn", transport: "tcp", outcome: "refused", code: 401, ways: [] },
  ],
  crossing: { ...CALL, state: "connected" },
  devices: {
    permissions: { camera: "granted", microphone: "denied" },
    count: { camera: 1, microphone: 2 },
    opened: { camera: "NotReadableError", microphone: null },
  },
  call: CALL,
};

test("everything that helps is in it", () => {
  assert.equal(
    report(FACTS),
    `EchoMingle connection report

browser: Your browser can make calls (good)
server: The server answers (good)
network: Your network blocks UDP (calm)
relay: The relay refused us (bad)
devices: Another program is using the camera (bad)
call: There is a way between you, but no call over it (bad)

browser: Firefox 150, Android
secure address: yes; WebRTC: yes
online: yes; server answers: yes; names ICE servers: yes; WebSocket: yes, 23 ms
stun over udp: silent; candidates: host
turn over tcp: refused (401); candidates: none
through the relay and back: connected; heard of the other side: yes; relays only: no; candidates here: host srflx; there: host relay; pair: relay to prflx over udp, to the relay over tls; round trip: 42 ms; lost: 2 %
camera: 1 there, permission granted, NotReadableError
microphone: 2 there, permission denied, works
call: connecting; heard of the other side: yes; relays only: no; candidates here: host srflx; there: host relay; pair: relay to prflx over udp, to the relay over tls; round trip: 42 ms; lost: 2 %
`,
  );
});

test("what was not looked at is not in it", () => {
  assert.equal(report({}), "EchoMingle connection report\n\n\n");
  assert.match(report({ probes: [] }), /^no ICE servers$/m);
  assert.doesNotMatch(report({ call: CALL }), /camera|server answers|through the relay/);
});

/** What must not get out: each has a part that is looked for. */
const SECRETS = [
  "203.0.113.77",
  "2001:db8:feed::77",
  "::ffff:203.0.113.77",
  "fe80::77%eth0",
  "4f3c2b1a-feed-4e5d-8c7b-0123456789ab.local",
  "turn:203.0.113.77:3478?transport=udp",
  "turns:relay.feed.example:443",
  "1700000000:feed",
  "c2VjcmV0IGZlZWQ=",
  "candidate:1 1 udp 2122260223 203.0.113.77 54321 typ host",
  "v=0\r\no=- 46117 2 IN IP4 203.0.113.77\r\na=ice-ufrag:feed",
  "a=ice-pwd:feedfeedfeedfeedfeedfeed",
  "host 203.0.113.77",
  "relay\n203.0.113.77",
  "NotAllowedError: feed",
];
const LEAK = /203|113|feed|db8|::|fe80|2122260223|46117|\.local|c2Vj|candidate:|a=|v=0|example/i;

/**
 * Every fact replaced by something else, one at a time.
 * @param {any} facts
 * @param {unknown} other
 * @returns {Generator<any>}
 */
function* replaced(facts, other) {
  if (typeof facts !== "object" || facts === null) {
    yield other;
    return;
  }
  for (const key of Object.keys(facts)) {
    for (const value of replaced(facts[key], other)) {
      const copy = structuredClone(facts);
      copy[key] = value;
      yield copy;
    }
  }
}

/** @param {any} facts @param {unknown} other @returns {any} with every fact replaced at once */
function poisoned(facts, other) {
  if (typeof facts !== "object" || facts === null) return other;
  if (Array.isArray(facts)) return [...facts.map((one) => poisoned(one, other)), other];
  return Object.fromEntries(Object.entries(facts).map(([key, one]) => [key, poisoned(one, other)]));
}

test("no address, name or password gets into it, whatever any fact is", () => {
  for (const secret of SECRETS) assert.match(secret, LEAK);
  let reports = 0;
  for (const secret of SECRETS) {
    for (const other of [secret, [secret], { secret, toString: () => secret }]) {
      for (const facts of replaced(FACTS, other)) {
        assert.doesNotMatch(report(facts), LEAK);
        reports++;
      }
    }
    const facts = poisoned({ ...FACTS, probes: FACTS.probes }, secret);
    facts.probes.pop();
    assert.doesNotMatch(report(facts), LEAK);
  }
  assert.ok(reports > 1_000);
  assert.doesNotMatch(report(FACTS), LEAK);
});

test("a browser is told by its family, its version and its system, and by nothing else", () => {
  const agents = Object.entries({
    "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0": "Firefox 153 Linux",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36":
      "Chrome 156 Linux",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36":
      "Chrome 150 Android",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0":
      "Edge 150 Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1":
      "Safari 18 iOS",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15":
      "Safari 18 macOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/150.0.0.0 Mobile/15E148 Safari/604.1":
      "Chrome 150 iOS",
    "Something of 203.0.113.77": " 0 ",
    "": " 0 ",
  });
  for (const [agent, told] of agents) {
    const { family, version, system } = browserOf(agent);
    assert.equal(`${family} ${version} ${system}`, told);
  }
});
