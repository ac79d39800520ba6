/** No program outlives the script that started it: each gets a process group, which ends when the script does. */

import { spawn } from "node:child_process";
import { environment, root } from "./environment.mjs";

/** Seconds a program has to end by itself before it is killed, and the most that it may ask for. */
const GRACE = 5;

let stopping = false;

/** @type {Map<import("node:child_process").ChildProcess, number>} each with its grace */
const running = new Map();

/**
 * @typedef {object} Options
 * @property {string} [cwd] the repository, unless given
 * @property {NodeJS.ProcessEnv} [env] added to the scripts' environment
 * @property {number} [limit] seconds after which the program is ended
 * @property {number} [grace] seconds it has to end by itself when it is stopped, at most 5
 * @property {boolean} [inherit] it prints where the script does, and nobody reads along
 * @property {(text: string, stream: "stdout" | "stderr") => void} [onOutput] hears what the program prints
 * @property {(ok: boolean) => void} [onEnd] hears of its end, unless it is us who stop
 */

/**
 * Starts a program without input.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {Options} [options]
 */
export function start(command, args, options = {}) {
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    detached: true,
    env: environment(options.env),
    stdio: options.inherit ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
  });
  running.set(child, options.grace ?? GRACE);
  for (const stream of /** @type {const} */ (["stdout", "stderr"])) {
    child[stream]?.setEncoding("utf8").on("data", (text) => options.onOutput?.(text, stream));
  }
  /** @param {boolean} ok */
  const end = (ok) => {
    if (running.delete(child) && !stopping) options.onEnd?.(ok);
  };
  child.on("exit", () => signal(child, "SIGKILL")); // what it may have left behind
  child.on("close", (code) => end(code === 0));
  child.on("error", (error) => {
    options.onOutput?.(`${error.message}\n`, "stderr");
    end(false);
  });
  return child;
}

/**
 * Runs a program to its end.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {Options} [options]
 * @returns {Promise<{ ok: boolean, output: string, stdout: string }>} `stdout`: of its output
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    let output = "";
    let stdout = "";
    /** @type {NonNullable<Options["onOutput"]>} */
    const onOutput = (text, stream) => {
      output += text;
      if (stream === "stdout") stdout += text;
      options.onOutput?.(text, stream);
    };
    const child = start(command, args, {
      ...options,
      onOutput,
      onEnd: (ok) => {
        clearTimeout(timer);
        resolve({ ok, output, stdout });
      },
    });
    const timer = setTimeout(
      () => {
        onOutput(`\n${command} did not end within ${options.limit} seconds.\n`, "stderr");
        signal(child, "SIGKILL");
      },
      (options.limit ?? 3600) * 1000,
    );
  });
}

/** Ends every program that is running: politely, then for sure. */
async function stopAll() {
  for (const [child, grace] of running) {
    signal(child, "SIGTERM");
    setTimeout(() => signal(child, "SIGKILL"), grace * 1000);
  }
  const deadline = Date.now() + GRACE * 1000;
  while (running.size > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  killAll();
}

function killAll() {
  for (const child of running.keys()) signal(child, "SIGKILL");
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {NodeJS.Signals} name
 */
function signal(child, name) {
  try {
    if (child.pid) process.kill(-child.pid, name);
  } catch {
    // The group is gone already.
  }
}

/**
 * @param {number} code
 * @param {string} [why]
 */
async function stop(code, why) {
  if (stopping) return;
  stopping = true;
  if (why) console.error(`\nStopped: ${why}.`);
  await stopAll();
  process.exit(code);
}

process.on("SIGINT", () => stop(130));
process.on("SIGTERM", () => stop(143, "asked to end"));
process.on("SIGHUP", () => stop(129, "the terminal is gone"));
process.on("exit", killAll);
// A pipe whose reader is gone: nobody is there to be told.
process.stdout.on("error", () => stop(141));

// npm passes a signal on to a shell, which dies of it without telling us.
const parent = process.ppid;
if (process.env.npm_lifecycle_event) {
  setInterval(() => process.ppid === parent || stop(143, "npm has ended"), 500).unref();
}
