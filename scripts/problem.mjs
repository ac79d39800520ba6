/** What a person can do something about is a `Problem`: it says what happened, and what to do. */

export class Problem extends Error {
  /**
   * @param {string} message what happened
   * @param {{ hint?: string, log?: string }} [details] `hint`: what to do; `log`: what the failed program printed
   */
  constructor(message, details = {}) {
    super(message);
    this.name = "Problem";
    this.hint = details.hint ?? "";
    this.log = details.log ?? "";
  }
}

/**
 * Prints an error for a person: a `Problem` without its stack, anything else as it is.
 *
 * @param {unknown} error
 */
export function explain(error) {
  if (!(error instanceof Problem)) {
    console.error(error);
    return;
  }
  if (error.log.trim()) console.error(`\n${error.log.trimEnd()}`);
  console.error(`\n✗ ${error.message}`);
  if (error.hint) console.error(`\n${error.hint.replace(/^/gm, "  ")}`);
  console.error("");
}

/**
 * Runs the main function of a script; its failure is explained, and the script exits with 1.
 *
 * @param {() => Promise<void>} work
 */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    explain(error);
    process.exit(1);
  }
}
