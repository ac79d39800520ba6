/**
 * `npm run lobbies`: 10,000 sockets, or as many as this machine allows, over some twenty lobbies of one workerd, which
 * split and fold under them while the directory and the server are ended (tests/bench/load/lobbies.rs). Prints what there
 * was and what was wrong, writes docs/scale/real.json and draws docs/scale/real.svg; `npm run lobbies -- --sockets 1000
 * --seconds 60 --seed 7` is a shorter one, and writes neither. Fails where anything was wrong. What there was is in
 * build/lobbies.json in any case.
 */

import { each, run } from "./load.mjs";
import { main } from "./problem.mjs";

/** @param {import("./load.mjs").Result} result @returns {string[][]} */
function rows(result) {
  const { searchedMs, phases } = result;
  return [
    ["sockets", "asked for, held", `${result.sockets}, ${result.held}`],
    ["time", "seconds, of which under load", `${result.wallSeconds}, ${result.seconds}`],
    ["lobbies", "`LOBBY_BUDGET`", result.budget],
    ["lobbies", "with people in them, at most", `${result.mostLobbies}`],
    ["lobbies", "came into use, went out of it", `${result.begun}, ${result.ended}`],
    ...phases.flatMap((/** @type {any} */ phase) => [
      [phase.name, "people, lobbies", `${phase.people}, ${phase.lobbies}`],
      [
        phase.name,
        "then all had met somebody, and /v1/stats said so, after s",
        `${phase.metSeconds.toFixed(1)}, ${phase.statsSeconds.toFixed(1)}`,
      ],
    ]),
    ...each("faults", result.faults),
    [
      "searched",
      "median, 99 of 100, most, in ms",
      [searchedMs.p50, searchedMs.p99, searchedMs.max].join(", "),
    ],
    ...each("messages", result.messages),
    ...each("matches", result.matches),
    ...each("calls ended", result.calls),
    ...each("redirects", result.redirects),
    ["moved", "waits there", `${result.moved}`],
    ...each("not moved", result.notMoved),
    ...each("came back", result.resumed),
    ...each("not given back", result.notResumed),
    ...each("over by the rules", result.byTheRules),
    ["a ping is answered", "after at most, in ms", `${result.slowestPongMs}`],
    ["memory", "most, in MiB", `${result.mostMiB}`],
  ];
}

await main(() =>
  run({
    name: "lobbies",
    record: "scale/real",
    usual: { sockets: "10000", seconds: "480", seed: "1" },
    rows,
    plot: {
      title: "People, lobbies and redirects while the layout splits and folds",
      x: "seconds",
      y: "number",
      logarithmic: ["y"],
    },
    series: ["people", "lobbies with people", "redirects so far", "MiB"],
    nothing: "lost, doubled, astray, left alone",
  }),
);
