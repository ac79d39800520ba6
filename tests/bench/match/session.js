// What happens in a session: people come, everybody meets everybody else in turn, and all leave.

import assert from "node:assert/strict";
import { ask, Person } from "./person.js";

/** @import { Habit } from "./habits.js" */

/** How many come at once. */
export const PEOPLE = 22;
/** How many they meet: fewer than there are, so that nobody is met twice. */
export const MATCHES = 20;
/** How long a match is taken to last. It does not here, but has its heartbeats. */
export const MATCH_SECONDS = 60;
/** After this long a page asks for the ICE servers again: for four fifths of the ten minutes for which they hold
 * (pages/server.js). */
export const WAYS_SECONDS = 480;

/**
 * Those who use a server, all with one habit.
 * @typedef {object} Crowd
 * @property {number} port
 * @property {Habit} habit
 * @property {Person[]} people
 * @property {number} messagesACall of the two together, until both know the way
 */

/** How many messages all have said. @param {Person[]} people */
export const saidBy = (people) => people.reduce((sum, { said }) => sum + said, 0);

/** @param {Crowd} crowd */
export async function come(crowd) {
  const { port, habit } = crowd;
  crowd.people = Array.from({ length: PEOPLE }, () => new Person(port));
  for (const person of crowd.people) {
    await person.welcomed(habit.compresses);
    await ask(port, "/v1/stats");
  }
}

/** @param {Crowd} crowd @param {number} match which it is of everybody's matches */
export async function meet(crowd, match) {
  const { habit, people } = crowd;
  const pairs = pairsOf(people, match);
  const before = saidBy(people);
  for (const [one, other] of pairs) {
    one.says(habit.find);
    await one.hears("waiting");
    other.says(habit.find);
    for (const person of [one, other]) {
      const { peer } = await person.hears("peer-joined");
      person.partner = peer.id;
    }
  }
  await Promise.all(pairs.map(([one, other]) => habit.negotiate(one, other)));
  crowd.messagesACall = (saidBy(people) - before) / pairs.length;
}

/** The heartbeats of a match. @param {Crowd} crowd @param {number} match */
export async function beat({ habit, people }, match) {
  for (let beats = due(match, habit.beatSeconds); beats > 0; beats -= 1)
    await Promise.all(people.map((person) => habit.beat(person)));
}

/** What the pages ask for during a match. @param {Crowd} crowd @param {number} match */
export async function renew({ port, people }, match) {
  for (let asks = due(match, WAYS_SECONDS); asks > 0; asks -= 1)
    await Promise.all(people.map(() => ask(port, "/v1/ice")));
}

/** @param {Crowd} crowd */
export async function leave({ people }) {
  await Promise.all(people.map((person) => person.leaves()));
}

/** How often something is due in a match that is due every so many seconds from the first match on.
 * @param {number} match @param {number} every */
function due(match, every) {
  const before = (/** @type {number} */ matches) => Math.ceil((matches * MATCH_SECONDS) / every);
  return before(match + 1) - before(match);
}

/**
 * Everybody with somebody else in each match: one stays and the others go round (the circle method).
 * @param {Person[]} people
 * @param {number} match
 */
function pairsOf([first, ...others], match) {
  const circle = [first, ...others.slice(match), ...others.slice(0, match)];
  return circle.slice(0, circle.length / 2).map((one, place) => {
    const other = circle.at(-1 - place);
    assert(one && other);
    return /** @type {const} */ ([one, other]);
  });
}
