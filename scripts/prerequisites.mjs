/** What the set-up cannot bring along is asked for before any long work begins. */

import { install } from "./debian.mjs";
import { atLeast, which } from "./environment.mjs";
import { Problem } from "./problem.mjs";
import { run } from "./process.mjs";

const RUST = /** @type {const} */ ([1, 91]);

export function checkNode() {
  if (process.platform === "win32") {
    throw new Problem("Windows is not supported directly.", {
      hint: "Run it in the Windows Subsystem for Linux: `wsl --install`, then clone and start it there.",
    });
  }
  if (!atLeast(process.versions.node, 20, 0)) {
    throw new Problem(`Node 20 or newer is needed, and this is ${process.versions.node}.`, {
      hint: "Install a current Node from https://nodejs.org or with your package manager.",
    });
  }
}

/** @returns {Promise<string>} the version of Rust, with its commit */
export async function checkRust() {
  const wanted = `Rust ${RUST.join(".")} or newer is needed`;
  if (!which("cargo") || !which("rustc")) {
    throw new Problem(`${wanted}, and \`cargo\` was not found.`, {
      hint: "Install Rust with rustup: https://rustup.rs\nThen open a new terminal and run this again.",
    });
  }
  const { ok, output } = await run("rustc", ["--version"], { limit: 60 });
  const version = /rustc (\S+)/.exec(output)?.[1];
  if (!ok || !version) {
    throw new Problem("`rustc --version` failed.", {
      log: output,
      hint: "Try: rustup default stable",
    });
  }
  if (!atLeast(version, ...RUST)) {
    throw new Problem(`${wanted}, and this is ${version}.`, { hint: "Try: rustup update stable" });
  }
  return output.trim();
}

/** @param {import("./progress.mjs").Step} step */
export async function provideCompiler(step) {
  if (process.env.CC || which("cc")) return "there";
  await install(
    step,
    ["gcc", "libc6-dev"],
    "A C compiler (cc) is missing.",
    "macOS: xcode-select --install; Fedora: gcc",
  );
  return "installed";
}
