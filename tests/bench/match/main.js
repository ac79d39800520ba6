// What a session of matches takes from the server, and what Cloudflare bills for a thousand of them: clients that
// are prepared, as ours, beside clients that trickle, on servers of their own, in turns that alternate match by
// match. Prints JSON; started by `npm run bench -- match`.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { quantile } from "../../e2e/quantile.js";
import { start } from "../frame/workerd.js";
import { prepared, trickling } from "./habits.js";
import { BURST, PER_SECOND } from "./person.js";
import { bill, prices } from "./price.js";
import {
  beat,
  come,
  leave,
  MATCH_SECONDS,
  MATCHES,
  meet,
  PEOPLE,
  renew,
  saidBy,
  WAYS_SECONDS,
} from "./session.js";
import { read } from "./trace.js";

/** @import { Habit } from "./habits.js" */
/** @import { Crowd } from "./session.js" */

/** The servers' core; the clients' is another (scripts/measures.mjs). */
const CORE = "1";
/** Turns that count; one before them warms up. */
const TURNS = 3;
const SESSIONS = 1_000;
/** More than anybody says in a match. */
const ROOM = 20;

/** CPU time of a server, in milliseconds. */
const NOTHING = { signaling: 0, heartbeats: 0, iceServers: 0 };

/** @param {Habit} habit @param {string} [trace] a file */
async function open(habit, trace) {
  const server = await start(habit.config, { core: CORE, ...(trace && { trace }) });
  /** @type {Crowd} */
  const crowd = { port: server.port, habit, people: [], messagesACall: 0 };
  return { server, crowd, cpu: { ...NOTHING } };
}

/** @typedef {Awaited<ReturnType<typeof open>>} Place */

/** A session of everybody at each place. @param {Place[]} places */
async function turn(places) {
  const all = [...places];
  /** @param {keyof typeof NOTHING} what @param {(crowd: Crowd) => Promise<void>} act */
  const everywhere = async (what, act) => {
    for (const place of all) {
      const before = place.server.cpuMillis();
      await act(place.crowd);
      place.cpu[what] += place.server.cpuMillis() - before;
    }
  };
  for (const place of all) place.cpu = { ...NOTHING };
  await everywhere("signaling", come);
  let since = Number.NaN;
  for (let match = 0; match < MATCHES; match += 1) {
    // Nobody may say more than a server takes, which counts from what somebody says first.
    if (match === 1) since = Date.now();
    const said = all.flatMap(({ crowd }) => crowd.people.map((person) => person.said));
    const allowed = since + ((Math.max(...said) + ROOM - BURST) / PER_SECOND) * 1_000;
    if (allowed > Date.now()) await sleep(allowed - Date.now());
    // Now this one goes first, now that one.
    all.reverse();
    await everywhere("signaling", (crowd) => meet(crowd, match));
    await everywhere("heartbeats", (crowd) => beat(crowd, match));
    await everywhere("iceServers", (crowd) => renew(crowd, match));
  }
  await everywhere("signaling", leave);
}

/** What comes to a server whose visitors have these habits, for each of them. @param {Habit[]} habits */
async function count(habits) {
  const folder = await mkdtemp(join(tmpdir(), "echomingle-"));
  const file = (/** @type {Habit} */ { name }) => join(folder, name);
  try {
    const places = await Promise.all(habits.map((habit) => open(habit, file(habit))));
    await turn(places).finally(() => close(places));
    return await Promise.all(
      places.map(async ({ crowd: { habit, people, messagesACall } }) => {
        const { frames, ...counts } = await read(file(habit));
        const messages = saidBy(people);
        // What was said came to the object, and so did the closes; a ping that the runtime answers did not.
        assert.equal(frames, messages + PEOPLE);
        return { messagesACall, took: { ...counts, messages, closes: PEOPLE } };
      }),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What it costs their servers: a list of turns for each. @param {Habit[]} habits */
async function measure(habits) {
  const places = await Promise.all(habits.map((habit) => open(habit)));
  /** @type {(typeof NOTHING)[][]} */
  const turns = [];
  try {
    for (let count = 0; count <= TURNS; count += 1) {
      await turn(places);
      turns.push(places.map(({ cpu }) => cpu));
    }
  } finally {
    await close(places);
  }
  return places.map((_, place) => turns.slice(1).map((cpus) => cpus[place] ?? NOTHING));
}

/** @param {Place[]} places */
const close = (places) => Promise.all(places.map(({ server }) => server.stop()));

/**
 * @param {Habit} habit
 * @param {Awaited<ReturnType<typeof count>>[number]} counted
 * @param {(typeof NOTHING)[]} cpus of the turns
 */
function summary({ beatWakes }, { messagesACall, took }, cpus) {
  const session = mapped(took, (all) => all / PEOPLE);
  const cpuMillis = mapped(NOTHING, (_, what) => {
    const times = cpus.map((cpu) => cpu[what] / PEOPLE);
    return quantile(times, 0.5);
  });
  const activeMillis = cpuMillis.signaling + (beatWakes ? cpuMillis.heartbeats : 0);
  const all = mapped({ ...session, activeMillis }, (one) => one * SESSIONS);
  return { messagesACall, session, cpuMillis, billed: bill(all) };
}

/**
 * @template {string} Key
 * @template Value
 * @template Other
 * @param {Record<Key, Value>} record
 * @param {(value: Value, key: Key) => Other} change
 */
function mapped(record, change) {
  const keys = /** @type {Key[]} */ (Object.keys(record));
  const entries = keys.map((key) => [key, change(record[key], key)]);
  return /** @type {Record<Key, Other>} */ (Object.fromEntries(entries));
}

const habits = [prepared, trickling];
const counted = await count(habits);
const measured = await measure(habits);
/** @param {number} place */
const told = (place) => {
  const [habit, counts] = [habits[place], counted[place]];
  assert(habit && counts);
  return summary(habit, counts, measured[place] ?? []);
};
const [ours, theirs] = [told(0), told(1)];
const result = {
  assumptions: {
    sessions: SESSIONS,
    matchesASession: MATCHES,
    secondsAMatch: MATCH_SECONDS,
    secondsBetweenHeartbeats: { prepared: prepared.beatSeconds, trickling: trickling.beatSeconds },
    secondsBetweenAskingForIceServers: WAYS_SECONDS,
  },
  prices,
  prepared: ours,
  trickling: theirs,
  ratio: mapped(ours.billed, (value, what) => theirs.billed[what] / value),
};
// Four digits are more than is known.
const rounded = (/** @type {string} */ _, /** @type {unknown} */ value) =>
  typeof value === "number" ? Number(value.toPrecision(4)) : value;
console.log(JSON.stringify(result, rounded));
