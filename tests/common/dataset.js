// Workers Analytics Engine, played by the tests: a data point is a line in the log, if they want it.

/** @param {{ wanted: string | null }} bindings */
export default ({ wanted }) => ({
  /** @param {unknown} point */
  writeDataPoint(point) {
    if (wanted) console.log(JSON.stringify({ dataPoint: point }));
  },
});
