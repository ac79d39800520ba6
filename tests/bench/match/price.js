// What Cloudflare bills, in USD, for what goes beyond what the Workers Paid plan includes: its documentation, the
// pages Pricing of Durable Objects and of Workers, in copies that were read on 2026-11-21. Closes of sockets are not
// named there.

/** A request to a Worker, which the upgrade of a WebSocket is; what is said on it then is none. */
const WORKER_REQUEST = 0.3 / 1e6;
/** A request to a Durable Object, be it by HTTP, an upgrade or an alarm. */
const OBJECT_REQUEST = 0.15 / 1e6;
/** Incoming messages of WebSockets that count as one request. What the object says is free, and so is what the
 * runtime answers for it (`setWebSocketAutoResponse`). */
const MESSAGES_A_REQUEST = 20;
/** Wall-clock time in which an object runs, once for all that it does at a time; not while it could sleep, even
 * before it does. */
const GB_SECOND = 12.5 / 1e6;
/** The memory of an object, whatever it uses. */
const OBJECT_GB = 0.128;
/** A row written, as which an alarm that is set counts. */
const ROW_WRITTEN = 1 / 1e6;

export const prices = {
  date: "2026-11-21",
  pages: ["Durable Objects: Platform, Pricing", "Workers: Platform, Pricing"],
  usdAWorkerRequest: WORKER_REQUEST,
  usdAnObjectRequest: OBJECT_REQUEST,
  messagesARequest: MESSAGES_A_REQUEST,
  usdAGbSecond: GB_SECOND,
  objectGb: OBJECT_GB,
  usdARowWritten: ROW_WRITTEN,
};

/**
 * @typedef {object} Usage
 * @property {number} workerRequests
 * @property {number} objectRequests by HTTP, upgrades among them
 * @property {number} messages
 * @property {number} alarms
 * @property {number} alarmsSet
 * @property {number} activeMillis that the object ran
 */

/** @param {Usage} usage */
export function bill({
  workerRequests,
  objectRequests,
  messages,
  alarms,
  alarmsSet,
  activeMillis,
}) {
  const billed = objectRequests + alarms + messages / MESSAGES_A_REQUEST;
  const gbSeconds = (activeMillis / 1_000) * OBJECT_GB;
  const usd =
    workerRequests * WORKER_REQUEST +
    billed * OBJECT_REQUEST +
    gbSeconds * GB_SECOND +
    alarmsSet * ROW_WRITTEN;
  return { workerRequests, objectRequests: billed, gbSeconds, usd };
}
