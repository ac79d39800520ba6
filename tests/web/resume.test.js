// How the client takes its seat again: with the token it was given last, on a socket that is welcomed as
// anybody's before.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Signaling } from "../../pages/lib/signaling.js";
import { Server } from "./server.js";

/** @import { TestContext } from "node:test" */

const URL_OF_MATCH = "wss://signaling.example/v1/match";

/** @param {string} id @param {string} [resume] @param {unknown[]} [peers] */
const welcome = (id, resume, peers = []) =>
  JSON.stringify({ type: "welcome", id, resume, graceMs: 15_000, version: 1, peers });
const REFUSED = '{"type":"error","code":"bad-token","message":"This call cannot be resumed."}';
const resume = (/** @type {string} */ token) => JSON.stringify({ type: "resume", token });

/**
 * A client with what it is told, and the doors by which the page wakes it.
 * @param {TestContext} t
 * @param {string} [token]
 */
function client(t, token) {
  const server = new Server(t);
  t.mock.method(Math, "random", () => 0);
  const page = new EventTarget();
  const scope = /** @type {any} */ (globalThis);
  scope.addEventListener = page.addEventListener.bind(page);
  t.after(() => delete scope.addEventListener);
  const signaling = new Signaling(URL_OF_MATCH, token);
  const heard = /** @type {unknown[]} */ ([]);
  signaling.on("welcome", ({ id }) => heard.push(["welcome", id]));
  signaling.on("resumed", ({ id, peers }) => heard.push(["resumed", id, peers.length]));
  signaling.on("lost", () => heard.push("lost"));
  signaling.on("error", ({ code }) => heard.push(code));
  const happens = (/** @type {string} */ event) => page.dispatchEvent(new Event(event));
  return { server, signaling, heard, happens };
}

/** One that is welcomed with a token, and has lost its socket. @param {TestContext} t */
function lost(t) {
  const parts = client(t);
  const { server, signaling, heard } = parts;
  signaling.connect();
  server.accept();
  server.say(welcome("ana", "first"));
  server.drop();
  heard.length = 0;
  return parts;
}

test("the first socket of a page asks for no seat", (t) => {
  const { server, signaling } = client(t);
  signaling.connect();
  server.accept();
  assert.deepEqual(server.socket.received, []);
});

test("the next one asks for the seat at once, and the page hears of it when it has it", (t) => {
  const { server, signaling, heard } = lost(t);
  server.pass(250);
  server.accept();
  assert.deepEqual(server.socket.received, [resume("first")]);
  server.say(welcome("somebody", "not this"));
  assert.deepEqual(heard, []);
  assert.equal(signaling.connected, false);
  assert.equal(signaling.send({ type: "leave" }), false);
  server.say(welcome("ana", "second", [{ id: "ben", role: "offerer" }]));
  assert.deepEqual(heard, [["resumed", "ana", 1]]);
  assert.equal(signaling.connected, true);
  assert.equal(signaling.token, "second");
});

test("a seat that is gone is told as any new one, and the refusal to nobody", (t) => {
  const { server, signaling, heard } = lost(t);
  server.pass(250);
  server.accept();
  server.say(welcome("cem", "third"));
  server.say(REFUSED);
  assert.deepEqual(heard, [["welcome", "cem"]]);
  assert.equal(signaling.connected, true);
  assert.equal(signaling.token, "third");
});

test("the token is the latest that any message had", (t) => {
  const { server, signaling } = client(t);
  signaling.connect();
  server.accept();
  server.say(welcome("ana", "first"));
  server.say(
    JSON.stringify({ type: "peer-joined", peer: { id: "ben", role: "offerer" }, resume: "call" }),
  );
  assert.equal(signaling.token, "call");
  server.say('{"type":"waiting"}');
  server.drop();
  server.pass(250);
  server.accept();
  assert.deepEqual(server.socket.received, [resume("call")]);
});

test("a socket that is lost before the answer leaves the token as it was", (t) => {
  const { server } = lost(t);
  for (const wait of [250, 375]) {
    server.pass(wait);
    server.accept();
    server.say(welcome("somebody", "not this"));
    assert.deepEqual(server.socket.received, [resume("first")]);
    server.drop();
  }
});

test("a server that never answers the question counts as lost", (t) => {
  const { server, heard } = lost(t);
  server.pass(250);
  server.accept();
  server.pass(5_000);
  server.say(welcome("somebody", "not this"));
  server.pass(9_999);
  assert.deepEqual(heard, []);
  server.pass(1);
  assert.deepEqual(heard, ["lost"]);
});

test("a page begins with the seat of the page before", (t) => {
  const { server, signaling, heard } = client(t, "kept");
  signaling.connect();
  server.accept();
  assert.deepEqual(server.socket.received, [resume("kept")]);
  server.say(welcome("somebody", "not this"));
  server.say(welcome("ana", "next", [{ id: "ben", role: "answerer" }]));
  assert.deepEqual(heard, [["resumed", "ana", 1]]);
});

test("a server that gives no token is asked for nothing", (t) => {
  const { server, signaling } = client(t);
  signaling.connect();
  server.accept();
  server.say(welcome("ana"));
  server.drop();
  server.pass(250);
  server.accept();
  assert.deepEqual(server.socket.received, []);
});

test("who disconnects gives the seat up", (t) => {
  const { server, signaling } = lost(t);
  signaling.disconnect();
  signaling.connect();
  server.accept();
  assert.deepEqual(server.socket.received, []);
});

test("whoever asks whether somebody is still there is answered at once", (t) => {
  const { server, signaling } = client(t);
  signaling.connect();
  server.accept();
  server.say(welcome("ana", "first"));
  server.say('{"type":"still-there"}');
  assert.deepEqual(server.socket.received, ["ping"]);
});

test("a page that is shown again asks whether its connection lives, and it is lost after three seconds of silence", (t) => {
  const { server, signaling, heard, happens } = client(t);
  signaling.connect();
  happens("pageshow");
  server.accept();
  server.say(welcome("ana", "first"));
  heard.length = 0;
  happens("pageshow");
  happens("pageshow");
  assert.deepEqual(server.socket.received, ["ping"]);
  server.pass(2_999);
  assert.deepEqual(heard, []);
  server.pass(1);
  assert.deepEqual(heard, ["lost"]);
});

test("in another network the connection is made anew, whatever the one before says", (t) => {
  const { server, signaling, heard, happens } = client(t);
  signaling.connect();
  server.accept();
  server.say(welcome("ana", "first"));
  heard.length = 0;
  happens("online");
  const [before] = server.sockets;
  assert.equal(before?.readyState, WebSocket.CLOSING);
  assert.equal(signaling.connected, false);
  server.accept();
  assert.deepEqual(server.socket.received, [resume("first")]);
  server.say(welcome("somebody", "not this"));
  server.say(welcome("ana", "second"));
  assert.deepEqual(heard, ["lost", ["resumed", "ana", 0]]);
});

for (const event of ["online", "pageshow"]) {
  test(`at "${event}" a lost connection is made anew at once`, (t) => {
    const { server, happens } = lost(t);
    assert.equal(server.sockets.length, 1);
    happens(event);
    assert.equal(server.sockets.length, 2);
  });

  test(`at "${event}" nobody connects who does not want to`, (t) => {
    const { server, signaling, happens } = client(t);
    happens(event);
    signaling.connect();
    signaling.disconnect();
    happens(event);
    assert.equal(server.sockets.length, 1);
  });
}
