// Speaks to other objects, which takes time: all that waits is JavaScript. Where no answer comes, since the other one
// is gone or has too much to do, whoever asked goes on without.

/**
 * @typedef {object} Answers
 * @property {(advice: Uint8Array) => void} advised
 * @property {(peer: number, number: number, token?: string) => void} expected
 */

/**
 * @param {{ hear(report: Uint8Array): Promise<Uint8Array> }} directory
 * @param {Uint8Array} report
 * @param {Answers} answers
 */
export function report(directory, report, { advised }) {
  directory.hear(report).then(advised, () => {});
}

/**
 * @param {{ expect(arrival: Uint8Array): Promise<string | undefined> }} lobby
 * @param {Uint8Array} arrival
 * @param {Answers} answers
 * @param {number} peer
 * @param {number} number
 */
export function handOver(lobby, arrival, { expected }, peer, number) {
  lobby.expect(arrival).then(
    (token) => expected(peer, number, token),
    () => expected(peer, number),
  );
}
