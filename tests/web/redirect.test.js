// How the client goes where the server sends it, with its seat or with its place in the queue, and how it
// finds the lobby of its seat by itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Signaling } from "../../pages/lib/signaling.js";
import { Server } from "./server.js";

/** @import { TestContext } from "node:test" */

const HOST = "wss://signaling.example";
const URL_OF_MATCH = `${HOST}/v1/match`;
const HERE = `${URL_OF_MATCH}/weur/2`;
const THERE = `${URL_OF_MATCH}/global`;
const HOUR = 3_600_000;

/** @param {string} id @param {string} [resume] */
const welcome = (id, resume) =>
  JSON.stringify({ type: "welcome", id, resume, graceMs: 15_000, version: 1, peers: [] });
const REFUSED = '{"type":"error","code":"bad-token","message":"This call cannot be resumed."}';
const resume = (/** @type {string} */ token) => JSON.stringify({ type: "resume", token });
/** @param {unknown} url @param {string} [token] */
const redirect = (url, token) => JSON.stringify({ type: "redirect", url, resume: token });

/**
 * A client with what it is told, in order.
 * @param {TestContext} t
 * @param {string} [token]
 * @param {string | URL} [url]
 */
function client(t, token, url = URL_OF_MATCH) {
  const server = new Server(t);
  t.mock.method(Math, "random", () => 0);
  const signaling = new Signaling(url, token);
  const heard = /** @type {unknown[]} */ ([]);
  for (const event of /** @type {const} */ (["welcome", "resumed", "moved"])) {
    signaling.on(event, ({ id }) => heard.push([event, id]));
  }
  for (const event of /** @type {const} */ (["lost", "redirect", "waiting"])) {
    signaling.on(event, () => heard.push(event));
  }
  signaling.on("error", ({ code }) => heard.push(code));
  const opened = () => server.sockets.map((socket) => socket.url);
  return { server, signaling, heard, opened };
}

/**
 * One that is welcomed in a lobby, where it may wait.
 * @param {TestContext} t
 * @param {string} [token]
 */
function welcomed(t, token = "weur/2.seat") {
  const parts = client(t);
  parts.signaling.connect();
  parts.server.accept();
  parts.server.say(welcome("ana", token));
  parts.heard.length = 0;
  return parts;
}

/** One that was sent to another lobby, with a token, and has not got there. @param {TestContext} t */
function sent(t) {
  const parts = welcomed(t);
  parts.server.say(redirect(THERE, "global.queue"));
  parts.heard.length = 0;
  return parts;
}

/** The newest socket asks for a seat, and the server gives it. @param {Server} server */
function answer(server) {
  server.accept();
  server.say(welcome("somebody", "global.other"));
  server.say(welcome("ana", "global.seat"));
}

// The lobby of a seat

for (const [token, address] of [
  ["weur/2.AgGx", `${URL_OF_MATCH}/weur/2`],
  ["weur.AgGx", `${URL_OF_MATCH}/weur`],
  ["global.AgGy.z", `${URL_OF_MATCH}/global`],
  ["AgGx", URL_OF_MATCH],
  ["", URL_OF_MATCH],
  [".AgGx", URL_OF_MATCH],
  ["WEUR.AgGx", URL_OF_MATCH],
  ["weur/.AgGx", URL_OF_MATCH],
  ["weur/2", URL_OF_MATCH],
  ["weur/2/3.AgGx", URL_OF_MATCH],
  ["weur/x.AgGx", URL_OF_MATCH],
  ["2.AgGx", URL_OF_MATCH],
  ["/2.AgGx", URL_OF_MATCH],
  ["../rooms/ours.AgGx", URL_OF_MATCH],
  ["//elsewhere.example", URL_OF_MATCH],
]) {
  test(`the token "${token}" is brought to ${address}`, (t) => {
    const { server, signaling, opened } = client(t, token);
    signaling.connect();
    assert.deepEqual(opened(), [address]);
    server.accept();
    assert.deepEqual(server.socket.received, token ? [resume(String(token))] : []);
  });
}

test("the lobby is looked for under the address that was given, whatever belongs to that", (t) => {
  const { signaling, opened } = client(
    t,
    "weur/2.seat",
    new URL("ws://localhost:8787/v1/match?a=b"),
  );
  signaling.connect();
  assert.deepEqual(opened(), ["ws://localhost:8787/v1/match/weur/2?a=b"]);
  assert.equal(String(signaling.url), "ws://localhost:8787/v1/match?a=b");
});

test("a lost socket is followed by one to the lobby of the seat", (t) => {
  const { server, heard, opened } = welcomed(t);
  server.drop();
  server.pass(250);
  assert.deepEqual(opened(), [URL_OF_MATCH, HERE]);
  answer(server);
  assert.deepEqual(heard, ["lost", ["resumed", "ana"]]);
  server.drop();
  server.pass(250);
  assert.equal(server.socket.url, THERE);
});

test("a lobby that cannot be reached is asked for at the first door from the second failure on", (t) => {
  const { server, signaling, opened } = client(t, "weur/2.seat");
  signaling.connect();
  for (const wait of [250, 375, 563]) {
    server.drop();
    server.pass(wait);
  }
  assert.deepEqual(opened(), [HERE, HERE, URL_OF_MATCH, URL_OF_MATCH]);
  server.accept();
  assert.deepEqual(server.socket.received, [resume("weur/2.seat")]);
});

test("after a welcome the lobby is gone to directly again", (t) => {
  const { server, signaling } = client(t, "weur/2.seat");
  signaling.connect();
  for (const wait of [250, 375]) {
    server.drop();
    server.pass(wait);
  }
  assert.equal(server.socket.url, URL_OF_MATCH);
  answer(server);
  server.drop();
  server.pass(250);
  assert.equal(server.socket.url, THERE);
});

test("who disconnects has no lobby any more", (t) => {
  const { signaling, opened } = welcomed(t);
  signaling.disconnect();
  signaling.connect();
  assert.deepEqual(opened(), [URL_OF_MATCH, URL_OF_MATCH]);
});

// A redirect

test("who waits goes where it is sent, with the token it is given, and its search goes on there", (t) => {
  const { server, signaling, heard, opened } = welcomed(t);
  const [before] = server.sockets;
  server.say(redirect(THERE, "global.queue"));
  assert.equal(before?.readyState, WebSocket.CLOSING);
  assert.deepEqual(opened(), [URL_OF_MATCH, THERE]);
  assert.equal(signaling.token, "global.queue");
  assert.equal(signaling.connected, false);
  assert.equal(signaling.moving, true);
  assert.equal(signaling.send({ type: "leave" }), false);
  server.accept();
  assert.deepEqual(server.socket.received, [resume("global.queue")]);
  server.say(welcome("somebody", "global.other"));
  assert.deepEqual(heard, ["redirect"]);
  assert.equal(signaling.connected, false);
  server.say(welcome("ana", "global.seat"));
  server.say('{"type":"waiting"}');
  assert.deepEqual(heard, ["redirect", ["moved", "ana"], "waiting"]);
  assert.equal(signaling.token, "global.seat");
  assert.equal(signaling.connected, true);
  assert.equal(signaling.moving, false);
  assert.deepEqual(before?.received, []);
});

test("a listener of a redirect has it as it was said, on the way", (t) => {
  const { server, signaling } = welcomed(t);
  /** @type {unknown[]} */
  const told = [];
  signaling.on("redirect", (message) => told.push(message, signaling.connected, signaling.moving));
  server.say(redirect("/v1/match/global", "global.queue"));
  const message = { type: "redirect", url: "/v1/match/global", resume: "global.queue" };
  assert.deepEqual(told, [message, false, true]);
});

for (const [url, address] of [
  ["/v1/match/weur/3", `${URL_OF_MATCH}/weur/3`],
  ["3", `${URL_OF_MATCH}/weur/3`],
  ["../global", THERE],
  ["//signaling.example/v1/match/global", THERE],
  ["wss://signaling.example:443/v1/match/global", THERE],
]) {
  test(`at ${HERE} the address ${url} is ${address}`, (t) => {
    const { server, signaling, opened } = client(t, "weur/2.seat");
    signaling.connect();
    server.accept();
    server.say(redirect(url));
    assert.deepEqual(opened(), [HERE, address]);
  });
}

for (const url of [
  "wss://elsewhere.example/v1/match/global",
  "//elsewhere.example/v1/match/global",
  "wss://signaling.example:8443/v1/match/global",
  "ws://signaling.example/v1/match/global",
  "https://signaling.example/v1/match/global",
  "javascript:alert(1)",
  "wss://",
]) {
  test(`nobody follows to ${url}, and all is as before`, (t) => {
    const { server, signaling, heard } = welcomed(t);
    server.say(redirect(url, "global.queue"));
    assert.equal(server.sockets.length, 1);
    assert.equal(signaling.token, "weur/2.seat");
    assert.equal(signaling.send({ type: "leave" }), true);
    server.say('{"type":"waiting"}');
    assert.deepEqual(heard, ["waiting"]);
  });
}

test("whoever knocks at the wrong door with its seat is sent to the right one, and resumes there", (t) => {
  const { server, signaling, heard, opened } = client(t, "weur/2.seat");
  signaling.connect();
  server.accept();
  server.say(welcome("somebody", "weur/2.other"));
  server.say(redirect("/v1/match/global"));
  assert.deepEqual(opened(), [HERE, THERE]);
  answer(server);
  assert.deepEqual(server.socket.received, [resume("weur/2.seat")]);
  assert.deepEqual(heard, ["redirect", ["resumed", "ana"]]);
});

test("whose place in the queue is elsewhere by now is sent after it", (t) => {
  const { server, heard } = welcomed(t);
  server.drop();
  server.pass(250);
  server.accept();
  server.say(welcome("somebody", "weur/2.other"));
  server.say(redirect(THERE, "global.queue"));
  answer(server);
  assert.deepEqual(server.socket.received, [resume("global.queue")]);
  assert.deepEqual(heard, ["lost", "redirect", ["moved", "ana"]]);
});

test("who is sent away without any token is welcomed elsewhere as anybody is", (t) => {
  const { server, signaling, heard, opened } = client(t);
  signaling.connect();
  server.accept();
  server.say(redirect(THERE));
  assert.deepEqual(opened(), [URL_OF_MATCH, THERE]);
  server.accept();
  assert.deepEqual(server.socket.received, []);
  server.say(welcome("ana", "global.seat"));
  assert.deepEqual(heard, ["redirect", ["welcome", "ana"]]);
});

test("a search that is refused where it was sent is told as any new seat", (t) => {
  const { server, signaling, heard } = sent(t);
  server.accept();
  server.say(welcome("cem", "global.new"));
  server.say(REFUSED);
  assert.deepEqual(heard, [["welcome", "cem"]]);
  assert.equal(signaling.token, "global.new");
  server.drop();
  server.pass(250);
  answer(server);
  assert.deepEqual(heard.slice(1), ["lost", ["resumed", "ana"]]);
});

test("who is sent on from where it was sent to has moved all the same", (t) => {
  const { server, heard, opened } = sent(t);
  server.accept();
  server.say(welcome("somebody", "global.other"));
  server.say(redirect("/v1/match/weur/7"));
  answer(server);
  assert.deepEqual(server.socket.received, [resume("global.queue")]);
  assert.deepEqual(opened().slice(1), [THERE, `${URL_OF_MATCH}/weur/7`]);
  assert.deepEqual(heard, ["redirect", ["moved", "ana"]]);
});

// On the way

test("a socket that is lost on the way is made anew to the same lobby, and the search goes on there", (t) => {
  const { server, signaling, heard, opened } = sent(t);
  server.drop();
  assert.deepEqual(heard, ["lost"]);
  assert.equal(signaling.moving, false);
  server.pass(249);
  assert.equal(server.sockets.length, 2);
  server.pass(1);
  assert.deepEqual(opened().slice(1), [THERE, THERE]);
  answer(server);
  assert.deepEqual(server.socket.received, [resume("global.queue")]);
  assert.deepEqual(heard, ["lost", ["moved", "ana"]]);
});

test("a search has moved, too, whose lobby is found by the first door", (t) => {
  const { server, heard, opened } = sent(t);
  server.drop();
  server.pass(250);
  server.accept();
  server.say(welcome("somebody", "global.other"));
  server.drop();
  server.pass(375);
  server.accept();
  server.say(redirect("/v1/match/global"));
  answer(server);
  assert.deepEqual(opened().slice(1), [THERE, THERE, URL_OF_MATCH, THERE]);
  assert.deepEqual(heard, ["lost", "lost", "redirect", ["moved", "ana"]]);
});

for (const [whether, token] of [
  ["with a new token", "global.seat"],
  ["without one", undefined],
]) {
  test(`who has moved, and was welcomed ${whether}, resumes as anybody when its socket is lost`, (t) => {
    const { server, heard } = sent(t);
    server.accept();
    server.say(welcome("somebody"));
    server.say(welcome("ana", token));
    server.drop();
    server.pass(250);
    assert.equal(server.socket.url, THERE);
    answer(server);
    assert.deepEqual(heard, [["moved", "ana"], "lost", ["resumed", "ana"]]);
  });
}

test("a lobby that does not answer whom it is sent within ten seconds counts as lost", (t) => {
  const { server, heard } = sent(t);
  server.accept();
  server.pass(9_999);
  assert.deepEqual(heard, []);
  server.pass(1);
  assert.deepEqual(heard, ["lost"]);
});

test("a redirect is no failure, and makes none good", (t) => {
  const server = new Server(t);
  t.mock.method(Math, "random", () => 0);
  /** @type {number[]} */
  const failures = [];
  const signaling = new Signaling(URL_OF_MATCH, "", (before) => {
    failures.push(before);
    return [];
  });
  signaling.connect();
  server.drop();
  server.pass(250);
  server.accept();
  server.say(redirect(THERE));
  server.drop();
  server.pass(375);
  assert.deepEqual(failures, [0, 1, 1, 2]);
});

test("where there can be no connection by then, it is lost, and nobody is told of another", (t) => {
  const server = new Server(t);
  let may = true;
  const signaling = new Signaling(URL_OF_MATCH, "", () => (may ? [] : null));
  /** @type {string[]} */
  const heard = [];
  for (const event of /** @type {const} */ (["lost", "redirect"])) {
    signaling.on(event, () => heard.push(event));
  }
  signaling.connect();
  server.accept();
  may = false;
  server.say(redirect(THERE));
  assert.deepEqual(heard, ["lost"]);
  assert.equal(signaling.moving, false);
});

test("connecting and asking on the way makes no other socket", (t) => {
  const { server, signaling } = sent(t);
  signaling.connect();
  signaling.check();
  assert.equal(server.sockets.length, 2);
  answer(server);
  assert.equal(signaling.connected, true);
});

test("what the lobby that was left still says is nothing to the next one", (t) => {
  const { server, signaling, heard } = sent(t);
  const [before] = server.sockets;
  server.say('{"type":"waiting"}', before);
  server.drop(before);
  answer(server);
  server.pass(24_999);
  assert.deepEqual(heard, [["moved", "ana"]]);
  assert.equal(signaling.connected, true);
});

test("who disconnects on the way is nowhere", (t) => {
  const { server, signaling, heard } = sent(t);
  signaling.disconnect();
  assert.equal(server.socket.readyState, WebSocket.CLOSING);
  assert.equal(signaling.moving, false);
  server.pass(HOUR);
  assert.equal(server.sockets.length, 2);
  signaling.connect();
  assert.equal(signaling.moving, false);
  assert.equal(server.socket.url, URL_OF_MATCH);
  server.accept();
  assert.deepEqual(server.socket.received, []);
  server.say(welcome("cem", "weur.new"));
  assert.deepEqual(heard, [["welcome", "cem"]]);
});

test("a listener that throws when it is sent elsewhere gets there", (t) => {
  const { server, signaling, heard } = welcomed(t);
  signaling.on("redirect", () => {
    throw new Error("the page is broken");
  });
  assert.throws(() => server.say(redirect(THERE, "global.queue")), /the page is broken/);
  answer(server);
  assert.deepEqual(heard, ["redirect", ["moved", "ana"]]);
});

test("a listener that disconnects when it is sent elsewhere goes nowhere", (t) => {
  const { server, signaling, heard } = welcomed(t);
  signaling.on("redirect", () => signaling.disconnect());
  server.say(redirect(THERE, "global.queue"));
  server.pass(HOUR);
  assert.ok(server.sockets.every(({ readyState }) => readyState >= WebSocket.CLOSING));
  assert.equal(signaling.connected, false);
  assert.equal(signaling.token, "");
  assert.deepEqual(heard, ["redirect"]);
});

// Circles

/** Sends the newest socket on so many times. @param {Server} server @param {number} times */
function sendOn(server, times) {
  for (let time = 0; time < times; time++) {
    server.accept();
    server.say(redirect(time % 2 ? HERE : THERE));
  }
}

test("the sixth redirect in a row counts as a lost connection, after which there may be five again", (t) => {
  const { server, signaling, heard } = client(t);
  signaling.connect();
  sendOn(server, 5);
  assert.deepEqual(heard, Array(5).fill("redirect"));
  assert.equal(server.sockets.length, 6);
  sendOn(server, 1);
  assert.deepEqual(heard.splice(0), [...Array(5).fill("redirect"), "lost"]);
  assert.equal(server.socket.readyState, WebSocket.CLOSING);
  assert.equal(signaling.moving, false);
  assert.equal(signaling.failures, 1);
  server.pass(249);
  assert.equal(server.sockets.length, 6);
  server.pass(1);
  sendOn(server, 6);
  assert.deepEqual(heard, [...Array(5).fill("redirect"), "lost"]);
  assert.equal(signaling.failures, 2);
  server.pass(375);
  assert.equal(server.sockets.length, 13);
});

test("the token of a redirect that is one too many is kept for after the wait", (t) => {
  const { server, signaling, heard } = client(t);
  signaling.connect();
  sendOn(server, 5);
  server.accept();
  server.say(redirect(THERE, "global.queue"));
  server.pass(250);
  assert.equal(server.socket.url, THERE);
  answer(server);
  assert.deepEqual(heard.slice(5), ["lost", ["moved", "ana"]]);
});

for (const [what, token] of [
  ["a welcome", undefined],
  ["a resumed seat", "weur/2.seat"],
]) {
  test(`after ${what} redirects are counted anew`, (t) => {
    const { server, signaling, heard } = client(t, token);
    signaling.connect();
    sendOn(server, 5);
    answer(server);
    for (let time = 0; time < 5; time++) {
      server.say(redirect(HERE));
      server.accept();
    }
    assert.ok(!heard.includes("lost"));
    assert.equal(server.sockets.length, 11);
  });
}

for (const ours of ["lost", "resumed", "moved"]) {
  test(`the server cannot say "${ours}"`, (t) => {
    const { server, heard } = welcomed(t);
    server.say(JSON.stringify({ type: ours, id: "ben", resume: "global.not" }));
    assert.deepEqual(heard, []);
  });
}
