// How long to wait before another attempt to connect: longer each time, and never in step with others.

/** The first wait, in milliseconds, before jitter. */
const FIRST = 500;
/** How much longer each wait is than the one before. The server keeps a lost seat for fifteen seconds
 * (src/core/resume.rs), and there are to be some attempts in them. */
const GROWTH = 1.5;
/** The longest wait, in milliseconds, before jitter. */
const LONGEST = 15_000;

/**
 * The wait before an attempt. Half of it is fixed, so that a server that refuses is not asked at once;
 * half is random, so that after a deploy not everybody returns in the same instant.
 *
 * @param {number} failures how many attempts failed in a row, from 0
 * @param {() => number} [random] a number from 0 up to 1
 * @returns {number} milliseconds
 */
export function backoff(failures, random = Math.random) {
  const wait = Math.min(LONGEST, FIRST * GROWTH ** failures);
  return wait / 2 + (random() * wait) / 2;
}
