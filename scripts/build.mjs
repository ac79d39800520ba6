/** `build/` holds the Worker that the sources describe, and is made again only when they change. */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { binaries, isMain, root } from "./environment.mjs";
import { esbuild } from "./packages.mjs";
import { checkRust } from "./prerequisites.mjs";
import { main } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { everything, setup } from "./setup.mjs";
import { tools } from "./tools.mjs";

const wasm = join(root, "build", "index_bg.wasm");
const script = join(root, "build", "index.js");
const stamp = join(root, "build", ".stamp");

/** @returns {Promise<boolean>} whether `build/` is what a build would make */
export async function isBuilt() {
  if (!existsSync(wasm) || !existsSync(script)) return false;
  return (await readFile(stamp, "utf8").catch(() => "")) === (await fingerprint());
}

/**
 * Builds the Worker with what the set-up has brought, unless it is there.
 *
 * @param {Progress} progress
 */
export async function build(progress) {
  if (await isBuilt()) return;
  await progress.task("worker", async (step) => {
    step.say("building");
    const { bindgen, workerBuild } = await tools();
    const now = await fingerprint(); // taken first: an edit made meanwhile must build again
    await step.run(workerBuild, ["--release", "--", "--locked"], {
      // Named here, or worker-build would download its own.
      env: {
        ESBUILD_BIN: esbuild(),
        WASM_BINDGEN_BIN: bindgen,
        WASM_OPT_BIN: join(binaries, "wasm-opt"),
      },
    });
    await writeFile(stamp, now);
    return sizes();
  });
}

/** @returns {Promise<string>} one hash of all that decides what is built */
async function fingerprint() {
  const hash = createHash("sha256").update(await checkRust());
  const sources = (await readdir(join(root, "src"), { recursive: true })).filter((name) =>
    extname(name),
  );
  const others = [
    "Cargo.toml",
    "Cargo.lock",
    "package-lock.json",
    "scripts/build.mjs",
    "scripts/tools.mjs",
  ];
  for (const name of [...sources.sort().map((source) => join("src", source)), ...others]) {
    hash.update(`\0${name}\0`).update(await readFile(join(root, name)));
  }
  return hash.digest("hex");
}

const kib = (/** @type {number} */ bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
const gzipped = (/** @type {Buffer} */ file) => gzipSync(file, { level: 9 }).length;

async function sizes() {
  const file = await readFile(wasm);
  return `wasm ${kib(file.length)}, ${kib(gzipped(file))} gzipped`;
}

/** What a browser loads of `pages/`: neither the headers' file nor the types. */
async function pageSizes() {
  const names = (await readdir(join(root, "pages"), { recursive: true })).filter(
    (name) => extname(name) && !name.endsWith(".d.ts"),
  );
  const files = await Promise.all(names.map((name) => readFile(join(root, "pages", name))));
  const total = files.reduce((sum, file) => sum + gzipped(file), 0);
  return `${files.length} files, ${kib(total)} gzipped`;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const progress = new Progress();
    if (!(await isBuilt())) await setup(progress, everything);
    await build(progress);
    console.log(`build/index.js: ${await sizes()}\npages: ${await pageSizes()}`);
  });
}
