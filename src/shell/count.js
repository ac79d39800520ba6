// Asks a rate limiter, which takes time: all that waits is JavaScript.

/**
 * Lets somebody go on if the limiter does. One that fails keeps nobody out.
 *
 * @param {{ limit(of: { key: string }): Promise<{ success: boolean }> }} limiter
 * @param {string} key
 * @param {import("./index.js").Visit} visit
 * @returns {Promise<Response>}
 */
export async function count(limiter, key, visit) {
  const { success } = await limiter.limit({ key }).catch(() => ({ success: true }));
  return success ? visit.go() : visit.turn_away();
}
