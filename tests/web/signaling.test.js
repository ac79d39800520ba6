// The life of the client's connection, with a server that is played and a clock that stands still until
// it is moved.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Signaling } from "../../pages/lib/signaling.js";
import { Server, WELCOME } from "./server.js";

/** @import { TestContext } from "node:test" */

const URL_OF_MATCH = "wss://signaling.example/v1/match";
const HOUR = 3_600_000;
/** @type {import("../../pages/lib/protocol.js").ClientMessage} */
const FIND = { type: "find", mode: "video" };

/**
 * A client that has not connected yet, whose chance is always the shortest wait.
 * @param {TestContext} t
 */
function client(t) {
  const server = new Server(t);
  t.mock.method(Math, "random", () => 0);
  const signaling = new Signaling(URL_OF_MATCH);
  const heard = /** @type {string[]} */ ([]);
  signaling.on("welcome", () => heard.push("welcome"));
  signaling.on("lost", (nothing) => {
    assert.equal(nothing, null);
    heard.push("lost");
  });
  return { server, signaling, heard };
}

/** @param {TestContext} t */
function welcomed(t) {
  const parts = client(t);
  parts.signaling.connect();
  parts.server.welcome();
  parts.heard.length = 0;
  return parts;
}

test("nothing connects until it is told to, and then once, to the address it was given", (t) => {
  const { server, signaling, heard } = client(t);
  server.pass(HOUR);
  assert.deepEqual(server.sockets, []);
  signaling.connect();
  signaling.connect();
  assert.deepEqual(
    server.sockets.map(({ url }) => url),
    [URL_OF_MATCH],
  );
  server.welcome();
  signaling.connect();
  assert.equal(server.sockets.length, 1);
  assert.deepEqual(heard, ["welcome"]);
});

test("each connection names the subprotocols that hold by then, and none unless there are any", (t) => {
  const { server, signaling } = client(t);
  signaling.connect();
  assert.deepEqual(server.socket.protocols, []);
  signaling.disconnect();
  /** @type {[number, string[]][]} */
  const named = [];
  const guarded = new Signaling(URL_OF_MATCH, "", (failures) => {
    const protocols = ["echomingle", `pass.${named.length}`];
    named.push([failures, protocols]);
    return protocols;
  });
  guarded.connect();
  server.drop();
  server.pass(250);
  server.drop();
  server.pass(500);
  server.welcome();
  server.drop();
  server.pass(250);
  assert.deepEqual(
    named.map(([failures]) => failures),
    [0, 1, 2, 1],
  );
  assert.deepEqual(server.socket.protocols, ["echomingle", "pass.3"]);
});

test("while there can be no connection none is made, and it is tried again until there can", (t) => {
  const server = new Server(t);
  t.mock.method(Math, "random", () => 0);
  let may = false;
  const signaling = new Signaling(URL_OF_MATCH, "", () => (may ? [] : null));
  let lost = 0;
  signaling.on("lost", () => lost++);
  signaling.connect();
  server.pass(60_000);
  assert.deepEqual(server.sockets, []);
  assert.ok(lost > 5 && lost < 30, `${lost}`);
  may = true;
  signaling.check();
  assert.equal(server.sockets.length, 1);
  server.welcome();
  assert.equal(signaling.connected, true);
  // Whoever wants none has none.
  signaling.disconnect();
  signaling.check();
  assert.equal(server.sockets.length, 1);
});

test("a message goes to those who listen for its type, and to nobody else", (t) => {
  const { server, signaling } = welcomed(t);
  /** @type {unknown[]} */
  const heard = [];
  signaling.on("waiting", (message) => heard.push("waiting", message));
  signaling.on("peer-away", (message) => heard.push("first", message.peer));
  signaling.on("peer-away", (message) => heard.push("second", message.peer));
  signaling.on("peer-back", () => heard.push("back"));
  server.say('{"type":"peer-away","peer":"z4rq8w1tbn"}');
  assert.deepEqual(heard, ["first", "z4rq8w1tbn", "second", "z4rq8w1tbn"]);
});

test("who stops listening hears no more, and others still do", (t) => {
  const { server, signaling } = welcomed(t);
  /** @type {string[]} */
  const heard = [];
  const stop = signaling.on("waiting", () => heard.push("first"));
  signaling.on("waiting", () => heard.push("second"));
  server.say('{"type":"waiting"}');
  stop();
  stop();
  server.say('{"type":"waiting"}');
  assert.deepEqual(heard, ["first", "second", "second"]);
});

test("a listener may stop listening while it is told", (t) => {
  const { server, signaling } = welcomed(t);
  /** @type {string[]} */
  const heard = [];
  const stop = signaling.on("waiting", () => {
    heard.push("once");
    stop();
  });
  signaling.on("waiting", () => heard.push("always"));
  server.say('{"type":"waiting"}');
  server.say('{"type":"waiting"}');
  assert.deepEqual(heard, ["once", "always", "always"]);
});

test("listeners stay over a new connection", (t) => {
  const { server, heard } = welcomed(t);
  server.drop();
  server.pass(250);
  server.welcome();
  assert.deepEqual(heard, ["lost", "welcome"]);
});

test("nothing is sent before the welcome", (t) => {
  const { server, signaling } = client(t);
  assert.equal(signaling.send(FIND), false);
  signaling.connect();
  assert.equal(signaling.connected, false);
  assert.equal(signaling.send(FIND), false);
  server.accept();
  assert.equal(signaling.connected, false);
  assert.equal(signaling.send(FIND), false);
  server.say(WELCOME);
  assert.deepEqual(server.socket.received, []);
});

test("no other message stands in for the welcome", (t) => {
  const { server, signaling } = client(t);
  signaling.connect();
  server.accept();
  server.say('{"type":"waiting"}');
  server.say("pong");
  assert.equal(signaling.connected, false);
  assert.equal(signaling.send(FIND), false);
  assert.deepEqual(server.socket.received, []);
});

test("after the welcome a message is one frame of JSON", (t) => {
  const { server, signaling } = welcomed(t);
  assert.equal(signaling.connected, true);
  assert.equal(signaling.send(FIND), true);
  assert.deepEqual(server.socket.received, ['{"type":"find","mode":"video"}']);
});

test("a listener of the welcome can send", (t) => {
  const { server, signaling } = client(t);
  signaling.on("welcome", () => assert.equal(signaling.send(FIND), true));
  signaling.connect();
  server.welcome();
  assert.deepEqual(server.socket.received, ['{"type":"find","mode":"video"}']);
});

test("what is sent while the connection is lost is refused, and the next one gets nothing of it", (t) => {
  const { server, signaling, heard } = welcomed(t);
  signaling.on("lost", () => assert.equal(signaling.send(FIND), false));
  server.drop();
  assert.equal(signaling.connected, false);
  assert.equal(signaling.send(FIND), false);
  server.pass(250);
  assert.equal(server.sockets.length, 2);
  assert.equal(signaling.send(FIND), false);
  server.accept();
  assert.equal(signaling.send(FIND), false);
  server.say(WELCOME);
  server.pass(24_999);
  assert.deepEqual(heard, ["lost", "welcome"]);
  assert.deepEqual(
    server.sockets.map(({ received }) => received),
    [[], []],
  );
  assert.equal(signaling.send({ type: "leave" }), true);
  assert.deepEqual(server.socket.received, ['{"type":"leave"}']);
});

test("what is sent into a connection that is going down is not said to be sent", (t) => {
  const { server, signaling } = welcomed(t);
  server.failing();
  assert.equal(signaling.send(FIND), false);
  assert.deepEqual(server.socket.received, []);
});

test("a lost connection is made anew, each time after a longer wait", (t) => {
  const { server, signaling, heard } = client(t);
  signaling.connect();
  const waits = [250, 375, 563, 844, 1_266, 1_899, 2_848, 4_272, 6_408, 7_500, 7_500];
  for (const [failures, wait] of waits.entries()) {
    server.drop();
    assert.equal(heard.length, failures + 1);
    server.pass(wait - 1);
    assert.equal(server.sockets.length, failures + 1, `sooner than ${wait} ms`);
    server.pass(1);
    assert.equal(server.sockets.length, failures + 2, `not after ${wait} ms`);
  }
  assert.deepEqual(
    heard,
    waits.map(() => "lost"),
  );
});

test("a welcome makes the waits short again, an open socket alone does not", (t) => {
  const { server, signaling } = client(t);
  signaling.connect();
  for (const wait of [250, 375, 563]) {
    server.accept();
    server.drop();
    server.pass(wait);
  }
  assert.equal(server.sockets.length, 4);
  server.welcome();
  server.drop();
  server.pass(249);
  assert.equal(server.sockets.length, 4);
  server.pass(1);
  assert.equal(server.sockets.length, 5);
});

test("chance lengthens the wait", (t) => {
  const { server } = welcomed(t);
  t.mock.method(Math, "random", () => 0.5);
  server.drop();
  server.pass(374);
  assert.equal(server.sockets.length, 1);
  server.pass(1);
  assert.equal(server.sockets.length, 2);
});

test("a server that does not welcome within ten seconds counts as lost", (t) => {
  const { server, signaling, heard } = client(t);
  signaling.connect();
  server.pass(9_999);
  assert.deepEqual(heard, []);
  server.pass(1);
  assert.deepEqual(heard, ["lost"]);
  assert.equal(server.socket.readyState, WebSocket.CLOSING);
  server.pass(250);
  assert.equal(server.sockets.length, 2);
  server.accept();
  server.pass(10_000);
  assert.deepEqual(heard, ["lost", "lost"]);
});

test("a connection that is silent for 25 seconds is asked whether it lives", (t) => {
  const { server } = welcomed(t);
  server.pass(24_999);
  assert.deepEqual(server.socket.received, []);
  server.pass(1);
  assert.deepEqual(server.socket.received, ["ping"]);
});

test("a connection on which much is heard is asked all the same, for the server's sake", (t) => {
  const { server, heard } = welcomed(t);
  server.pass(75_000, () => server.say('{"type":"waiting"}'));
  assert.deepEqual(server.socket.received, ["ping", "ping", "ping"]);
  assert.deepEqual(heard, []);
});

test("a pong within ten seconds keeps the connection, hour after hour", (t) => {
  const { server, heard } = welcomed(t);
  for (let rounds = 1; rounds <= 144; rounds++) {
    server.pass(25_000);
    assert.equal(server.socket.received.length, rounds);
    server.pass(9_999);
    server.say("pong");
  }
  assert.deepEqual(new Set(server.socket.received), new Set(["ping"]));
  assert.deepEqual(heard, []);
  assert.equal(server.sockets.length, 1);
});

test("any message is as good an answer as a pong", (t) => {
  const { server, heard } = welcomed(t);
  server.pass(25_000);
  server.pass(9_999);
  server.say('{"type":"waiting"}');
  server.pass(24_999);
  assert.deepEqual(server.socket.received, ["ping"]);
  assert.deepEqual(heard, []);
});

test("a connection that does not answer within ten seconds counts as lost", (t) => {
  const { server, signaling, heard } = welcomed(t);
  server.pass(25_000);
  server.pass(9_999);
  assert.deepEqual(heard, []);
  assert.equal(signaling.connected, true);
  server.pass(1);
  assert.deepEqual(heard, ["lost"]);
  assert.equal(signaling.connected, false);
  assert.equal(server.socket.readyState, WebSocket.CLOSING);
  server.pass(250);
  assert.equal(server.sockets.length, 2);
});

test("what a given-up connection still says or does is nothing to the new one", (t) => {
  const { server, signaling, heard } = welcomed(t);
  signaling.on("waiting", () => heard.push("waiting"));
  const [old] = server.sockets;
  server.pass(35_000);
  server.pass(250);
  server.welcome();
  heard.length = 0;
  server.say('{"type":"waiting"}', old);
  server.drop(old);
  server.pass(24_999);
  assert.deepEqual(heard, []);
  assert.equal(signaling.connected, true);
  assert.equal(server.sockets.length, 2);
});

test("connecting while the next attempt is waited for tries at once, and once", (t) => {
  const { server, signaling, heard } = client(t);
  signaling.connect();
  for (const wait of [250, 375, 563, 844, 1_266]) {
    server.drop();
    server.pass(wait);
  }
  server.drop();
  assert.equal(server.sockets.length, 6);
  signaling.connect();
  signaling.connect();
  assert.equal(server.sockets.length, 7);
  server.welcome();
  server.pass(24_999);
  assert.equal(server.sockets.length, 7);
  assert.equal(signaling.connected, true);
  assert.deepEqual(heard, [...Array(6).fill("lost"), "welcome"]);
});

for (const [when, reach] of /** @type {[string, (server: Server) => void][]} */ ([
  ["while it connects", () => {}],
  ["while the welcome is waited for", (server) => server.accept()],
  ["while it is connected", (server) => server.welcome()],
  [
    "while a pong is waited for",
    (server) => {
      server.welcome();
      server.pass(25_000);
    },
  ],
  [
    "while the next attempt is waited for",
    (server) => {
      server.welcome();
      server.drop();
    },
  ],
])) {
  test(`disconnecting ${when} stops it for good`, (t) => {
    const { server, signaling, heard } = client(t);
    signaling.connect();
    reach(server);
    heard.length = 0;
    const { received } = server.socket;
    const before = received.length;
    signaling.disconnect();
    assert.equal(signaling.connected, false);
    assert.equal(signaling.send(FIND), false);
    assert.ok(server.socket.readyState >= WebSocket.CLOSING, "the socket is left open");
    server.drop();
    signaling.disconnect();
    server.pass(HOUR);
    assert.equal(server.sockets.length, 1);
    assert.equal(received.length, before);
    assert.deepEqual(heard, []);
  });
}

test("after a disconnect one can connect again, and nothing of before is left", (t) => {
  const { server, signaling, heard } = welcomed(t);
  signaling.disconnect();
  signaling.connect();
  assert.equal(server.sockets.length, 2);
  assert.equal(signaling.send(FIND), false);
  server.drop(server.sockets[0]);
  server.welcome();
  server.pass(25_000);
  assert.deepEqual(heard, ["welcome"]);
  assert.deepEqual(
    server.sockets.map(({ received }) => received),
    [[], ["ping"]],
  );
});

// Listeners that do more than listen

test("a listener that throws is seen, and costs neither the connection nor the next message", (t) => {
  const { server, signaling, heard } = welcomed(t);
  const stop = signaling.on("waiting", () => {
    throw new Error("the page is broken");
  });
  assert.throws(() => server.say('{"type":"waiting"}'), /the page is broken/);
  stop();
  signaling.on("waiting", () => heard.push("waiting"));
  server.say('{"type":"waiting"}');
  server.pass(25_000);
  assert.deepEqual(heard, ["waiting"]);
  assert.deepEqual(server.socket.received, ["ping"]);
});

test("a listener of the welcome that throws leaves a connection that can be used", (t) => {
  const { server, signaling } = client(t);
  signaling.on("welcome", () => {
    throw new Error("the page is broken");
  });
  signaling.connect();
  assert.throws(() => server.welcome(), /the page is broken/);
  assert.equal(signaling.send(FIND), true);
  assert.equal(server.socket.received.length, 1);
});

test("a listener that throws when the connection is lost does not keep it lost", (t) => {
  const { server, signaling } = welcomed(t);
  signaling.on("lost", () => {
    throw new Error("the page is broken");
  });
  assert.throws(() => server.drop(), /the page is broken/);
  server.pass(250);
  assert.equal(server.sockets.length, 2);
});

test("a listener that connects as soon as the connection is lost makes one connection", (t) => {
  const { server, signaling, heard } = welcomed(t);
  const stop = signaling.on("lost", () => signaling.connect());
  server.drop();
  stop();
  assert.equal(server.sockets.length, 2);
  server.welcome();
  server.pass(24_999);
  assert.equal(server.sockets.length, 2);
  assert.deepEqual(heard, ["lost", "welcome"]);
});

test("a listener that disconnects when the connection is lost stops it for good", (t) => {
  const { server, signaling } = welcomed(t);
  signaling.on("lost", () => signaling.disconnect());
  server.drop();
  server.pass(HOUR);
  assert.equal(server.sockets.length, 1);
});

test("a listener that disconnects when it hears a message hears no more", (t) => {
  const { server, signaling, heard } = welcomed(t);
  signaling.on("waiting", () => {
    heard.push("waiting");
    signaling.disconnect();
  });
  server.say('{"type":"waiting"}');
  server.say('{"type":"waiting"}');
  server.pass(HOUR);
  assert.deepEqual(heard, ["waiting"]);
  assert.deepEqual(server.socket.received, []);
  assert.equal(server.sockets.length, 1);
});
