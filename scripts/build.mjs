/** `build/` holds the Worker that the sources describe, and is made again only when they change. */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { binaries, isMain, root } from "./environment.mjs";
import { esbuild } from "./packages.mjs";
import { checkRust } from "./prerequisites.mjs";
import { main } from "./problem.mjs";
import { Progress } from "./progress.mjs";
import { compile, everything, setup } from "./setup.mjs";
import { bindgen, fileOf } from "./tools.mjs";

const folder = join(root, "build");
const wasm = join(folder, "index_bg.wasm");
const script = join(folder, "index.js");
const stamp = join(folder, ".stamp");
/** Where the parts lie before they are one. */
const parts = join(folder, "parts");

const BINDGEN = [
  "--target=module",
  "--out-name=index",
  "--no-typescript",
  "--experimental-reset-state-function",
];
/** What the compiler uses of WebAssembly, and nothing newer than the runtime knows. Names of functions are
 * left out: they are a tenth of the size, and a panic says its file and line anyway. */
const OPTIMISE = [
  "-Os",
  "--strip-debug",
  "--strip-producers",
  "--enable-bulk-memory",
  "--enable-exception-handling",
  "--enable-multivalue",
  "--enable-mutable-globals",
  "--enable-nontrapping-float-to-int",
  "--enable-reference-types",
  "--enable-sign-ext",
];
const BUNDLE = [
  "--bundle",
  "--format=esm",
  "--minify",
  "--external:./index_bg.wasm",
  "--external:cloudflare:*",
  "--log-level=warning",
];

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
    const bindings = await fileOf(await bindgen());
    const now = await fingerprint(); // taken first: an edit made meanwhile must build again
    const compiled = await compile(step);
    await rm(parts, { recursive: true, force: true });
    await mkdir(parts, { recursive: true });
    await step.run(bindings, [compiled, "--out-dir", parts, ...BINDGEN]);
    const raw = join(parts, "index_bg.wasm");
    await step.run(join(binaries, "wasm-opt"), [raw, "-o", raw, ...OPTIMISE]);
    const [entry, bundle] = [join(parts, "entry.js"), join(parts, "bundle.js")];
    for (const name of ["entry.js", "full.js"]) {
      await copyFile(join(root, "src", "shell", name), join(parts, name));
    }
    await step.run(esbuild(), [entry, `--outfile=${bundle}`, ...BUNDLE]);
    // As the runtime takes it, which does not know the newer `import source`.
    const bundled = await readFile(bundle, "utf8");
    await writeFile(bundle, bundled.replace("import source ", "import "));
    // Together, for a server that runs looks at them.
    await Promise.all([rename(raw, wasm), rename(bundle, script)]);
    await rm(parts, { recursive: true });
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

/** What is sent over a network, in bytes: the Worker when it is deployed, the pages to who opens the site. */
export async function measureSizes() {
  const [worker, glue] = await Promise.all([readFile(wasm), readFile(script)]);
  // Neither the headers' file nor the types are loaded.
  const names = (await readdir(join(root, "pages"), { recursive: true })).filter(
    (name) => extname(name) && !name.endsWith(".d.ts"),
  );
  const pages = await Promise.all(names.map((name) => readFile(join(root, "pages", name))));
  return {
    wasm: worker.length,
    wasmGzipped: gzipped(worker),
    scriptGzipped: gzipped(glue),
    pagesGzipped: pages.reduce((sum, file) => sum + gzipped(file), 0),
    pageFiles: pages.length,
  };
}

async function sizes() {
  const { wasm, wasmGzipped } = await measureSizes();
  return `wasm ${kib(wasm)}, ${kib(wasmGzipped)} gzipped`;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const progress = new Progress();
    if (!(await isBuilt())) await setup(progress, everything);
    await build(progress);
    const { pageFiles, pagesGzipped } = await measureSizes();
    console.log(`build/index.js: ${await sizes()}`);
    console.log(`pages: ${pageFiles} files, ${kib(pagesGzipped)} gzipped`);
  });
}
