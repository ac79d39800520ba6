// The client against the same messages that the server is tested with.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, Signaling } from "../../pages/lib/signaling.js";
import { fixtures } from "./fixtures.js";
import { Server } from "./server.js";

/** @import { ClientMessage } from "../../pages/lib/protocol.js" */
/** @import { Events } from "../../pages/lib/signaling.js" */

/** Every event there is: one that is left out does not pass the type check. */
const EVENTS = Object.keys(
  /** @satisfies {Record<keyof Events, true>} */ ({
    welcome: true,
    waiting: true,
    room: true,
    "asked-to-mute": true,
    "peer-joined": true,
    "peer-away": true,
    "peer-back": true,
    "peer-left": true,
    signal: true,
    "still-there": true,
    redirect: true,
    error: true,
    lost: true,
    resumed: true,
    moved: true,
  }),
).map((type) => /** @type {keyof Events} */ (type));

/** Every type of client message, in the same way. */
const CLIENT_TYPES = Object.keys(
  /** @satisfies {Record<ClientMessage["type"], true>} */ ({
    find: true,
    offer: true,
    join: true,
    lock: true,
    "ask-to-mute": true,
    remove: true,
    missing: true,
    signal: true,
    leave: true,
    away: true,
    resume: true,
  }),
);

/**
 * A client that was welcomed, and all that it tells from then on.
 * @param {import("node:test").TestContext} t
 */
function connected(t) {
  const server = new Server(t);
  const signaling = new Signaling("wss://signaling.example/v1/match");
  signaling.connect();
  server.welcome();
  /** @type {[type: string, event: unknown][]} */
  const heard = [];
  for (const type of EVENTS) signaling.on(type, (event) => heard.push([type, event]));
  return { server, signaling, heard };
}

const said = fixtures("server/accept");
const types = new Set(said.map(({ frame }) => JSON.parse(frame).type));

for (const { name, frame } of said) {
  test(`the client hears: ${name}`, (t) => {
    const { server, heard } = connected(t);
    const message = JSON.parse(frame);
    assert.deepEqual(decode(frame), message);
    server.say(frame);
    // Whether it lives is a question to the client, which answers it and tells nobody.
    const asked = message.type === "still-there";
    assert.deepEqual(heard, asked ? [] : [[message.type, message]]);
    assert.deepEqual(server.socket.received, asked ? ["ping"] : []);
  });
}

test("the client hears every type of message that there is", () => {
  assert.deepEqual([...types, "lost", "resumed", "moved"].sort(), EVENTS.toSorted());
});

for (const { name, frame } of fixtures("server/ignore")) {
  test(`the client ignores: ${name}`, (t) => {
    const { server, signaling, heard } = connected(t);
    const message = decode(frame);
    if (message !== null) {
      assert.equal(typeof message.type, "string");
      assert.ok(!types.has(message.type), `${message.type} is a type of the server`);
    }
    server.say(frame);
    assert.deepEqual(heard, []);
    // Whatever it was, the connection is as good as before.
    server.say('{"type":"waiting"}');
    assert.deepEqual(heard, [["waiting", { type: "waiting" }]]);
    assert.equal(signaling.send({ type: "leave" }), true);
    assert.deepEqual(server.socket.received, ['{"type":"leave"}']);
    assert.equal(server.sockets.length, 1);
  });
}

const sayable = fixtures("client/accept");

for (const { name, frame } of sayable) {
  test(`the client says: ${name}`, (t) => {
    const { server, signaling, heard } = connected(t);
    const message = JSON.parse(frame);
    assert.equal(signaling.send(message), true);
    assert.deepEqual(
      server.socket.received.map((sent) => JSON.parse(String(sent))),
      [message],
    );
    assert.deepEqual(heard, []);
  });
}

test("the client says every type of message that there is", () => {
  const shown = new Set(sayable.map(({ frame }) => JSON.parse(frame).type));
  assert.deepEqual([...shown].sort(), CLIENT_TYPES.toSorted());
});

for (const [what, frame] of /** @type {const} */ ([
  ["bytes", new TextEncoder().encode('{"type":"waiting"}').buffer],
  ["a blob", new Blob(['{"type":"waiting"}'])],
  ["an object", { type: "waiting" }],
  ["nothing", undefined],
])) {
  test(`the client ignores what is not text: ${what}`, (t) => {
    const { server, heard } = connected(t);
    assert.equal(decode(frame), null);
    server.say(frame);
    assert.deepEqual(heard, []);
  });
}
