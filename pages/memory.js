// What the page remembers of its person's choices, on this device only. Where nothing may be stored, or
// what is stored is not ours, it goes on without.

/** For how long: until it is deleted, or as long as this tab is there. @typedef {"ever" | "session"} Span */

/** @param {Span} span */
const storage = (span) => (span === "ever" ? localStorage : sessionStorage);

/**
 * @param {string} key
 * @param {unknown} value
 * @param {Span} [span]
 */
export function remember(key, value, span = "ever") {
  try {
    storage(span).setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden.
  }
}

/**
 * @param {string} key
 * @param {Span} [span]
 * @returns {unknown} undefined where nothing is known
 */
export function recall(key, span = "ever") {
  try {
    return JSON.parse(storage(span).getItem(key) ?? "");
  } catch {
    return undefined;
  }
}
