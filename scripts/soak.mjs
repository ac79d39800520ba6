/**
 * `npm run soak`: thousands of sockets for minutes, with whatever can go wrong (tests/bench/load/soak.rs). Prints what
 * there was and what was lost, writes docs/soak.json and draws docs/soak.svg; `npm run soak -- --sockets 200
 * --seconds 20 --kills 1 --seed 7` is a shorter one, and writes neither. Fails where anything was lost. What there was
 * is in build/soak.json in any case.
 */

import { each, run } from "./load.mjs";
import { main } from "./problem.mjs";

/** After so many milliseconds without an answer to a ping the server's own times are over (PROOF, src/core/resume.rs). */
const TOO_SLOW = 2_000;

/** @param {import("./load.mjs").Result} result @returns {string[][]} */
function rows(result) {
  const { held, messages, memory, badInput } = result;
  return [
    ["sockets held", "least, median, most", `${held.min}, ${held.median}, ${held.max}`],
    ["time", "seconds, of which under load", `${result.wallSeconds}, ${result.seconds}`],
    ["time", "longest that the generator stood still, in ms", `${result.stalledMs}`],
    ...each("messages", messages),
    ...each("matches", result.matches),
    ...each("calls ended", result.ended),
    ...each("rooms", result.rooms),
    ...each("came back", result.resumed),
    ...each("not given back", result.notResumed),
    ...each("over by the rules", result.byTheRules),
    ["over by the rules", "taken by a copied token", `${result.taken}`],
    ["faults", "server killed", `${result.serverKilled}`],
    ...each("faults", result.faults),
    ["a ping is answered", "after at most, in ms", `${result.slowestPongMs}`],
    ["when all have gone", "sockets that are still open", `${result.leftOpen}`],
    ...each("bad input tried", badInput.tried),
    ...each("bad input answered", badInput.answered),
    ...each("bad input, cut before the answer", badInput.cut),
    ...memory.map((/** @type {any} */ one) => [
      "memory in MiB",
      `life ${one.life}: second fifth, last`,
      [one.secondFifthMiB, one.lastFifthMiB].map((mib) => mib?.toFixed(0) ?? "–").join(", "),
    ]),
  ];
}

await main(() =>
  run({
    name: "soak",
    record: "soak",
    usual: { sockets: "5000", seconds: "300", kills: "2", seed: "1" },
    rows,
    plot: {
      title: "Sockets, memory and faults while the server is killed twice",
      x: "seconds",
      y: "number, or MiB",
    },
    series: ["sockets", "MiB", "faults so far"],
    nothing: "lost, doubled, out of bounds",
    excuse: ({ slowestPongMs }) =>
      slowestPongMs > TOO_SLOW
        ? `A ping was answered after ${slowestPongMs} ms, which is longer than the rules allow for: the machine is too busy.`
        : undefined,
  }),
);
