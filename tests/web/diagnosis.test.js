// What is made of the facts: why calls connect or do not, in words that help.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose, summary } from "../../pages/diagnosis.js";
import { kindOf } from "../../pages/examination.js";

/** @import { Check, Devices, Facts, Probe, Vitals } from "../../pages/diagnosis.js" */

const BROWSER = { family: "Firefox", version: 150, system: "Linux", secure: true, calls: true };
const SERVER = {
  online: true,
  there: true,
  checked: true,
  welcome: true,
  names: true,
  roundTrip: 23.4,
};
/** @type {Devices} */
const DEVICES = {
  permissions: { camera: "granted", microphone: "granted" },
  count: { camera: 1, microphone: 1 },
};
/** @type {Vitals} */
const CONNECTED = {
  state: "connected",
  heard: true,
  relayed: false,
  ours: ["host", "srflx", "relay"],
  theirs: ["host", "relay"],
  pair: { ours: "relay", theirs: "relay", protocol: "udp", relay: "udp" },
  roundTrip: 41.6,
  loss: 0,
};
/** @type {Vitals} */
const TRYING = { ...CONNECTED, state: "connecting", pair: null, roundTrip: null, loss: null };

/**
 * What a server said, as in "turn tcp refused 401".
 * @param {string} words
 * @returns {Probe}
 */
function said(words) {
  const [scheme, transport, outcome, code] = /** @type {any} */ (words.split(" "));
  const ways = /** @type {Probe["ways"]} */ (scheme === "stun" ? ["host"] : []);
  if (outcome === "answered") ways.push(scheme === "stun" ? "srflx" : "relay");
  return { scheme, transport, outcome, code: code ? Number(code) : null, ways };
}

/** Of a place where all is well, but for this. @param {Facts} [facts] @returns {Facts} */
const facts = (facts) => ({
  browser: BROWSER,
  server: SERVER,
  probes: [said("stun udp answered"), said("turn udp answered"), said("turn tcp answered")],
  crossing: CONNECTED,
  devices: { ...DEVICES, opened: { camera: null, microphone: null } },
  ...facts,
});

/** What is found where these servers were asked. @param {...string} words */
const asked = (...words) => {
  const probes = words.map(said);
  const there = words.some((one) => /turn .* answered/.test(one));
  return diagnose(facts({ probes, crossing: there ? CONNECTED : null }));
};

/** @param {ReturnType<typeof diagnose>} findings @returns {string[]} what is wrong or worth to know */
const noted = (findings) =>
  Object.values(findings).flatMap(({ tone, what }) =>
    tone === "good" ? [] : [`${tone}: ${what}`],
  );

test("where all is well, all is well", () => {
  const findings = diagnose(facts());
  assert.deepEqual(noted(findings), []);
  assert.deepEqual(Object.keys(findings), ["browser", "server", "network", "relay", "devices"]);
  assert.equal(findings.server?.advice, "There and back: 23 ms.");
  assert.equal(findings.relay?.advice, "Through it and back: 42 ms.");
  assert.equal(summary(findings).what, "Your calls will connect");
});

test("what nobody has looked at is not judged", () => {
  assert.deepEqual(diagnose({}), {});
  assert.deepEqual(Object.keys(diagnose({ browser: BROWSER, server: SERVER })), [
    "browser",
    "server",
  ]);
  const { crossing: _, ...rest } = facts();
  assert.deepEqual(Object.keys(diagnose(rest)), ["browser", "server", "network", "devices"]);
});

/** @type {[string, Facts, Check, string][]} */
const TROUBLES = [
  [
    "no WebRTC",
    { browser: { ...BROWSER, calls: false } },
    "browser",
    "This browser cannot make calls",
  ],
  [
    "an insecure origin",
    { browser: { ...BROWSER, secure: false } },
    "browser",
    "The address of this page is not secure",
  ],
  [
    "no network",
    {
      server: {
        online: false,
        there: false,
        checked: true,
        welcome: false,
        names: false,
        roundTrip: null,
      },
    },
    "server",
    "You are offline",
  ],
  [
    "a check that is not passed",
    { server: { ...SERVER, checked: false, welcome: false, roundTrip: null } },
    "server",
    "The check of this site did not let you in",
  ],
  [
    "no server",
    { server: { ...SERVER, there: false, welcome: false, names: false, roundTrip: null } },
    "server",
    "The server cannot be reached",
  ],
  [
    "no WebSocket",
    { server: { ...SERVER, welcome: false, roundTrip: null } },
    "server",
    "The server is there, but keeps no connection",
  ],
  [
    "nothing through the relay",
    { crossing: { ...TRYING, state: "failed" } },
    "relay",
    "The relay lets nothing through",
  ],
];

for (const [name, some, check, what] of TROUBLES) {
  test(`${name} is told`, () => {
    const findings = diagnose(facts(some));
    assert.equal(findings[check]?.what, what);
    assert.equal(findings[check]?.tone, "bad");
    assert.deepEqual(summary(findings), {
      tone: "bad",
      what: check === "relay" ? "Some calls will not connect" : "Your calls will not connect",
      advice: `${what}.`,
    });
  });
}

/** @type {[string[], string[]][]} what the servers said, and what is found by it */
const NETWORKS = [
  [["stun udp answered"], ["calm: This site has no relay"]],
  [["stun udp silent"], ["bad: Your network blocks UDP", "bad: This site has no relay"]],
  [[], ["calm: Your network was not tested", "calm: This site has no relay"]],
  [["stun udp silent", "turn udp answered"], []],
  // Whoever refuses has been reached.
  [["stun udp silent", "turn udp refused 401"], ["bad: The relay refused us"]],
  [["stun udp silent", "turn udp silent", "turn tcp answered"], ["calm: Your network blocks UDP"]],
  [["stun udp silent", "turn udp silent", "turn tls answered"], ["calm: Your network blocks UDP"]],
  [
    ["stun udp silent", "turn udp silent", "turn tcp silent"],
    ["bad: Your network blocks UDP", "bad: The relay cannot be reached"],
  ],
  [["stun udp answered", "turn udp silent"], ["bad: The relay cannot be reached"]],
  [["stun udp answered", "turn udp refused 401", "turn tcp answered"], []],
  [["stun udp answered", "turn udp silent", "turn tcp refused 403"], ["bad: The relay refused us"]],
  [["stun udp answered", "turn udp refused 438"], ["bad: The relay refused us"]],
  [["stun udp answered", "turn udp refused 486"], ["bad: The relay is full"]],
  [["stun udp answered", "turn tcp refused 508"], ["bad: The relay is full"]],
  [["turn tcp answered"], ["calm: Your network was not tested"]],
];

for (const [words, found] of NETWORKS) {
  test(`where ${words.join(", ") || "nobody was asked"}: ${found.join(", ") || "all is well"}`, () => {
    assert.deepEqual(noted(asked(...words)), found);
  });
}

test("without the relay the direct way is left, where the network has one", () => {
  const { what } = summary(asked("stun udp answered", "turn udp refused 401"));
  assert.equal(what, "Some calls will not connect");
  for (const words of [
    ["stun udp silent", "turn udp silent"],
    ["stun udp silent"],
    ["turn tcp refused 401"],
  ])
    assert.equal(summary(asked(...words)).what, "Your calls will not connect");
});

test("a browser that gives no candidate at all hides", () => {
  const none = { ...said("stun udp silent"), ways: [] };
  const findings = diagnose(facts({ probes: [none], crossing: null }));
  assert.equal(findings.network?.what, "Your browser hides every way to it");
});

test("without the server nobody knows whom to ask, and nothing else is blamed", () => {
  const server = { ...SERVER, there: false, welcome: false, names: false, roundTrip: null };
  const findings = diagnose(facts({ server, probes: [], crossing: null }));
  assert.deepEqual(noted(findings), [
    "bad: The server cannot be reached",
    "calm: Your network was not tested",
    "calm: The relay was not tested",
  ]);
});

test("a server that does not name any is no site without a relay", () => {
  const server = { ...SERVER, names: false };
  assert.deepEqual(noted(diagnose(facts({ server, probes: [], crossing: null }))), [
    "calm: Your network was not tested",
    "calm: The relay was not tested",
  ]);
});

test("what is lost on the way through the relay is told", () => {
  const findings = diagnose(facts({ crossing: { ...CONNECTED, loss: 15, roundTrip: 0.4 } }));
  assert.equal(
    findings.relay?.advice,
    "Through it and back: less than 1 ms. Of what was sent, 15 % did not arrive.",
  );
});

/** @type {[string, Devices, string, string][]} */
const MACHINES = [
  ["untested", DEVICES, "calm", "Camera and microphone are allowed"],
  [
    "not allowed yet",
    { ...DEVICES, permissions: { camera: "prompt", microphone: "granted" } },
    "calm",
    "Camera and microphone were not tested",
  ],
  [
    "silent on permissions",
    { ...DEVICES, permissions: { camera: null, microphone: null } },
    "calm",
    "Camera and microphone were not tested",
  ],
  [
    "denied",
    { ...DEVICES, permissions: { camera: "denied", microphone: "denied" } },
    "bad",
    "Your browser is not allowed to use the camera and microphone",
  ],
  [
    "half denied",
    { ...DEVICES, permissions: { camera: "granted", microphone: "denied" } },
    "bad",
    "Your browser is not allowed to use the microphone",
  ],
  [
    "missing",
    { ...DEVICES, count: { camera: 0, microphone: 0 } },
    "bad",
    "No camera or microphone was found",
  ],
  [
    "half missing",
    { ...DEVICES, count: { camera: 0, microphone: 2 } },
    "bad",
    "No camera was found",
  ],
  [
    "in use",
    { ...DEVICES, opened: { camera: "NotReadableError", microphone: null } },
    "bad",
    "Another program is using the camera",
  ],
  [
    "both in use",
    { ...DEVICES, opened: { camera: "NotReadableError", microphone: "NotReadableError" } },
    "bad",
    "Another program is using the camera and microphone",
  ],
  [
    "denied and missing",
    { ...DEVICES, opened: { camera: "NotFoundError", microphone: "NotAllowedError" } },
    "bad",
    "No camera was found",
  ],
  [
    "broken in a new way",
    { ...DEVICES, opened: { camera: null, microphone: "UnheardOfError" } },
    "bad",
    "The microphone did not start",
  ],
];

for (const [name, devices, tone, what] of MACHINES) {
  test(`camera and microphone ${name}: ${what}`, () => {
    const findings = diagnose(facts({ devices }));
    assert.equal(findings.devices?.what, what);
    assert.equal(findings.devices?.tone, tone);
    assert.match(findings.devices?.advice ?? "", /\b[Pp]ress Test\b.*\.$/);
    const { what: all } = summary(findings);
    assert.equal(all, tone === "bad" ? "Nobody will see or hear you" : "Your calls will connect");
  });
}

test("camera and microphone that fail in two ways are told of both", () => {
  const opened = { camera: "NotFoundError", microphone: "NotReadableError" };
  assert.deepEqual(diagnose(facts({ devices: { ...DEVICES, opened } })).devices, {
    tone: "bad",
    what: "No camera was found",
    advice: "Plug one in. Another program is using the microphone. Close it, then press Test.",
  });
});

test("without a secure origin the devices are not blamed", () => {
  const browser = { ...BROWSER, secure: false };
  const devices = { ...DEVICES, count: { camera: 0, microphone: 0 } };
  assert.equal(
    diagnose(facts({ browser, devices })).devices?.what,
    "The address of this page is not secure",
  );
});

/** @type {[string, Partial<Vitals>, string[], string][]} */
const CALLS = [
  [
    "the other side is silent",
    { heard: false, theirs: [] },
    [],
    "Nothing comes from the other side",
  ],
  ["we have no candidate", { ours: [] }, [], "Your browser hides every way to it"],
  ["the other side has none", { theirs: [] }, [], "The other side names no way to it"],
  [
    "there is a way",
    { pair: CONNECTED.pair },
    [],
    "There is a way between you, but no call over it",
  ],
  [
    "only relays may help, and there is none",
    { relayed: true, ours: [] },
    ["stun udp answered"],
    "You hide your address, and this site has no relay",
  ],
  [
    "only relays may help, and they refuse",
    { relayed: true, ours: [] },
    ["stun udp answered", "turn udp refused 401"],
    "The relay refused us",
  ],
  [
    "only relays may help, on both sides, and they are silent",
    { relayed: true, ours: [], theirs: [] },
    ["stun udp answered", "turn udp silent"],
    "The relay cannot be reached",
  ],
  ["nobody was asked", {}, [], "There is no direct way between your two networks"],
  [
    "there is no relay",
    {},
    ["stun udp answered"],
    "There is no direct way between your two networks",
  ],
  [
    "UDP is blocked",
    {},
    ["stun udp silent"],
    "Your network blocks UDP, and this site has no relay",
  ],
  ["the relay refuses", {}, ["stun udp answered", "turn udp refused 401"], "The relay refused us"],
  ["the relay is full", {}, ["turn udp refused 486"], "The relay is full"],
  ["the relay is silent", {}, ["turn udp silent"], "The relay cannot be reached"],
  ["the relay works", {}, ["turn udp answered"], "The relay did not bring you together"],
];

for (const [name, some, words, what] of CALLS) {
  test(`a call does not connect, and ${name}: ${what}`, () => {
    for (const state of /** @type {const} */ (["new", "connecting", "failed", "closed"])) {
      const { call } = diagnose({ call: { ...TRYING, ...some, state }, probes: words.map(said) });
      assert.equal(call?.what, what);
      assert.equal(call?.tone, "bad");
    }
  });
}

test("a call that goes on is told as it is", () => {
  assert.deepEqual(diagnose({ call: { ...CONNECTED, loss: 2.2 } }).call, {
    tone: "good",
    what: "You are connected through the relay",
    advice: "There and back: 42 ms. 2 % is lost.",
  });
  const direct = diagnose({
    call: {
      ...CONNECTED,
      pair: { ours: "host", theirs: "prflx", protocol: "udp", relay: null },
      roundTrip: null,
      loss: null,
    },
  });
  assert.equal(direct.call?.what, "You are connected directly");
  assert.equal(direct.call?.advice, "There and back: not known.");
});

test("whatever is found is said in whole sentences, without a word of the trade", () => {
  const all = [
    diagnose(facts()),
    ...TROUBLES.map(([, some]) => diagnose(facts(some))),
    ...NETWORKS.map(([words]) => asked(...words)),
    ...MACHINES.map(([, devices]) => diagnose(facts({ devices }))),
    ...CALLS.map(([, some, words]) =>
      diagnose({ call: { ...TRYING, ...some }, probes: words.map(said) }),
    ),
  ];
  const told = all.flatMap((findings) => [...Object.values(findings), summary(findings)]);
  assert.ok(told.length > 100);
  for (const { what, advice } of told) {
    assert.match(what, /^[A-Z].*[a-zP]$/);
    assert.match(advice, /^[A-Z].*\.$/);
    assert.doesNotMatch(
      `${what} ${advice}`,
      /undefined|null|NaN|Error|ICE|STUN|TURN|candidate|signal|!| {2}|\.\./,
    );
  }
});

test("the kind of an ICE server is read from its URL", () => {
  const kinds = Object.entries({
    "stun:stun.example": "stun udp",
    "stun:192.0.2.1:3478": "stun udp",
    "stuns:stun.example:5349": "stun tls",
    "turn:turn.example": "turn udp",
    "turn:turn.example:3478?transport=udp": "turn udp",
    "TURN:turn.example?transport=TCP": "turn tcp",
    "turn:[2001:db8::1]:3478?transport=tcp": "turn tcp",
    "turns:turn.example": "turn tls",
    "turns:turn.example:443?transport=tcp": "turn tls",
    "turns:turn.example?transport=udp": "turn udp",
  });
  for (const [url, kind] of kinds) {
    const { scheme, transport } = kindOf(url) ?? {};
    assert.equal(`${scheme} ${transport}`, kind, url);
  }
  for (const url of [
    "",
    "stun",
    "stun:",
    "http://turn.example",
    "turn:turn.example?transport=sctp",
  ])
    assert.equal(kindOf(url), null, url);
});
