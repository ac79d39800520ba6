// The day's limits of the free plan, as objects meet them: the runtime throws, and a page is to know why.

/** How the runtime says it: "Exceeded allowed duration in Durable Objects free tier." */
const LIMIT = /durable objects free tier/i;

/**
 * The answer where an object may not be asked any more today (Cloudflare: Durable Objects, Pricing); nothing for
 * any other error.
 *
 * @param {unknown} error
 * @param {number} now in milliseconds since the Unix epoch
 */
export function full(error, now) {
  if (!(error instanceof Error) || !LIMIT.test(error.message)) return null;
  const seconds = 86_400 - (Math.floor(now / 1_000) % 86_400);
  const headers = {
    "access-control-allow-origin": "*",
    "cache-control": "no-store",
    "content-type": "text/plain; charset=utf-8",
    "retry-after": String(seconds),
    "x-content-type-options": "nosniff",
  };
  return new Response("Full for today. It opens again at 00:00 UTC.", { status: 503, headers });
}
