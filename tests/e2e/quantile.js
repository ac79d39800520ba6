// What the measurements print.

/**
 * @param {number[]} times
 * @param {number} share from 0 to 1: 0.5 is the median
 * @returns {number} NaN where nothing was measured
 */
export function quantile(times, share) {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
