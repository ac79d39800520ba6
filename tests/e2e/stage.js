// What every scene needs: a server for the file, people who go home after each test, and no complaint
// from any page.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import { visit } from "./browsers.js";
import { start } from "./server.js";
import { lay } from "./wire.js";

/** @import { Circumstances, Kind, Person } from "./browsers.js" */
/** @import { Wire } from "./wire.js" */

/** What a browser says by itself of a server that is gone, or goes while it answers, of a peer that is
 * frozen, or of an address that is not secure; and not what it says of a policy that the page breaks. */
const EXPECTED =
  /WebSocket connection to|net::ERR_(?!BLOCKED)|can’t establish a connection|WebRTC: ICE failed|Opener-Policy header has been ignored/;

/** Pictures a second of the test cameras: many encoders and decoders share one small machine. */
export const FPS = 10;

/**
 * To be called once by a test file, outside its tests.
 * @param {Record<string, string>} [variables] of the server
 */
export function stage(variables = {}) {
  /** @type {import("./server.js").Server} */
  let server;
  /** Where its objects keep what they keep: nobody was there before. */
  let kept = "";
  /** @type {Person[]} */
  let people = [];
  /** @type {Wire[]} */
  const wires = [];

  before(async () => {
    kept = await mkdtemp(join(tmpdir(), "echomingle-"));
    server = await start({ variables, kept });
  });
  after(async () => {
    await server?.stop();
    await rm(kept, { recursive: true, force: true });
  });
  afterEach(async () => {
    const all = people;
    people = [];
    try {
      await goHome(all);
    } finally {
      for (const wire of wires.splice(0)) await wire.close();
    }
  });

  return {
    /**
     * People at the site, each at a browser of its own.
     * @param {Kind[]} kinds
     */
    async visitors(...kinds) {
      return Promise.all(kinds.map((kind) => this.visitor(kind)));
    },

    /**
     * @param {Kind} [kind]
     * @param {Circumstances & { path?: string, wire?: Pick<Wire, "address"> }} [circumstances] `wire`: by which the server
     *   is reached
     */
    async visitor(kind, { path = "/", wire, ...circumstances } = {}) {
      const person = await visit((wire ?? server).address + path, kind, {
        fps: FPS,
        ...circumstances,
      });
      people.push(person);
      return person;
    },

    /**
     * People who open the link of a room one after the other, and see each other.
     * @param {string} room
     * @param {Kind[]} kinds
     */
    async members(room, ...kinds) {
      /** @type {Person[]} */
      const members = [];
      for (const kind of kinds) {
        const member = await this.visitor(kind, { path: `/r/${room}` });
        await member.reads(
          "status",
          members.length === 0 ? "Only you" : `${members.length + 1} people`,
        );
        members.push(member);
      }
      await Promise.all(members.map((member) => member.seesAll(members.length - 1)));
      return members;
    },

    /** Where the server is. */
    get address() {
      return server.address;
    },

    /** A wire to the server. It is there until the end of the test. */
    async wire() {
      const wire = await lay(server.port);
      wires.push(wire);
      return wire;
    },

    /** @returns {Promise<import("../../pages/lib/protocol.js").Stats>} */
    async stats() {
      return (await fetch(`${server.address}/v1/stats`)).json();
    },

    /** What the server printed. */
    log: () => server.log(),

    /**
     * Stops the server, for as long as something is done, and starts it again where it was.
     * @param {() => Promise<void>} action
     * @param {"stop" | "kill"} [how] politely, or as a crash does
     */
    async without(action, how = "stop") {
      await server[how]();
      try {
        await action();
      } finally {
        server = await start({ port: server.port, variables, kept });
      }
    },
  };
}

/**
 * Closes their browsers; no page may have complained.
 * @param {Person[]} people
 */
export async function goHome(people) {
  const complaints = people.flatMap((person) => person.complaints);
  await Promise.all(people.map((person) => person.close()));
  const surprises = complaints.filter((complaint) => !EXPECTED.test(complaint));
  assert.deepEqual(surprises, [], "a page complained");
}

/**
 * Brings two into a call in which they see each other.
 * @param {Person} ana
 * @param {Person} ben
 */
export async function meet(ana, ben) {
  await ana.click("start");
  await ana.reads("status", "Looking for someone");
  await ben.click("start");
  await Promise.all([ana.sees(), ben.sees()]);
  for (const person of [ana, ben]) await person.reads("status", "Connected");
}
