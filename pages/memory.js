// What the page remembers of its person's choices, on this device only. Where nothing may be stored, or
// what is stored is not ours, it goes on without.

/**
 * @param {string} key
 * @param {unknown} value
 */
export function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden.
  }
}

/**
 * @param {string} key
 * @returns {unknown} undefined where nothing is known
 */
export function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "");
  } catch {
    return undefined;
  }
}
