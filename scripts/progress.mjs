/** Shows what is being done and for how long, one line a task; plain lines where there is no terminal. */

import { stripVTControlCharacters } from "node:util";
import { Problem } from "./problem.mjs";
import { run } from "./process.mjs";

const FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

/**
 * A task under way: it can say what it is at, and run programs whose output is kept for the case of a failure.
 *
 * @typedef {object} Step
 * @property {(what: string) => void} say
 * @property {(command: string, args: string[], options?: import("./process.mjs").Options) => Promise<string>} run
 */

export class Progress {
  /** @type {Map<string, { since: number, what: string, line: string }>} */
  #tasks = new Map();
  #drawn = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /**
   * Does a piece of work under a name; what it returns is the remark beside its time.
   *
   * @param {string} name
   * @param {(step: Step) => Promise<string | void>} work
   */
  async task(name, work) {
    const state = { since: Date.now(), what: "", line: "" };
    this.#tasks.set(name, state);
    this.#redraw();
    const step = this.#step(name, state);
    try {
      const remark = await work(step);
      this.#finish(name, "✓", remark ?? state.what);
    } catch (error) {
      this.#finish(name, "✗", error instanceof Problem ? error.message : state.what);
      throw error;
    }
  }

  /** @param {string} text prints a line above the running tasks */
  print(text) {
    this.#clear();
    console.log(text);
    this.#redraw();
  }

  /**
   * @param {string} name
   * @param {{ what: string, line: string }} state
   * @returns {Step}
   */
  #step(name, state) {
    return {
      say: (what) => {
        state.what = what;
        state.line = "";
        if (!process.stdout.isTTY) console.log(`  … ${name}: ${what}`);
      },
      run: async (command, args, options = {}) => {
        const { ok, output } = await run(command, args, {
          ...options,
          onOutput: (text, stream) => {
            const lines = stripVTControlCharacters(text).split(/[\r\n]+/);
            state.line = lines.findLast((line) => line.trim())?.trim() ?? state.line;
            options.onOutput?.(text, stream);
          },
        });
        if (!ok)
          throw new Problem(`${name}: \`${[command, ...args].join(" ")}\` failed.`, {
            log: withoutSteps(output),
          });
        return output;
      },
    };
  }

  /**
   * @param {string} name
   * @param {string} mark
   * @param {string} remark
   */
  #finish(name, mark, remark) {
    const task = this.#tasks.get(name);
    this.#tasks.delete(name);
    this.print(
      `  ${mark} ${name.padEnd(16)} ${seconds(task?.since ?? Date.now())}  ${remark}`.trimEnd(),
    );
  }

  #clear() {
    if (this.#drawn > 0) process.stdout.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }

  #redraw() {
    if (!process.stdout.isTTY) return;
    this.#clear();
    const frame = FRAMES[Math.floor(Date.now() / 100) % FRAMES.length];
    for (const [name, { since, what, line }] of this.#tasks) {
      const text = `  ${frame} ${name.padEnd(16)} ${seconds(since)}  ${[what, line].filter(Boolean).join(" · ")}`;
      console.log(text.slice(0, (process.stdout.columns || 80) - 1));
      this.#drawn += 1;
    }
    clearTimeout(this.#timer);
    if (this.#tasks.size > 0) this.#timer = setTimeout(() => this.#redraw(), 100);
  }
}

/** @param {number} since milliseconds since the epoch */
function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1).padStart(6)} s`;
}

/** @param {string} log cargo's, in which the lines of what went well hide the error */
function withoutSteps(log) {
  const step =
    /^\s*(Adding|Blocking|Checking|Compiling|Downloaded|Downloading|Installing|Updating) /;
  return log
    .split("\n")
    .filter((line) => !step.test(stripVTControlCharacters(line)))
    .join("\n");
}
